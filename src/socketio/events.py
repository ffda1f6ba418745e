"""What a frame from the server means: the words in which :class:`socketio.protocol.Protocol` tells its shell.

And what the application's values mean: one argument, or several.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class NamespaceConnected:
    """The server accepted a namespace."""

    namespace: str
    sid: str


@dataclass(frozen=True, slots=True)
class NamespaceRefused:
    """The server refused a namespace, or took back an acceptance.

    ``args`` are the values for the ``connect_error`` handler, ``data`` is what the server sent. ``ended`` names the
    namespaces that were connected and are not any more.
    """

    namespace: str
    args: tuple[Any, ...]
    data: Any
    ended: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NamespaceDisconnected:
    """The server ended a namespace."""

    namespace: str


EventReceived: TypeAlias = tuple[str, str, tuple[Any, ...], int | None]
"""An event, complete with its attachments: namespace, name, arguments, and the id of the acknowledgement that the
server asks for, ``None`` where it asks for none.

A plain tuple, the only one among what a frame can mean: to make any object for each event costs a tenth of all that is
done with it.
"""


@dataclass(frozen=True, slots=True)
class AckReceived:
    """The answer to a request, for the callback that was given with it."""

    namespace: str
    callback: Callable[..., Any]
    args: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class FrameDropped:
    """Something that is no part of the protocol came, and had no effect. ``reason`` is for the log."""

    reason: str


Event: TypeAlias = (
    NamespaceConnected | NamespaceRefused | NamespaceDisconnected | EventReceived | AckReceived | FrameDropped
)


def event_arguments(data: Any) -> tuple[Any, ...]:
    """Return the arguments that ``data`` stands for: a tuple several, ``None`` none, anything else one."""
    if data is None:
        return ()
    return data if isinstance(data, tuple) else (data,)


def ack_result(args: tuple[Any, ...]) -> Any:
    """Return what ``call()`` returns for the values of an acknowledgement."""
    if not args:
        return None
    return args[0] if len(args) == 1 else args
