"""The errors that this package raises.

::

    SocketIOError
    ├── ConnectionError              connect() failed; .data says why, per namespace
    │   ├── ConnectionRefusedError   the server refused a namespace
    │   └── InvalidURLError          the URL is invalid; also a ValueError
    ├── TimeoutError                 no acknowledgement, or no event, in time
    │   └── CallInterruptedError     the connection was lost while call() waited; also a DisconnectedError
    ├── BadNamespaceError            emit() to a namespace that is not connected
    └── DisconnectedError            the connection has ended and is not restored

Misuse that the caller can see in the call itself is a ``ValueError``, ``TypeError`` or ``RuntimeError`` of Python.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class SocketIOError(Exception):
    """Base class of all errors of this package."""


class ConnectionError(SocketIOError):
    """The client could not connect.

    :ivar data: what the server sent with its refusal, by namespace: ``{'/chat': {'message': 'not authorized'}}``;
        empty if no namespace was refused. The cause, if any, is chained as ``__cause__``.
    """

    def __init__(self, *args: Any, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(*args)
        self.data: dict[str, Any] = dict(data or {})


class ConnectionRefusedError(ConnectionError):
    """A server refused a namespace.

    Connect handlers of :class:`socketio.testing.Server` raise it to refuse a client: the first argument is the
    message, those that follow are the data that goes with it.
    """


class InvalidURLError(ConnectionError, ValueError):
    """The URL is invalid."""


class TimeoutError(SocketIOError):
    """No acknowledgement, or no event, arrived in time."""


class BadNamespaceError(SocketIOError):
    """The namespace is not connected."""


class DisconnectedError(SocketIOError):
    """The connection has ended and is not restored."""


class CallInterruptedError(TimeoutError, DisconnectedError):
    """The connection was lost before the acknowledgement of a ``call()`` came."""
