"""An event loop that computes for longer than a timer allows: what has come is read before anything is judged.

Source: issue 10, A8: a POST was answered, the loop was busy for longer than ``request_timeout``, and the connection was
taken for lost. Each timer of the asyncio flavour is tried. The servers are other processes, or threads, which go on
while the loop is blocked: a test takes as long as it blocks.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from faults.hostile import Peer, RawServer, Request, Script
from integration.waiting import CEILING, Recorder, within
from socketio import exceptions

TIMEOUT = 0.1
BLOCKED = 0.25
pytestmark = pytest.mark.flavours("asyncio")


async def block(turns: int, seconds: float = BLOCKED) -> None:
    """Block the event loop, once it has turned so often."""
    for _ in range(turns):
        await asyncio.sleep(0)
    time.sleep(seconds)  # noqa: ASYNC251


@pytest.mark.parametrize("turns", [1, 4, 9])
@pytest.mark.transports("polling", "websocket", "upgrade")
async def test_connecting(make_client: Callable[..., Any], server: Any, transport: Any, turns: int) -> None:
    """connect() is successful, whatever step of the handshake or the upgrade the loop was blocked in."""
    sio = make_client(request_timeout=TIMEOUT, reconnection=False)
    connecting = asyncio.ensure_future(sio.connect(server.url, transports=transport.argument, wait_timeout=2 * TIMEOUT))
    await block(turns)
    await block(turns)
    await within(CEILING, connecting)
    assert sio.connected
    assert sio.transport() == transport.final


@pytest.mark.parametrize("turns", [0, 2, 5])
async def test_sending(
    make_client: Callable[..., Any], recorder: Recorder, server: Any, transport: Any, turns: int
) -> None:
    """The answer to a POST that came while the loop was blocked counts; the connection goes on."""
    sio = make_client(request_timeout=TIMEOUT, reconnection=False)
    sio.on("echo", recorder.handler("echo"))
    sio.on("disconnect", recorder.handler("disconnect"))
    await sio.connect(server.url, transports=transport.argument)
    await sio.emit("echo", 1)
    await block(turns)
    await sio.emit("echo", 2)
    await recorder.wait_for("echo", 2)
    assert recorder.names == ["echo", "echo"]


@pytest.mark.parametrize("turns", [0, 4])
async def test_calling(make_client: Callable[..., Any], server: Any, transport: Any, turns: int) -> None:
    """call() returns an answer that came in time, however late the loop reads it."""
    sio = make_client(reconnection=False)
    await sio.connect(server.url, transports=transport.argument)
    calling = asyncio.ensure_future(sio.call("echo", "x", timeout=TIMEOUT))
    await block(turns)
    assert await within(CEILING, calling) == "x"


@pytest.mark.parametrize("turns", [1])
async def test_receiving(make_simple_client: Callable[..., Any], server: Any, transport: Any, turns: int) -> None:
    """receive() returns an event that came in time, however late the loop reads it."""
    sio = make_simple_client(reconnection=False)
    await sio.connect(server.url, transports=transport.argument)
    await sio.emit("echo", "x")
    receiving = asyncio.ensure_future(sio.receive(timeout=TIMEOUT))
    await block(turns)
    assert await within(CEILING, receiving) == ["echo", "x"]


async def test_a_call_that_is_not_answered(make_client: Callable[..., Any], server: Any, transport: Any) -> None:
    """It still ends, in a loop that is blocked, at twice the time at the latest."""
    sio = make_client(reconnection=False)
    await sio.connect(server.url, transports=transport.argument)
    began = time.monotonic()
    calling = asyncio.ensure_future(sio.call("no_ack", timeout=TIMEOUT))
    await block(1)
    with pytest.raises(exceptions.TimeoutError):
        await within(CEILING, calling)
    assert time.monotonic() - began < BLOCKED + 2 * TIMEOUT + 0.5


@pytest.mark.parametrize("transport", ["polling", "websocket"])
async def test_the_heartbeat(make_client: Callable[..., Any], recorder: Recorder, transport: str) -> None:
    """Pings that came while the loop was blocked count, before the server is taken for silent."""

    async def ping(request: Request) -> None:
        if not request.is_websocket:
            await asyncio.sleep(0.1)
            await request.answer("2")
            return
        while not request.writer.is_closing():
            await request.send("2")
            await asyncio.sleep(0.1)

    sio = make_client(reconnection=False)
    sio.on("disconnect", lambda reason: recorder.record("disconnect", sio.disconnect_details))
    async with threaded(ping, pingInterval=100, pingTimeout=100) as url:
        await within(CEILING, sio.connect(url, transports=transport))
        for turns in (0, 1, 2, 5, 9):
            await block(turns)
        assert await sio.sleep(0.3) is None
        assert recorder.calls == []


@contextlib.asynccontextmanager
async def threaded(script: Script, **fields: Any) -> AsyncIterator[str]:
    """Run a scripted server on a thread of its own, with an event loop that goes on; return its URL."""
    started: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    loop = asyncio.get_running_loop()
    ends: list[Callable[[], Any]] = []

    async def serve() -> None:
        peer = Peer(script, **fields)
        peer.connected.set()
        end = asyncio.Event()
        async with RawServer(peer) as server:
            own = asyncio.get_running_loop()
            ends.append(lambda: own.call_soon_threadsafe(end.set))
            loop.call_soon_threadsafe(started.set_result, server.url)
            await end.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    try:
        yield await within(CEILING, started)
    finally:
        ends[0]()
        await asyncio.to_thread(thread.join, CEILING)


# -- programs that emit without a pause (issue 10, B0): an emit() that never waits leaves the loop no turn


class Turns:
    """Counts the turns of the event loop while something runs."""

    def __init__(self) -> None:
        self.count = 0

    async def __aenter__(self) -> Turns:
        self._task = asyncio.ensure_future(self._run())
        await asyncio.sleep(0)
        return self

    async def _run(self) -> None:
        while True:
            self.count += 1
            await asyncio.sleep(0)

    async def __aexit__(self, *args: object) -> None:
        self._task.cancel()


@pytest.mark.transports("polling", "websocket")
async def test_emitting_without_a_pause(
    make_client: Callable[..., Any], recorder: Recorder, server: Any, transport: Any
) -> None:
    """Other tasks, and the heartbeat among them, get their turns; what is sent comes in order."""
    sio = make_client(reconnection=False)
    sio.on("echo", recorder.handler("echo"))
    await sio.connect(server.url, transports=transport.argument)
    async with Turns() as turns:
        for number in range(4000):
            await sio.emit("echo", number)
        assert turns.count >= 3
    await recorder.wait_for("echo", 4000)
    assert recorder.of("echo") == [(number,) for number in range(4000)]


@pytest.mark.transports("websocket")
async def test_emitting_in_many_tasks_keeps_the_order(
    make_client: Callable[..., Any], recorder: Recorder, server: Any, transport: Any
) -> None:
    """A pause after an event is queued lets no other one overtake it."""
    sio = make_client(reconnection=False)
    sio.on("echo", recorder.handler("echo"))
    await sio.connect(server.url, transports=transport.argument)
    await asyncio.gather(*[sio.emit("echo", number) for number in range(2500)])
    await recorder.wait_for("echo", 2500)
    assert recorder.of("echo") == [(number,) for number in range(2500)]


@pytest.mark.transports("websocket")
@pytest.mark.parametrize("method", ["emit", "call", "send"])
async def test_failing_without_a_pause(make_client: Callable[..., Any], server: Any, method: str) -> None:
    """A program that tries again at once after BadNamespaceError lets the client reconnect."""
    sio = make_client(reconnection=False)
    async with Turns() as turns:
        for _ in range(100):
            with contextlib.suppress(exceptions.BadNamespaceError):
                await getattr(sio, method)("echo")
        assert turns.count >= 100


@pytest.mark.transports("websocket")
async def test_a_simple_client_that_has_ended_fails_without_blocking(
    make_simple_client: Callable[..., Any], server: Any, transport: Any
) -> None:
    """A program that tries again at once after DisconnectedError lets other tasks go on."""
    sio = make_simple_client()
    await sio.connect(server.url, transports=transport.argument)
    await sio.disconnect()
    async with Turns() as turns:
        for method, args in [("emit", ("x",)), ("call", ("x",)), ("receive", ())] * 20:
            with contextlib.suppress(exceptions.DisconnectedError):
                await getattr(sio, method)(*args)
        assert turns.count >= 60
