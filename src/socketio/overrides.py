"""Attributes and methods that subclasses and programs may replace.

The library does not read the names of :class:`AssignableProperty` attributes, and calls a :func:`replaceable` method
only where it was replaced. All else that it keeps on an instance begins with ``_sio_``.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast, overload

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])
C = TypeVar("C")

INSTEAD = {
    "_handle_connect": "a 'connect' handler",
    "_handle_event": "_trigger_event, or a handler of the event '*'",
    "_handle_ack": "the callback of emit(), or call()",
    "_handle_error": "a 'connect_error' handler",
    "_handle_eio_connect": "a 'connect' handler",
    "_handle_eio_message": "eio.on('message', function), which gets each message",
    "_handle_eio_disconnect": "a 'disconnect' handler",
    "_handle_reconnect": "connect(retry=True), and the reconnection options",
    "_send_packet": "emit(), call() or send()",
    "_generate_ack_id": "the callback of emit(), or call()",
    "_get_event_handler": "the attribute handlers",
    "_get_namespace_handler": "the attribute namespace_handlers",
    "_get_real_value": "a function as url, headers or auth of connect()",
    "_binary_packet": "a handler: it gets an event with all of its attachments",
    "_connect_event": "connect(), which waits until the namespaces are connected",
}
"""Private names of python-socketio's clients that do nothing here, and what to use instead."""


class AssignableProperty(Generic[T]):
    """A property that may be assigned to. The instance then shows the assigned value; the library does not use it."""

    def __init__(self, function: Callable[[Any], T]) -> None:
        self._function = function
        self.__doc__ = function.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> AssignableProperty[T]: ...

    @overload
    def __get__(self, instance: object, owner: type) -> T: ...

    def __get__(self, instance: object | None, owner: type) -> Any:
        if instance is None:
            return self
        assigned = vars(instance)
        return assigned[self._name] if self._name in assigned else self._function(instance)

    def __set__(self, instance: object, value: Any) -> None:
        vars(instance)[self._name] = value

    def __delete__(self, instance: object) -> None:
        if vars(instance).pop(self._name, self) is self:
            raise AttributeError(self._name)


class _Missing:
    """A private name of python-socketio's clients that does not exist: the error for reading it says what to use.

    A class with ``__getattr__`` would do the same, and make all other attributes slower.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, instance: object | None, owner: type) -> Any:
        text = f"{owner.__name__!r} object has no attribute {self._name!r}: use {INSTEAD[self._name]} instead"
        raise AttributeError(text, name=self._name, obj=instance)


def explain_missing(client_class: type[C]) -> type[C]:
    """Make the errors for the names in :data:`INSTEAD` say what to use instead, on instances of a class."""
    for name in INSTEAD:
        setattr(client_class, name, _Missing(name))
    return client_class


class _Replaceable:
    """A method that may be replaced on an instance. The client is notified at once."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.__doc__ = function.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._key = f"_sio_replaced{name}"

    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            return self.function
        return vars(instance).get(self._key) or self.function.__get__(instance, owner)

    def __set__(self, instance: Any, value: Any) -> None:
        vars(instance)[self._key] = value
        instance._sio_notice_overrides()

    def __delete__(self, instance: Any) -> None:
        if vars(instance).pop(self._key, None) is None:
            raise AttributeError(self._key)


def replaceable(method: F) -> F:
    """Allow programs to replace a method. ``_sio_notice_overrides()`` is called when they do."""
    return cast(F, _Replaceable(method))


def is_overridden(instance: Any, name: str) -> bool:
    """Return whether a :func:`replaceable` method is overridden in a subclass or on the instance."""
    found = next(vars(each)[name] for each in type(instance).__mro__ if name in vars(each))
    return not isinstance(found, _Replaceable) or name in vars(instance) or f"_sio_replaced{name}" in vars(instance)


def warn_of_overrides(subclass: type, base: type) -> None:
    """Warn of methods of a new subclass that python-socketio's clients call, but this package does not."""
    bases = [each for each in subclass.__bases__ if issubclass(each, base)]
    for name in INSTEAD:
        if hasattr(subclass, name) and not any(hasattr(each, name) for each in bases):
            _warn(f"{subclass.__name__}.{name}", name, 4)


def warn_of_assignments(instance: object) -> None:
    """Warn of what a program has assigned to an instance, as :func:`warn_of_overrides` does."""
    for name in vars(instance).keys() & INSTEAD.keys():
        _warn(f"{name} of this {type(instance).__name__}", name, 8)


def _warn(what: str, name: str, stacklevel: int) -> None:
    text = f"{what} is never called: python-socketio calls it, this package does not. Use {INSTEAD[name]} instead."
    warnings.warn(text, stacklevel=stacklevel)


class ReconnectAbort:
    """Ends attempts to connect when it is set. Has the methods of an event, as in python-socketio."""

    def __init__(self, lifecycle: Any) -> None:
        self._lifecycle = lifecycle

    def is_set(self) -> bool:
        """Return whether the client does not try to connect."""
        return not self._lifecycle.is_trying()

    def set(self) -> None:
        """End a reconnection, or ``connect(retry=True)``. Does nothing at any other time."""
        self._lifecycle.abort()

    def clear(self) -> None:
        """Do nothing. To try again, call ``connect()``."""
