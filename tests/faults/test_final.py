"""disconnect() and shutdown() are final: on any thread, in any state, in any handler, as often as they are called."""

from __future__ import annotations

import asyncio
import time

import pytest

from integration.scripted import ScriptedServer
from integration.waiting import CEILING, Gate, until, within
from socketio import exceptions

from .peers import unreachable_url

QUICK = {"reconnection_delay": 0.02, "reconnection_delay_max": 0.05}
METHODS = pytest.mark.parametrize("method", ["disconnect", "shutdown"])
QUIET = 0.15
"""Seconds in which a client that lives on would have come back, many times over."""


async def _is_final(sio, proxy):
    """Check that the client has ended, that nothing comes back, and that it can connect again."""
    await within(5, sio.wait())
    assert not sio.connected
    assert sio.namespaces == {}
    accepted = proxy.accepted
    await asyncio.sleep(QUIET)
    assert proxy.accepted == accepted
    assert not sio.connected
    for name in ("connect", "disconnect", "connect_error"):
        sio.on(name, lambda *args: None)
    proxy.resume()
    await within(CEILING, sio.connect(proxy.url, transports="websocket"))
    assert await sio.call("echo", 1) == 1
    await within(3, sio.disconnect())


@pytest.mark.parametrize(
    ("place", "method"),
    [
        ("connect", "disconnect"),
        ("connect", "shutdown"),
        ("disconnect", "disconnect"),
        ("disconnect", "shutdown"),
        ("connect_error", "shutdown"),
        ("event", "disconnect"),
        ("callback", "disconnect"),
    ],
)
async def test_the_end_in_a_handler(make_client, server, proxy, transport, recorder, place, method):
    """Called in a handler of any kind, it returns, and it is the end."""
    sio = make_client(**QUICK)

    async def end(*args):
        recorder.record("called")
        await getattr(sio, method)()
        recorder.record("returned")

    sio.on(place if place != "event" else "end", end)
    try:
        await within(CEILING, sio.connect(proxy.url, transports=transport.argument))
    except exceptions.ConnectionError:
        assert place == "connect"
    if place in ("disconnect", "connect_error"):
        await proxy.drop()
        await recorder.wait_for("called")
        await proxy.accept()
    elif place == "event":
        await sio.emit("emit_back", "end")
    elif place == "callback":
        await sio.emit("echo", callback=end)
    await recorder.wait_for("returned")
    await _is_final(sio, proxy)
    assert recorder.names == ["called", "returned"]


@pytest.mark.parametrize(("method", "count"), [("shutdown", 1), ("disconnect", 8)])
@pytest.mark.parametrize(
    "state", ["connecting", "waiting for the namespace", "connected", "lost", "between attempts", "in an attempt"]
)
async def test_the_end_in_each_state(make_client, server, proxy, transport, recorder, state, count, method):
    """In each state, one call or eight at once return within two seconds, and it is the end."""
    sio = make_client(request_timeout=30, **({} if state == "between attempts" else QUICK))
    for name in ("connect", "disconnect", "connect_error"):
        sio.on(name, recorder.handler(name))
    if state in ("connecting", "waiting for the namespace"):
        async with ScriptedServer(handshake="silent" if state == "connecting" else None) as silent:
            connecting = asyncio.ensure_future(sio.connect(silent.url, transports=transport.argument))
            if state == "connecting":
                await until(lambda: silent.requests)
            else:
                await (await silent.accept()).receive()
            await _end_at_once(sio, method, count)
            with pytest.raises(exceptions.ConnectionError):
                await within(2, connecting)
    else:
        await sio.connect(proxy.url, transports=transport.argument)
        if state != "connected":
            await proxy.drop()
            await recorder.wait_for("disconnect")
            if state == "in an attempt":
                proxy.pause()
            await proxy.accept()
        if state == "in an attempt":
            await proxy.wait_accepted(proxy.accepted + 1)
        await _end_at_once(sio, method, count)
    await _is_final(sio, proxy)


