"""Order and completeness: every event, once, in its turn, with its own attachments."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
import time

import pytest

from .scripted import ScriptedServer
from .waiting import within


@pytest.fixture(autouse=True)
def _hasty_switching():
    """Let the interpreter switch between threads as often as it can: order must not depend on it."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def _payload(i: int) -> bytes:
    return bytes([i % 256]) * (1 + i % 50)


async def test_all_emits_arrive_in_order(make_client, server, observer, transport, key):
    """Everything that is emitted arrives, in the order of the calls. (N5)"""
    sio = make_client()
    await sio.connect(server.url, transports=transport.argument)
    for i in range(300):
        await sio.emit("note", (key, i))
    assert await observer.notes(key, 300) == list(range(300))


async def test_a_flood_of_small_events_over_polling(make_client, server, transport, recorder):
    """Hundreds of events in one go pass, though servers take at most 16 packets in a request. (N6, N5)"""
    sio = make_client()
    sio.on("echo", recorder.handler("echo"))
    await sio.connect(server.url, transports=transport.argument)
    await asyncio.gather(*(sio.emit("echo", i) for i in range(200)))
    await recorder.wait_for("echo", 200)
    assert sorted(recorder.of("echo")) == [(i,) for i in range(200)]


@pytest.mark.parametrize("data", ["text", b"binary"])
async def test_no_request_carries_more_than_16_packets(make_client, data):
    """A POST holds at most 16 packets, and no packet is split from its attachments' order. (N6, N7)"""
    async with ScriptedServer() as server:
        sio = make_client()
        connecting = asyncio.ensure_future(sio.connect(server.url, transports="polling"))
        connection = await server.accept()
        await connection.accept_namespace()
        await within(5, connecting)
        for i in range(100):
            await sio.emit("event", (i, data))
        await sio.disconnect()
        received = await connection.rest()
        assert max(payload.count("\x1e") for payload in connection.payloads) < 16
        frames = [frame for frame in received if frame not in ("41", "5", "1")]
        assert len(frames) == (100 if isinstance(data, str) else 200)


async def test_max_payload_is_honoured(make_client):
    """No request is larger than the maxPayload of the handshake, while everything arrives in order. (N8)"""
    async with ScriptedServer(open_fields={"maxPayload": 1000}) as server:
        sio = make_client()
        connecting = asyncio.ensure_future(sio.connect(server.url, transports="polling"))
        connection = await server.accept()
        await connection.accept_namespace()
        await within(5, connecting)
        for i in range(30):
            await sio.emit("event", (i, "é" * 100, b"y" * 200))
        await sio.disconnect()
        frames = await connection.rest()
        assert max(len(payload.encode()) for payload in connection.payloads) <= 1000
        assert [frame for frame in frames if isinstance(frame, bytes)] == [b"y" * 200] * 30


@pytest.mark.servers("node", "python")
@pytest.mark.server_options(max_payload=10_000)
async def test_a_server_with_a_small_max_payload(make_client, server, observer, transport, key):
    """A server with a small buffer gets all of many events. (N8, N5)"""
    sio = make_client()
    await sio.connect(server.url, transports=transport.argument)
    for i in range(60):
        await sio.emit("note", (key, f"{i}-" + "x" * 1000))
    values = await observer.notes(key, 60)
    assert [int(value.partition("-")[0]) for value in values] == list(range(60))


async def test_binary_emits_at_the_same_time_do_not_mix(make_client, server, transport, recorder):
    """Threads or tasks that emit binary at the same time keep their frames together, and their order. (N7, N5)"""
    sio = make_client()
    sio.on("echo", recorder.handler("echo"))
    await sio.connect(server.url, transports=transport.argument)

    async def emit(worker):
        for i in range(50):
            await sio.emit("echo", (worker, i, _payload(i), {"again": _payload(i + worker)}))

    await asyncio.gather(*(emit(worker) for worker in range(4)))
    await recorder.wait_for("echo", 200)
    for worker in range(4):
        expected = [(worker, i, _payload(i), {"again": _payload(i + worker)}) for i in range(50)]
        assert [args for args in recorder.of("echo") if args[0] == worker] == expected


