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
pytestmark = [pytest.mark.flavours("asyncio"), pytest.mark.servers("node", "python")]


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
