"""Sending: what was emitted arrives, once, in order, whatever the amount, and however the program ends."""

from __future__ import annotations

import asyncio
import json
import logging
import time

import pytest

from integration.flavours import run_blocking
from integration.waiting import CEILING, within
from socketio import exceptions

from .running import running

SERVERS = pytest.mark.servers("node", "python")


@SERVERS
@pytest.mark.parametrize("count", [1, 100, 5000])
async def test_all_emits_arrive_before_disconnect(make_client, server, observer, transport, key, count):
    """One event, or thousands, and disconnect() right behind: all arrive, in order, and then the goodbye."""
    sio = make_client(request_timeout=20)
    await sio.connect(server.url, transports=transport.argument)
    sid = sio.get_sid()
    await _emit_notes(sio, key, count)
    await sio.disconnect()
    assert await observer.notes(key, count) == list(range(count))
    assert "client" in (await observer.notes(f"disconnect:{sid}", 1))[0]


async def test_ten_thousand_emits_arrive(make_client, servers, flavour, transport, key):
    """Ten thousand events and disconnect() right behind: python-socketio's server gets all of them, in order."""
    server = servers("python")
    sio, reader = make_client(request_timeout=30), make_client()
    await sio.connect(server.url, transports=transport.argument)
    await reader.connect(server.url, transports="websocket")
    await _emit_notes(sio, key, 10_000)
    await sio.disconnect()
    assert await reader.call("wait_notes", (key, 10_000)) == list(range(10_000))


@SERVERS
async def test_all_emits_arrive_before_the_end_of_a_block(make_simple_client, server, observer, transport, key):
    """Leaving the with block of a simple client delivers what was emitted in it, in order."""
    async with make_simple_client(request_timeout=20) as sio:
        await sio.connect(server.url, transports=transport.argument)
        for i in range(1000):
            await sio.emit("note", (key, i))
    assert await observer.notes(key, 1000) == list(range(1000))


@SERVERS
@pytest.mark.parametrize("name", ["threads", "asyncio"])
async def test_an_emit_arrives_before_the_end_of_a_program(server, observer, transport, key, name):
    """A program that emits and ends normally has sent everything; it prints nothing, and exits with 0."""
    await _end_of_a_program(server, observer, transport, key, name, 1)


@SERVERS
@pytest.mark.parametrize("name", ["threads", "asyncio"])
async def test_all_emits_arrive_before_the_end_of_a_program(server, observer, transport, key, name):
    """Three thousand events take two hundred requests, and the end of a program takes three seconds at the most."""
    await _end_of_a_program(server, observer, transport, key, name, 3000)


async def _end_of_a_program(server, observer, transport, key, name, count):
    arguments = json.dumps({"url": server.url, "transports": transport.argument, "key": key, "count": count})
    async with running("emit_and_end", name, arguments) as process:
        assert await within(30, process.communicate()) == (b"", b"")
        assert process.returncode == 0
    assert await observer.notes(key, count) == list(range(count))


async def test_megabytes_of_small_events(make_client, server, observer, transport, key):
    """Five megabytes in five thousand events arrive, in order, and the connection is the same as before."""
    sio = make_client()
    await sio.connect(server.url, transports=transport.argument)
    sid = sio.get_sid()
    await _emit_notes(sio, key, 5000, "x" * 1000)
    assert await within(20, observer.notes(key, 5000)) == list(range(5000))
    assert sio.get_sid() == sid