async def test_events_are_handled_in_order(make_client, server, transport, recorder):
    """Handlers start in the order in which the server sent the events. (N13, N18, N37, M22)"""
    sio = make_client()
    sio.on("item", lambda i, text: recorder.record("item", i))
    sio.on("done", recorder.handler("done"))
    await sio.connect(server.url, transports=transport.argument)
    await sio.emit("burst", (500, 10))
    await recorder.wait_for("done")
    assert recorder.calls == [*(("item", (i,)) for i in range(500)), ("done", (500,))]


async def test_binary_events_are_handled_in_order(make_client, server, transport, recorder):
    """Binary events keep their order and their own attachments. (N13, N14, N15, N16)"""
    sio = make_client()
    sio.on("item", recorder.handler("item"))
    sio.on("done", recorder.handler("done"))
    await sio.connect(server.url, transports=transport.argument)
    await sio.emit("burst_binary", (300, 100))
    await recorder.wait_for("done")
    assert recorder.of("item") == [(i, bytes([i % 256]) * 100) for i in range(300)]
    assert recorder.names[-1] == "done"


async def test_events_of_different_sizes_keep_their_order(make_client, server, transport, recorder):
    """An event that takes long to decode does not change the order. (N14, N15)"""
    sio = make_client()
    sio.on("sized", lambda i, *rest: recorder.record("sized", i))
    await sio.connect(server.url, transports=transport.argument)
    for i in range(20):
        big = [list(range(20_000)), b"x" * 50_000] if i % 4 == 0 else "small"
        await sio.emit("emit_back", ("sized", i, big))
    await recorder.wait_for("sized", 20)
    assert recorder.of("sized") == [(i,) for i in range(20)]


