"""A small server for the facts that need one, on a thread of its own."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import WSMsgType, web

from integration.conftest import pytest_collection_finish, pytest_configure  # noqa: F401

CEILING = 10.0
"""Seconds that anything may take at most."""


class Server:
    """What a test may ask: ``/ok``, ``/silent`` (never answered), ``/refuse``, ``/ws``, ``/ws_silent``, ``/ws_eager``.

    ``/ws`` sends back what it gets; some texts make it do something else. ``/ws_silent`` answers no close frame.
    ``/ws_eager`` sends a text, and the beginning of another, in one piece with its answer, and then the rest.

    :ivar requests: the headers of each request, in order.
    """

    def __init__(self) -> None:
        self.requests: list[Any] = []
        self.port = 0
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        assert self._started.wait(CEILING)

    @property
    def http(self) -> str:
        """The URL of the server."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws(self) -> str:
        """The URL of the server, for websockets."""
        return f"ws://127.0.0.1:{self.port}"

    async def _serve(self) -> None:
        app = web.Application()
        for path in ("ok", "silent", "refuse", "ws", "ws_silent", "ws_eager"):
            app.router.add_get(f"/{path}", getattr(self, f"_{path}"))
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = runner.addresses[0][1]
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._started.set()
        await self._stop.wait()
        await runner.cleanup()

    def close(self) -> None:
        """Stop serving."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(CEILING)

    async def _ok(self, request: web.Request) -> web.Response:
        self.requests.append(request.headers)
        return web.Response(text="ok", headers={"Set-Cookie": "server=1; Path=/"})

    async def _silent(self, request: web.Request) -> web.Response:
        self.requests.append(request.headers)
        await asyncio.sleep(CEILING)
        return web.Response()

    async def _refuse(self, request: web.Request) -> web.Response:
        return web.json_response({"message": "no"}, status=403)

    async def _ws(self, request: web.Request) -> web.WebSocketResponse:
        self.requests.append(request.headers)
        ws = web.WebSocketResponse(autoping=False, max_msg_size=0)
        await ws.prepare(request)
        async for message in ws:
            if message.type is WSMsgType.PING:
                await ws.pong(message.data)
            elif message.type is WSMsgType.BINARY:
                await ws.send_bytes(message.data)
            elif message.data == "ping me":
                await ws.ping(b"hello")
                answer = await ws.receive()
                await ws.send_str(f"{answer.type.name} {answer.data.decode()}")
            elif message.data == "hang up":
                await ws.close()
            elif message.data == "large":
                await ws.send_str("x" * 5_000_000)
            elif message.type is WSMsgType.TEXT:
                await ws.send_str(message.data)
        return ws

    async def _ws_silent(self, request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse(autoclose=False)
        await ws.prepare(request)
        await asyncio.sleep(CEILING)
        return ws

    async def _ws_eager(self, request: web.Request) -> web.Response:
        key = request.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
        head = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
        answer = "\r\n".join([*head, f"Sec-WebSocket-Accept: {accept}", "", ""]).encode()
        transport = request.transport
        assert transport is not None
        transport.write(answer + b"\x81\x05first\x81\x06sec")
        await asyncio.sleep(0.01)  # until this has left as a piece of its own
        transport.write(b"ond")
        await asyncio.sleep(CEILING)
        return web.Response()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The server; it serves all tests."""
    server = Server()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxies and certificates of the machine."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("no_proxy", "*")
