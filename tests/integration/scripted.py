"""A server under a test's control: raw Engine.IO v4, in which every frame is the test's decision.

In: packets to send, as text or ``bytes``. Out: the packets and HTTP requests that the client sent, in order. Nothing
is answered by itself but the handshake and, where the script says so, the upgrade. Source: Engine.IO protocol, 4.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Any

from aiohttp import WSMsgType, web

from .waiting import CEILING, within

_SEPARATOR = "\x1e"
_END = object()


class Connection:
    """One Engine.IO connection.

    :ivar sid: its session id.
    :ivar handshake: the HTTP request that opened it.
    :ivar polls: how many GET requests wait for packets now.
    :ivar receipt: if set, the request with a CLOSE is answered when this event is, and the pending GET at once.
    :ivar spoiled: the answer to the GET requests from now on, in place of packets: a function of the request.
    """

    def __init__(self, sid: str, handshake: web.Request) -> None:
        self.sid = sid
        self.handshake = handshake
        self.polls = 0
        self.websocket: web.WebSocketResponse | None = None
        self.payloads: list[str] = []
        self.receipt: asyncio.Event | None = None
        self.spoiled: Callable[[web.Request], Awaitable[web.StreamResponse]] | None = None
        self._outgoing: asyncio.Queue[str | bytes] = asyncio.Queue()
        self._incoming: asyncio.Queue[Any] = asyncio.Queue()
        self._ended = asyncio.Event()
        self._polled = asyncio.Event()
        self._unpolled = asyncio.Event()

    # -- for the test

    async def send(self, *packets: str | bytes) -> None:
        """Send Engine.IO packets, in one payload where there are payloads: ``'4...'`` or ``bytes`` are messages."""
        if self.websocket is None:
            for packet in packets:
                self._outgoing.put_nowait(packet)
            return
        for packet in packets:
            if isinstance(packet, str):
                await self.websocket.send_str(packet)
            else:
                await self.websocket.send_bytes(packet)

    async def receive(self, timeout: float = CEILING) -> str | bytes:
        """Return the next Engine.IO packet of the client; fail if the connection ends first."""
        packet = await self.receive_or_end(timeout)
        assert packet is not None, "the client has closed the connection"
        return packet

    async def receive_or_end(self, timeout: float = CEILING) -> str | bytes | None:
        """Return the next Engine.IO packet of the client, ``None`` when the connection has ended."""
        packet = await within(timeout, self._incoming.get())
        if packet is _END:
            self._incoming.put_nowait(_END)
            return None
        assert isinstance(packet, (str, bytes))
        return packet

    async def receive_many(self, count: int) -> list[str | bytes]:
        """Return the next packets."""
        return [await self.receive() for _ in range(count)]

    async def rest(self) -> list[str | bytes]:
        """Return the packets up to the end of the connection."""
        packets: list[str | bytes] = []
        while (packet := await within(CEILING, self._incoming.get())) is not _END:
            packets.append(packet)
        self._incoming.put_nowait(_END)
        return packets

    async def accept_namespace(self, namespace: str = "/", sid: str | None = None) -> None:
        """Receive the CONNECT packet for a namespace, whatever its payload, and accept it."""
        packet = await self.receive()
        prefix = "40" if namespace == "/" else f"40{namespace},"
        assert isinstance(packet, str), packet
        assert packet.startswith(prefix), packet
        await self.send(prefix + json.dumps({"sid": sid or f"sid-of-{namespace}"}))

    async def wait_polled(self) -> None:
        """Wait until a GET request waits for packets."""
        await within(CEILING, self._polled.wait())

    async def wait_unpolled(self) -> None:
        """Wait until no GET request waits for packets."""
        await within(CEILING, self._unpolled.wait())

    async def close(self) -> None:
        """End the connection from the server's side: close the websocket, or answer the polls with an error."""
        self._ended.set()
        if self.websocket is not None:
            await self.websocket.close()

    # -- for the server

    async def _close_in_time(self) -> None:
        self._received(_END)
        if self.receipt is not None:
            await self.send("6")
            await within(CEILING, self.receipt.wait())
        self._ended.set()

    def _received(self, packet: Any) -> None:
        self._incoming.put_nowait(packet)

    async def _poll(self) -> str | None:
        """Return a payload, or ``None`` when the connection has ended."""
        self.polls += 1
        self._polled.set()
        self._unpolled.clear()
        get = asyncio.ensure_future(self._outgoing.get())
        ended = asyncio.ensure_future(self._ended.wait())
        try:
            await asyncio.wait({get, ended}, return_when=asyncio.FIRST_COMPLETED)
            if not get.done():
                return None
            packets = [get.result()]
            while not self._outgoing.empty():
                packets.append(self._outgoing.get_nowait())
            return _SEPARATOR.join(_as_text(packet) for packet in packets)
        finally:
            self.polls -= 1
            self._polled.clear()
            self._unpolled.set()
            for future in (get, ended):
                future.cancel()


