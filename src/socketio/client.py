"""The event-driven client for threads: its methods, and how it handles events.

A client has a channel to the session, a lifecycle and a dispatcher. In: calls of the application, and frames from the
engine. Out: frames for the engine, and handlers that the dispatcher runs. Connecting and disconnecting are in
``lifecycle``.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias, TypeVar

from . import options
from .base_client import BaseClient
from .core.events import EventReceived, Events, Unread
from .core.session import Session
from .dispatch.threads import Dispatcher, Job
from .engine import EngineError
from .engine.threads.client import EngineIOClient
from .exceptions import BadNamespaceError, DisconnectedError, TimeoutError
from .lifecycle.base import DISCONNECT_HANDLERS_TIMEOUT
from .lifecycle.channel import Waiter
from .lifecycle.threads import Lifecycle
from .overrides import replaceable
from .runtime import process_hooks, timeouts
from .runtime.steps import run

T = TypeVar("T")
OrCallable: TypeAlias = T | Callable[[], T]


class _LockWaiter(Waiter):
    """A waiter for one thread: a lock that is held until the answer arrives. An event takes several times as long."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()

    def wake(self) -> None:
        """Wake the waiting thread."""
        with contextlib.suppress(RuntimeError):  # it has ended
            self._lock.release()

    def wait(self, deadline: float | None) -> None:
        """Wait until woken, or until ``time.monotonic`` has reached the deadline."""
        timeout = -1 if deadline is None else max(0.0, deadline - time.monotonic())
        self.expired = not self._lock.acquire(timeout=timeout)


