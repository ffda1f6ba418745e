"""Who is called for an event of a namespace, and with which arguments.

Two registries, as :class:`Handlers` keeps them: functions by namespace and event, objects by namespace. They are
replaced, never edited, so that a lookup on one thread and a registration on another do not meet.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, TypeVar

from .events import RESERVED_EVENTS, EventName, EventReceived
from .session import Protocol, Unread
from .signatures import without_unwanted_reason

Handler: TypeAlias = Callable[..., Any]
Call: TypeAlias = tuple[Handler, tuple[Any, ...]]
H = TypeVar("H", bound=Handler)

_NONE: dict[EventName, Handler] = {}
_INLINE = "_runs_on_the_reading_side"


def inline(handler: H) -> H:
    """Mark a handler that is called on the reading side, before anything else is read. It must not block."""
    setattr(handler, _INLINE, True)
    return handler


def is_inline(handler: Handler) -> bool:
    """Return whether the handler was marked by :func:`inline`."""
    return getattr(handler, _INLINE, False) is True


class Handlers:
    """The handlers of one client.

    :ivar has_inline: whether any of them was marked by :func:`inline`.
    :ivar bulk: takes all events, many at a time and unread, on the reading side and before anything else is read; as
        long as no other handler is added.
    """

    def __init__(self) -> None:
        self.functions: dict[str, dict[EventName, Handler]] = {}
        self.objects: dict[str, Any] = {}
        self.has_inline = False
        self.bulk: Callable[[Protocol, Sequence[Unread | EventReceived]], None] | None = None

    def add(self, event: EventName, handler: Handler, namespace: str) -> None:
        """File a function, in place of the one that had this namespace and event."""
        self.functions = {
            **self.functions,
            namespace: {**self.functions.get(namespace, {}), event: handler},
        }
        self.has_inline = self.has_inline or is_inline(handler)
        self.bulk = None

    def add_object(self, namespace: str, namespace_object: Any) -> None:
        """Register a namespace object."""
        self.objects = {**self.objects, namespace: namespace_object}
        self.bulk = None

    def namespaces(self) -> list[str]:
        """Return the namespaces that have handlers, in the order of registration, ``'*'`` aside."""
        return [name for name in dict.fromkeys([*self.functions, *self.objects]) if name != "*"]

    def find_inline(self, event: EventName, namespace: str, args: tuple[Any, ...]) -> Call | None:
        """Return what :meth:`find` does, where that was marked by :func:`inline`; else ``None``."""
        if not self.has_inline:
            return None
        found = Handlers.find(self, event, namespace, args)
        return found if found is not None and is_inline(found[0]) else None

    def is_coroutine(self, event: EventName, namespace: str) -> bool:
        """Return whether the handler of an event is a coroutine function; false where there is none yet."""
        found = self._find_function(event, namespace, ()) or self._find_object(event, namespace, ())
        return found is not None and inspect.iscoroutinefunction(found[0])

    def find(self, event: EventName, namespace: str, args: tuple[Any, ...]) -> Call | None:
        """Return the handler for an event and its arguments, or ``None`` where nobody handles it.

        A function wins over an object. ``'*'`` as namespace serves the namespaces without functions of their own,
        and puts the namespace before the arguments; ``'*'`` as event puts the event name first, and never stands for
        a reserved event.
        """
        handler = self.functions.get(namespace, _NONE).get(event)
        if handler is not None and event != "disconnect":
            return handler, args  # as most are; the rest would find the same
        found = self._find_function(event, namespace, args) or self._find_object(event, namespace, args)
        if found is None or event != "disconnect":
            return found
        handler, values = found
        return handler, without_unwanted_reason(handler, values)

    def _find_function(self, event: EventName, namespace: str, args: tuple[Any, ...]) -> Call | None:
        own = self.functions.get(namespace)
        if own is None:
            own, args = self.functions.get("*", {}), (namespace, *args)
        handler = own.get(event)
        if handler is not None:
            return handler, args
        if "*" in own and event not in RESERVED_EVENTS:
            return own["*"], (event, *args)
        return None

    def _find_object(self, event: EventName, namespace: str, args: tuple[Any, ...]) -> Call | None:
        if namespace in self.objects:
            return self.objects[namespace].trigger_event, (event, *args)
        if "*" in self.objects:
            return self.objects["*"].trigger_event, (event, namespace, *args)
        return None


class OverriddenHandlers(Handlers):
    """The handlers of a client whose ``_trigger_event`` is overridden: it is called instead of each handler.

    :param handlers: those of the client so far.
    :param trigger: returns what to call with the event, the namespace and the arguments.
    """

    def __init__(self, handlers: Handlers, trigger: Callable[[], Handler]) -> None:
        super().__init__()
        self.functions, self.objects, self.has_inline = handlers.functions, handlers.objects, handlers.has_inline
        self._trigger = trigger

    def find(self, event: EventName, namespace: str, args: tuple[Any, ...]) -> Call:
        """Return the override and its arguments."""
        return self._trigger(), (event, namespace, *args)

    def find_inline(self, event: EventName, namespace: str, args: tuple[Any, ...]) -> Call | None:
        """Return what :meth:`find` does, where the handler is inline and its substitute can be."""
        is_inline = not inspect.iscoroutinefunction(self._trigger()) and super().find_inline(event, namespace, args)
        return self.find(event, namespace, args) if is_inline else None

    def is_coroutine(self, event: EventName, namespace: str) -> bool:
        """Return whether the override is a coroutine function."""
        return inspect.iscoroutinefunction(self._trigger())
