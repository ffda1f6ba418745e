"""Cancellation with asyncio: at once, raised to the caller, nothing left behind, and the client still usable."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import os
import time

import pytest

import socketio
from integration.flavours import run_blocking
from integration.proxy import Proxy
from integration.scripted import ScriptedServer
from integration.waiting import within

from .peers import unreachable_url

QUICK = {"reconnection_delay": 0.02, "reconnection_delay_max": 0.05}


async def _cancel(task):
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def _time_out(task):
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(task, 0.01)


async def _fail_beside_it(task):
    """Cancel it as a TaskGroup does: another task fails."""

    async def run():
        async with asyncio.TaskGroup() as group:
            group.create_task(_wait_for(task))
            group.create_task(_fail())

    with pytest.raises(Exception, match="unhandled errors in a TaskGroup") as caught:
        await run()
    assert [type(each) for each in caught.value.exceptions] == [LookupError]
    assert task.cancelled()


async def _wait_for(task):
    await task


async def _fail():
    raise LookupError("as expected")


WAYS = pytest.mark.parametrize(
    "cancel", [_cancel, _time_out, *([_fail_beside_it] if hasattr(asyncio, "TaskGroup") else [])]
)


@contextlib.asynccontextmanager
async def _nothing_is_left():
    """Check that the block leaves no task and no descriptor behind."""
    before = asyncio.all_tasks()
    descriptors = len(os.listdir("/proc/self/fd"))
    yield
    deadline = time.monotonic() + 1.5
    while asyncio.all_tasks() - before or len(os.listdir("/proc/self/fd")) > descriptors:
        assert time.monotonic() < deadline, f"left: {asyncio.all_tasks() - before}"
        await asyncio.sleep(0.005)


async def _is_usable(sio, server, transport):
    await within(5, sio.connect(server.url, transports=transport.argument))
    assert await sio.call("echo", 1) == 1
    await within(3, sio.disconnect())


@WAYS
@pytest.mark.parametrize("step", ["TCP", "handshake", "namespace", "retry", "connect handler"])
async def test_a_connect_that_is_cancelled(server, transport, recorder, cancel, step):
    """connect() that is cancelled at any step ends at once, with nothing left, and the client can connect."""
    sio = socketio.AsyncClient(**QUICK)
    released = asyncio.Event()
    async with _nothing_is_left(), contextlib.AsyncExitStack() as stack:
        if step == "TCP":
            url = stack.enter_context(unreachable_url())
        else:
            silent = await stack.enter_async_context(
                ScriptedServer(handshake={"handshake": "silent", "retry": (502, "")}.get(step))
            )
            url = silent.url if step != "connect handler" else server.url
        if step == "connect handler":
            sio.on("connect", released.wait)
        sio.on("connect_error", recorder.handler("connect_error"))
        connecting = asyncio.ensure_future(sio.connect(url, transports=transport.argument, retry=step == "retry"))
        if step == "retry":
            await recorder.wait_for("connect_error", 2)
        elif step == "namespace":
            await (await silent.accept()).receive()
        elif step == "connect handler":
            await asyncio.wait([connecting], timeout=0.2)
            assert sio.connected
        else:
            await asyncio.wait([connecting], timeout=0.05)
        started = time.monotonic()
        await cancel(connecting)
        assert time.monotonic() - started < 1
        assert not sio.connected
        released.set()
    sio.on("connect", lambda: None)
    await _is_usable(sio, server, transport)


@WAYS
@pytest.mark.parametrize("method", ["call", "wait", "sleep"])
async def test_what_waits_can_be_cancelled(server, transport, cancel, method):
    """A call(), wait() or sleep() that is cancelled disturbs nothing: the connection is the same as before."""
    sio = socketio.AsyncClient(**QUICK)
    await sio.connect(server.url, transports=transport.argument)
    sid = sio.get_sid()
    async with _nothing_is_left():
        waiting = {"call": lambda: sio.call("no_ack"), "wait": sio.wait, "sleep": lambda: sio.sleep(30)}[method]
        task = asyncio.ensure_future(waiting())
        await asyncio.sleep(0)
        await cancel(task)
    assert await sio.call("echo", 1) == 1
    assert sio.get_sid() == sid
    await sio.disconnect()


@WAYS
async def test_a_receive_that_is_cancelled(server, transport, cancel):
    """A receive() that is cancelled loses no event."""
    async with socketio.AsyncSimpleClient() as sio:
        await sio.connect(server.url, transports=transport.argument)
        async with _nothing_is_left():
            task = asyncio.ensure_future(sio.receive())
            await asyncio.sleep(0)
            await cancel(task)
        await sio.emit("emit_back", ("event", 1))
        assert await within(3, sio.receive()) == ["event", 1]


@WAYS
async def test_a_disconnect_that_is_cancelled(server, transport, cancel):
    """A disconnect() that is cancelled while the network is dead raises at once, and is carried out all the same."""
    async with Proxy(server.port) as proxy:
        sio = socketio.AsyncClient(request_timeout=0.5, **QUICK)
        async with _nothing_is_left():
            await sio.connect(proxy.url, transports=transport.argument)
            proxy.pause()
            await sio.emit("echo", "x" * 10_000_000)
            task = asyncio.ensure_future(sio.disconnect())
            await asyncio.sleep(0)
            await cancel(task)
            await within(3, sio.wait())
            assert not sio.connected
            proxy.cut()
            proxy.resume()
            await within(3, sio.disconnect())
    await _is_usable(sio, server, transport)


@WAYS
async def test_an_emit_that_waits_can_be_cancelled(server, transport, cancel):
    """An emit() that waits above the high-water mark can be cancelled: its event is not sent, the others are."""
    async with Proxy(server.port) as proxy:
        sio = socketio.AsyncClient(high_water_mark=1_000_000, request_timeout=30, **QUICK)
        await sio.connect(proxy.url, transports=transport.argument)
        proxy.to_server.pause()
        task = None
        while task is None or task.done():
            task = asyncio.ensure_future(sio.emit("sized", "x" * 500_000))
            await asyncio.wait([task], timeout=0.1)
        await cancel(task)
        proxy.to_server.resume()
        assert await within(5, sio.call("echo", 1)) == 1
        await within(5, sio.disconnect())


async def test_a_hundred_cancelled_calls_leave_nothing(server, transport):
    """Calls that are cancelled are forgotten: nothing of them is kept while the connection goes on."""
    sio = socketio.AsyncClient()
    await sio.connect(server.url, transports=transport.argument)

    async def cancel_calls(count):
        for _ in range(count):
            task = asyncio.ensure_future(sio.call("no_ack"))
            await asyncio.sleep(0)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        assert await sio.call("echo", 1) == 1
        gc.collect()
        return len(gc.get_objects()) + gc.get_freeze_count()

    before = await cancel_calls(100)
    after = await cancel_calls(200)
    await sio.disconnect()
    assert after - before < 100


async def test_cancelled_in_the_middle_of_everything(server, transport):
    """A client whose task is cancelled at any moment of its life leaves nothing behind."""
    async with _nothing_is_left():
        for step in range(40):

            async def live():
                async with socketio.AsyncSimpleClient(**QUICK) as sio:
                    await sio.connect(server.url, transports=transport.argument)
                    for i in itertools.count():
                        await sio.emit("echo", i)
                        await sio.receive()

            task = asyncio.ensure_future(live())
            await asyncio.wait([task], timeout=step / 1000)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await within(3, task)


@pytest.mark.parametrize("state", ["connected", "reconnecting", "in an attempt", "connecting", "dead network"])
async def test_a_loop_that_ends_while_the_client_lives(server, proxy, transport, state):
    """asyncio.run() that ends in any state of the client ends at once, and leaves nothing that complains."""
    outside = asyncio.get_running_loop()

    async def ask(command, *args):
        async def run():
            result = command(*args)
            return await result if asyncio.iscoroutine(result) else result

        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(run(), outside))

    async def main():
        sio = socketio.AsyncClient(**(QUICK if state == "in an attempt" else {}))
        lost = asyncio.Event()
        sio.on("disconnect", lambda reason: lost.set())
        if state == "connecting":
            await ask(proxy.pause)
            connecting = asyncio.ensure_future(sio.connect(proxy.url, transports=transport.argument))
            await ask(proxy.wait_accepted, 1)
            return time.monotonic(), connecting
        await sio.connect(proxy.url, transports=transport.argument)
        await sio.emit("echo", "last words")
        if state in ("reconnecting", "in an attempt"):
            await ask(proxy.drop)
            await within(3, lost.wait())
        if state == "in an attempt":
            await ask(proxy.pause)
            await ask(proxy.accept)
            await ask(proxy.wait_accepted, proxy.accepted + 1)
        if state == "dead network":
            await ask(proxy.pause)
            await sio.emit("echo", "x" * 10_000_000)
        return time.monotonic(), None

    ended, _ = await within(10, run_blocking(lambda: asyncio.run(main())))
    assert time.monotonic() - ended < 2.5


def test_a_client_from_one_loop_to_the_next(servers, transport):
    """A client made outside of any loop works in one asyncio.run() after another, however the one before ended."""
    server = servers("node")
    sio, simple = socketio.AsyncClient(), socketio.AsyncSimpleClient()

    async def use(disconnecting):
        for client in (sio, simple):
            await client.connect(server.url, transports=transport.argument)
            assert await client.call("echo", 1) == 1
            if disconnecting:
                await client.disconnect()

    for _ in range(2):
        asyncio.run(use(disconnecting=True))
    asyncio.run(use(disconnecting=False))
    simple = socketio.AsyncSimpleClient()
    asyncio.run(use(disconnecting=True))
