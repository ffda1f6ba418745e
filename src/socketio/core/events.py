"""The events that a session returns: what frames from the server mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

RESERVED_EVENTS = ("connect", "connect_error", "disconnect", "__disconnect_final")
"""Names of the client's own events; an event from the server cannot have them."""

UNSENDABLE_EVENTS = frozenset(
    ("connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener")
)
"""Names for which a socket.io server closes the connection. Source: ``RESERVED_EVENTS`` of socket.io-parser."""

EventName: TypeAlias = str | int | float
"""The name of an event from the server: usually a text, but numbers are valid too."""

EventReceived: TypeAlias = tuple[str, EventName, tuple[Any, ...], int | None]
"""An event with its attachments: namespace, name, arguments, and the id of the acknowledgement that the server asks
for, or ``None``. A plain tuple, because creating an object for each event takes a tenth of the total time.
"""

Unread: TypeAlias = str | list[Any]
"""An event that is not decoded yet: its frame, or a list of that and its attachments."""

Events: TypeAlias = list[Unread | EventReceived]
"""Events that follow each other."""


@dataclass(frozen=True, slots=True)
class NamespaceConnected:
    """The server accepted a namespace."""

    namespace: str
    sid: str


@dataclass(frozen=True, slots=True)
class NamespaceRefused:
    """The server refused a namespace, also after it had accepted it.

    ``args`` are the values for the ``connect_error`` handler, ``data`` is what the server sent. ``ended`` are the
    namespaces that were connected until then.
    """

    namespace: str
    args: tuple[Any, ...]
    data: Any
    ended: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NamespaceDisconnected:
    """The server ended a namespace."""

    namespace: str


@dataclass(frozen=True, slots=True)
class AckReceived:
    """The acknowledgement of an event, with the callback for it."""

    namespace: str
    callback: Callable[..., Any]
    args: tuple[Any, ...]
    ack_id: int


@dataclass(frozen=True, slots=True)
class FrameDropped:
    """A frame that is not part of the protocol arrived, and had no effect. ``reason`` is for the log."""

    reason: str


@dataclass(frozen=True, slots=True)
class SessionFailed:
    """The session cannot continue and its connection must end. ``reason`` is for the log."""

    reason: str


Notice: TypeAlias = (
    NamespaceConnected | NamespaceRefused | NamespaceDisconnected | AckReceived | FrameDropped | SessionFailed
)
"""What a frame that is not an event means."""

Event: TypeAlias = EventReceived | Notice


def read_event(namespace: str, data: Any, ack_id: int | None) -> EventReceived | FrameDropped:
    """Return the event for the data of a packet."""
    if not isinstance(data, list) or not data:
        return FrameDropped("an event without a name")
    name = data[0]
    if not isinstance(name, (str, int, float)) or isinstance(name, bool):
        return FrameDropped("an event without a name")
    if name in RESERVED_EVENTS:
        return FrameDropped(f"an event with the reserved name {name}")
    return namespace, name, tuple(data[1:]), ack_id


def check_event_name(name: Any) -> None:
    """Raise ``TypeError`` for a name that is not a ``str``, ``ValueError`` for a reserved one."""
    if not isinstance(name, str):
        raise TypeError(f"an event name is a str, not {type(name).__name__}")
    if str.__str__(name) in UNSENDABLE_EVENTS:
        raise ValueError(f"the event name {str.__str__(name)!r} is reserved")


def event_arguments(data: Any) -> tuple[Any, ...]:
    """Return the arguments that ``data`` stands for: several for a tuple, none for ``None``, otherwise one."""
    if data is None:
        return ()
    return data if isinstance(data, tuple) else (data,)


def ack_result(args: tuple[Any, ...]) -> Any:
    """Return what ``call()`` returns for the values of an acknowledgement."""
    if not args:
        return None
    return args[0] if len(args) == 1 else args
