"""The heartbeat: silence is noticed in time, on the reading side, and nothing else is taken for silence."""

from __future__ import annotations

import asyncio
import time

import pytest

from integration.scripted import session
from integration.waiting import within

from .hostile import TEXT, frame, hostile

QUICK = {"reconnection_delay": 0.02, "reconnection_delay_max": 0.05}
SILENCE = 0.8
"""Seconds of silence that end the connections here."""

HEARTBEAT = pytest.mark.server_options(ping_interval=0.4, ping_timeout=0.4)


def _black_hole(proxy):
    proxy.pause()


def _half_open(proxy):
    proxy.to_client.pause()


@HEARTBEAT
@pytest.mark.parametrize("fail", [_black_hole, _half_open])
@pytest.mark.parametrize("busy", ["idle", "emitting"])
async def test_silence_is_noticed_in_time(make_client, server, proxy, transport, recorder, fail, busy):
    """pingInterval and pingTimeout after the last word the connection is lost, within a second, on any network."""
    sio = make_client(reconnection=False, request_timeout=30)
    sio.on("disconnect", recorder.handler("disconnect"))
    await sio.connect(proxy.url, transports=transport.argument)
    assert await sio.call("echo", 1) == 1
    fail(proxy)
    started = time.monotonic()
    if busy == "emitting":
        for _ in range(20):
            await sio.emit("echo", "x" * 10_000)
    assert await recorder.wait_for("disconnect") == [("transport error",)]
    assert time.monotonic() - started < SILENCE + 1
    assert not sio.connected


@HEARTBEAT
async def test_a_server_that_stops_reading_is_not_silent(make_client, server, proxy, transport):
    """While the server's pings come in, a network that takes nothing is no reason to give up before the server does."""
    sio = make_client(request_timeout=30, **QUICK)
    await sio.connect(proxy.url, transports=transport.argument)
    sid = sio.get_sid()
    proxy.to_server.pause()
    started = time.monotonic()
    await sio.emit("echo", "held up")
    await sio.sleep(0.25)
    proxy.to_server.resume()
    assert await within(5, sio.call("echo", 1)) == 1
    assert sio.get_sid() == sid
    assert time.monotonic() - started < SILENCE + 1


async def test_events_count_as_signs_of_life(make_client, transport, recorder):
    """A server that sends events in place of pings is alive."""
    sio = make_client(reconnection=False)
    sio.on("event", recorder.handler("event"))
    sio.on("disconnect", recorder.handler("disconnect"))
    async with session(sio, transport.argument, pingInterval=200, pingTimeout=200) as (_, connection):
        for i in range(10):
            await connection.send(f'42["event",{i}]')
            await recorder.wait_for("event", i + 1)
            await sio.sleep(0.1)
        assert recorder.names == ["event"] * 10
        assert sio.connected


@HEARTBEAT
async def test_a_quiet_application_stays_connected(make_client, server, transport, recorder):
    """An application that neither sends nor receives keeps its connection over many heartbeats."""
    sio = make_client(**QUICK)
    sio.on("disconnect", recorder.handler("disconnect"))
    await sio.connect(server.url, transports=transport.argument)
    sid = sio.get_sid()
    await sio.sleep(1.6)
    assert await sio.call("echo", 1) == 1
    assert sio.get_sid() == sid
    assert recorder.names == []


@pytest.mark.usefixtures("patient")
@HEARTBEAT
async def test_an_application_that_computes_stays_connected(make_client, server, transport, recorder):
    """Pings are answered between handlers that compute: a burst of events does not cost the connection."""
    sio = make_client(**QUICK)

    @sio.on("item")
    def item(i, data):
        until = time.thread_time() + 0.001
        while time.thread_time() < until:
            pass
        recorder.record("item", i)

    sio.on("disconnect", recorder.handler("disconnect"))
    sio.on("done", recorder.handler("done"))
    await sio.connect(server.url, transports=transport.argument)
    await sio.emit("burst", (1500, 20))
    await recorder.wait_until(lambda: {name for name, _ in recorder.calls[-1:]} & {"done", "disconnect"}, timeout=20)
    assert recorder.names[-1] == "done"
    assert recorder.of("item") == [(i,) for i in range(1500)]


@pytest.mark.parametrize("options", [{}, {"max_msg_size": 0}], ids=["", "max_msg_size"])
async def test_a_message_that_comes_slowly_is_a_sign_of_life(make_client, flavour, recorder, options):
    """One that takes longer than the silence that is allowed is delivered, and the connection lasts. (M7, N12)"""
    sio = make_client(reconnection=False, **({"websocket_extra_options": options} if flavour.name == "asyncio" else {}))
    for event in ("x", "disconnect"):
        sio.on(event, recorder.handler(event))
    whole = frame(TEXT, b'42["x","%s"]' % bytes(1000 * b"x"))

    async def drip(request):
        for start in range(0, len(whole), 80):
            await request.write(whole[start : start + 80])
            await asyncio.sleep(0.05)
        await request.until_closed()

    async with hostile(sio, "websocket", drip, pingInterval=200, pingTimeout=100):
        assert await recorder.wait_for("x") == [("x" * 1000,)]
        assert recorder.names == ["x"]
