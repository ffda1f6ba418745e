"""Those who wait for answers or events: told at once when the connection ends, and one timeout is one deadline."""

from __future__ import annotations

import asyncio
import time

import pytest

from integration.proxy import Proxy
from integration.waiting import CEILING, until, within
from socketio import exceptions

QUICK = {"reconnection_delay": 0.02, "reconnection_delay_max": 0.05}


@pytest.mark.parametrize("end", ["drop", "kill", "kick", "disconnect", "silence"])
async def test_pending_calls_end_with_the_connection(make_client, own_server, transport, recorder, end):
    """However a connection ends, all calls that wait for an answer end at once, and callbacks are never called."""
    server = await own_server(ping_interval=0.3, ping_timeout=0.3)
    async with Proxy(server.port) as proxy:
        sio = make_client(request_timeout=1, **QUICK)
        sio.on("disconnect", recorder.handler("disconnect"))
        await sio.connect(proxy.url, transports=transport.argument)
        await sio.emit("no_ack", callback=recorder.handler("callback"))
        calls = [asyncio.ensure_future(sio.call("no_ack", timeout=60)) for _ in range(20)]
        assert await sio.call("echo", 1) == 1
        if end == "drop":
            await proxy.drop()
        elif end == "kill":
            await asyncio.to_thread(server.kill)
        elif end == "silence":
            proxy.pause()
        elif end == "kick":
            await sio.emit("kick")
        else:
            await within(3, sio.disconnect())
        for call in calls:
            with pytest.raises(exceptions.TimeoutError) as caught:
                await within(3, call)
            assert isinstance(caught.value, exceptions.DisconnectedError)
        await recorder.wait_for("disconnect")
        assert recorder.names == ["disconnect"]
        await within(5, sio.disconnect())


async def test_the_timeout_of_a_simple_call_is_one_deadline(make_simple_client, server, proxy, transport):
    """Waiting for the connection and waiting for the answer share one timeout."""
    sio = make_simple_client(**QUICK)
    await sio.connect(proxy.url, transports=transport.argument)
    await proxy.drop()
    await until(lambda: sio.sid is None)
    started = time.monotonic()
    calling = asyncio.ensure_future(sio.call("no_ack", timeout=0.8))
    await asyncio.wait([calling], timeout=0.4)
    await proxy.accept()
    with pytest.raises(exceptions.TimeoutError):
        await within(3, calling)
    assert 0.7 < time.monotonic() - started < 1.2


async def test_a_simple_call_that_never_gets_a_connection(make_simple_client, server, proxy, transport):
    """call() gives up in time while the connection is not restored; so it does when it is lost again and again."""
    sio = make_simple_client(**QUICK)
    await sio.connect(proxy.url, transports=transport.argument)
    await proxy.drop()
    await until(lambda: sio.sid is None)
    started = time.monotonic()
    with pytest.raises(exceptions.TimeoutError):
        await within(3, sio.call("echo", 1, timeout=0.4))
    assert 0.35 < time.monotonic() - started < 0.9


async def test_the_timeout_of_receive_is_one_deadline(make_simple_client, server, proxy, transport):
    """Losses and repairs while receive() waits do not prolong its timeout, nor do events that others get."""
    sio = make_simple_client(**QUICK)
    await sio.connect(proxy.url, transports=transport.argument)
    started = time.monotonic()
    receiving = [asyncio.ensure_future(sio.receive(timeout=0.8)) for _ in range(3)]
    await sio.emit("emit_back", ("event", 1))
    while not all(each.done() for each in receiving):
        proxy.cut()
        await asyncio.wait(receiving, timeout=0.1)
    results = await asyncio.gather(*receiving, return_exceptions=True)
    assert time.monotonic() - started < 1.4
    assert [type(result) for result in results].count(exceptions.TimeoutError) >= 2


async def test_everybody_who_receives_is_told_of_the_end(make_simple_client, server, transport):
    """All who wait in receive(), with a timeout and without, are told when the connection has ended for good."""
    sio = make_simple_client()
    await sio.connect(server.url, transports=transport.argument)
    receiving = [asyncio.ensure_future(sio.receive(timeout=timeout)) for timeout in (None, None, 60, 60)]
    await sio.emit("kick")
    for each in receiving:
        with pytest.raises(exceptions.DisconnectedError):
            await within(CEILING, each)
    with pytest.raises(exceptions.DisconnectedError):
        await within(1, sio.receive())
