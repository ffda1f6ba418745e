"""The public class of the server. It runs on its own thread and can be called from any other.

In: calls of the application, on any thread. They are executed on the server's loop, in order, and have taken effect
when they return. Handlers run on the server's thread.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Any, TypeVar, overload

from ..core.events import ack_result, event_arguments
from ..core.handlers import H, Handler, Handlers
from ..exceptions import TimeoutError
from ..msgpack_packet import MsgPackPacket
from ..packet import Packet
from .session import Session
from .web import Request, Site

T = TypeVar("T")

_STOP_TIMEOUT = 15.0
"""Seconds after which stop() gives up, which happens only if a handler blocks the server's thread."""
_MAX_REQUESTS = 1000

_serializers: dict[str, type[Packet]] = {"default": Packet, "msgpack": MsgPackPacket}


class Server:
    """A Socket.IO server on a port of this machine, for tests and demonstrations::

        with socketio.testing.Server() as server:

            @server.event
            def add(sid, a, b):
                return a + b

            client.connect(server.url)

    Handlers are plain functions or coroutine functions. They start in the order in which a client sent the events, on
    the server's thread, which a plain function blocks while it runs. Their first argument is the client's sid; what
    they return is the acknowledgement: a tuple is several values, ``None`` none, any other value one. An exception in a
    handler is logged (logger ``socketio.testing``), and nothing is acknowledged. Data that is not Socket.IO ends the
    connection of the client.

    A namespace is open to clients if it is ``'/'`` or has a handler.

    :param serializer: ``'default'``, ``'msgpack'``, or a subclass of :class:`socketio.packet.Packet`.
    :param ssl_context: serves https with it.
    :param socketio_path: where the server is found.
    :param port: the port it listens on; 0 takes a free one.
    :param engineio_options: options of ``engineio.AsyncServer``, such as ``ping_interval`` and
        ``ping_timeout`` (seconds), ``transports``, ``max_http_buffer_size`` (bytes; here 100 MB if not
        given). Not ``async_mode``, ``async_handlers``, ``json`` and ``logger``: they are a ``TypeError`` when
        the server is started.
    """

    def __init__(
        self,
        serializer: str | type[Packet] = "default",
        ssl_context: ssl.SSLContext | None = None,
        socketio_path: str = "socket.io",
        *,
        port: int = 0,
        **engineio_options: Any,
    ) -> None:
        if isinstance(serializer, str) and serializer not in _serializers:
            raise ValueError(f"unknown serializer {serializer!r}")
        self._packet_class = _serializers[serializer] if isinstance(serializer, str) else serializer
        self._ssl_context = ssl_context
        self._path = socketio_path
        self._engineio_options = engineio_options
        self._handlers = Handlers()
        self._port = port
        self._thread: threading.Thread | None = None
        self._starting_or_stopping = threading.Lock()
        # Written on the server's thread, read on all; the lock makes "running" and "asked" one step.
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._session: Session | None = None
        self._stopped: asyncio.Event | None = None
        self._requests: deque[Request] = deque(maxlen=_MAX_REQUESTS)

    # -- start and stop

    def start(self) -> None:
        """Start the server; when this returns, clients can connect.

        Started again after :meth:`stop`, it has the same :attr:`url`. Raises ``RuntimeError`` if it is
        running, and ``OSError`` if another program has taken the port.
        """
        with self._starting_or_stopping:
            if self._thread is not None:
                raise RuntimeError("the server is running")
            listener = socket.create_server(("127.0.0.1", self._port))
            self._port = listener.getsockname()[1]
            started: Future[None] = Future()
            self._thread = threading.Thread(
                target=self._run, args=(listener, started), name=f"{__package__}.Server", daemon=True
            )
            self._thread.start()
            try:
                started.result()
            except Exception:
                self._thread.join()
                self._thread = None
                raise

    def stop(self) -> None:
        """Close all connections, end the server and all that it started. Does nothing if it is not running.

        Clients see their Engine.IO connection closed, without a DISCONNECT packet. Takes a second at most,
        unless a handler will not end. Raises ``RuntimeError`` on the server's own thread, that is, in a
        handler, and when a handler blocks that thread forever.
        """
        if self._is_own_thread():
            raise RuntimeError("stop() in a handler would wait for the handler to end")
        with self._starting_or_stopping:
            if self._thread is None:
                return
            with self._lock:
                if self._loop is not None and self._stopped is not None:
                    self._loop.call_soon_threadsafe(self._stopped.set)
            self._thread.join(_STOP_TIMEOUT)
            if self._thread.is_alive():
                raise RuntimeError("the server does not stop: a handler blocks its thread")
            self._thread = None

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The URL to connect to: scheme, host and port. Raises ``RuntimeError`` before the first start."""
        if not self._port:
            raise RuntimeError("the server has not been started")
        return f"{'https' if self._ssl_context else 'http'}://127.0.0.1:{self._port}"

    @property
    def requests(self) -> list[Request]:
        """The HTTP requests that came, the last 1000, in the order in which they came."""
        with self._lock:
            return list(self._requests)

    # -- handlers

    @overload
    def on(self, event: str, handler: None = None, namespace: str | None = None) -> Callable[[H], H]: ...

    @overload
    def on(self, event: str, handler: H, namespace: str | None = None) -> H: ...

    def on(self, event: str, handler: H | None = None, namespace: str | None = None) -> H | Callable[[H], H]:
        """Register the handler of an event, as a decorator or directly; it replaces an earlier one.

        ``'connect'`` is called with ``(sid, environ, auth)``, or ``(sid, environ)``. It refuses the client by
        returning ``False`` or raising ``socketio.exceptions.ConnectionRefusedError('message', data)``; the
        client is accepted when it returns, and what was sent to it before that follows. ``'disconnect'`` is
        called with ``(sid, reason)``, or ``(sid)``. All other events: ``(sid, *args)``.

        As event, ``'*'`` stands for all that have no handler; they come with their name first. As namespace,
        it stands for all that have no handler; it comes before the sid.
        """

        def register(function: H) -> H:
            self._handlers.add(event, function, namespace or "/")
            return function

        return register if handler is None else register(handler)

    @overload
    def event(self, handler: H) -> H: ...

    @overload
    def event(self, handler: None = None, namespace: str | None = None) -> Callable[[H], H]: ...

    def event(self, handler: H | None = None, namespace: str | None = None) -> H | Callable[[H], H]:
        """Register a function as the handler of the event that has its name. See :meth:`on`.

        A decorator: ``@server.event``, or with a namespace ``@server.event(namespace='/chat')``.
        """

        def register(function: H) -> H:
            return self.on(function.__name__, function, namespace)

        return register if handler is None else register(handler)

    # -- to the clients, from any thread

    def emit(
        self,
        event: str,
        data: Any = None,
        to: str | None = None,
        namespace: str = "/",
        callback: Handler | None = None,
    ) -> None:
        """Send an event to a client, or to every client of the namespace.

        :param data: several arguments as a tuple, one as any other value, ``None`` for no argument.
        :param to: the client's sid; ``None`` for all.
        :param callback: called on the server's thread with the values of each acknowledgement; a function or
            a coroutine function. Not called for clients that leave before they answer.

        Raises :class:`~socketio.exceptions.BadNamespaceError` if the client is not connected to the
        namespace, ``TypeError`` or ``ValueError`` for data that cannot be encoded, ``RuntimeError`` if the
        server is not running.
        """
        self._call_on_thread(lambda session: session.emit(event, event_arguments(data), to, namespace, callback))

    def call(self, event: str, data: Any = None, *, to: str, namespace: str = "/", timeout: float | None = 60) -> Any:
        """Send an event to a client and return its acknowledgement.

        Several values are returned as a tuple, one as itself, none as ``None``. Blocks: asyncio programs call
        it as ``await asyncio.to_thread(server.call, ...)``.

        :param timeout: seconds to wait; ``None`` waits until the client leaves.

        Raises :class:`~socketio.exceptions.TimeoutError` if no answer comes in time,
        :class:`~socketio.exceptions.CallInterruptedError`, which is one too, at once when the client leaves,
        ``RuntimeError`` on the server's own thread, and what :meth:`emit` raises.
        """
        if self._is_own_thread():
            raise RuntimeError("call() in a handler would wait for what only its thread can read: use emit()")
        answer = self._call_on_thread(lambda session: session.request(event, event_arguments(data), to, namespace))
        with contextlib.suppress(concurrent.futures.TimeoutError):
            answer.exception(timeout)
        if answer.cancel():
            raise TimeoutError(f"no acknowledgement of {event} within {timeout} seconds")
        return ack_result(answer.result())

    def disconnect(self, sid: str, namespace: str = "/") -> None:
        """End a client's namespace with a DISCONNECT packet. The Engine.IO connection stays.

        Does nothing for a client that has left. Raises :class:`~socketio.exceptions.BadNamespaceError` if the
        sid is one of another namespace, ``RuntimeError`` if the server is not running.
        """
        self._call_on_thread(lambda session: session.disconnect(sid, namespace))

    def close_transport(self, sid: str) -> None:
        """Close the Engine.IO connection of a client with a CLOSE packet, without a DISCONNECT packet.

        All namespaces of the client end; what was sent to it before arrives. Does nothing for a client that
        has left. Raises ``RuntimeError`` if the server is not running.
        """
        self._call_on_thread(lambda session: session.close_transport(sid))

    # -- the thread

    def _is_own_thread(self) -> bool:
        try:
            return asyncio.get_running_loop() is self._loop
        except RuntimeError:
            return False

    def _call_on_thread(self, request: Callable[[Session], T]) -> T:
        """Call a function on the server's thread; return its result, or raise its exception."""
        if self._session is not None and self._is_own_thread():
            return request(self._session)
        answer: Future[T] = Future()
        with self._lock:
            if self._loop is None or self._session is None:
                raise RuntimeError("the server is not running")
            self._loop.call_soon_threadsafe(_resolve, answer, request, self._session)
        return answer.result()

    def _record(self, request: Request) -> None:
        with self._lock:
            self._requests.append(request)

    def _run(self, listener: socket.socket, started: Future[None]) -> None:
        loop = asyncio.SelectorEventLoop()  # on every system, with any policy of the application
        with listener, contextlib.closing(loop):
            try:
                loop.run_until_complete(self._serve(listener, started))
            except Exception as exc:
                if started.done():
                    raise
                started.set_exception(exc)

    async def _serve(self, listener: socket.socket, started: Future[None]) -> None:
        loop = asyncio.get_running_loop()
        session = Session(self._handlers, self._packet_class, self._engineio_options)
        site = Site(session.engine, self._path, listener, self._record)
        stopped = asyncio.Event()
        with self._lock:
            self._loop, self._session, self._stopped = loop, session, stopped
        try:
            await site.start(self._ssl_context)
            started.set_result(None)
            await stopped.wait()
            await session.engine.close_all()
        finally:
            await site.stop()
            with self._lock:
                self._loop = self._session = self._stopped = None
            await asyncio.sleep(0)  # calls of other threads are answered
            await loop.shutdown_asyncgens()
            await loop.shutdown_default_executor()


def _resolve(answer: Future[T], request: Callable[[Session], T], session: Session) -> None:
    try:
        answer.set_result(request(session))
    except Exception as exc:
        answer.set_exception(exc)
