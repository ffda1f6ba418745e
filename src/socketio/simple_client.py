"""The simple client for threads: ``receive()`` returns one event after the other.

Events are queued where frames are received, so that their order is exactly that of the server.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from .base_simple_client import BaseSimpleClient, rest
from .client import Client, OrCallable
from .exceptions import BadNamespaceError, CallInterruptedError, DisconnectedError, TimeoutError
from .overrides import AssignableProperty
from .runtime import process_hooks, timeouts


class SimpleClient(BaseSimpleClient):
    """A Socket.IO client without handlers: emit, call, receive.

    Takes the arguments of :class:`Client`. A lost connection is restored, and methods wait for that. It is a context
    manager that disconnects on exit.
    """

    client_class: type[Client] = Client
    _sio_client: Client | None

    def _sio_renew(self) -> None:
        # Used directly, never through the condition: Ctrl-C can come between the lines of Condition.__enter__.
        self._sio_lock = threading.RLock()
        self._sio_changed = threading.Condition(self._sio_lock)
        self._sio_waiting = 0

    def _sio_wake(self) -> None:
        if self._sio_waiting:  # a thread that waits registers here, then checks again
            with self._sio_lock:
                self._sio_changed.notify_all()

    def _sio_wait_for(self, predicate: Callable[[], Any], deadline: float | None) -> bool:
        with self._sio_lock:
            self._sio_waiting += 1
            try:
                return bool(self._sio_changed.wait_for(predicate, rest(deadline)))
            finally:
                self._sio_waiting -= 1

    @AssignableProperty
    def client(self) -> Client | None:
        """The :class:`Client` in use; ``None`` before ``connect()`` and after ``disconnect()``."""
        return self._sio_client

    def connect(
        self,
        url: OrCallable[str],
        headers: OrCallable[Mapping[str, str]] | None = {},
        auth: Any = None,
        transports: str | list[str] | None = None,
        namespace: str | None = "/",
        socketio_path: str | None = "socket.io",
        wait_timeout: float | None = 20,
    ) -> None:
        """Connect to a server.

        :param namespace: the one namespace to use.
        :param wait_timeout: seconds to wait until it is connected; ``None`` for no limit.

        The other arguments, and the errors, are those of :meth:`Client.connect`. Raises ``RuntimeError`` when it is
        connected already.
        """
        client: Client = self._sio_begin(namespace)
        options: dict[str, Any] = {  # apart from the call, whose lines would all be in the traceback of an error
            "headers": headers,
            "auth": auth,
            "transports": transports,
            "namespaces": [self._sio_namespace],
            "socketio_path": socketio_path,
            "wait_timeout": wait_timeout,
        }
        try:
            client.connect(url, **options)
        except BaseException:
            self._sio_client = None
            self._sio_inbox.close()
            raise

    def emit(self, event: str, data: Any = None) -> None:
        """Emit an event. See :meth:`Client.emit`.

        Waits while the connection is being restored. Raises :class:`~socketio.exceptions.DisconnectedError` when it
        has ended and is not restored.
        """
        self._sio_repeat(lambda client: client.emit(event, data, namespace=self._sio_name()))

    def call(self, event: str, data: Any = None, timeout: float | None = 60) -> Any:
        """Emit an event and return its acknowledgement. See :meth:`Client.call`.

        Waits while the connection is being restored. Raises :class:`~socketio.exceptions.DisconnectedError` when it has
        ended and is not restored, :class:`~socketio.exceptions.TimeoutError` if no acknowledgement arrives within
        ``timeout`` seconds, or the connection is lost before.
        """
        timeout = timeouts.limit(timeout)
        deadline = None if timeout is None else time.monotonic() + timeout
        return self._sio_repeat(
            lambda client: client.call(event, data, namespace=self._sio_name(), timeout=rest(deadline)), deadline
        )

    def _sio_repeat(self, action: Callable[[Client], Any], deadline: float | None = None) -> Any:
        """Run an action as soon as there is a connection; repeat it if the connection was lost before.

        After a failure, the client may look connected for a moment, until the loss is noticed.
        """
        failed = 0
        while True:
            inbox = self._sio_inbox
            if not inbox.is_ready(failed) and not self._sio_wait_for(lambda: inbox.is_ready(failed), deadline):  # noqa: B023
                raise TimeoutError("the connection was not restored in time")
            client, connection = self._sio_client, inbox.connection
            if client is None or not inbox.is_open:
                process_hooks.block_daemon_thread()
                raise self._sio_ended()
            try:
                return action(client)
            except CallInterruptedError:
                raise
            except (BadNamespaceError, DisconnectedError):
                failed = connection

    def receive(self, timeout: float | None = None) -> list[Any]:
        """Return the next event: its name, followed by its arguments.

        :param timeout: seconds to wait for it; ``None`` for no limit.

        Events are returned in the order in which the server sent them. Raises
        :class:`~socketio.exceptions.TimeoutError` if no event arrives in time, and
        :class:`~socketio.exceptions.DisconnectedError` when the connection has ended, is not restored, and all events
        were received.
        """
        inbox, timeout = self._sio_inbox, timeouts.limit(timeout)
        deadline = None if timeout is None else time.monotonic() + timeout
        while (event := inbox.next()) is None:
            if not inbox.is_open and not inbox.events:
                process_hooks.block_daemon_thread()
                raise self._sio_ended()
            if not self._sio_wait_for(lambda: inbox.events or not inbox.is_open, deadline):
                raise TimeoutError(f"no event within {timeout:g} s")
        return event

    def disconnect(self) -> None:
        """Send all that was emitted, then disconnect from the server. Does nothing if the client is not connected."""
        client, self._sio_client = self._sio_client, None
        try:
            if client is not None:
                client.disconnect()
        finally:  # after Ctrl-C as well
            self._sio_inbox.close()

    def __enter__(self) -> SimpleClient:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.disconnect()