class ScriptedServer:
    """Listens on 127.0.0.1; use it with ``async with``.

    :param open_fields: fields of the OPEN packet that differ from the usual ones; ``None`` takes a field out.
    :param upgrade: what happens to a request to upgrade: ``'accept'``, ``'refuse'`` (with an HTTP error), ``'hang'``
        (the request is never answered), ``'silent'`` (the websocket opens, the probe is not answered).
    :param handshake: answers every handshake in place of a connection: ``(status, body)``, ``'hang'``, or ``'silent'``
        (the websocket opens, no OPEN packet comes; over polling the same as ``'hang'``).
    :ivar requests: every HTTP request so far.
    """

    def __init__(
        self,
        open_fields: dict[str, Any] | None = None,
        upgrade: str = "accept",
        handshake: tuple[int, Any] | str | None = None,
    ) -> None:
        self.requests: list[web.Request] = []
        self.upgrade = upgrade
        self.handshake = handshake
        self._open_fields = open_fields or {}
        self._connections: dict[str, Connection] = {}
        self._accepted: asyncio.Queue[Connection] = asyncio.Queue()
        self._released = asyncio.Event()
        self._runner: web.AppRunner | None = None

    @property
    def port(self) -> int:
        """Its port."""
        assert self._runner is not None
        return int(self._runner.addresses[0][1])

    @property
    def url(self) -> str:
        """Its URL."""
        return f"http://127.0.0.1:{self.port}"

    async def accept(self) -> Connection:
        """Return the next connection, once its handshake is done."""
        return await within(CEILING, self._accepted.get())  # type: ignore[no-any-return]

    async def __aenter__(self) -> ScriptedServer:
        app = web.Application(client_max_size=100_000_000)
        app.router.add_route("*", "/socket.io/", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._released.set()
        for connection in self._connections.values():
            await connection.close()
        assert self._runner is not None
        await self._runner.cleanup()

    # -- HTTP

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        sid = request.query.get("sid")
        is_websocket = request.query["transport"] == "websocket"
        if sid is None:
            return await self._open(request, is_websocket)
        connection = self._connections.get(sid)
        if connection is None or connection._ended.is_set():
            return web.json_response({"code": 1, "message": "Session ID unknown"}, status=400)
        if is_websocket:
            return await self._upgrade(request, connection)
        if request.method == "POST":
            body = await request.text()
            connection.payloads.append(body)
            for text in body.split(_SEPARATOR):
                connection._received(_as_packet(text))
                if text == "1":
                    await connection._close_in_time()
            return web.Response(text="ok")
        if connection.spoiled is not None:
            return await connection.spoiled(request)
        payload = await connection._poll()
        return web.Response(status=400) if payload is None else web.Response(text=payload)

    async def _open(self, request: web.Request, is_websocket: bool) -> web.StreamResponse:
        if self.handshake == "hang" or (self.handshake == "silent" and not is_websocket):
            await self._released.wait()
        if self.handshake == "silent":
            async with self._websocket(request) as websocket:
                await self._released.wait()
            return websocket
        if isinstance(self.handshake, tuple):
            status, body = self.handshake
            if isinstance(body, str):
                return web.Response(status=status, text=body)
            return web.json_response(body, status=status)
        connection = Connection(f"engine-{len(self._connections)}", request)
        self._connections[connection.sid] = connection
        fields = {
            "sid": connection.sid,
            "upgrades": [] if is_websocket else ["websocket"],
            "pingInterval": 25000,
            "pingTimeout": 20000,
            "maxPayload": 1000000,
            **self._open_fields,
        }
        packet = "0" + json.dumps({key: value for key, value in fields.items() if value is not None})
        if not is_websocket:
            self._accepted.put_nowait(connection)
            return web.Response(text=packet)
        async with self._websocket(request, connection) as websocket:
            await websocket.send_str(packet)
            self._accepted.put_nowait(connection)
            await self._read(websocket, connection)
        return websocket

    async def _upgrade(self, request: web.Request, connection: Connection) -> web.StreamResponse:
        if self.upgrade == "refuse":
            return web.json_response({"code": 3, "message": "Bad request"}, status=400)
        if self.upgrade == "hang":
            await self._released.wait()
            return web.Response(status=400)
        async with self._websocket(request) as websocket:
            if self.upgrade == "silent":
                await self._released.wait()
                return websocket
            if await websocket.receive_str() != "2probe":
                return websocket
            await websocket.send_str("3probe")
            if connection.polls:
                connection._outgoing.put_nowait("6")
            async for message in websocket:
                if message.data == "5":
                    connection.websocket = websocket
                    await self._read(websocket, connection)
                    break
        return websocket

    @contextlib.asynccontextmanager
    async def _websocket(
        self, request: web.Request, connection: Connection | None = None
    ) -> AsyncIterator[web.WebSocketResponse]:
        websocket = web.WebSocketResponse(max_msg_size=0)
        await websocket.prepare(request)
        if connection is not None:
            connection.websocket = websocket
        try:
            yield websocket
        finally:
            await websocket.close()

    async def _read(self, websocket: web.WebSocketResponse, connection: Connection) -> None:
        async for message in websocket:
            if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                connection._received(message.data)
        connection._received(_END)


def _as_text(packet: str | bytes) -> str:
    return packet if isinstance(packet, str) else "b" + base64.b64encode(packet).decode()


def _as_packet(text: str) -> str | bytes:
    return base64.b64decode(text[1:]) if text.startswith("b") else text


@contextlib.asynccontextmanager
async def session(
    sio: Any,
    transports: str | list[str] | None = "websocket",
    namespaces: tuple[str, ...] = ("/",),
    **open_fields: Any,
) -> AsyncIterator[tuple[ScriptedServer, Connection]]:
    """Connect a client to a scripted server that accepts its namespaces; disconnect it at the end."""
    async with ScriptedServer(open_fields=open_fields) as server:
        connecting = asyncio.ensure_future(sio.connect(server.url, transports=transports, namespaces=list(namespaces)))
        connection = await server.accept()
        for namespace in namespaces:
            await connection.accept_namespace(namespace)
        await within(CEILING, connecting)
        try:
            yield server, connection
        finally:
            await within(CEILING, sio.disconnect())
