"""Hostile servers: HTTP and websockets byte by byte, where every byte is the test's decision.

In: scripts, one for each request or one for each connection that is open. Out: the requests as they came. What a
script does not do is done as a good server does it: the handshake, and the answer to a CONNECT.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import ssl
import struct
import urllib.parse
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from integration.waiting import CEILING, within

TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG = 0x1, 0x2, 0x0, 0x8, 0x9, 0xA
CRLF = b"\r\n"


def open_packet(**fields: Any) -> str:
    """Return an OPEN packet; ``None`` takes a field out."""
    usual = {"sid": "s", "upgrades": [], "pingInterval": 25000, "pingTimeout": 20000, "maxPayload": 1000000}
    return "0" + json.dumps({name: value for name, value in {**usual, **fields}.items() if value is not None})


def frame(opcode: int, payload: bytes, *, fin: bool = True, reserved: int = 0, announced: int | None = None) -> bytes:
    """Return a websocket frame, which may announce another length than it has."""
    length = len(payload) if announced is None else announced
    first = (0x80 if fin else 0) | reserved << 4 | opcode
    if length < 126:
        head = struct.pack("!BB", first, length)
    elif length < 65536:
        head = struct.pack("!BBH", first, 126, length)
    else:
        head = struct.pack("!BBQ", first, 127, length)
    return head + payload


@dataclass
class Request:
    """A request and its connection.

    :ivar headers: by their names in lower case.
    """

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    reader: asyncio.StreamReader = field(repr=False)
    writer: asyncio.StreamWriter = field(repr=False)

    @property
    def query(self) -> dict[str, str]:
        """The query of its URL."""
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.target).query))

    @property
    def is_websocket(self) -> bool:
        """Whether it asks for a websocket."""
        return self.headers.get("upgrade", "").lower() == "websocket"

    async def write(self, data: bytes) -> None:
        """Send bytes."""
        self.writer.write(data)
        await self.writer.drain()

    async def answer(
        self, body: bytes | str = b"", status: int = 200, *headers: str, length: int | None = None
    ) -> None:
        """Send an answer, which may announce another length than it has."""
        body = body.encode() if isinstance(body, str) else body
        size = len(body) if length is None else length
        lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {size}", *headers]
        await self.write("\r\n".join(lines).encode() + CRLF + CRLF + body)

    async def accept_websocket(self, *headers: str) -> None:
        """Answer that this is a websocket from now on."""
        accept = self.headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(accept.encode()).digest()).decode()
        lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", *headers]
        await self.write("\r\n".join([*lines, f"Sec-WebSocket-Accept: {accept}", "", ""]).encode())

    async def send(self, *packets: str | bytes) -> None:
        """Send packets over the websocket."""
        for packet in packets:
            text = isinstance(packet, str)
            await self.write(frame(TEXT if text else BINARY, packet.encode() if isinstance(packet, str) else packet))

    async def receive(self) -> tuple[int, bytes]:
        """Return opcode and payload of the next frame of the client."""
        first, second = await self.reader.readexactly(2)
        length = second & 0x7F
        if length == 126:
            (length,) = struct.unpack("!H", await self.reader.readexactly(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", await self.reader.readexactly(8))
        mask = await self.reader.readexactly(4)
        payload = await self.reader.readexactly(length)
        return first & 0xF, bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))

    async def until_closed(self) -> None:
        """Wait until the client closes the connection; over a websocket, answer what it asks meanwhile."""
        while self.is_websocket:
            opcode, payload = await self.receive()
            if opcode in (PING, CLOSE):
                await self.write(frame(PONG if opcode == PING else CLOSE, payload))
            if opcode == CLOSE:
                break
        while await self.reader.read(65536):
            pass


Script = Callable[[Request], Awaitable[None]]


class RawServer:
    """Listens on 127.0.0.1 and hands each request to a script; use it with ``async with``.

    The connection goes on after a script that has returned, unless that has closed it.

    :ivar requests: all requests so far.
    """

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self.requests: list[Request] = []
        self._script = script
        self._tls = tls
        self._host = host
        self._tasks: set[asyncio.Task[Any]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """Its port."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def url(self) -> str:
        """Its URL."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}"

    async def __aenter__(self) -> RawServer:
        self._server = await asyncio.start_server(self._connected, self._host, 0, ssl=self._tls)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._writers.add(writer)
        try:
            while not writer.is_closing():
                request = await self._read(reader, writer)
                self.requests.append(request)
                await self._script(request)
        except (OSError, EOFError, asyncio.CancelledError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request:
        head = (await reader.readuntil(CRLF + CRLF)).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        method, target, _ = first.split(" ")
        return Request(method, target, headers, body, reader, writer)


class Peer:
    """A good server up to a point: it accepts the namespace ``'/'``, and then the script has the word.

    :param script: gets the websocket, or each poll.
    :param headers: lines that go with the answer to the handshake.
    :param fields: of the OPEN packet.
    :ivar posted: the bodies of all POSTs.
    :ivar connected: to be set when the client's connect() has returned: the script waits for it.
    :ivar failures: what went wrong in scripts.
    """

    def __init__(self, script: Script, *headers: str, **fields: Any) -> None:
        self.posted: list[bytes] = []
        self.connected = asyncio.Event()
        self.failures: list[BaseException] = []
        self._script = script
        self._headers = headers
        self._fields = fields
        self._asked = asyncio.Event()
        self._polls = 0

    async def __call__(self, request: Request) -> None:
        """Serve a request."""
        if request.is_websocket:
            await request.accept_websocket(*self._headers)
            await request.send(open_packet(**self._fields))
            await request.receive()
            await request.send('40{"sid":"x"}')
            await self._run(request)
            request.writer.close()
        elif request.method == "POST":
            self.posted.append(request.body)
            await request.answer("ok")
            self._asked.set()
        elif "sid" not in request.query:
            self._asked.clear()
            self._polls = 0
            await request.answer(open_packet(**self._fields), 200, *self._headers)
        else:
            await within(CEILING, self._asked.wait())
            self._polls += 1
            if self._polls == 1:
                await request.answer('40{"sid":"x"}')
            else:
                await self._run(request)

    async def _run(self, request: Request) -> None:
        await within(CEILING, self.connected.wait())
        try:
            await self._script(request)
        except (OSError, EOFError, asyncio.CancelledError):
            raise
        except BaseException as exc:
            self.failures.append(exc)
            raise


@contextlib.asynccontextmanager
async def hostile(
    sio: Any, transport: str, script: Script, *headers: str, tls: ssl.SSLContext | None = None, **fields: Any
) -> AsyncIterator[RawServer]:
    """Connect a client to a server with a script; disconnect it at the end."""
    peer = Peer(script, *headers, **fields)
    async with RawServer(peer, tls) as server:
        await within(CEILING, sio.connect(server.url, transports=transport))
        peer.connected.set()
        try:
            yield server
        finally:
            await within(CEILING, sio.disconnect())
    assert peer.failures == []
