"""Waiting on an event loop until something is so."""

from __future__ import annotations

import asyncio

import pytest

from socketio.runtime.async_condition import AsyncCondition

from ..waiting import run_apart

CEILING = 10.0


async def begun(coroutine):
    """Return a task that waits already."""
    task = asyncio.ensure_future(coroutine)
    await asyncio.sleep(0)
    return task


def test_a_condition_can_be_made_without_a_loop():
    """Making one needs no event loop, and nobody waits. (A3)"""
    AsyncCondition().notify_all()


async def test_what_is_so_already_is_not_waited_for():
    """wait_for() returns at once where the predicate is true, even without any time. (C8)"""
    assert await AsyncCondition().wait_for(lambda: True) is True
    assert await AsyncCondition().wait_for(lambda: 1, timeout=0) is True


async def test_waiting_ends_when_it_is_so():
    """Who waits looks again at each notification, and goes on when the predicate is true. (C8)"""
    condition, values, looked = AsyncCondition(), [], []

    def predicate():
        looked.append(len(values))
        return len(values) == 2

    task = await begun(condition.wait_for(predicate, CEILING))
    for value in "ab":
        values.append(value)
        condition.notify_all()
        for _ in range(5):
            await asyncio.sleep(0)
    assert await task is True
    assert looked == [0, 1, 2]


async def test_all_who_wait_are_woken():
    """notify_all() wakes everybody, each for a predicate of its own. (K9)"""
    condition, open_doors = AsyncCondition(), set()
    tasks = [await begun(condition.wait_for(lambda n=n: n in open_doors, CEILING)) for n in range(5)]
    open_doors.update({1, 3})
    condition.notify_all()
    done, _ = await asyncio.wait(tasks, timeout=0.01)
    assert done == {tasks[1], tasks[3]}
    open_doors.update(range(5))
    condition.notify_all()
    assert [await task for task in tasks] == [True] * 5


@pytest.mark.parametrize("timeout", [0, -1, 0.01])
async def test_waiting_ends_when_the_time_is_over(timeout):
    """wait_for() returns False where it takes longer than that. (C10, K10)"""
    assert await AsyncCondition().wait_for(lambda: False, timeout) is False


async def test_notifications_do_not_prolong_the_time():
    """The time counts from the beginning, however often somebody is woken in vain. (C10)"""
    condition, stop = AsyncCondition(), asyncio.Event()

    async def pester():
        while not stop.is_set():
            condition.notify_all()
            await asyncio.sleep(0)

    task = await begun(pester())
    assert await asyncio.wait_for(condition.wait_for(lambda: False, 0.02), CEILING) is False
    stop.set()
    await task


async def test_waiting_can_be_cancelled():
    """A cancelled wait is cancelled, and nobody remembers it. (M25)"""
    condition = AsyncCondition()
    task = await begun(condition.wait_for(lambda: False))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not condition._waiters
    condition.notify_all()


async def test_a_predicate_that_fails_fails_the_wait():
    """What a predicate raises reaches who waits. (C8)"""
    with pytest.raises(ZeroDivisionError):
        await AsyncCondition().wait_for(lambda: 1 / 0)


async def test_notifying_twice_in_one_step_is_harmless():
    """A second notification before anybody could look has no effect. (C8)"""
    condition, values = AsyncCondition(), []
    task = await begun(condition.wait_for(lambda: bool(values), CEILING))
    condition.notify_all()
    values.append(1)
    condition.notify_all()
    assert await task is True


def test_a_condition_serves_one_loop_after_another():
    """A condition can be used in a later event loop. (M15)"""
    condition = AsyncCondition()
    for _ in range(2):
        assert run_apart(condition.wait_for(lambda: False, 0.001)) is False
