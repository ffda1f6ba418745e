"""What both simple clients share, without waiting: options, attributes, received events."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from . import options
from .core.details import has_ended
from .core.inbox import Inbox
from .exceptions import DisconnectedError
from .overrides import AssignableProperty
from .runtime import process_hooks


class BaseSimpleClient:
    """The part of :class:`SimpleClient` and :class:`AsyncSimpleClient` that does not wait.

    :ivar _sio_renew: creates the objects that threads or tasks wait on.
    :ivar _sio_wake: wakes waiting threads or tasks.
    """

    client_class: Any
    _sio_renew: Callable[[], None]
    _sio_wake: Callable[[], None]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        options.check_all(type(self), self.client_class, kwargs)
        self._sio_options = args, kwargs
        self._sio_client: Any = None
        self._sio_namespace = "/"
        self._sio_inbox = Inbox(self._sio_wake)
        self._sio_renew()

    def _sio_begin(self, namespace: str | None) -> Any:
        """Return the client for a new connection, whose events go to a new inbox."""
        if self._sio_inbox.is_open:
            raise RuntimeError("Already connected")
        process_hooks.watch_forks(self)
        self._sio_namespace = "/" if namespace is None else namespace
        self._sio_client = self.client_class(*self._sio_options[0], **self._sio_options[1])
        self._sio_client._sio_registry.sink = self._sio_inbox = Inbox(self._sio_wake)
        return self._sio_client

    def _sio_after_fork(self) -> None:
        self._sio_client = None
        self._sio_inbox = Inbox(self._sio_wake)
        self._sio_renew()

    def _sio_name(self) -> str:
        """Return the namespace without its query."""
        return self._sio_namespace.partition("?")[0]

    def _sio_ended(self) -> DisconnectedError:
        return has_ended(None if self._sio_client is None else self._sio_client._sio_channel.details)

    @AssignableProperty
    def connected(self) -> bool:
        """Whether there is a connection, or one is being restored."""
        return self._sio_inbox.is_open

    @AssignableProperty
    def namespace(self) -> str:
        """The namespace that ``connect()`` was called with."""
        return self._sio_namespace

    @AssignableProperty
    def input_buffer(self) -> deque[Any]:
        """The events that ``receive()`` has not returned yet."""
        return self._sio_inbox.events

    @AssignableProperty
    def client_args(self) -> tuple[Any, ...]:
        """The arguments for ``client_class``."""
        return self._sio_options[0]

    @AssignableProperty
    def client_kwargs(self) -> dict[str, Any]:
        """The keyword arguments for ``client_class``."""
        return self._sio_options[1]

    @AssignableProperty
    def sid(self) -> str | None:
        """The id that the server gave this client; ``None`` without a connection."""
        return None if self._sio_client is None else self._sio_client._sio_channel.namespaces().get(self._sio_name())

    @AssignableProperty
    def transport(self) -> str:
        """The name of the transport in use, ``'polling'`` or ``'websocket'``; ``''`` without a connection."""
        return "" if self._sio_client is None else self._sio_client.eio.transport() or ""


def rest(deadline: float | None) -> float | None:
    """Return the seconds that are left until a deadline of ``time.monotonic``."""
    return None if deadline is None else max(0.0, deadline - time.monotonic())
