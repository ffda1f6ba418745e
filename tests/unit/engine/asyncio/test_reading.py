"""Packets are delivered in turns of the event loop, and read ahead while that takes long."""

from __future__ import annotations

import asyncio
import time

import pytest
from engineio.exceptions import ConnectionError

from socketio.engine.asyncio.reading import AsyncReading, is_own

from ...waiting import CEILING


class Wire:
    """What a server sends: lists of packets, each of which is there at once; then an error, or silence."""

    def __init__(self, *lists, error=None):
        self.lists = list(lists)
        self.error = error
        self.read = 0

    @property
    def is_behind(self):
        return bool(self.lists)

    async def receive(self):
        await asyncio.sleep(0)
        if self.lists:
            self.read += 1
            return self.lists.pop(0)
        if self.error is not None:
            raise self.error
        return await asyncio.get_running_loop().create_future()


class Slow:
    """Takes packets, and a millisecond for each."""

    def __init__(self):
        self.taken = []

    def __call__(self, packets):
        for packet in packets:
            self.taken.append(packet)
            if packet.startswith("4"):
                time.sleep(0.001)


def messages(count, start=0):
    return [f"4{number}" for number in range(start, start + count)]


async def read(reading, deliver, count):
    while len(deliver.taken) < count:
        await asyncio.wait_for(reading.deliver_next(), CEILING)


async def test_pings_overtake_messages_while_handlers_are_slow():
    """What the connection depends on does not wait; the messages stay in order."""
    wire, deliver = Wire(messages(500), [*messages(100, 500), "2", *messages(100, 600)]), Slow()
    reading = AsyncReading(wire, deliver, is_own, bool, 10**6)
    await read(reading, deliver, 701)
    assert deliver.taken.index("2") < 500
    assert [packet for packet in deliver.taken if packet != "2"] == messages(700)


async def test_quick_handlers_read_nothing_ahead():
    """What is delivered quickly is delivered before more is read."""
    wire, seen = Wire(messages(1000), messages(1000, 1000)), []
    taken = []

    def deliver(packets):
        seen.append(wire.read)
        taken.extend(packets)

    reading = AsyncReading(wire, deliver, is_own, bool, 10**6)
    await reading.deliver_next()
    assert set(seen) == {1}
    await reading.deliver_next()
    assert taken == messages(2000)


async def test_not_more_than_a_number_of_bytes_is_read_ahead():
    """Memory is bounded: above that, the server has to wait."""
    wire, deliver = Wire(*(messages(400, 400 * number) for number in range(20))), Slow()
    reading = AsyncReading(wire, deliver, is_own, bool, 3000)
    await reading.deliver_next()
    assert 2 <= wire.read <= 6
    reading.close()


async def test_an_error_comes_after_what_was_read_before():
    """The end of the connection is reported after all earlier packets are delivered."""
    wire, deliver = Wire(messages(400), messages(50, 400), error=ConnectionError("over")), Slow()
    reading = AsyncReading(wire, deliver, is_own, bool, 10**6)
    with pytest.raises(ConnectionError, match="over"):
        await read(reading, deliver, 1000)
    assert deliver.taken == messages(450)


async def test_other_tasks_have_their_turn():
    """After a millisecond of handlers, or while what was delivered is still being handled, others go on."""
    turns = 0
    busy = [False, *[True] * 20]

    async def others():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.ensure_future(others())
    reading = AsyncReading(Wire(messages(50)), Slow(), is_own, lambda: bool(busy) and busy.pop(), 10**6)
    await reading.deliver_next()
    task.cancel()
    assert turns > 50
    assert not any(busy)


async def test_a_reading_that_is_cancelled_goes_on():
    """The event loop ends, with what was read ahead, and the last packets are read by another task."""
    wire, deliver = Wire(messages(400)), Slow()
    reading = AsyncReading(wire, deliver, is_own, bool, 10**6)
    await reading.deliver_next()
    waiting = asyncio.ensure_future(reading.deliver_next())
    await asyncio.sleep(0.01)
    waiting.cancel()
    await asyncio.wait([waiting])
    wire.lists.append(["4last"])
    reading.close()
    await read(reading, deliver, 401)
    assert deliver.taken[-1] == "4last"
