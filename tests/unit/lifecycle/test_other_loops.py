"""An asyncio client in another event loop than its own, on another thread, under trio: one clear error at once.

Source: issue 10, B14.
"""

from __future__ import annotations

import asyncio

import pytest
import trio

from ..flavours import URL, AsyncClient, AsyncSimpleClient
from ..waiting import run_apart, run_blocking, within


async def background(sio):
    """Start a background task."""
    sio.start_background_task(asyncio.sleep, 0)


METHODS = {
    "connect": lambda sio: sio.connect(URL),
    "disconnect": lambda sio: sio.disconnect(),
    "shutdown": lambda sio: sio.shutdown(),
    "wait": lambda sio: sio.wait(),
    "emit": lambda sio: sio.emit("up"),
    "send": lambda sio: sio.send("up"),
    "call": lambda sio: sio.call("up"),
    "sleep": lambda sio: sio.sleep(0),
    "start_background_task": background,
}
SIMPLE_METHODS = {
    "connect": lambda sio: sio.connect(URL),
    "disconnect": lambda sio: sio.disconnect(),
    "emit": lambda sio: sio.emit("up"),
    "call": lambda sio: sio.call("up"),
    "receive": lambda sio: sio.receive(),
}
CASES = [
    *((AsyncClient, name, method) for name, method in METHODS.items()),
    *((AsyncSimpleClient, name, method) for name, method in SIMPLE_METHODS.items()),
]
EACH = pytest.mark.parametrize(("client_class", "name", "method"), CASES)


def is_known(client_class, name):
    """Return whether the method is documented for the class."""
    return hasattr(client_class, name)


@EACH
async def test_a_connected_client_in_another_event_loop(client_class, name, method):
    """Every method raises at once, says what to do, and does not affect the connection."""
    assert is_known(client_class, name)
    sio = client_class()
    await sio.connect(URL)
    engine = (sio if client_class is AsyncClient else sio.client).eio

    async def elsewhere():
        with pytest.raises(RuntimeError, match=r"another event loop.*run_coroutine_threadsafe"):
            await method(sio)

    await run_blocking(run_apart, within(elsewhere(), 1))
    assert sio.connected
    await sio.emit("up")
    assert engine.sent.items == ["0{}", '2["up"]']
    await within(sio.disconnect())


@pytest.mark.parametrize("state", ["connecting", "reconnecting", "closing"])
async def test_a_client_at_work_in_another_event_loop(state):
    """The same while the client connects, reconnects or disconnects."""
    sio = AsyncClient(reconnection_delay=1000, reconnection_delay_max=1000)
    if state == "connecting":
        sio.eio.opening = asyncio.Event()
        working = asyncio.ensure_future(sio.connect(URL))
        await sio.eio.attempts.until(lambda: sio.eio.attempts.items)
    else:
        await sio.connect(URL)
        if state == "reconnecting":
            sio.eio.lose()
            await sio.eio.idle()
            working = asyncio.ensure_future(sio.wait())
        else:
            await sio.emit("last")
            sio.eio.draining = asyncio.Event()
            working = asyncio.ensure_future(sio.disconnect())
            await sio.eio.drained.until(lambda: sio.eio.drained.items)

    async def elsewhere():
        for method in METHODS.values():
            with pytest.raises(RuntimeError, match="another event loop"):
                await method(sio)

    await run_blocking(run_apart, within(elsewhere(), 1))
    if state == "closing":
        sio.eio.draining.set()
    elif state == "connecting":
        sio.eio.opening.set()
    else:
        await sio.disconnect()
    await within(working)
    await within(sio.disconnect())


@pytest.mark.parametrize("client_class", [AsyncClient, AsyncSimpleClient])
def test_an_idle_client_goes_from_one_event_loop_to_the_next(client_class):
    """A client that is not connected can be used in a new event loop, after a disconnect() in the last one."""
    sio = client_class()

    async def live(number):
        await sio.connect(URL)
        await sio.emit("up", number)
        await sio.disconnect()
        with pytest.raises(Exception, match=r"connected|ended"):
            await sio.emit("up")

    for number in range(3):
        asyncio.run(live(number))


@pytest.mark.parametrize("client_class", [AsyncClient, AsyncSimpleClient])
async def test_an_idle_client_in_another_event_loop(client_class):
    """disconnect() of an idle client, and wait(), do nothing there."""
    sio = client_class()
    await sio.connect(URL)
    await sio.disconnect()

    async def elsewhere():
        await sio.disconnect()
        if client_class is AsyncClient:
            await sio.wait()
            await sio.sleep(0)
        await sio.connect(URL)
        assert sio.connected
        await sio.disconnect()

    await run_blocking(run_apart, within(elsewhere(), 5))
    await sio.connect(URL)
    await sio.disconnect()


@EACH
def test_under_trio(client_class, name, method):
    """Every method raises one error that names trio."""
    sio = client_class()

    async def main():
        await method(sio)

    with pytest.raises(RuntimeError, match="trio") as caught:
        trio.run(main)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
