"""A server that stops reading: memory stays bounded, emit() waits, and goes on or raises in the end."""

from __future__ import annotations

import asyncio

import pytest

from integration.flavours import run_blocking
from integration.proxy import Proxy
from integration.waiting import CEILING, within
from socketio import exceptions

MEBIBYTE = 2**20
BUFFERS = 24 * MEBIBYTE
"""What the operating system and the proxy may hold in addition."""


class Emitter:
    """Emits one event after the other, each of 64 KiB.

    :ivar done: how many calls have returned.
    """

    def __init__(self, sio, count, data="x" * 65536):
        self.done = 0
        self._sio = sio
        self._count = count
        self._data = data
        self.task = asyncio.ensure_future(self._run())

    async def _run(self):
        for i in range(self._count):
            await self._sio.emit("sized", (i, self._data))
            self.done += 1

    async def stalled(self):
        """Wait until emit() waits: no call returns for a while."""
        before = -1
        while before != self.done:
            before = self.done
            await asyncio.sleep(0.2)
        assert not self.task.done(), "all was accepted"


@pytest.mark.parametrize("data", ["x" * 65536, b"x" * 65536])
async def test_emit_waits_above_the_mark(make_client, server, proxy, transport, data):
    """Above high_water_mark emit() waits until the server reads again; then everything arrives, in order."""
    sio = make_client(high_water_mark=MEBIBYTE, request_timeout=30)
    await sio.connect(proxy.url, transports=transport.argument)
    proxy.to_server.pause()
    emitter = Emitter(sio, 600, data)
    await emitter.stalled()
    assert (emitter.done - 1) * 65536 < MEBIBYTE + (BUFFERS if transport.name == "websocket" else 0)
    proxy.to_server.resume()
    await within(20, emitter.task)
    assert await sio.call("echo", "still here") == "still here"


async def test_the_mark_is_16_mebibytes_by_default(make_client, server, proxy, transport):
    """Without the option emit() waits above 16 MiB."""
    sio = make_client(request_timeout=30)
    await sio.connect(proxy.url, transports=transport.argument)
    proxy.to_server.pause()
    emitter = Emitter(sio, 40, "x" * MEBIBYTE)
    await emitter.stalled()
    assert 15 <= emitter.done <= 17 + (BUFFERS / MEBIBYTE if transport.name == "websocket" else 0)
    await proxy.drop()
    with pytest.raises(exceptions.DisconnectedError):
        await within(CEILING, emitter.task)


@pytest.mark.parametrize("loss", ["drop", "disconnect"])
async def test_emit_that_waits_ends_with_the_connection(make_client, server, proxy, transport, loss):
    """When the connection is lost, or ended, an emit() that waits raises DisconnectedError at once."""
    sio = make_client(high_water_mark=MEBIBYTE, request_timeout=0.5)
    await sio.connect(proxy.url, transports=transport.argument)
    proxy.to_server.pause()
    emitter = Emitter(sio, 600)
    if transport.name == "websocket":
        await emitter.stalled()
    if loss == "drop":
        await proxy.drop()
    else:
        await within(5, sio.disconnect())
    # Over polling it may be between two calls.
    with pytest.raises((exceptions.DisconnectedError, exceptions.BadNamespaceError)):
        await within(2, emitter.task)


async def test_silence_ends_an_emit_that_waits(make_client, servers, flavour, transport):
    """The heartbeat is watched while emit() waits: a server that neither reads nor speaks is a lost connection."""
    server = servers("node", ping_interval=0.3, ping_timeout=0.3)
    async with Proxy(server.port) as proxy:
        sio = make_client(high_water_mark=MEBIBYTE, request_timeout=30, reconnection=False)
        await sio.connect(proxy.url, transports=transport.argument)
        proxy.pause()
        emitter = Emitter(sio, 600)
        with pytest.raises(exceptions.DisconnectedError):
            await within(5, emitter.task)
        await within(CEILING, sio.wait())
        assert not sio.connected


async def test_an_event_larger_than_the_mark_is_sent(make_client, server, transport):
    """One event may be larger than the mark: it waits for those before it, and passes."""
    sio = make_client(high_water_mark=65536)
    await sio.connect(server.url, transports=transport.argument)
    for size in (300_000, 10, 300_000):
        await within(CEILING, sio.emit("echo", "x" * size))
    assert await within(CEILING, sio.call("echo", "x" * 400_000)) == "x" * 400_000


async def test_a_handler_that_emits_cannot_block_the_client(make_client, server, proxy, transport, recorder):
    """A handler whose emit() waits holds up neither the reading nor other handlers nor disconnect()."""
    sio = make_client(high_water_mark=MEBIBYTE, request_timeout=30)

    @sio.on("flood")
    async def flood():
        for i in range(600):
            await sio.emit("sized", (i, "x" * 65536))
        recorder.record("flooded")

    sio.on("other", recorder.handler("other"))
    await sio.connect(proxy.url, transports=transport.argument)
    await sio.emit("emit_back", "flood")
    await sio.emit("emit_back", "other")
    await recorder.wait_for("other")
    await recorder.wait_for("flooded", timeout=20)
    assert await within(CEILING, sio.call("echo", "still here")) == "still here"


async def test_many_threads_wait_at_the_mark(make_client, flavour, server, proxy, recorder):
    """Eight threads or tasks whose emit() waits all go on; the events of each arrive in its order."""
    sio = make_client(high_water_mark=MEBIBYTE, request_timeout=30)
    sio.on("back", lambda worker, i, data: recorder.record(worker, i))
    await sio.connect(proxy.url, transports="polling")
    native = flavour.native(sio)
    proxy.to_server.pause()

    async def emit(worker):
        for i in range(50):
            await native.emit("emit_back", ("back", worker, i, "x" * 30_000))

    def emit_blocking(worker):
        for i in range(50):
            native.emit("emit_back", ("back", worker, i, "x" * 30_000))

    workers = [
        asyncio.ensure_future(emit(worker) if flavour.is_asyncio else run_blocking(emit_blocking, worker))
        for worker in range(8)
    ]
    await asyncio.wait(workers, timeout=0.3)
    assert not all(worker.done() for worker in workers)
    proxy.to_server.resume()
    await within(20, asyncio.gather(*workers))
    await recorder.wait_until(lambda: len(recorder.calls) == 400, timeout=20)
    for worker in range(8):
        assert recorder.of(worker) == [(i,) for i in range(50)]
