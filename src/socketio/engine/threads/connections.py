"""Connections of urllib3 whose requests have a time limit and can be ended.

In: a session whose connections are to be tracked, and a request. Out: the socket that a thread waits on; for a
websocket, the connection itself.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import io
import math
import queue
import socket
import ssl
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter

from .. import compat, descriptors
from ..handshake import refuse_redirect
from ..keep_alive import may_be_closed, reuse_window
from . import addresses, sessions

_CLOSED = (http.client.RemoteDisconnected, ssl.SSLEOFError, ssl.SSLZeroReturnError)
_RESET = (ConnectionResetError, BrokenPipeError, ConnectionAbortedError)


class StaleConnectionError(ConnectionResetError):
    """A reused connection ended before a byte of the response arrived."""


class Exchange:
    """A request and its answer. One thread sends it and waits, another thread may cut it.

    :param on_sent: called when the request is sent, or has failed.
    :ivar deadline: when it times out.
    :ivar is_cut: whether :meth:`cut` was called.
    """

    def __init__(self, on_sent: Callable[[], None] = lambda: None) -> None:
        self._on_sent = on_sent
        self._sock: Any = None
        self.is_cut = False
        self.deadline = math.inf

    @contextlib.contextmanager
    def _within(self, timeout: float) -> Iterator[None]:
        self.deadline = time.monotonic() + timeout
        outer, _of_thread.exchange = _current(), self  # a signal handler may send while another request is sent
        try:
            yield
        finally:
            _of_thread.exchange, self._sock = outer, None
            self._on_sent()

    @contextlib.contextmanager
    def request(
        self, session: requests.Session, method: str, url: str, timeout: float, **options: Any
    ) -> Iterator[requests.Response]:
        """Send a request with a session; yield the answer, whose body is not read yet, and close it afterwards."""
        # A list, because the hooks of a request replace those of the session.
        hooks = {"response": [*session.hooks["response"], refuse_redirect]}
        options.update(timeout=timeout, stream=True, allow_redirects=False, hooks=hooks)
        with self._within(timeout), session.request(method, url, **options) as response:
            yield response

    def wait_on(self, sock: Any, is_sent: bool) -> None:
        """Note the socket that this thread waits on, and whether the request is sent."""
        self._sock = sock
        if self.is_cut:
            descriptors.shut_down(sock)
        if is_sent:
            self._on_sent()

    def cut(self) -> None:
        """End the wait at once."""
        self.is_cut = True
        if (sock := self._sock) is not None:
            descriptors.shut_down(sock)


class WebSocketExchange(Exchange):
    """A request for a websocket, whose connection is taken from urllib3 when the server agrees.

    :param options: further arguments for ``setsockopt()``.
    :param tls: attributes of an HTTPS connection, which replace those of the pool.
    :param given: a socket that is connected already.
    :ivar proxy_headers: the headers that the pool adds for its proxy.
    :ivar sock: the connection, when the server has agreed; ``ahead`` are the bytes that followed its answer.
    :ivar connection: the last one that got an answer.
    """

    def __init__(self, options: Sequence[Sequence[Any]], tls: Mapping[str, Any], given: socket.socket | None) -> None:
        super().__init__()
        self.tls, self.given = tls, given
        self.options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1), *options]
        self.proxy_headers: Mapping[str, str] = {}
        self.tunnels = False
        self.sock: Any = None
        self.ahead = b""
        self.connection: Any = None

    @contextlib.contextmanager
    def request_directly(self, request: requests.PreparedRequest, timeout: float) -> Iterator[http.client.HTTPResponse]:
        """Send a request without a pool, which takes two thirds of the time; yield the answer."""
        parts = urllib.parse.urlsplit(request.url or "")
        connection = http.client.HTTPConnection(str(parts.hostname), parts.port or 80)
        connection.response_class = functools.partial(_Response, exchange=self, heard=[])  # type: ignore[assignment]
        with self._within(timeout), contextlib.closing(connection):
            connection.sock = _connected(connection.host, connection.port, self.deadline, None, self.options)
            connection.request("GET", request.path_url, headers=request.headers)
            response = connection.getresponse()
            if response.status == 101:
                self.sock, connection.sock = connection.sock, None
            yield response


_of_thread = threading.local()


def track_sockets(
    http: requests.Session, url: str, verify: bool | str | None, proxies: Mapping[str, Any] | None = None
) -> Any:
    """Track the sockets that threads of this session wait on; return the pool for the URL, or ``None``.

    Neither requests nor urllib3 has a way to abort a request in flight. The connection class is a documented
    attribute of urllib3's pools; with an adapter that has none, the wait ends with its timeout.

    :param verify: as in ``requests``; ``None`` to let the session decide.
    :param proxies: for this request, before those of the session.
    """
    adapter: Any = http.get_adapter(url)
    if not isinstance(adapter, HTTPAdapter):
        return None
    settings = http.merge_environment_settings(url, dict(proxies or {}), None, verify, None)
    request = requests.Request("GET", url).prepare()
    pool: Any = adapter.get_connection_with_tls_context(
        request, settings["verify"], proxies=settings["proxies"], cert=settings["cert"]
    )
    if not issubclass(pool.ConnectionCls, _Tracked):
        pool.ConnectionCls = _tracked(pool.ConnectionCls)
        close_idle(pool)  # idle connections of the previous class would be used again
    return pool


def close_idle(pool: Any) -> None:
    """Close the idle connections of a pool."""
    for _ in range(pool.pool.qsize() if pool.num_connections else 0):
        try:
            idle = pool.pool.get_nowait()
        except queue.Empty:  # another thread has taken it
            return
        if idle is not None:
            idle.close()
        pool.pool.put_nowait(None)


def renew_locks(http: requests.Session) -> None:
    """Free the locks of a session's pools in a child process, where the threads that held them do not exist."""
    for pools in sessions.pools_of(http):
        pools.lock = threading.RLock()
        for key in pools.keys():  # noqa: SIM118
            mutex = getattr(pools[key].pool, "mutex", None)  # gevent's queues have none
            if mutex is not None and mutex.locked():
                mutex.release()


