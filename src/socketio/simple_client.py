"""The simple client for threads: events wait in a queue until somebody asks for them.

The queue is filled on the reading side, so that its order is exactly that of the server.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any

from . import options
from .client import Client, OrCallable
from .core.details import has_ended
from .core.events import EventReceived
from .core.handlers import inline
from .core.session import Protocol, Unread
from .exceptions import BadNamespaceError, CallInterruptedError, DisconnectedError, TimeoutError
from .overrides import Shown
from .runtime import process_hooks, timeouts


class SimpleClient:
    """A Socket.IO client without handlers: emit, call, receive.

    Takes the arguments of :class:`Client`. A lost connection is repaired unnoticed: methods wait until it is back. It
    is a context manager that disconnects at the end.

    """

    client_class: type[Client] = Client
    _sio_read: Callable[[Protocol, Unread], EventReceived | None]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        options.check_all(type(self), self.client_class, kwargs)
        self._sio_options = args, kwargs
        self._sio_client: Client | None = None
        self._sio_namespace = self._sio_name = "/"
        self._sio_connected = False
        self._sio_buffer: deque[list[Any] | tuple[Protocol, Unread]] = deque()
        self._sio_renew()

    def _sio_renew(self) -> None:
        # Entered itself, never by way of the condition: Ctrl-C can come between the lines of Condition.__enter__.
        self._sio_lock = threading.RLock()
        self._sio_changed = threading.Condition(self._sio_lock)
        self._sio_restored = False
        self._sio_session = 0
        self._sio_receivers = 0

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
        if self._sio_connected:
            raise RuntimeError("Already connected")
        process_hooks.watch_forks(self)
        namespace = self._sio_namespace = "/" if namespace is None else namespace
        self._sio_buffer.clear()
        client = self._sio_client = self.client_class(*self._sio_options[0], **self._sio_options[1])
        self._sio_read = client._sio_read
        self._sio_name = namespace.partition("?")[0]
        self._sio_register(client, self._sio_name)
        try:
            client.connect(
                url,
                headers=headers,
                auth=auth,
                transports=transports,
                namespaces=[namespace],
                socketio_path=socketio_path,
                wait_timeout=wait_timeout,
            )
        except BaseException:
            self._sio_client = None
            self._sio_connected = False
            raise

    def _sio_register(self, client: Client, namespace: str) -> None:
        @inline
        def connect() -> None:
            with self._sio_lock:
                self._sio_session += 1
                self._sio_set(connected=True, restored=True)

        @inline
        def disconnect() -> None:
            self._sio_set(connected=self._sio_connected, restored=False)

        @inline
        def disconnect_final() -> None:
            self._sio_set(connected=False, restored=False)

        @inline
        def receive(event: str, *args: Any) -> None:
            self._sio_buffer.append([event, *args])
            self._sio_tell_receivers()

        def receive_many(protocol: Protocol, events: Sequence[Unread | EventReceived]) -> None:
            for each in events:
                if isinstance(each, tuple):
                    client._sio_handle(protocol, each)  # it calls receive(), and acknowledges
                else:
                    self._sio_buffer.append((protocol, each))
            self._sio_tell_receivers()

        client._sio_on("connect", connect, namespace)
        client._sio_on("disconnect", disconnect, namespace)
        client._sio_on("__disconnect_final", disconnect_final, namespace)
        client._sio_on("*", receive, namespace)
        client._sio_registry.bulk = receive_many  # instead of receive()

    def _sio_tell_receivers(self) -> None:
        if self._sio_receivers:  # a thread registers here, then checks the buffer again before it waits
            with self._sio_lock:
                self._sio_changed.notify_all()

    def _sio_set(self, connected: bool, restored: bool) -> None:
        with self._sio_lock:
            self._sio_connected, self._sio_restored = connected, restored
            self._sio_changed.notify_all()

    @Shown
    def client(self) -> Client | None:
        """The :class:`Client` in use; ``None`` before ``connect()`` and after ``disconnect()``."""
        return self._sio_client

    @Shown
    def connected(self) -> bool:
        """Whether there is a connection, or one is being restored."""
        return self._sio_connected

    @Shown
    def namespace(self) -> str:
        """The namespace that ``connect()`` was called with."""
        return self._sio_namespace

    @Shown
    def input_buffer(self) -> deque[list[Any] | tuple[Protocol, Unread]]:
        """The events that :meth:`receive` has not returned yet."""
        return self._sio_buffer

    @Shown
    def client_args(self) -> tuple[Any, ...]:
        """The arguments for ``client_class``."""
        return self._sio_options[0]

    @Shown
    def client_kwargs(self) -> dict[str, Any]:
        """The keyword arguments for ``client_class``."""
        return self._sio_options[1]

    @Shown
    def sid(self) -> str | None:
        """The id that the server gave this client; ``None`` without a connection."""
        return self._sio_client._sio_get_sid(self._sio_name) if self._sio_client is not None else None

    @Shown
    def transport(self) -> str:
        """The name of the transport in use, ``'polling'`` or ``'websocket'``; ``''`` without a connection."""
        return (self._sio_client.eio.transport() or "") if self._sio_client is not None else ""

    def emit(self, event: str, data: Any = None) -> None:
        """Emit an event. See :meth:`Client.emit`.

        Waits while the connection is being restored. Raises :class:`~socketio.exceptions.DisconnectedError` when it
        has ended for good.
        """
        self._sio_repeat(lambda client: client.emit(event, data, namespace=self._sio_name))

    def call(self, event: str, data: Any = None, timeout: float | None = 60) -> Any:
        """Emit an event and return its acknowledgement. See :meth:`Client.call`.

        Waits while the connection is being restored. Raises :class:`~socketio.exceptions.DisconnectedError` when it
        has ended for good, :class:`~socketio.exceptions.TimeoutError` when there is no answer within ``timeout``
        seconds, or the connection was lost before it came.
        """
        timeout = timeouts.limit(timeout)
        deadline = None if timeout is None else time.monotonic() + timeout
        return self._sio_repeat(
            lambda client: client.call(event, data, namespace=self._sio_name, timeout=_rest(deadline)), deadline
        )

    def _sio_repeat(self, action: Callable[[Client], Any], deadline: float | None = None) -> Any:
        """Run an action as soon as there is a connection; repeat it over the next one if that was lost before.

        After a failure, the client may look connected for a moment, until the loss is noticed.
        """
        failed = None
        while True:
            with self._sio_lock:
                if not self._sio_changed.wait_for(lambda: self._sio_is_ready(failed), _rest(deadline)):  # noqa: B023
                    raise TimeoutError("the connection was not restored in time")
                client, session = self._sio_client, self._sio_session
            if not self._sio_connected or client is None:
                process_hooks.hold_daemon_thread()
                raise has_ended(self._sio_client._sio_details if self._sio_client is not None else None)
            try:
                return action(client)
            except CallInterruptedError:
                raise
            except (BadNamespaceError, DisconnectedError):
                failed = session

    def _sio_is_ready(self, failed: int | None) -> bool:
        """Return whether there is a newer connection than the failed one, or no further one will follow."""
        return not self._sio_connected or (self._sio_restored and self._sio_session != failed)

    def receive(self, timeout: float | None = None) -> list[Any]:
        """Return the next event: its name, followed by its arguments.

        :param timeout: seconds to wait for it; ``None`` for as long as it takes.

        Events are returned in the order in which the server sent them. Raises
        :class:`~socketio.exceptions.TimeoutError` when none comes in time, and
        :class:`~socketio.exceptions.DisconnectedError` when the connection has ended for good and all that came before
        was received.
        """
        if timeout is not None:
            timeout = timeouts.limit(timeout)
        return self._sio_next() or self._sio_wait_for_next(timeout)

    def _sio_next(self) -> list[Any] | None:
        """Return the next event that has come, read now; ``None`` where there is none."""
        while True:
            try:
                unread = self._sio_buffer.popleft()
            except IndexError:
                return None
            if isinstance(unread, list):
                return unread
            event = self._sio_read(*unread)
            if event is not None:
                return [event[1], *event[2]]

    def _sio_wait_for_next(self, timeout: float | None) -> list[Any]:
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._sio_lock:
            self._sio_receivers += 1
            try:
                while self._sio_changed.wait_for(lambda: self._sio_buffer or not self._sio_connected, _rest(deadline)):
                    if (event := self._sio_next()) is not None:
                        return event
                    if not self._sio_connected:
                        process_hooks.hold_daemon_thread()
                        raise has_ended(self._sio_client._sio_details if self._sio_client is not None else None)
            finally:
                self._sio_receivers -= 1
        raise TimeoutError(f"no event within {timeout:g} s")

    def disconnect(self) -> None:
        """Disconnect from the server, after all that was emitted is sent. Does nothing when it is not connected."""
        client, self._sio_client = self._sio_client, None
        try:
            if client is not None:
                client.disconnect()
        finally:  # after Ctrl-C as well
            self._sio_set(connected=False, restored=False)

    def _sio_after_fork(self) -> None:
        self._sio_client = None
        self._sio_connected = False
        self._sio_buffer.clear()
        self._sio_renew()

    def __enter__(self) -> SimpleClient:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.disconnect()


def _rest(deadline: float | None) -> float | None:
    """Return the seconds that are left until a deadline."""
    return None if deadline is None else max(0.0, deadline - time.monotonic())
