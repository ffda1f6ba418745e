"""Networks that deliver everything, but in pieces, late, slowly: nothing is lost, doubled, or out of order."""

from __future__ import annotations

import pytest

from integration.waiting import within

QUICK = {"reconnection_delay": 0.02, "reconnection_delay_max": 0.05}


def _drip(flow):
    flow.piece = 1


def _split(flow):
    flow.piece = 7


def _merge(flow):
    flow.delay = 0.02


def _throttle(flow):
    flow.rate = 50_000.0


@pytest.mark.parametrize("spoil", [_drip, _split, _merge, _throttle])
async def test_a_network_that_reshapes_the_stream(make_client, server, proxy, transport, recorder, spoil):
    """However the bytes are cut and merged on their way, events and attachments arrive whole and in order."""
    sio = make_client()
    sio.on("echo", recorder.handler("echo"))
    for flow in (proxy.to_server, proxy.to_client):
        spoil(flow)
    await sio.connect(proxy.url, transports=transport.argument)
    sent = [(i, "é" * (i * 5), bytes([i]) * (i * 7), [b"", b"x"]) for i in range(40)]
    for args in sent:
        await sio.emit("echo", args)
    await recorder.wait_for("echo", 40, timeout=20)
    assert recorder.of("echo") == sent
    await sio.disconnect()


@pytest.mark.parametrize("end", ["reset", "close"])
@pytest.mark.parametrize("rest", [1, 100, 700])
async def test_a_cut_in_the_middle_of_a_frame(make_client, server, proxy, transport, recorder, rest, end):
    """A connection that ends within a frame or an HTTP body is a lost connection; half of an event is never handled."""
    sio = make_client(**QUICK)
    for name in ("connect", "disconnect", "item"):
        sio.on(name, recorder.handler(name))
    await sio.connect(proxy.url, transports=transport.argument)
    proxy.to_client.cut_after(rest, end == "reset")
    await sio.emit("burst_binary", (50, 1000))
    await recorder.wait_for("connect", 2)
    assert recorder.of("disconnect") == [("transport error",)]
    received = recorder.of("item")
    assert received == [(i, bytes([i]) * 1000) for i in range(len(received))]
    if transport.name == "websocket":  # over polling, the answer to the POST may be what was cut
        assert len(received) < 50
    assert await sio.call("echo", b"again") == b"again"


async def test_large_and_small_events_keep_their_order(make_client, server, transport, recorder):
    """A thousand events of which every hundredth is large are handled in the order in which the server sent them."""
    sio = make_client()
    sio.on("sized", lambda i, data: recorder.record("sized", i, len(data)))
    await sio.connect(server.url, transports=transport.argument)
    sizes = [500_000 if i % 100 == 0 else 10 for i in range(1000)]
    for i, size in enumerate(sizes):
        await sio.emit("emit_back", ("sized", i, "x" * size))
    await recorder.wait_for("sized", 1000)
    assert recorder.of("sized") == list(enumerate(sizes))


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("event", ["burst", "burst_binary"])
async def test_a_burst_of_ten_thousand_events(make_client, server, transport, recorder, event):
    """Ten thousand events at once are handled, in order, over the connection that they came on."""
    sio = make_client()
    sio.on("item", lambda i, data: recorder.record("item", i))
    sio.on("done", recorder.handler("done"))
    await sio.connect(server.url, transports=transport.argument)
    sid = sio.get_sid()
    await sio.emit(event, (10_000, 20))
    await recorder.wait_for("done", timeout=30)
    assert recorder.of("item") == [(i,) for i in range(10_000)]
    assert sio.get_sid() == sid


async def test_a_burst_for_a_simple_client(make_simple_client, server, transport):
    """A simple client that asks late still gets each event of a burst, in order."""
    sio = make_simple_client()
    await sio.connect(server.url, transports=transport.argument)
    await sio.emit("burst", (2000, 20))
    assert await sio.call("echo", "the burst is over") == "the burst is over"
    received = [await within(5, sio.receive()) for _ in range(2000)]
    assert [args[1] for args in received] == list(range(2000))