@functools.cache
def _tracked(connection_class: type) -> type:
    """Return the subclass of a class of urllib3; creating it takes as long as a request."""
    connecting = compat.connecting_by(_connect, connection_class, urllib3.connection.HTTPConnection)
    return type("TrackedConnection", (_Tracked, connection_class), connecting)


def _current() -> Exchange | None:
    return getattr(_of_thread, "exchange", None)


def _upgrading() -> WebSocketExchange | None:
    exchange = _current()
    return exchange if isinstance(exchange, WebSocketExchange) else None


class _Tracked:
    """Mixin for urllib3's connection classes: registers the socket that a thread waits on."""

    sock: Any
    is_verified: bool
    response_class: Any
    close: Any
    set_tunnel: Any
    _answers = 0
    """How many requests of ours were answered over this connection."""
    _usable_until = math.inf
    """When the server closes it, if it stays idle."""
    _idle_since = 0.0
    _idle = 0.0
    """Seconds for which it was idle before this request."""

    @property
    def is_connected(self) -> bool:
        """Whether the pool may use this connection again: not for a websocket, which needs a new one."""
        upgrading = _upgrading()
        if upgrading is not None and upgrading.connection is not self:
            return False
        return time.monotonic() < self._usable_until and bool(super().is_connected)  # type: ignore[misc]

    def connect(self) -> None:
        descriptors.register(self)
        self._answers, self._usable_until = 0, math.inf
        upgrading = _upgrading()
        if upgrading is not None and upgrading.given is not None:
            self.sock, self.is_verified = upgrading.given, True
            return
        with _replaced(self, upgrading.tls if upgrading and hasattr(self, "ssl_context") else {}):
            super().connect()  # type: ignore[misc]

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> None:
        upgrading = _upgrading()
        if upgrading is not None and url.startswith("http:"):  # through a proxy: request a tunnel instead
            url = self._tunnel_to(upgrading, url, kwargs)
        self._idle = time.monotonic() - self._idle_since
        try:
            super().request(method, url, *args, **kwargs)  # type: ignore[misc]
        except ssl.SSLError as exc:  # as for the others, urllib3 first checks whether there is an answer
            self._check_stale(exc)
            raise

    def _check_stale(self, exc: OSError) -> None:
        is_reset = not isinstance(exc, _CLOSED)
        if self._answers and isinstance(exc, (*_CLOSED, *_RESET)) and may_be_closed(self._idle, is_reset):
            raise StaleConnectionError("the server closed the connection before it answered") from exc

    def _tunnel_to(self, upgrading: WebSocketExchange, url: str, options: dict[str, Any]) -> str:
        """Prepare a tunnel to the server (RFC 6455, section 4.1); return the request target."""
        parts = urllib.parse.urlsplit(url)
        names = {name.lower() for name in upgrading.proxy_headers}
        options["headers"] = {name: value for name, value in options["headers"].items() if name.lower() not in names}
        self.close()
        self.set_tunnel(parts.hostname, parts.port or 80, headers=dict(upgrading.proxy_headers))
        upgrading.tunnels = True
        return urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))

    def getresponse(self, *args: Any, **kwargs: Any) -> Any:
        exchange, sock = _current(), self.sock
        if exchange is None:
            return super().getresponse(*args, **kwargs)  # type: ignore[misc]
        exchange.wait_on(sock, True)
        heard: list[bool] = []
        self.response_class = functools.partial(_Response, exchange=exchange, heard=heard)
        try:
            response = super().getresponse(*args, **kwargs)  # type: ignore[misc]
        except OSError as exc:
            if not heard:
                self._check_stale(exc)
            raise
        finally:
            del self.response_class  # that of the class is back
        self._answers += 1
        self._idle_since = time.monotonic()
        self._usable_until = self._idle_since + reuse_window(response.headers.get("Keep-Alive"))
        if isinstance(exchange, WebSocketExchange):
            exchange.connection = self
            if response.status == 101:
                exchange.sock, self.sock = sock, None
        return response


