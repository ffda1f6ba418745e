"""The time limit of what the asyncio client waits for: an event loop that is busy is not a silent server."""

from __future__ import annotations

import asyncio
import math
import socket
import time

import pytest

from socketio.runtime.async_condition import AsyncCondition, AsyncEvent, wait_for
from socketio.runtime.async_time_limit import TimeLimit

from ..waiting import CEILING


async def expired_after(seconds, block=0.0, after=0.0):
    """Return how long a limit took, in an event loop that is blocked once."""
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    began = loop.time()
    TimeLimit(seconds, lambda: done.set_result(None))
    if block:
        loop.call_later(after, time.sleep, block)
    await asyncio.wait_for(done, CEILING)
    return loop.time() - began


@pytest.mark.parametrize("seconds", [0, 0.001, 0.03, 0.3])
async def test_it_is_exact_when_the_loop_is_not_busy(seconds):
    """It comes when the time is over, not before, and soon after."""
    took = await expired_after(seconds)
    assert seconds - 0.001 <= took < seconds + 0.2


async def test_busy_time_is_not_counted():
    """A loop that is blocked for nearly all of the time, or longer, gets its turns all the same."""
    assert await expired_after(0.2, block=0.19) >= 0.3
    assert await expired_after(0.2, block=0.5) >= 0.65


async def test_a_loop_that_is_always_busy():
    """It is not put off for ever: it takes twice as long, and some turns, at most."""
    loop = asyncio.get_running_loop()
    goes_on = True

    def block():
        time.sleep(0.03)
        if goes_on:
            loop.call_soon(block)

    loop.call_soon(block)
    took = await expired_after(0.1)
    goes_on = False
    assert took < 0.1 + 0.1 + 22 * 0.04 + 0.5


async def test_it_can_be_cancelled():
    """Nothing is called afterwards, whichever step it is in."""
    called = []
    for seconds in (0, 0.01, 10, math.inf):
        limit = TimeLimit(seconds, lambda: called.append(1))
        await asyncio.sleep(0)
        limit.cancel()
    await asyncio.sleep(0.05)
    assert called == []


async def test_no_limit():
    """Infinity is accepted: nothing is called."""
    condition = AsyncCondition()
    waiting = asyncio.ensure_future(condition.wait_for(lambda: False, math.inf))
    await asyncio.sleep(0.01)
    assert not waiting.done()
    waiting.cancel()


@pytest.mark.parametrize("wait", ["event", "awaitable"])
async def test_what_lies_in_the_socket_is_read_first(wait):
    """An answer that came while the loop was blocked is there before the limit is judged, if it takes 16 steps."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=ours)
        event = AsyncEvent()

        async def read():
            assert await reader.readexactly(4) == b"here"
            for _ in range(16):
                await asyncio.sleep(0)
            event.set()

        reading = asyncio.ensure_future(read())
        await asyncio.sleep(0)

        def block():
            time.sleep(0.05)
            theirs.send(b"here")
            time.sleep(0.1)

        asyncio.get_running_loop().call_soon(block)
        if wait == "event":
            assert await event.wait(0.02)
        else:
            await wait_for(reading, 0.02)
        await reading
        writer.close()
        await writer.wait_closed()
