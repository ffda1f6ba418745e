"""A server that is killed while a program emits: nothing spins, and everything goes on when it is back.

Source: issue 10, B0.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time

import pytest

from integration.waiting import CEILING, until, within
from socketio import exceptions

QUICK = {"reconnection_delay": 0.05, "reconnection_delay_max": 0.1}
pytestmark = pytest.mark.timeout(20)  # a loop that spins shall fail soon


@contextlib.asynccontextmanager
async def _ticking():
    """Check that the event loop goes on while the block runs: it is never held up for two seconds."""
    longest = 0.0

    async def tick():
        nonlocal longest
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.01)
            longest = max(longest, time.monotonic() - began)

    ticking = asyncio.ensure_future(tick())
    yield
    ticking.cancel()
    assert longest < 2


@pytest.mark.parametrize("action", ["emit", "call"])
async def test_a_program_that_emits_goes_on_when_the_server_is_back(make_simple_client, own_server, transport, action):
    """emit() and call() of the simple clients wait for the next connection; the processor has nothing to do."""
    mine = await own_server()
    sio = make_simple_client(**QUICK)
    await sio.connect(mine.url, transports=transport.argument)
    done = itertools.count()
    count = 0

    async def work():
        nonlocal count
        while True:
            with contextlib.suppress(exceptions.TimeoutError):  # call(): the connection was lost meanwhile
                await getattr(sio, action)("echo", 1)
            count = next(done)
            await asyncio.sleep(0)

    async with _ticking():
        working = asyncio.ensure_future(work())
        await until(lambda: count >= 20)
        mine.kill()
        used = time.process_time()
        await asyncio.sleep(0.5)  # in which a loop that spins uses half a second of the processor
        assert time.process_time() - used < 0.4
        before = count
        await asyncio.to_thread(mine.restart)
        await until(lambda: count >= before + 20 or working.done())
        assert not working.done()
        working.cancel()
        await asyncio.wait([working])


async def test_a_program_that_emits_is_told_when_the_client_gives_up(make_simple_client, own_server, transport):
    """emit() raises DisconnectedError when the server does not come back in reconnection_attempts attempts."""
    mine = await own_server()
    sio = make_simple_client(reconnection_attempts=2, **QUICK)
    await sio.connect(mine.url, transports=transport.argument)

    async def work():
        while True:
            await sio.emit("echo", 1)
            await asyncio.sleep(0)

    async with _ticking():
        working = asyncio.ensure_future(work())
        await asyncio.sleep(0.1)
        mine.kill()
        with pytest.raises(exceptions.DisconnectedError):
            await within(CEILING, working)
