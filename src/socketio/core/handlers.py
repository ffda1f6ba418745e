"""Chooses the handler of an event, and its arguments.

Two registries, as :class:`Handlers` keeps them: functions by namespace and event, objects by namespace. They are
replaced, never edited, so that a lookup on one thread and a registration on another do not conflict.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias, TypeVar

from .events import RESERVED_EVENTS, EventName, EventReceived, Events, FrameDropped, Unread
from .signatures import without_unwanted_reason

Handler: TypeAlias = Callable[..., Any]
Call: TypeAlias = tuple[Handler, tuple[Any, ...]]
Read: TypeAlias = Callable[[Unread | EventReceived], EventReceived | FrameDropped]

H = TypeVar("H", bound=Handler)

_NONE: dict[EventName, Handler] = {}


class Sink(Protocol):
    """Takes the events of a client that have no handler. Called where frames are received, so it must not block."""

    def notify(self, event: str) -> None:
        """Note ``'connect'``, ``'disconnect'`` or another event of the client, before its handler is called."""

    def take(self, events: Events, read: Read) -> None:
        """Take events in the order in which the server sent them; ``read`` decodes one, now or later."""


class Handlers:
    """The handlers of one client.

    :ivar override: returns an override of ``_trigger_event()``, which is called instead of each handler.
    :ivar sink: takes the events that have no handler.
    """

    def __init__(self) -> None:
        self.functions: dict[str, dict[EventName, Handler]] = {}
        self.objects: dict[str, Any] = {}
        self.override: Callable[[], Handler] | None = None
        self.sink: Sink | None = None

    def add(self, event: EventName, handler: Handler, namespace: str) -> None:
        """Register a function; it replaces an earlier one for the same namespace and event."""
        functions = {**self.functions.get(namespace, {}), event: handler}
        self.functions = {**self.functions, namespace: functions}

    def add_object(self, namespace: str, namespace_object: Any) -> None:
        """Register a namespace object."""
        self.objects = {**self.objects, namespace: namespace_object}

    def namespaces(self) -> list[str]:
        """Return the namespaces that have handlers, in the order of registration, without ``'*'``."""
        return [name for name in dict.fromkeys([*self.functions, *self.objects]) if name != "*"]

    def only_sink(self) -> Sink | None:
        """Return the sink if all events go there."""
        has_others = self.functions or self.objects or self.override is not None
        return None if has_others else self.sink

    def find(self, event: EventName, namespace: str, args: tuple[Any, ...]) -> Call | None:
        """Return what to call for an event, and the arguments, or ``None`` if nothing handles it."""
        if self.override is not None:
            return self.override(), (event, namespace, *args)
        handler = self.functions.get(namespace, _NONE).get(event)
        if handler is not None and event != "disconnect":
            return handler, args  # as most are; find_registered() finds the same
        return self.find_registered(event, namespace, args)

    def find_registered(self, event: EventName, namespace: str, args: tuple[Any, ...]) -> Call | None:
        """Return the registered handler for an event and its arguments, or the sink, or ``None``.

        A function wins over an object. ``'*'`` as namespace is used for namespaces without functions, and puts the
        namespace before the arguments; ``'*'`` as event puts the event name first, and is not used for reserved events.
        The reason of a disconnection is left out for a handler that takes none.
        """
        found = self._find_function(event, namespace, args) or self._find_object(event, namespace, args)
        if found is None and self.sink is not None and event not in RESERVED_EVENTS:
            return self.sink.take, ([(namespace, event, args, None)], _identity)
        if found is None or event != "disconnect":
            return found
        return found[0], without_unwanted_reason(*found)

    def _find_function(self, event: EventName, namespace: str, args: tuple[Any, ...]) -> Call | None:
        own = self.functions.get(namespace)
        if own is None:
            own, args = self.functions.get("*", {}), (namespace, *args)
        if event in own:
            return own[event], args
        if "*" in own and event not in RESERVED_EVENTS:
            return own["*"], (event, *args)
        return None

    def _find_object(self, event: EventName, namespace: str, args: tuple[Any, ...]) -> Call | None:
        if namespace in self.objects:
            return self.objects[namespace].trigger_event, (event, *args)
        if "*" in self.objects:
            return self.objects["*"].trigger_event, (event, namespace, *args)
        return None


def _identity(event: Any) -> Any:
    return event
