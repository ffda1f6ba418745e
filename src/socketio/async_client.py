"""The event-driven client for asyncio: its methods, and how it handles events.

A client has a channel to the session, a lifecycle and a dispatcher. In: calls of the application, and frames from the
engine. Out: frames for the engine, and handlers that the dispatcher runs. Connecting and disconnecting are in
``lifecycle``.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from threading import get_ident
from typing import Any, TypeAlias, TypeVar

from . import options
from .base_client import BaseClient
from .core.events import EventReceived, Events
from .core.session import Session
from .dispatch.asyncio import AsyncDispatcher
from .engine import EngineError
from .engine.asyncio.client import AsyncEngineIOClient
from .exceptions import BadNamespaceError, DisconnectedError, TimeoutError
from .lifecycle.asyncio import AsyncLifecycle
from .lifecycle.base import DISCONNECT_HANDLERS_TIMEOUT
from .lifecycle.channel import Waiter
from .overrides import replaceable
from .runtime import timeouts
from .runtime.async_time_limit import TimeLimit
from .runtime.steps import run_async

T = TypeVar("T")
OrCallable: TypeAlias = T | Callable[[], T] | Callable[[], Awaitable[T]]

IN_A_ROW = 1000
"""Calls of emit() after which other tasks get a turn. Without it, a loop of calls over a fast websocket never waits."""


class _Handling:
    """Calls the handlers of events. Each event is the subject of a call."""

    __slots__ = ("_client", "_session")

    def __init__(self, client: AsyncClient, session: Session) -> None:
        self._client = client
        self._session = session

    def begin(self, event: EventReceived) -> Awaitable[Any] | None:
        """Call the handler; return what has to be awaited."""
        namespace, name, args, ack_id = event
        try:
            found = self._client._sio_registry.find(name, namespace, args)
            value = found[0](*found[1]) if found is not None else None
            if value is not None and inspect.isawaitable(value):
                return value
            if ack_id is not None:
                self.returned(event, value)
        except (Exception, asyncio.CancelledError):  # of a future that it has asked for its result
            self.failed(event)
        return None

    def returned(self, event: EventReceived, value: Any) -> None:
        """Acknowledge, if the server asked for it."""
        namespace, _, _, ack_id = event
        if ack_id is not None:
            self._client._sio_channel.acknowledge(self._session, namespace, ack_id, value)

    def failed(self, event: EventReceived) -> None:
        """Log the exception."""
        namespace, name, _, _ = event
        self._client._sio_logger.exception("Handler of event %s of namespace %s failed", name, namespace)

    def ended(self, event: EventReceived) -> None:
        """Do nothing."""


class _FutureWaiter(Waiter):
    """A waiter for one task."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._future: asyncio.Future[None] = loop.create_future()

    def wake(self) -> None:
        """Wake the waiting task."""
        if not self._future.done():
            self._future.set_result(None)

    async def wait(self, deadline: float | None) -> None:
        """Wait until woken, or until the time of the event loop has reached the deadline."""
        limit = None
        if deadline is not None:
            now = self._loop.time()
            limit = TimeLimit(deadline - now, self._expire, self._loop, now)
        try:
            await self._future
        finally:
            if limit is not None:
                limit.cancel()

    def _expire(self) -> None:
        self.expired = not self._future.done()
        self.wake()


