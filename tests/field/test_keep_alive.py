"""Idle connections that a server closes just as the client uses them again, over polling.

Source: issue 10, B12: Node closes idle connections after 5 s; a POST that met one just then cost the whole connection,
and 2 to 3 of 10 emits with it (keep-alive of 1.86 s, round trip of 80 ms).
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import textwrap
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from faults.hostile import RawServer, Request, open_packet
from integration.installation import SERVERS, node_executable
from integration.proxy import Proxy
from integration.waiting import CEILING, Recorder, within

DELAY = 0.04
SERVER = """
    const http = require("node:http");
    const { Server } = require("socket.io");
    const server = http.createServer();
    const [timeout, announce] = JSON.parse(process.argv[1]);
    server.keepAliveTimeout = timeout;
    server.keepAliveTimeoutBuffer = 0;
    if (!announce) server.prependListener("request", (req, res) => res.setHeader("Keep-Alive", "max=1000"));
    const io = new Server(server);
    io.on("connection", (socket) => socket.on("echo", (number) => socket.emit("echo", number)));
    server.listen(0, "127.0.0.1", () => console.log(server.address().port));
    process.stdin.resume().on("end", () => process.exit());
"""
pytestmark = pytest.mark.parametrize("transport", ["polling"])


@pytest.fixture
def node(servers: Any) -> Iterator[Callable[[int, bool], int]]:
    """Return a function that starts socket.io on Node, with a keepAliveTimeout in milliseconds; it returns the port."""
    running = []

    def start(timeout: int, announce: bool) -> int:
        command = [node_executable(), "-e", textwrap.dedent(SERVER), json.dumps([timeout, announce])]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(SERVERS) / "node", text=True
        )
        running.append(process)
        assert process.stdout is not None
        return int(process.stdout.readline())

    yield start
    for process in running:
        process.communicate()


@pytest.fixture
async def far(node: Any) -> AsyncIterator[Callable[..., Any]]:
    """Return a coroutine function that starts Node behind a network with a round trip of 80 ms."""
    proxies: list[Proxy] = []

    async def start(timeout: int, announce: bool) -> Proxy:
        proxy = Proxy(node(timeout, announce))
        proxy.to_server.delay = proxy.to_client.delay = DELAY
        await proxy.__aenter__()
        proxies.append(proxy)
        return proxy

    yield start
    for proxy in proxies:
        await proxy.__aexit__(None, None, None)


@pytest.mark.parametrize(("timeout", "announce"), [(5000, True), (1860, True), (350, False)])
async def test_emits_around_the_end_of_keep_alive(
    make_client: Callable[..., Any], recorder: Recorder, far: Any, transport: str, timeout: int, announce: bool
) -> None:
    """Emits that meet the server's close arrive, and once, with or without a Keep-Alive header to heed.

    Several clients meet the close at different times of it. Takes 5 s for the timeout that Node has by default.
    """
    proxy = await far(timeout, announce)

    async def use(number: int, sio: Any) -> None:
        sio.on("echo", recorder.handler(f"echo {number}"))
        sio.on("disconnect", recorder.handler("disconnect"))
        await sio.connect(proxy.url, transports=transport)
        await sio.emit("echo", "first")
        await recorder.wait_for(f"echo {number}")
        # The answer takes 40 ms to come here, so the server closes 40 ms before this has waited for so long.
        await asyncio.sleep(timeout / 1000 - 0.08 + 0.02 * number)
        await sio.emit("echo", "second")
        await recorder.wait_for(f"echo {number}", 2)

    clients = [make_client(reconnection=False) for _ in range(8)]
    await within(2 * CEILING, asyncio.gather(*(use(number, sio) for number, sio in enumerate(clients))))
    assert sorted(recorder.names) == sorted(f"echo {number}" for number in range(8) for _ in range(2))


class Closing:
    """A server that keeps connections, and closes one as it is used again, before a byte of the answer, or after one.

    :ivar posts: the bodies of all POSTs that were answered.
    """

    def __init__(self, method: str, beginning: bytes, header: str = "X: y", pause: float = 0.0) -> None:
        self.method = method
        self.beginning = beginning
        self.header = header
        self.pause = pause
        self.armed = False
        self.refused = 0
        self.posts: list[bytes] = []
        self._used: dict[Any, float] = {}
        self.events = 0
        self._answers: asyncio.Queue[str] = asyncio.Queue()

    async def __call__(self, request: Request) -> None:
        """Serve a request."""
        was_used = request.writer in self._used
        if self.armed and was_used and request.method == self.method:
            self.armed = False
            self.refused += 1
            await asyncio.sleep(self.pause)
            await request.write(self.beginning)
            request.writer.close()
            return
        self._used[request.writer] = time.monotonic()
        if "sid" not in request.query:
            await request.answer(open_packet(), 200, self.header)
        elif request.method == "POST":
            self.posts.append(request.body)
            await request.answer("ok", 200, self.header)
            self._answers.put_nowait('40{"sid":"x"}' if request.body.startswith(b"40") else '42["got"]')
        else:
            await request.answer(await self._answers.get(), 200, self.header)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_request_is_made_once_more(
    make_client: Callable[..., Any], recorder: Recorder, transport: str, method: str
) -> None:
    """A reused connection that ends before a byte of the answer costs nothing: all arrives, and once."""
    peer = Closing(method, b"")
    sio = make_client(reconnection=False)
    sio.on("got", recorder.handler("got"))
    sio.on("disconnect", recorder.handler("disconnect"))
    async with RawServer(peer) as server:
        await within(CEILING, sio.connect(server.url, transports=transport))
        for number in range(4):
            peer.armed = True
            await sio.emit("x", number)
            await recorder.wait_for("got", number + 1)
        assert peer.refused > 0
        assert recorder.names == ["got"] * 4
        assert peer.posts[1:] == [f'42["x",{number}]'.encode() for number in range(4)]
        await within(CEILING, sio.disconnect())


@pytest.mark.parametrize("beginning", [b"HTTP/1.1 200 OK\r\nContent-Le"])
async def test_an_answer_that_has_begun(
    make_client: Callable[..., Any], recorder: Recorder, transport: str, beginning: bytes
) -> None:
    """A request whose answer has begun is not made again: the server has handled it."""
    peer = Closing("POST", beginning)
    sio = make_client(reconnection=False)
    sio.on("got", recorder.handler("got"))
    sio.on("disconnect", recorder.handler("disconnect"))
    async with RawServer(peer) as server:
        await within(CEILING, sio.connect(server.url, transports=transport))
        await sio.emit("x", "over a connection that is used again")
        await recorder.wait_for("got")
        peer.armed = True
        await sio.emit("x", "unanswered")
        await recorder.wait_for("disconnect")
        assert not any(b"unanswered" in body for body in peer.posts)


async def test_a_new_connection_that_ends_is_an_error(make_client: Callable[..., Any], transport: str) -> None:
    """A server that closes each connection without a word is not asked twice."""
    requests = 0

    async def close(request: Request) -> None:
        nonlocal requests
        requests += 1
        request.writer.close()

    sio = make_client(reconnection=False)
    async with RawServer(close) as server:
        with pytest.raises(Exception, match="GET request"):
            await within(CEILING, sio.connect(server.url, transports=transport))
    assert requests == 1


async def test_a_connection_that_is_about_to_be_closed_is_not_used(
    make_client: Callable[..., Any], recorder: Recorder, transport: str
) -> None:
    """After what ``Keep-Alive: timeout=`` says, less a margin, the next request goes by a new connection."""
    peer = Closing("PUT", b"", "Keep-Alive: timeout=1, max=100")
    sio = make_client(reconnection=False)
    sio.on("got", recorder.handler("got"))
    async with RawServer(peer) as server:
        await within(CEILING, sio.connect(server.url, transports=transport))
        await sio.emit("x")
        await recorder.wait_for("got")
        before = len(peer._used)
        await sio.emit("x")
        await recorder.wait_for("got", 2)
        assert len(peer._used) == before
        await asyncio.sleep(0.6)
        await sio.emit("x")
        await recorder.wait_for("got", 3)
        assert len(peer._used) == before + 1
        await within(CEILING, sio.disconnect())
