"""What waits to be sent over one connection of the asyncio client."""

from __future__ import annotations

import asyncio
from collections import deque

import pytest

from socketio.engine.asyncio.outbox import AsyncOutbox

CEILING = 10.0


async def begun(coroutine):
    """Return a task that waits already."""
    task = asyncio.ensure_future(coroutine)
    await asyncio.sleep(0)
    return task


async def take_all(outbox, taken):
    """Take packets until the outbox is closed, with a pause for sending."""
    while packets := await outbox.take():
        taken.append(list(packets))
        await asyncio.sleep(0)
        packets.clear()


async def test_packets_are_taken_in_their_order():
    """take() gives all that waits, first in, first out. (N5)"""
    outbox = AsyncOutbox(1000)
    assert outbox.put(["a", b"b"])
    assert outbox.put(["c"])
    assert list(await outbox.take()) == ["a", b"b", "c"]


async def test_taking_waits_for_packets():
    """take() waits while there is nothing, and goes on with the first packet. (N5)"""
    outbox, taken = AsyncOutbox(1000), []
    task = await begun(take_all(outbox, taken))
    for packet in "abc":
        outbox.put([packet])
        assert await outbox.flush(CEILING)
    outbox.close()
    await asyncio.wait_for(task, CEILING)
    assert taken == [["a"], ["b"], ["c"]]


async def test_what_was_taken_is_sent_when_the_next_is_taken():
    """flush() is true when all that was put was taken, and the taker has come back for more. (N9, F1)"""
    outbox, taken = AsyncOutbox(1000), []
    assert await outbox.flush(0)
    outbox.put(["a"])
    assert not await outbox.flush(0)
    await outbox.take()
    assert not await outbox.flush(0)
    task = await begun(take_all(outbox, taken))
    assert await outbox.flush(CEILING)
    outbox.close()
    await asyncio.wait_for(task, CEILING)


async def test_flushing_is_bounded():
    """flush() returns False when it takes longer than its time. (F1)"""
    outbox = AsyncOutbox(1000)
    outbox.put(["a"])
    assert not await outbox.flush(0.01)


async def test_flushing_waits_for_what_is_put_meanwhile():
    """What is put while somebody waits in flush() is waited for too. (N9)"""
    outbox, taken = AsyncOutbox(1000), []
    outbox.put(["a"])
    flushing = await begun(outbox.flush(CEILING))
    outbox.put(["b"])
    task = await begun(take_all(outbox, taken))
    outbox.put(["c"])
    assert await flushing
    assert taken == [["a", "b"], ["c"]]
    outbox.close()
    await asyncio.wait_for(task, CEILING)


async def test_a_closed_outbox_takes_nothing_and_gives_nothing():
    """After close() put() returns False, and take() gives nothing. (N1)"""
    outbox = AsyncOutbox(1000)
    outbox.put(["a"])
    outbox.close()
    assert not outbox.put(["b"])
    assert not await outbox.take()


@pytest.mark.parametrize(("taken", "sent", "unsent"), [(0, 0, 3), (3, 0, 3), (3, 2, 1), (3, 3, 0)])
async def test_closing_tells_what_was_not_sent(taken, sent, unsent):
    """close() returns how many messages nobody has sent, those that were taken included. (N5)"""
    outbox = AsyncOutbox(1000)
    outbox.put(["4a", b"b", "4c"])
    packets = await outbox.take() if taken else None
    for _ in range(sent):
        packets.popleft()
    assert outbox.close() == unsent
    assert outbox.close() == unsent
    assert await outbox.flush(0) is (unsent == 0)


async def test_the_rest_is_what_was_not_sent():
    """rest() gives what was taken and not sent, then what nobody took, for who wants to send it still. (N9)"""
    outbox = AsyncOutbox(1000)
    outbox.put(["a", "b"])
    (await outbox.take()).popleft()
    outbox.put([b"c"])
    outbox.close()
    assert list(outbox.rest()) == ["b", b"c"]


async def test_closing_wakes_all_who_wait():
    """Who waits in take() or flush() goes on when the outbox is closed. (N39)"""
    outbox = AsyncOutbox(1000)
    outbox.put(["a"])
    await outbox.take()
    flushing = await begun(outbox.flush(CEILING))
    taking = await begun(AsyncOutbox.take(idle := AsyncOutbox(1000)))
    outbox.close()
    idle.close()
    assert await flushing is False
    assert not await asyncio.wait_for(taking, CEILING)


async def test_a_cancelled_taker_takes_nothing():
    """Packets that come after the taker was cancelled are still there. (M25)"""
    outbox = AsyncOutbox(1000)
    task = await begun(outbox.take())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    outbox.put(["a"])
    assert list(await outbox.take()) == ["a"]


async def test_a_caller_may_take_what_nobody_sends():
    """try_take() takes what waits, and give_back() counts what is not there any more as sent. (N5)"""
    outbox = AsyncOutbox(1000)
    outbox.put(["a", "b"], wake=False)
    taken = outbox.try_take()
    assert list(taken) == ["a", "b"]
    taken.clear()
    outbox.give_back()
    assert outbox.size == 0
    assert await outbox.flush(0)


async def test_what_a_caller_could_not_send_is_left_to_the_task():
    """What is given back comes first, before what was put meanwhile. (N5, N9)"""
    outbox, taken = AsyncOutbox(1000), []
    task = await begun(take_all(outbox, taken))
    outbox.put(["a", "b"], wake=False)
    outbox.try_take().popleft()
    outbox.give_back()
    outbox.put(["c"])
    assert await outbox.flush(CEILING)
    outbox.close()
    await asyncio.wait_for(task, CEILING)
    assert [packet for packets in taken for packet in packets] == ["b", "c"]


async def test_nothing_is_taken_while_the_task_sends():
    """What the task has taken and not sent is never overtaken. (N5)"""
    outbox = AsyncOutbox(1000)
    outbox.put(["a"])
    await outbox.take()
    outbox.put(["b"])
    assert outbox.try_take() is None
    outbox.close()
    assert outbox.try_take() is None


async def test_whoever_waits_for_room_is_told_by_a_caller_who_has_sent():
    """give_back() wakes up those who wait for room, or for all to be sent. (N12)"""
    outbox = AsyncOutbox(1)
    outbox.put(["large"], wake=False)
    waiting = [await begun(outbox.wait_for_room(CEILING)), await begun(outbox.flush(CEILING))]
    outbox.try_take().clear()
    outbox.give_back()
    assert await asyncio.gather(*waiting) == [True, True]


async def test_flushing_waits_for_what_is_in_only():
    """What is put in after flush() has begun is not waited for. (issue 10, B4)"""
    outbox = AsyncOutbox(2**20)
    outbox.put(["before"])
    flushing = await begun(outbox.flush(CEILING))
    (await outbox.take()).clear()
    outbox.put(["after"])
    assert await outbox.take() == deque(["after"])
    assert await flushing
