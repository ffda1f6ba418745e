"""What a server, or a proxy, is asked: for the tests of one session over both transports.

In: clients. Out: their requests as they came, the websocket's beside those of polling.
"""

from __future__ import annotations

import asyncio
import contextlib
import urllib.parse
from collections.abc import AsyncIterator, Iterable
from typing import Any

from faults.hostile import Peer, RawServer, Request
from integration.waiting import CEILING, within

OF_WEBSOCKETS = {"upgrade", "connection", "sec-websocket-key", "sec-websocket-version"}


class Asked:
    """The requests of one life of a client.

    :ivar all: in order.
    """

    def __init__(self, requests: list[Request]) -> None:
        self.all = list(requests)

    @property
    def polls(self) -> list[Request]:
        """The GETs, but for one that was asked for credentials."""
        gets = [request for request in self.all if request.method == "GET" and not request.is_websocket]
        return [request for request in gets if "Digest" in request.headers.get("authorization", "")] or gets

    @property
    def websocket(self) -> Request:
        """The one request for a websocket that was answered as such."""
        *_, found = (request for request in self.all if request.is_websocket)
        return found

    @property
    def shown(self) -> list[Request]:
        """Those that a setting has to show in: the first of each kind."""
        return [*self.polls[:1], self.websocket]

    def check_same(self) -> None:
        """Fail where the request for the websocket is not that of polling, but for what makes it one."""
        if not self.polls:
            return
        polling, websocket = (_comparable(request) for request in self.shown)
        assert polling == websocket


def _comparable(request: Request) -> tuple[str, dict[str, str], dict[str, str]]:
    query = {name: value for name, value in request.query.items() if name not in ("transport", "sid", "t")}
    headers = {name: value for name, value in request.headers.items() if name not in OF_WEBSOCKETS}
    headers.pop("proxy-authorization", None)  # HttpProxy takes it out of the first request of a connection only
    if headers.get("authorization", "").startswith("Digest "):
        headers["authorization"] = "Digest"  # which is another one for each request
    return urllib.parse.urlsplit(request.target).path, query, headers


class UpgradingPeer(Peer):
    """A good server that upgrades; it holds what it is asked until the client ends it."""

    def __init__(self) -> None:
        super().__init__(lambda request: request.until_closed(), upgrades=["websocket"])

    async def __call__(self, request: Request) -> None:
        """Serve a request."""
        if not request.is_websocket or "sid" not in request.query:
            await super().__call__(request)
            return
        await request.accept_websocket()
        await request.receive()
        await request.send("3probe")
        _, packet = await request.receive()
        while packet in (b"5", b"2"):
            _, packet = await request.receive()
        await request.send('40{"sid":"x"}')
        await self._run(request)
        request.writer.close()


async def asked(
    sio: Any,
    transport: Any,
    url: str = "{url}",
    script: Any = None,
    tls: Any = None,
    compare: bool = True,
    **arguments: Any,
) -> Asked:
    """Connect a client, disconnect it, and return what the server was asked.

    :param url: with ``{url}`` or ``{port}`` for the server's.
    :param compare: whether the request for a websocket has to be that of polling.
    :param script: has the first word on each request; returns whether it has answered.
    """
    peer = UpgradingPeer()

    async def answer(request: Request) -> None:
        if script is None or not await script(request):
            await peer(request)

    async with RawServer(answer, tls) as server:
        target = url.replace("{url}", server.url).replace("{port}", str(server.port))
        await within(CEILING, sio.connect(target, transports=transport.argument, **arguments))
        assert sio.transport() == transport.final
        peer.connected.set()
        await within(CEILING, sio.disconnect())
        found = Asked(server.requests)
    if compare and transport.final == "websocket":
        found.check_same()
    return found


class HttpProxy:
    """A proxy that forwards requests and makes tunnels, as most do.

    :ivar requests: what it was asked for, CONNECT or another method, with the headers.
    :ivar ways: the addresses of its own connections.
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.ways: set[Any] = set()
        self._server = RawServer(self._serve)

    @property
    def port(self) -> int:
        """Its port."""
        return self._server.port

    async def __aenter__(self) -> HttpProxy:
        await self._server.__aenter__()
        return self

    async def __aexit__(self, *exc_info: Any) -> None:
        await self._server.__aexit__(*exc_info)

    async def _serve(self, request: Request) -> None:
        self.requests.append(request)
        if request.method == "CONNECT":
            host, _, port = request.target.rpartition(":")
            async with self._connection(host, int(port)) as (reader, writer):
                await request.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                await self._join(request, reader, writer)
            return
        parts = urllib.parse.urlsplit(request.target)
        async with self._connection(parts.hostname or "", parts.port or 80) as (reader, writer):
            lines = [f"{name}: {value}" for name, value in request.headers.items() if not name.startswith("proxy-")]
            path = urllib.parse.urlunsplit(("", "", parts.path, parts.query, ""))
            writer.write("\r\n".join([f"{request.method} {path} HTTP/1.1", *lines, "", ""]).encode("latin-1"))
            writer.write(request.body)
            await self._join(request, reader, writer)

    @contextlib.asynccontextmanager
    async def _connection(
        self, host: str, port: int
    ) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection("127.0.0.1" if host.endswith("test") else host, port)
        self.ways.add(writer.get_extra_info("sockname"))
        try:
            yield reader, writer
        finally:
            writer.close()

    @staticmethod
    async def _join(request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry bytes in both directions until one of them ends, and then close."""
        ways = [_copy(request.reader, writer), _copy(reader, request.writer)]
        tasks = [asyncio.ensure_future(way) for way in ways]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            request.writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


class SocksProxy(HttpProxy):
    """A proxy that speaks SOCKS 5 without credentials (RFC 1928).

    :ivar names: the hosts that it was asked for by name.
    """

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self._listener: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def port(self) -> int:
        """Its port."""
        assert self._listener is not None
        return int(self._listener.sockets[0].getsockname()[1])

    async def __aenter__(self) -> SocksProxy:
        self._listener = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *exc_info: Any) -> None:
        assert self._listener is not None
        self._listener.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        with contextlib.suppress(OSError, EOFError, asyncio.CancelledError):
            _, count = await reader.readexactly(2)
            await reader.readexactly(count)
            writer.write(b"\x05\x00")
            *_, kind = await reader.readexactly(4)
            if kind == 3:
                (length,) = await reader.readexactly(1)
                host = (await reader.readexactly(length)).decode()
                self.names.append(host)
            else:
                host = ".".join(map(str, await reader.readexactly(4)))
            port = int.from_bytes(await reader.readexactly(2), "big")
            async with self._connection(host, port) as (server_reader, server_writer):
                writer.write(b"\x05\x00\x00\x01" + bytes(6))
                request = Request("", "", {}, b"", reader, writer)
                await self._join(request, server_reader, server_writer)
        writer.close()


async def close_sessions(sessions: Iterable[Any]) -> None:
    """Close HTTP sessions of ``requests`` and of aiohttp."""
    for session in sessions:
        closing = session.close()
        if closing is not None:
            await closing