@contextlib.contextmanager
def _busy_threads(count):
    """Keep the interpreter busy with other threads."""
    ended = threading.Event()

    def work():
        while not ended.is_set():
            sum(range(1000))

    threads = [threading.Thread(target=work, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


@pytest.mark.servers("node")
async def test_order_under_load(make_client, server, recorder):
    """Order and attachments do not depend on load or thread scheduling. (N15, N16)"""
    sio = make_client()
    sio.on("item", recorder.handler("item"))
    sio.on("done", recorder.handler("done"))
    await sio.connect(server.url, transports="websocket")
    with _busy_threads(2):
        await sio.emit("burst_binary", (200, 10))
        await recorder.wait_for("done", timeout=20)
    assert recorder.of("item") == [(i, bytes([i % 256]) * 10) for i in range(200)]


async def test_order_within_each_namespace(make_client, server, transport, recorder):
    """Each namespace keeps its order while others are busy too. (N17)"""
    sio = make_client()
    names = ["/", "/chat", "/news"]
    for name in names:
        sio.on("item", lambda i, data, name=name: recorder.record(name, i, data), namespace=name)
    await sio.connect(server.url, transports=transport.argument)
    for name in names:
        await sio.emit("burst_binary", (100, 5), namespace=name)
    await recorder.wait_until(lambda: all(len(recorder.of(name)) == 100 for name in names))
    for name in names:
        assert recorder.of(name) == [(i, bytes([i]) * 5) for i in range(100)]


async def test_coroutines_start_in_order(make_client, server, transport, recorder):
    """Handlers that wait start in the order of the events, too. (N18)"""
    sio = make_client()

    @sio.on("item")
    async def item(i, text):
        recorder.record("started", i)
        await sio.sleep(0.001)
        recorder.record("ended", i)

    await sio.connect(server.url, transports=transport.argument)
    await sio.emit("burst", (60, 1))
    await recorder.wait_for("ended", 60)
    assert recorder.of("started") == [(i,) for i in range(60)]


async def test_acknowledgements_are_handled_in_order(make_client, server, transport, recorder):
    """Callbacks are called in the order in which the acknowledgements come. (N11)"""
    sio = make_client()
    await sio.connect(server.url, transports=transport.argument)
    for i in range(100):
        await sio.emit("echo", (i, b"x") if i % 3 == 0 else i, callback=recorder.handler("ack"))
    await recorder.wait_for("ack", 100)
    assert [args[0] for args in recorder.of("ack")] == list(range(100))


async def test_acknowledgements_are_sent_in_order(make_client, server, transport, recorder):
    """The server gets acknowledgements in the order of its events. (N19)"""
    sio = make_client()
    sio.on("question", recorder.handler("question", returns="fine"))
    sio.on("counted", lambda i: i)
    sio.on("answer", recorder.handler("answer"))
    await sio.connect(server.url, transports=transport.argument)
    for i in range(100):
        await sio.emit("ask", ("counted", i))
    await recorder.wait_for("answer", 100)
    assert recorder.of("answer") == [([i],) for i in range(100)]


async def test_the_connect_handler_comes_before_the_first_event(make_client, transport, recorder):
    """Events right behind the acceptance are handled after the connect handler, in order. (N20)"""
    async with ScriptedServer() as server:
        sio = make_client()
        sio.on("connect", recorder.handler("connect"))
        sio.on("event", recorder.handler("event"))
        connecting = asyncio.ensure_future(sio.connect(server.url, transports=transport.argument))
        connection = await server.accept()
        assert (await connection.receive()).startswith("40")
        await connection.send('40{"sid":"x"}', *(f'42["event",{i}]' for i in range(10)))
        await within(5, connecting)
        await recorder.wait_for("event", 10)
        assert recorder.calls == [("connect", ()), *(("event", (i,)) for i in range(10))]
        await sio.disconnect()


async def test_many_packets_in_one_answer(make_client, recorder):
    """An answer to a poll may carry any number of packets. (N6, N37)"""
    async with ScriptedServer() as server:
        sio = make_client()
        sio.on("event", recorder.handler("event"))
        connecting = asyncio.ensure_future(sio.connect(server.url, transports="polling"))
        connection = await server.accept()
        await connection.accept_namespace()
        await within(5, connecting)
        frames = [frame for i in range(100) for frame in (f'451-["event",{{"_placeholder":true,"num":0}},{i}]', b"x")]
        await connection.send(*frames)
        await recorder.wait_for("event", 100)
        assert recorder.of("event") == [(b"x", i) for i in range(100)]
        await sio.disconnect()


async def test_events_are_handled_once(make_client, server, transport, recorder):
    """No event is handled twice, with handlers of all kinds registered. (N13)"""
    sio = make_client()
    sio.on("echo", recorder.handler("echo"))
    sio.on("*", recorder.handler("*"))
    sio.on("echo", recorder.handler("* echo"), namespace="*")
    await sio.connect(server.url, transports=transport.argument, namespaces="/")
    for i in range(20):
        await sio.emit("echo", i)
        await sio.emit("emit_back", ("other", i))
    await recorder.wait_until(lambda: len(recorder.calls) >= 40)
    assert await sio.call("echo", "end") == "end"
    await recorder.wait_for("echo", 21)
    assert recorder.of("echo") == [*((i,) for i in range(20)), ("end",)]
    assert recorder.of("*") == [("other", i) for i in range(20)]
    assert recorder.of("* echo") == []


@pytest.mark.flavours("asyncio")
async def test_other_tasks_have_their_turn_while_events_are_handled(make_client, recorder):
    """Plain functions that take long hold up the loop one at a time, though their events came together. (M22, M25)"""
    turns, seen, done = 0, [], asyncio.Event()

    def handler(number):
        seen.append(turns)
        time.sleep(0.002)
        if number == 49:
            done.set()

    async with ScriptedServer() as server:
        sio = make_client()
        sio.on("event", handler)
        connecting = asyncio.ensure_future(sio.connect(server.url, transports="polling"))
        connection = await server.accept()
        await connection.accept_namespace()
        await within(5, connecting)
        await connection.send(*(f'42["event",{i}]' for i in range(50)))
        while not done.is_set():
            turns += 1
            await asyncio.sleep(0)
        assert len(seen) == 50
        assert len(set(seen)) > 40
        await sio.disconnect()
