"""Each life of a client has its own end: disconnect handlers that connect again, and what wait() makes of it.

Source: issue 10, B2.
"""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from socketio import exceptions
from socketio.engine import EngineError

from ..flavours import URL
from ..waiting import Gate, within

ENDS = ["disconnect()", "server", "refusal", "loss"]


async def end(sio, way):
    """End the connection without a reconnection."""
    if way == "disconnect()":
        await sio.disconnect()
    elif way == "server":
        sio.engine.deliver("1")
    elif way == "refusal":
        sio.engine.deliver('4"no"')
    else:
        sio.engine.lose()


def coming_back(sio, flavour, calls, times=1, before=None):
    """Have the disconnect handler connect again, so many times."""

    async def disconnect(reason):
        if len(sio.engine.attempts.items) > times:
            calls.add("stayed")
            return
        if before is not None:
            calls.add("left")
            await before.wait()
        await sio.connect(URL)
        calls.add("back")

    sio.on("disconnect", flavour.function(disconnect))


@pytest.fixture
async def sio(make_client):
    """A client that does not reconnect by itself."""
    return make_client(reconnection=False)


@pytest.mark.parametrize("way", ENDS)
async def test_a_disconnect_handler_may_connect_again(sio, flavour, calls, way):
    """connect() works in a disconnect handler; a wait() that began before lasts until the next end."""
    coming_back(sio, flavour, calls)
    await sio.connect(URL)
    waiting = asyncio.ensure_future(sio.wait())
    await sio.engine.idle()
    await within(end(sio, way))
    await calls.has("back")
    assert sio.connected
    await sio.emit("up")
    await sio.engine.idle()
    later = asyncio.ensure_future(sio.wait())
    for _ in range(20):
        await asyncio.sleep(0)
    assert not waiting.done()
    assert not later.done()
    await within(end(sio, way))
    await within(asyncio.gather(waiting, later))
    assert calls.items == ["back", "stayed"]
    assert not sio.connected


@pytest.mark.parametrize("way", ENDS)
async def test_many_lives(sio, flavour, calls, way):
    """One life after the other, each of them ended in the same way; wait() returns after the last."""
    coming_back(sio, flavour, calls, times=5)
    await sio.connect(URL)
    waiting = asyncio.ensure_future(sio.wait())
    for life in range(5):
        await within(end(sio, way))
        await calls.has(*["back"] * (life + 1))
        assert not waiting.done()
    await within(end(sio, way))
    await within(waiting)
    assert calls.items == ["back"] * 5 + ["stayed"]


@pytest.mark.parametrize("way", ENDS)
async def test_wait_lasts_until_the_disconnect_handler_has_returned(sio, flavour, calls, way):
    """A disconnect handler that takes its time before it connects again is waited for."""
    gate = Gate()
    coming_back(sio, flavour, calls, before=gate)
    await sio.connect(URL)
    waiting = asyncio.ensure_future(sio.wait())
    ending = asyncio.ensure_future(end(sio, way))
    await calls.has("left")
    done, _ = await asyncio.wait([waiting], timeout=0.05)
    assert not done
    gate.open()
    await within(ending)
    await calls.has("left", "back")
    assert not waiting.done()
    await within(end(sio, way))
    await within(waiting)


@pytest.mark.parametrize("way", ENDS)
async def test_a_disconnect_handler_may_wait(sio, flavour, calls, way):
    """wait() in a disconnect handler does not wait for that handler; after a connect() there, for the next end."""

    async def disconnect(reason):
        lives = len(sio.engine.attempts.items)
        if lives == 1:
            await sio.connect(URL)
            calls.add("back")
        await sio.wait()
        calls.add(f"waited {lives}")

    sio.on("disconnect", flavour.function(disconnect))
    await sio.connect(URL)
    waiting = asyncio.ensure_future(sio.wait())
    await within(end(sio, way)) if way != "disconnect()" else asyncio.ensure_future(end(sio, way))
    await calls.has("back")
    assert not waiting.done()
    await within(end(sio, way))
    await within(waiting)
    await calls.until(lambda: len(calls.items) == 3)
    assert sorted(calls.items) == ["back", "waited 1", "waited 2"]