def _connect(connection: Any, own: Callable[[], socket.socket], host: str) -> socket.socket:
    """Return a socket that is connected to the first address to answer.

    urllib3 tries one address after the other, each for the whole time.
    """
    exchange = _current()
    if exchange is None:
        return own()
    options = [*(connection.socket_options or ())]
    if isinstance(exchange, WebSocketExchange):
        options += exchange.options
    deadline = exchange.deadline
    if isinstance(connection.timeout, (int, float)):
        deadline = min(deadline, time.monotonic() + connection.timeout)
    try:
        return _connected(host, connection.port, deadline, connection.source_address, options)
    except TimeoutError as exc:
        raise urllib3.exceptions.ConnectTimeoutError(connection, "timed out") from exc
    except OSError as exc:
        raise urllib3.exceptions.NewConnectionError(connection, str(exc)) from exc


def _connected(host: str, port: int, deadline: float, source: Any, options: Iterable[Sequence[Any]]) -> socket.socket:
    exchange = _current()
    assert exchange is not None
    create: Any = urllib3.util.connection.create_connection
    if getattr(create, "__globals__", None) is vars(urllib3.util.connection):
        sock = addresses.connect(host, port, deadline, lambda: exchange.is_cut, source, options)
    else:  # an application has replaced it
        sock = create((host, port), max(0.001, deadline - time.monotonic()), source, options)
    sock.settimeout(max(0.001, deadline - time.monotonic()))  # for TLS, for a proxy, and to send
    exchange.wait_on(sock, False)
    return sock


@contextlib.contextmanager
def _replaced(owner: Any, attributes: Mapping[str, Any]) -> Iterator[None]:
    """Replace attributes of an object in the block."""
    before = {name: getattr(owner, name, None) for name in attributes}
    vars(owner).update(attributes)
    try:
        yield
    finally:
        vars(owner).update(before)


class _Response(http.client.HTTPResponse):
    """A response with a total time limit. Timeouts of ``requests`` apply to each read only."""

    def __init__(self, sock: Any, *args: Any, exchange: Exchange, heard: list[bool], **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._reader = _Reader(sock, self.fp.detach(), exchange.deadline, heard)
        self.fp = io.BufferedReader(self._reader)
        self._exchange = exchange

    def begin(self) -> None:
        super().begin()
        while 100 <= self.status < 200 and self.status != 101:  # the answer has not arrived yet
            self.headers = self.msg = None  # type: ignore[assignment]
            super().begin()
        if self._reader.is_at_end:  # http.client accepts headers that are cut off
            raise ConnectionResetError("the answer ended within its head")
        upgrading = self._exchange
        if not isinstance(upgrading, WebSocketExchange):
            return
        if self.status == 101:
            self.will_close = False
            self._reader.is_over = True
            upgrading.ahead = self.fp.read()
        elif upgrading.tunnels or upgrading.tls or upgrading.given is not None:
            self.will_close = True  # other requests must not use this connection


class _Reader(io.RawIOBase):
    """Reads from a socket until a deadline; ``heard`` gets an item when data has arrived."""

    is_over = False
    is_at_end = False

    def __init__(self, sock: Any, raw: Any, deadline: float, heard: list[bool]) -> None:
        self._sock, self._raw, self._deadline, self._heard = sock, raw, deadline, heard

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> Any:
        if self.is_over:
            return 0
        rest = self._deadline - time.monotonic()
        if rest <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(rest)
        count = self._raw.readinto(buffer)
        if not count:
            self.is_at_end = True
        elif not self._heard:
            self._heard.append(True)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()
