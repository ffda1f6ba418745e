"""A flag of an event loop that can be waited for, with a time limit."""

from __future__ import annotations

import asyncio

import pytest

from socketio.runtime.async_condition import AsyncEvent

from ..waiting import run_apart

CEILING = 10.0


def test_an_event_can_be_made_and_set_without_a_loop():
    """It is not set at first, and stays set. (A3)"""
    event = AsyncEvent()
    assert not event.is_set()
    event.set()
    event.set()
    assert event.is_set()
    assert run_apart(event.wait()) is True
    assert run_apart(event.wait(0)) is True


async def test_all_who_wait_go_on_when_it_is_set():
    """wait() is true for everybody, with a time limit or without. (C8)"""
    event = AsyncEvent()
    tasks = [asyncio.ensure_future(event.wait(timeout)) for timeout in (None, CEILING, None)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in tasks)
    event.set()
    assert await asyncio.wait_for(asyncio.gather(*tasks), CEILING) == [True] * 3


@pytest.mark.parametrize("timeout", [0, -1, 0.01])
async def test_waiting_ends_when_the_time_is_over(timeout):
    """wait() is false where it was not set in time; it can be waited for again. (C10)"""
    event = AsyncEvent()
    assert await event.wait(timeout) is False
    event.set()
    assert await event.wait(timeout) is True


async def test_who_is_cancelled_leaves_nothing():
    """A cancelled wait is cancelled, and the others go on. (M25)"""
    event = AsyncEvent()
    cancelled, other = asyncio.ensure_future(event.wait()), asyncio.ensure_future(event.wait(CEILING))
    await asyncio.sleep(0)
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    event.set()
    assert await other is True
    assert event._changed._waiters == []


async def test_setting_and_the_end_of_the_time_may_meet():
    """Set in the turn in which the time is over, it counts as set. (C10)"""
    event, loop = AsyncEvent(), asyncio.get_running_loop()
    for _ in range(50):
        event = AsyncEvent()
        loop.call_later(0.001, event.set)
        assert await event.wait(0.001) is event.is_set()