class AsyncClient(BaseClient):
    """A Socket.IO client for asyncio that calls handlers as events come.

    :param reconnection: whether to reconnect when the connection is lost.
    :param reconnection_attempts: after how many failed attempts to give up; 0 for never.
    :param reconnection_delay: seconds before the first attempt; doubled at each attempt. Attempts are at least 50
        milliseconds apart.
    :param reconnection_delay_max: maximum seconds before an attempt, jitter included.
    :param randomization_factor: jitter: 0.5 for up to 50 % shorter or longer delays.
    :param logger: ``True`` to log events to stderr, ``False`` to log as the root logger does, or a logger to use.
    :param serializer: ``'default'`` for JSON, ``'msgpack'``, or a packet class; the server must use the same.
    :param json: a module with ``dumps`` and ``loads`` for this client, such as ``orjson``.
    :param handle_sigint: kept as an attribute. The client always disconnects when the event loop ends, for example by
        Ctrl-C, within a second.
    :param async_handlers: ``False`` to run handlers strictly one at a time, however long one takes.
    :param engineio_options: for the Engine.IO client: ``request_timeout`` (5 seconds), ``http_session`` (an
        ``aiohttp.ClientSession``, or a function or coroutine function that returns one), ``ssl_verify`` (``True``),
        ``websocket_extra_options`` (a dict for ``ClientSession.ws_connect``), ``timestamp_requests`` (``True``),
        ``max_message_size`` (100,000,000 bytes: a larger message from the server ends the connection),
        ``high_water_mark`` (16 MiB: ``emit`` waits while more is queued), ``engineio_logger`` (as ``logger``).

    Handlers start in the order in which the server sent the events: functions run at once, coroutines interleave where
    they await. The client can be made outside of an event loop.
    """

    eio: AsyncEngineIOClient
    _sio_is_asyncio_based = True
    _sio_lifecycle: AsyncLifecycle
    _sio_lifecycle_class = AsyncLifecycle
    _sio_emits_left = IN_A_ROW

    def _engineio_client_class(self) -> type[AsyncEngineIOClient]:
        return AsyncEngineIOClient

    def _sio_new_dispatcher(self) -> AsyncDispatcher:
        return AsyncDispatcher(serial=not self.async_handlers)

    def _sio_register_with_engine(self) -> None:
        super()._sio_register_with_engine()
        self.eio.last_messages = self._sio_channel.disconnect_packets
        self.eio.is_busy = lambda: self._sio_dispatcher.is_draining
        self.eio.is_awaited = self._sio_is_awaited

    async def connect(
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
        self._sio_lifecycle.use_loop()
        args = url, headers, auth, transports, namespaces, socketio_path, wait, wait_timeout
        await run_async(self._sio_lifecycle.connect(retry, *args))

    async def disconnect(self) -> None:
        """Disconnect from the server, without a reconnection.

        Sends everything that was emitted before, then the DISCONNECT packets, then calls the disconnect handlers. Also
        ends an attempt to connect, and a reconnection. Stops sending if the server does not read for
        ``request_timeout`` seconds. Does nothing if the client is idle.
        """
        self._sio_lifecycle.check_loop()
        await run_async(self._sio_lifecycle.disconnect(self.eio.request_timeout))

    async def shutdown(self) -> None:
        """Disconnect, or end a reconnection; the same as :meth:`disconnect`."""
        is_replaced = options.is_replaced(self, "disconnect", AsyncClient.disconnect)
        await (self.disconnect() if is_replaced else AsyncClient.disconnect(self))

    async def wait(self) -> None:
        """Wait until the connection ends, no reconnection follows, and the disconnect handlers have returned.

        Continues through reconnections, and when a disconnect handler connects again.
        """
        lifecycle = self._sio_lifecycle
        lifecycle.check_loop()
        lifetime = None
        while lifetime is not lifecycle.lifetime:  # a disconnect handler may have connected again
            lifetime = lifecycle.lifetime
            # In a handler, do not wait for the disconnect handlers: this may be one of them.
            await (lifetime.stop if lifecycle.is_in_handler() else lifetime.ended).wait()

    # -- sending

    async def emit(
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
            before. It may be a coroutine function.

        Returns when the event is queued; events are sent in the order of the calls. Waits while more than
        ``high_water_mark`` bytes are queued already, and raises :class:`~socketio.exceptions.DisconnectedError` if the
        connection is lost while waiting. Raises
        :class:`~socketio.exceptions.BadNamespaceError` when the namespace is not connected, ``TypeError`` or
        ``ValueError`` when the data cannot be encoded, ``ValueError`` for a reserved name such as ``'disconnect'``;
        in these cases nothing is sent.
        """
        lifecycle = self._sio_lifecycle  # is_in_loop(), without the call
        if get_ident() != lifecycle.thread or not lifecycle.loop.is_running():  # type: ignore[union-attr]
            lifecycle.check_loop()
        if callback is not None:
            options.check_callback(callback, True)
        if not self.eio.has_room():
            await self._sio_make_room(None)
        try:
            self._sio_channel.request(event, data, namespace or "/", callback)
        except BadNamespaceError:
            await self._sio_lifecycle.block_during_shutdown()
            raise
        self._sio_emits_left -= 1
        if not self._sio_emits_left:
            self._sio_emits_left = IN_A_ROW
            await asyncio.sleep(0)  # after it is queued: the order is that of the calls

    async def send(self, data: Any, namespace: str | None = None, callback: Callable[..., Any] | None = None) -> None:
        """Emit the event ``message``. See :meth:`emit`."""
        await self.emit("message", data=data, namespace=namespace, callback=callback)

    async def call(self, event: str, data: Any = None, namespace: str | None = None, timeout: float | None = 60) -> Any:
        """Emit an event and return its acknowledgement: several values as a tuple, one as itself, none as ``None``.

        :param timeout: seconds to wait for it; ``None`` for no limit.

        Raises as :meth:`emit` does; :class:`~socketio.exceptions.TimeoutError` if no acknowledgement arrives in time;
        and :class:`~socketio.exceptions.CallInterruptedError` as soon as the connection is lost. May be called from
        handlers.
        """
        lifecycle = self._sio_lifecycle
        loop = lifecycle.loop
        if loop is None or get_ident() != lifecycle.thread or not loop.is_running():
            lifecycle.check_loop()
            loop = asyncio.get_running_loop()
        timeout = timeouts.limit(timeout)
        deadline = None if timeout is None else loop.time() + timeout
        if not self.eio.has_room() and not await self._sio_make_room(timeout):
            raise TimeoutError(f"{event!r} could not be sent within {timeout:g} s: the server does not read")
        waiter = _FutureWaiter(loop)
        try:
            if self._sio_emit_is_overridden():
                await self.emit(event, data=data, namespace=namespace, callback=waiter)
            else:
                self._sio_channel.request(event, data, namespace or "/", waiter, wake=False)
        except BadNamespaceError:
            await self._sio_lifecycle.block_during_shutdown()
            raise
        if waiter.request is not None and len(waiter.request[0].callbacks) == 1:
            self.eio.send_at_once()
        else:
            self.eio.wake()  # together with those of other tasks
        try:
            await waiter.wait(deadline)
        finally:
            waiter.forget()
        if waiter.args is None and not waiter.expired:
            await self._sio_lifecycle.block_during_shutdown()
        return self._sio_channel.result(waiter, event, timeout)

    def _sio_emit_is_overridden(self) -> bool:
        return type(self).emit is not _EMIT or "emit" in vars(self)

    async def _sio_make_room(self, timeout: float | None) -> bool:
        """Wait until less than ``high_water_mark`` bytes are queued; return ``False`` after ``timeout`` seconds."""
        try:
            return bool(await self.eio.wait_for_room(timeout))
        except EngineError as exc:
            await self._sio_lifecycle.block_during_shutdown()
            raise DisconnectedError(f"the connection was lost while an event waited to be queued: {exc}") from exc

    # -- receiving

    def _sio_run_events(self, session: Session, events: Events) -> None:
        """Schedule handlers for events."""
        handling, add, read = _Handling(self, session), self._sio_dispatcher.add, session.read
        channel = self._sio_channel
        for each in events:
            if channel.session is not session:  # a handler has ended it
                return
            event = read(each)
            if isinstance(event, tuple):
                add(handling, event)
            else:
                self._sio_handle(session, event)

    def _sio_is_awaited(self, frame: str) -> bool:
        """Return whether a frame answers a call(), which does not wait for the handlers of earlier events."""
        session = self._sio_channel.session
        return session is not None and isinstance(session.callback_for(frame), Waiter)

    # -- what programs replace, and what python-socketio has, too

    @replaceable
    async def _trigger_event(self, event: str, namespace: str, *args: Any) -> Any:
        """Call the handler of an event and return its result. An override is called for every event."""
        found = self._sio_registry.find_registered(event, namespace or "/", args)
        result = found[0](*found[1]) if found is not None else None
        return await result if inspect.isawaitable(result) else result

    @replaceable
    async def _handle_disconnect(self, namespace: str) -> None:
        """End a namespace as after a DISCONNECT packet. An override is called for each DISCONNECT packet."""
        calls = self._sio_lifecycle.attempts.end_namespace(namespace or "/")
        await run_async(self._sio_lifecycle.wait_for_handlers(calls, DISCONNECT_HANDLERS_TIMEOUT))

    # -- helpers

    async def sleep(self, seconds: float = 0) -> None:
        """Sleep for the given number of seconds; infinity is allowed."""
        self._sio_lifecycle.check_loop()
        if self._sio_lifecycle.is_ending():
            raise asyncio.CancelledError("the event loop ends")
        for nap in timeouts.sleep_chunks(seconds):
            await self.eio.sleep(nap)

    def start_background_task(
        self, target: Callable[..., Coroutine[Any, Any, T]], *args: Any, **kwargs: Any
    ) -> asyncio.Task[T]:
        """Run a coroutine function with these arguments as a task; return the task, which can be awaited."""
        self._sio_lifecycle.check_loop()
        return self.eio.start_background_task(target, *args, **kwargs)


_EMIT = AsyncClient.emit
"""The method of this class, to detect overrides."""