async def test_binary_emits_of_eight_threads(make_client, flavour, server, observer, transport, recorder):
    """Thousands of binary events of eight threads or tasks arrive whole, each sender's in its order."""
    sio = make_client()
    sio.on("echo", lambda *args: recorder.record("echo", *args))
    await sio.connect(server.url, transports=transport.argument)
    native = flavour.native(sio)

    async def emit(worker):
        if flavour.is_asyncio:
            for i in range(500):
                await native.emit("echo", (worker, i, bytes([worker, i % 256]) * (i % 20)))
            return

        def run():
            for i in range(500):
                native.emit("echo", (worker, i, bytes([worker, i % 256]) * (i % 20)))

        await run_blocking(run)

    await asyncio.gather(*(emit(worker) for worker in range(8)))
    await recorder.wait_for("echo", 4000, timeout=30)
    for worker in range(8):
        expected = [(worker, i, bytes([worker, i % 256]) * (i % 20)) for i in range(500)]
        assert [args for args in recorder.of("echo") if args[0] == worker] == expected


async def test_an_event_above_max_payload_is_an_error(make_client, servers, key):
    """Over polling, an event that the server would refuse for its size raises in emit(); nothing else is disturbed."""
    server = servers("node", max_payload=10_000)
    sio = make_client()
    await sio.connect(server.url, transports="polling")
    sid = sio.get_sid()
    for data in ("x" * 20_000, b"x" * 20_000, "é" * 6000):
        with pytest.raises(ValueError, match="10000"):
            await sio.emit("note", (key, data))
    assert await sio.call("echo", "x" * 9000) == "x" * 9000
    assert await sio.call("notes", key) == []
    assert sio.get_sid() == sid


async def test_disconnect_gives_up_on_a_server_that_takes_nothing(make_client, server, proxy, transport):
    """With megabytes queued and a server that takes none of them, disconnect() gives up after request_timeout."""
    sio = make_client(request_timeout=0.5)
    await sio.connect(proxy.url, transports=transport.argument)
    proxy.pause()
    for _ in range(15):
        await sio.emit("echo", "x" * 1_000_000)
    started = time.monotonic()
    await within(CEILING, sio.disconnect())
    assert time.monotonic() - started < 2.5
    assert not sio.connected


async def test_what_was_not_sent_is_counted(make_client, server, proxy, transport, recorder, caplog):
    """What was emitted and not sent when the connection was lost is counted in a warning."""
    sio = make_client(reconnection=False, engineio_logger=logging.getLogger("faults"))
    sio.on("disconnect", recorder.handler("disconnect"))
    await sio.connect(proxy.url, transports=transport.argument)
    proxy.to_server.pause()
    for _ in range(15):
        await sio.emit("echo", "x" * 1_000_000)
    await proxy.drop()
    await recorder.wait_for("disconnect")
    (message,) = [record.getMessage() for record in caplog.records if "not sent" in record.getMessage()]
    count = int(message.split()[0])
    assert count == 15 if transport.name == "polling" else 1 <= count <= 15  # the rest is in the system's buffers


async def test_emitting_while_the_connection_is_lost(make_client, server, proxy, recorder, caplog):
    """Each emit() around a loss raises, or is counted as not sent: nothing is dropped in silence."""
    sio = make_client(reconnection=False, engineio_logger=logging.getLogger("faults"))
    sio.on("disconnect", recorder.handler("disconnect"))
    sio.on("echo", recorder.handler("echo"))
    await sio.connect(proxy.url, transports="polling")
    proxy.to_server.pause()
    accepted = 0
    while accepted < 100_000:
        try:
            await sio.emit("echo", accepted)
        except (exceptions.BadNamespaceError, exceptions.DisconnectedError):
            break
        accepted += 1
        if accepted == 200:
            await proxy.drop()
        await asyncio.sleep(0)
    await recorder.wait_for("disconnect")
    (message,) = [record.getMessage() for record in caplog.records if "not sent" in record.getMessage()]
    assert int(message.split()[0]) == accepted


async def _emit_notes(sio, key, count, *more):
    """Emit numbered notes as fast as the flavour can."""
    native = getattr(sio, "native", None)
    if native is None:
        for i in range(count):
            await sio.emit("note", (key, i, *more))
        return

    def run():
        for i in range(count):
            native.emit("note", (key, i, *more))

    await run_blocking(run)