@METHODS
async def test_the_end_of_a_connect_that_retries(make_client, server, proxy, transport, recorder, method):
    """connect(retry=True) that goes on trying is ended: it raises, and it is the end."""
    sio = make_client(**QUICK)
    sio.on("connect_error", recorder.handler("connect_error"))
    await proxy.refuse()
    connecting = asyncio.ensure_future(sio.connect(proxy.url, transports=transport.argument, retry=True))
    await recorder.wait_for("connect_error", 3)
    await _end_at_once(sio, method, 1)
    with pytest.raises(exceptions.ConnectionError):
        await within(2, connecting)
    await proxy.accept()
    await _is_final(sio, proxy)


async def test_the_end_of_an_attempt_at_a_host_that_is_not_there(make_client, server, proxy, transport):
    """While the operating system still tries to connect, it does not wait for that, and it is the end."""
    sio = make_client(request_timeout=3, **QUICK)
    with unreachable_url() as url:
        connecting = asyncio.ensure_future(sio.connect(url, transports=transport.argument))
        await asyncio.sleep(0.2)  # nothing tells that the connecting has begun
        await _end_at_once(sio, "disconnect", 1)
        with pytest.raises(exceptions.ConnectionError):
            await within(5, connecting)
    await _is_final(sio, proxy)


@METHODS
async def test_the_end_on_a_dead_network(make_client, server, proxy, transport, method):
    """On a network that takes nothing it gives up after request_timeout, and it is the end."""
    sio = make_client(request_timeout=0.5, **QUICK)
    await sio.connect(proxy.url, transports=transport.argument)
    proxy.pause()
    await sio.emit("echo", "x" * 100_000)
    started = time.monotonic()
    await within(CEILING, getattr(sio, method)())
    assert time.monotonic() - started < 2.5
    await _is_final(sio, proxy)


async def test_the_end_while_a_handler_waits_for_an_answer(make_client, server, proxy, transport, recorder):
    """A handler in call() is told at once, and the end does not wait for one that goes on."""
    sio = make_client(**QUICK)
    gate = Gate()

    @sio.on("ask")
    async def ask():
        recorder.record("asking")
        try:
            await sio.call("no_ack", timeout=30)
        except (exceptions.DisconnectedError, exceptions.BadNamespaceError):  # the end may come before the call
            recorder.record("told")
        await gate.wait()
        recorder.record("done")

    await sio.connect(proxy.url, transports=transport.argument)
    await sio.emit("emit_back", "ask")
    await recorder.wait_for("asking")
    await _end_at_once(sio, "disconnect", 1)
    await recorder.wait_for("told")
    await _is_final(sio, proxy)
    gate.open()
    await recorder.wait_for("done")


async def test_the_end_of_a_simple_client_that_reconnects(make_simple_client, server, proxy, transport):
    """A simple client that restores its connection is ended; those who wait are told, and it can connect again."""
    sio = make_simple_client(**QUICK)
    await sio.connect(proxy.url, transports=transport.argument)
    waiting = [asyncio.ensure_future(sio.receive()) for _ in range(3)]
    await proxy.drop()
    waiting.append(asyncio.ensure_future(sio.call("echo", 1)))
    await within(2, sio.disconnect())
    for each in waiting:
        with pytest.raises(exceptions.DisconnectedError):
            await within(2, each)
    await proxy.accept()
    accepted = proxy.accepted
    await asyncio.sleep(QUIET)
    assert proxy.accepted == accepted
    await within(CEILING, sio.connect(proxy.url, transports=transport.argument))
    assert await sio.call("echo", 2) == 2


async def _end_at_once(sio, method, count):
    """Call it so many times at once; each call returns within two seconds."""
    await asyncio.gather(*(within(2, getattr(sio, method)()) for _ in range(count)))
