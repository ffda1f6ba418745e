"""Many threads, or tasks, on one client, and many clients one after the other: no deadlock, nothing left."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time

import pytest

from integration.flavours import run_blocking
from integration.waiting import CEILING, within
from socketio import exceptions

QUICK = {"reconnection_delay": 0.02, "reconnection_delay_max": 0.05}


async def test_connecting_eight_times_at_once(make_client, server, transport):
    """Of eight connect() at once one connects; the others raise ConnectionError and disturb nothing."""
    sio = make_client()
    results = await within(
        CEILING,
        asyncio.gather(
            *(sio.connect(server.url, transports=transport.argument) for _ in range(8)), return_exceptions=True
        ),
    )
    assert results.count(None) == 1
    assert {type(result) for result in results if result is not None} == {exceptions.ConnectionError}
    assert await sio.call("echo", 1) == 1


async def test_connecting_while_reconnecting(make_client, server, proxy, transport, recorder):
    """connect() while the client reconnects is an error that says so; the reconnection goes on."""
    sio = make_client(**QUICK)
    for name in ("connect", "disconnect"):
        sio.on(name, recorder.handler(name))
    await sio.connect(proxy.url, transports=transport.argument)
    await proxy.drop()
    await recorder.wait_for("disconnect")
    with pytest.raises(exceptions.ConnectionError, match="reconnecting"):
        await within(3, sio.connect(proxy.url, transports=transport.argument))
    await proxy.accept()
    await recorder.wait_for("connect", 2)
    assert await sio.call("echo", 1) == 1


async def test_everything_at_once(make_client, server, transport):
    """Connects, calls, emits and disconnects of many threads or tasks at once never hang; the client stays usable."""
    sio = make_client(**QUICK)

    async def work(worker):
        for i in range(15):
            try:
                if (worker + i) % 4 == 0:
                    await sio.connect(server.url, transports=transport.argument)
                elif (worker + i) % 4 == 1:
                    await sio.emit("echo", i)
                elif (worker + i) % 4 == 2:
                    await sio.call("echo", i)
                else:
                    await sio.disconnect()
            except exceptions.SocketIOError:
                await asyncio.sleep(0)

    await within(20, asyncio.gather(*(work(worker) for worker in range(8))))
    await within(3, sio.disconnect())
    await within(5, sio.connect(server.url, transports=transport.argument))
    assert await sio.call("echo", 1) == 1


@pytest.mark.flavours("threads")
async def test_two_hundred_cycles_leave_no_thread(make_client, server, transport):
    """After each of 200 connections its threads and descriptors are gone, and objects do not pile up.

    Takes 3 s over polling: 200 connections of four requests each.
    """
    sio = make_client()
    native = sio.native

    def cycle():
        native.connect(server.url, transports=transport.argument)
        assert native.call("echo", 1) == 1
        native.disconnect()

    def settle():
        """Wait for the threads that end after disconnect() has returned."""
        deadline = time.monotonic() + CEILING
        while threading.active_count() > 2 and time.monotonic() < deadline:
            time.sleep(0.01)

    async def cycles(count):
        for _ in range(count):
            await run_blocking(cycle)
        gc.collect()
        settle()
        return threading.active_count(), len(os.listdir("/proc/self/fd")), len(gc.get_objects()) + gc.get_freeze_count()

    before = await cycles(20)
    after = await cycles(180)
    assert after[0] <= before[0] + 1
    assert after[1] <= before[1] + 1
    assert after[2] < before[2] + 500


@pytest.mark.flavours("asyncio")
async def test_two_hundred_cycles_leave_no_task(make_client, server, transport):
    """After each of 200 connections its tasks and descriptors are gone, and objects do not pile up."""
    sio = make_client()

    async def cycles(count):
        for _ in range(count):
            await sio.connect(server.url, transports=transport.argument)
            assert await sio.call("echo", 1) == 1
            await sio.disconnect()
        gc.collect()
        return len(asyncio.all_tasks()), len(os.listdir("/proc/self/fd")), len(gc.get_objects()) + gc.get_freeze_count()

    before = await cycles(20)
    after = await cycles(180)
    assert after[0] <= before[0]
    assert after[1] <= before[1] + 1
    assert after[2] < before[2] + 500


async def test_a_client_that_is_forgotten(flavour, server, transport):
    """No thread and no task outlives its client: a hundred clients, each used once, leave nothing."""
    before = set(threading.enumerate()), asyncio.all_tasks()
    for _ in range(25):
        clients = [flavour.client() for _ in range(4)]
        await asyncio.gather(*(sio.connect(server.url, transports=transport.argument) for sio in clients))
        await asyncio.gather(*(sio.call("echo", 1) for sio in clients))
        await asyncio.gather(*(sio.disconnect() for sio in clients))
    for thread in set(threading.enumerate()) - before[0]:
        await within(3, run_blocking(thread.join))
    assert not asyncio.all_tasks() - before[1]