class Client(BaseClient):
    """A Socket.IO client that calls handlers as events come.

    :param reconnection: whether to reconnect when the connection is lost.
    :param reconnection_attempts: after how many failed attempts to give up; 0 for never.
    :param reconnection_delay: seconds before the first attempt; doubled at each attempt. Attempts are at least 50
        milliseconds apart.
    :param reconnection_delay_max: maximum seconds before an attempt, jitter included.
    :param randomization_factor: jitter: 0.5 for up to 50 % shorter or longer delays.
    :param logger: ``True`` to log events to stderr, ``False`` to log as the root logger does, or a logger to use.
    :param serializer: ``'default'`` for JSON, ``'msgpack'``, or a packet class; the server must use the same.
    :param json: a module with ``dumps`` and ``loads`` for this client, such as ``orjson``.
    :param handle_sigint: whether Ctrl-C disconnects, which takes a second at most, before
        ``KeyboardInterrupt`` is raised.
    :param async_handlers: ``False`` to run handlers strictly one at a time, however long one blocks.
    :param engineio_options: for the Engine.IO client: ``request_timeout`` (5 seconds), ``http_session`` (a
        ``requests.Session``, or a function that returns one), ``ssl_verify`` (``True``), ``websocket_extra_options``
        (a dict for ``websocket.create_connection``), ``timestamp_requests`` (``True``), ``max_message_size``
        (100,000,000 bytes: a larger message from the server ends the connection), ``high_water_mark`` (16 MiB: ``emit``
        waits while more is queued), ``engineio_logger`` (as ``logger``).

    Handlers start in the order in which the server sent the events, each when the previous one has returned; one that
    blocks does not hold up the others. Every method may be called from any thread, and from handlers.
    """

    eio: EngineIOClient
    _sio_lifecycle: Lifecycle
    _sio_lifecycle_class = Lifecycle

    def _engineio_client_class(self) -> type[EngineIOClient]:
        return EngineIOClient

    def _sio_new_dispatcher(self) -> Dispatcher:
        return Dispatcher("socketio-handlers", serial=not self.async_handlers)

    def connect(
        self,
        url: OrCallable[str],
        headers: OrCallable[Mapping[str, str]] | None = {},
        auth: Any = None,
        transports: str | list[str] | None = None,
        namespaces: str | list[str] | None = None,
        socketio_path: str | None = "socket.io",
        wait: bool = True,
        wait_timeout: float | None = 20,
        retry: bool = False,
    ) -> None:
        """Connect to a server.

        :param url: the server's URL, or a function that returns it, called for every attempt. It can have a query.
        :param headers: for all requests; or a function that returns them, called for every attempt.
        :param auth: data for authentication, usually a dict; or a function that returns it, called for every attempt.
        :param transports: ``'polling'``, ``'websocket'`` or a list of them; polling with an upgrade to websocket by
            default.
        :param namespaces: a namespace or a list. By default all namespaces that have handlers, or ``'/'``.
        :param socketio_path: the path at which the server is installed.
        :param wait: whether to wait until the namespaces are connected and their connect handlers have returned.
            Waits at most one second for the handlers.
        :param wait_timeout: seconds that the server may take to accept the namespaces; ``None`` for no limit.
        :param retry: whether to try again when the first attempt fails, as after a lost connection.

        Raises :class:`~socketio.exceptions.ConnectionError` if it cannot connect, or is connected already;
        ``ValueError`` for invalid arguments. Each step takes at most ``request_timeout`` seconds.
        """
        self._sio_dispatcher.blocking()
        self._sio_lifecycle.block_during_shutdown()
        if process_hooks.is_ending():
            raise process_hooks.EndingError("the program ends")
        args = url, headers, auth, transports, namespaces, socketio_path, wait, wait_timeout
        run(self._sio_lifecycle.connect(retry, *args))

    def disconnect(self) -> None:
        """Disconnect from the server, without a reconnection.

        Sends everything that was emitted before, then the DISCONNECT packets, then calls the disconnect handlers. Also
        ends an attempt to connect, and a reconnection. Stops sending if the server does not read for
        ``request_timeout`` seconds. Does nothing if the client is idle.
        """
        with self._sio_lifecycle.closing_on_interrupt():
            run(self._sio_lifecycle.disconnect(self.eio.request_timeout))

    def shutdown(self) -> None:
        """Disconnect, or end a reconnection; the same as :meth:`disconnect`."""
        is_replaced = options.is_replaced(self, "disconnect", Client.disconnect)
        self.disconnect() if is_replaced else Client.disconnect(self)

    def wait(self) -> None:
        """Wait until the connection ends, no reconnection follows, and the disconnect handlers have returned.

        Continues through reconnections, and when a disconnect handler connects again.
        """
        self._sio_dispatcher.blocking()
        lifecycle = self._sio_lifecycle
        with lifecycle.closing_on_interrupt():
            lifetime = None
            while lifetime is not lifecycle.lifetime:  # a disconnect handler may have connected again
                lifetime = lifecycle.lifetime
                # In a handler, do not wait for the disconnect handlers: this may be one of them.
                (lifetime.stop if self._sio_dispatcher.is_current() else lifetime.ended).wait()

    # -- sending

    def emit(
        self,
        event: str,
        data: Any = None,
        namespace: str | None = None,
        callback: Callable[..., Any] | None = None,
    ) -> None:
        """Emit an event.

        :param event: its name, a ``str``.
        :param data: its arguments: several as a tuple, one as any other value, ``None`` for no argument. ``bytes``
            anywhere in lists and dicts are sent as binary.
        :param namespace: ``'/'`` by default.
        :param callback: called with the values of the server's acknowledgement; not called if the connection is lost
            before.

        Returns when the event is queued; events are sent in the order of the calls. Waits while more than
        ``high_water_mark`` bytes are queued already, and raises :class:`~socketio.exceptions.DisconnectedError` if the
        connection is lost while waiting. Raises
        :class:`~socketio.exceptions.BadNamespaceError` when the namespace is not connected, ``TypeError`` or
        ``ValueError`` when the data cannot be encoded, ``ValueError`` for a reserved name such as ``'disconnect'``;
        in these cases nothing is sent.
        """
        if callback is not None:
            options.check_callback(callback, False)
        if not self.eio.has_room():
            self._sio_make_room(None)
        try:
            self._sio_channel.request(event, data, namespace or "/", callback)
        except BadNamespaceError:
            self._sio_lifecycle.block_during_shutdown()
            raise

    def send(self, data: Any, namespace: str | None = None, callback: Callable[..., Any] | None = None) -> None:
        """Emit the event ``message``. See :meth:`emit`."""
        self.emit("message", data=data, namespace=namespace, callback=callback)

    def call(self, event: str, data: Any = None, namespace: str | None = None, timeout: float | None = 60) -> Any:
        """Emit an event and return its acknowledgement: several values as a tuple, one as itself, none as ``None``.

        :param timeout: seconds to wait for it; ``None`` for no limit.

        Raises as :meth:`emit` does; :class:`~socketio.exceptions.TimeoutError` if no acknowledgement arrives in time;
        and :class:`~socketio.exceptions.CallInterruptedError` as soon as the connection is lost. May be called from
        handlers.
        """
        timeout = timeouts.limit(timeout)
        deadline = None if timeout is None else time.monotonic() + timeout
        if not self.eio.has_room() and not self._sio_make_room(timeout):
            raise TimeoutError(f"{event!r} could not be sent within {timeout:g} s: the server does not read")
        waiter = _LockWaiter()
        self._sio_dispatcher.blocking()
        try:
            if self._sio_emit_is_overridden():
                self.emit(event, data=data, namespace=namespace, callback=waiter)
            else:
                self._sio_channel.request(event, data, namespace or "/", waiter, wake=False)
        except BadNamespaceError:
            self._sio_lifecycle.block_during_shutdown()
            raise
        try:
            self.eio.send_at_once()
            waiter.wait(deadline)
        except KeyboardInterrupt:
            self._sio_lifecycle.close_after_interrupt()
            raise
        finally:
            with self._sio_channel.lock:
                waiter.forget()
        if waiter.args is None and not waiter.expired:
            self._sio_lifecycle.block_during_shutdown()
        return self._sio_channel.result(waiter, event, timeout)

    def _sio_emit_is_overridden(self) -> bool:
        return type(self).emit is not _EMIT or "emit" in vars(self)

    def _sio_make_room(self, timeout: float | None) -> bool:
        """Wait until less than ``high_water_mark`` bytes are queued; return ``False`` after ``timeout`` seconds."""
        self._sio_dispatcher.blocking()
        try:
            with self._sio_lifecycle.closing_on_interrupt():
                return bool(self.eio.wait_for_room(timeout))
        except EngineError as exc:
            self._sio_lifecycle.block_during_shutdown()
            raise DisconnectedError(f"the connection was lost while an event waited to be queued: {exc}") from exc

    # -- receiving

    def _sio_run_events(self, session: Session, events: Events) -> None:
        """Schedule handlers for events. The thread that runs the handler decodes the event.

        Moving decoded objects from one CPU core to another costs as much as decoding.
        """
        handle = partial(self._sio_handle_event, session)

        def read(each: Unread | EventReceived) -> Job:
            event = session.read(each)
            if isinstance(event, tuple):
                return event[1], handle, event
            return None, partial(self._sio_handle, session), event

        self._sio_dispatcher.submit_all(events, read)

    def _sio_handle_event(self, session: Session, event: EventReceived) -> None:
        """Call the handler of an event, and acknowledge with what it returns."""
        namespace, name, args, ack_id = event
        try:
            found = self._sio_registry.find(name, namespace, args)
            result = found[0](*found[1]) if found is not None else None
            if ack_id is not None:
                self._sio_channel.acknowledge(session, namespace, ack_id, result)
        except BaseException as exc:
            if not process_hooks.is_caused_by_exit(exc):
                self._sio_logger.exception("Handler of event %s of namespace %s failed", name, namespace)

    # -- what programs replace, and what python-socketio has, too

    @replaceable
    def _trigger_event(self, event: str, namespace: str, *args: Any) -> Any:
        """Call the handler of an event and return its result. An override is called for every event."""
        found = self._sio_registry.find_registered(event, namespace or "/", args)
        return found[0](*found[1]) if found is not None else None

    @replaceable
    def _handle_disconnect(self, namespace: str) -> None:
        """End a namespace as after a DISCONNECT packet. An override is called for each DISCONNECT packet."""
        calls = self._sio_lifecycle.attempts.end_namespace(namespace or "/")
        run(self._sio_lifecycle.wait_for_handlers(calls, DISCONNECT_HANDLERS_TIMEOUT))

    # -- helpers

    def sleep(self, seconds: float = 0) -> None:
        """Sleep for the given number of seconds; infinity is allowed."""
        self._sio_dispatcher.blocking()
        with self._sio_lifecycle.closing_on_interrupt():
            for nap in timeouts.sleep_chunks(seconds):
                self.eio.sleep(nap)

    def start_background_task(self, target: Callable[..., Any], *args: Any, **kwargs: Any) -> threading.Thread:
        """Run a function with these arguments in a new thread; return the thread, which can be joined."""
        options.check_handler(target, False)
        thread: threading.Thread = self.eio.start_background_task(target, *args, **kwargs)
        return thread


_EMIT = Client.emit
"""The method of this class, to detect overrides."""
