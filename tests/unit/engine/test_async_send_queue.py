"""What waits to be sent over one connection of the asyncio client."""

from __future__ import annotations

import asyncio
from collections import deque

import pytest

from socketio.engine.send_queue import SendQueue
from socketio.runtime.async_condition import AsyncCondition
from socketio.runtime.steps import run_async

CEILING = 10.0


def new_queue(high_water_mark=1000):
    return SendQueue(high_water_mark, lambda lock: AsyncCondition())


async def begun(coroutine):
    """Return a task that waits already."""
    task = asyncio.ensure_future(coroutine)
    await asyncio.sleep(0)
    return task


async def take_all(queue, taken):
    """Take packets until the queue is closed, with a pause for sending."""
    while packets := await run_async(queue.take()):
        taken.append(list(packets))
        await asyncio.sleep(0)
        packets.clear()


async def test_packets_are_taken_in_their_order():
    """take() gives all that waits, first in, first out. (N5)"""
    queue = new_queue()
    assert queue.put(["a", b"b"])
    assert queue.put(["c"])
    assert list(await run_async(queue.take())) == ["a", b"b", "c"]


async def test_taking_waits_for_packets():
    """take() waits while there is nothing, and goes on with the first packet. (N5)"""
    queue, taken = new_queue(), []
    task = await begun(take_all(queue, taken))
    for packet in "abc":
        queue.put([packet])
        assert await run_async(queue.flush(CEILING))
    queue.close()
    await asyncio.wait_for(task, CEILING)
    assert taken == [["a"], ["b"], ["c"]]


async def test_what_was_taken_is_sent_when_the_next_is_taken():
    """flush() is true when all that was put was taken, and the taker has come back for more. (N9, F1)"""
    queue, taken = new_queue(), []
    assert await run_async(queue.flush(0))
    queue.put(["a"])
    assert not await run_async(queue.flush(0))
    await run_async(queue.take())
    assert not await run_async(queue.flush(0))
    task = await begun(take_all(queue, taken))
    assert await run_async(queue.flush(CEILING))
    queue.close()
    await asyncio.wait_for(task, CEILING)


async def test_flushing_is_bounded():
    """flush() returns False when it takes longer than its time. (F1)"""
    queue = new_queue()
    queue.put(["a"])
    assert not await run_async(queue.flush(0.01))


async def test_flushing_waits_for_what_is_put_meanwhile():
    """What is put while somebody waits in flush() is waited for too. (N9)"""
    queue, taken = new_queue(), []
    queue.put(["a"])
    flushing = await begun(run_async(queue.flush(CEILING)))
    queue.put(["b"])
    task = await begun(take_all(queue, taken))
    queue.put(["c"])
    assert await flushing
    assert taken == [["a", "b"], ["c"]]
    queue.close()
    await asyncio.wait_for(task, CEILING)


async def test_a_closed_queue_takes_nothing_and_gives_nothing():
    """After close() put() returns False, and take() gives nothing. (N1)"""
    queue = new_queue()
    queue.put(["a"])
    queue.close()
    assert not queue.put(["b"])
    assert not await run_async(queue.take())


@pytest.mark.parametrize(("taken", "sent", "unsent"), [(0, 0, 3), (3, 0, 3), (3, 2, 1), (3, 3, 0)])
async def test_closing_tells_what_was_not_sent(taken, sent, unsent):
    """close() returns how many messages nobody has sent, those that were taken included. (N5)"""
    queue = new_queue()
    queue.put(["4a", b"b", "4c"])
    packets = await run_async(queue.take()) if taken else None
    for _ in range(sent):
        packets.popleft()
    assert queue.close() == unsent
    assert queue.close() == unsent
    assert await run_async(queue.flush(0)) is (unsent == 0)


async def test_the_rest_is_what_was_not_sent():
    """rest() gives what was taken and not sent, then what nobody took, for who wants to send it still. (N9)"""
    queue = new_queue()
    queue.put(["a", "b"])
    (await run_async(queue.take())).popleft()
    queue.put([b"c"])
    queue.close()
    assert list(queue.rest()) == ["b", b"c"]


async def test_closing_wakes_all_who_wait():
    """Who waits in take() or flush() goes on when the queue is closed. (N39)"""
    queue = new_queue()
    queue.put(["a"])
    await run_async(queue.take())
    flushing = await begun(run_async(queue.flush(CEILING)))
    taking = await begun(run_async((idle := new_queue()).take()))
    queue.close()
    idle.close()
    assert await flushing is False
    assert not await asyncio.wait_for(taking, CEILING)


async def test_a_cancelled_taker_takes_nothing():
    """Packets that come after the taker was cancelled are still there. (M25)"""
    queue = new_queue()
    task = await begun(run_async(queue.take()))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    queue.put(["a"])
    assert list(await run_async(queue.take())) == ["a"]


async def test_a_caller_may_take_what_nobody_sends():
    """try_take() takes what waits, and give_back() counts what is not there any more as sent. (N5)"""
    queue = new_queue()
    queue.put(["a", "b"], wake=False)
    taken = queue.try_take("me")
    assert list(taken) == ["a", "b"]
    taken.clear()
    queue.give_back("me")
    assert queue.size == 0
    assert await run_async(queue.flush(0))


async def test_what_a_caller_could_not_send_is_left_to_the_task():
    """What is given back comes first, before what was put meanwhile. (N5, N9)"""
    queue, taken = new_queue(), []
    task = await begun(take_all(queue, taken))
    queue.put(["a", "b"], wake=False)
    queue.try_take("me").popleft()
    queue.give_back("me")
    queue.put(["c"])
    assert await run_async(queue.flush(CEILING))
    queue.close()
    await asyncio.wait_for(task, CEILING)
    assert [packet for packets in taken for packet in packets] == ["b", "c"]


async def test_nothing_is_taken_while_the_task_sends():
    """What the task has taken and not sent is never overtaken. (N5)"""
    queue = new_queue()
    queue.put(["a"])
    await run_async(queue.take())
    queue.put(["b"])
    assert queue.try_take("me") is None
    queue.close()
    assert queue.try_take("me") is None


async def test_whoever_waits_for_room_is_told_by_a_caller_who_has_sent():
    """give_back() wakes up those who wait for room, or for all to be sent. (N12)"""
    queue = new_queue(1)
    queue.put(["large"], wake=False)
    waiting = [await begun(run_async(queue.wait_for_room(CEILING))), await begun(run_async(queue.flush(CEILING)))]
    queue.try_take("me").clear()
    queue.give_back("me")
    assert await asyncio.gather(*waiting) == [True, True]


async def test_flushing_waits_for_what_is_in_only():
    """What is put in after flush() has begun is not waited for. (issue 10, B4)"""
    queue = new_queue(2**20)
    queue.put(["before"])
    flushing = await begun(run_async(queue.flush(CEILING)))
    (await run_async(queue.take())).clear()
    queue.put(["after"])
    assert await run_async(queue.take()) == deque(["after"])
    assert await flushing