async def test_a_disconnect_handler_may_make_the_end_final_and_connect(make_client, flavour, calls):
    """disconnect() and then connect() in the handler of a loss that would be repaired: wait() goes on."""
    sio = make_client(reconnection_delay=1000, reconnection_delay_max=1000)

    async def disconnect(reason):
        if len(sio.engine.attempts.items) == 1:
            await sio.disconnect()
            await sio.connect(URL)
            calls.add("back")

    sio.on("disconnect", flavour.function(disconnect))
    await sio.connect(URL)
    waiting = asyncio.ensure_future(sio.wait())
    sio.engine.lose()
    await calls.has("back")
    for _ in range(20):
        await asyncio.sleep(0)
    assert not waiting.done()
    await sio.disconnect()
    await within(waiting)


async def test_several_disconnect_handlers_may_disconnect(make_client, flavour, calls):
    """disconnect() in the handlers of several namespaces: they do not wait for each other."""
    sio = make_client(reconnection_delay=1000, reconnection_delay_max=1000)

    async def disconnect(reason):
        await sio.disconnect()
        calls.add("done")

    names = ["/", "/a", "/b"]
    for name in names:
        sio.on("disconnect", flavour.function(disconnect), namespace=name)
    await sio.connect(URL)
    sio.engine.lose()
    loop = asyncio.get_running_loop()
    began = loop.time()
    await within(sio.wait())
    assert loop.time() - began < 2
    await calls.has(*["done"] * 3)


async def test_wait_between_two_tries_of_a_disconnect_handler(sio, flavour, calls):
    """wait() that begins while a disconnect handler has failed to connect, and will try again, lasts on."""
    gate = Gate()

    async def disconnect(reason):
        sio.engine.failures = [EngineError("down")]
        with contextlib.suppress(exceptions.ConnectionError):
            await sio.connect(URL)
        calls.add("failed")
        await gate.wait()
        await sio.connect(URL)
        calls.add("back")

    sio.on("disconnect", flavour.function(disconnect))
    await sio.connect(URL)
    sio.engine.lose()
    await calls.has("failed")
    waiting = asyncio.ensure_future(sio.wait())
    done, _ = await asyncio.wait([waiting], timeout=0.05)
    assert not done
    gate.open()
    await calls.has("failed", "back")
    assert not waiting.done()
    sio.on("disconnect", lambda reason: None)
    await sio.disconnect()
    await within(waiting)


async def test_giving_up_is_the_end_of_the_life_that_gives_up(make_client, flavour, calls):
    """A final handler that connects again when the attempts have run out begins another life."""
    sio = make_client(reconnection_attempts=1)

    async def over():
        await sio.connect(URL)
        calls.add("back")

    sio.on("__disconnect_final", flavour.function(over))
    await sio.connect(URL)
    waiting = asyncio.ensure_future(sio.wait())
    sio.engine.failures = [EngineError("down")]
    sio.engine.lose()
    await calls.has("back")
    for _ in range(20):
        await asyncio.sleep(0)
    assert not waiting.done()
    sio.on("__disconnect_final", lambda: None)
    await sio.disconnect()
    await within(waiting)


@pytest.mark.parametrize("way", [*ENDS, "failed connect()", "refused connect()"])
async def test_an_idle_client_connects_at_once(sio, calls, way):
    """However a client became idle, connect() works as soon as it says that it is not connected."""
    if way == "failed connect()":
        sio.engine.failures = [EngineError("down")]
    elif way == "refused connect()":
        sio.engine.server.refusals = {"/": "no"}
    if "connect()" in way and way != "disconnect()":
        with pytest.raises(exceptions.ConnectionError):
            await sio.connect(URL)
        sio.engine.server.refusals = {}
    else:
        await sio.connect(URL)
        await end(sio, way)
        while sio.connected:  # noqa: ASYNC110
            await asyncio.sleep(0)
    await within(sio.connect(URL))
    assert sio.connected


async def test_connect_waits_for_a_disconnect_under_way(sio):
    """connect() while another thread or task is in disconnect() waits until that has closed. (issue 10, B9)"""
    await sio.connect(URL)
    await sio.emit("last")
    sio.engine.draining = sio.engine.new_gate()
    disconnecting = asyncio.ensure_future(sio.disconnect())
    await sio.engine.drained.until(lambda: sio.engine.drained.items)
    connecting = asyncio.ensure_future(sio.connect(URL))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not connecting.done()
    sio.engine.draining.set()
    await within(asyncio.gather(disconnecting, connecting))
    assert sio.connected
    assert sio.engine.sent.items == ["0{}", '2["last"]', "1", "0{}"]
