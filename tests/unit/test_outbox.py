"""What waits to be sent over one connection of the threaded client."""

from __future__ import annotations

import threading
from collections import deque

import pytest

from socketio.engine.threads.outbox import Outbox

CEILING = 10.0


def taking(outbox):
    """Return a thread that takes packets until the outbox is closed, and the list of what it took."""
    taken = []

    def take():
        while packets := outbox.take():
            taken.append(list(packets))
            packets.clear()

    thread = threading.Thread(target=take)
    thread.start()
    return thread, taken


def ended(thread):
    thread.join(CEILING)
    return not thread.is_alive()


def test_packets_are_taken_in_their_order():
    """take() gives all that waits, first in, first out. (N5)"""
    outbox = Outbox(lambda: None, 1000)
    assert outbox.put(["a", b"b"])
    assert outbox.put(["c"])
    assert list(outbox.take()) == ["a", b"b", "c"]


def test_taking_waits_for_packets():
    """take() blocks while there is nothing, and goes on with the first packet. (N5)"""
    outbox = Outbox(lambda: None, 1000)
    thread, taken = taking(outbox)
    for packet in "abc":
        outbox.put([packet])
        assert outbox.flush(CEILING)
    outbox.close()
    assert ended(thread)
    assert taken == [["a"], ["b"], ["c"]]


def test_packets_of_one_call_stay_together():
    """Whoever puts at the same time, what is put at once has nothing in between. (N7)"""
    outbox = Outbox(lambda: None, 1000)
    thread, taken = taking(outbox)

    def put(name):
        for number in range(200):
            outbox.put([f"{name} {number}", name.encode()])

    putters = [threading.Thread(target=put, args=(name,)) for name in "abcd"]
    for putter in putters:
        putter.start()
    for putter in putters:
        putter.join(CEILING)
    assert outbox.flush(CEILING)
    outbox.close()
    assert ended(thread)
    packets = [packet for group in taken for packet in group]
    assert len(packets) == 1600
    assert all(header[0].encode() == attachment for header, attachment in zip(packets[::2], packets[1::2], strict=True))
    for name in "abcd":
        numbers = [packet for packet in packets[::2] if packet[0] == name]
        assert numbers == [f"{name} {number}" for number in range(200)]


def test_what_was_taken_is_sent_when_the_next_is_taken():
    """flush() is true when all that was put was taken, and the taker has come back for more. (N9, F1)"""
    outbox = Outbox(lambda: None, 1000)
    assert outbox.flush(0)
    outbox.put(["a"])
    assert not outbox.flush(0)
    outbox.take()
    assert not outbox.flush(0)
    thread, _ = taking(outbox)
    assert outbox.flush(CEILING)
    outbox.close()
    assert ended(thread)


def test_flushing_waits_for_what_is_in_only():
    """What is put in after flush() has begun, or after a mark, is not waited for. (issue 10, B4)"""
    outbox = Outbox(lambda: None, 2**20)
    outbox.put(["before"])
    mark = outbox.mark()
    assert outbox.take() == deque(["before"])
    outbox.put(["after"])
    assert not outbox.flush(0, mark)
    outbox.take().clear()
    assert outbox.flush(0, mark)
    outbox.put(["later"])
    assert outbox.flush(0, mark)
    assert not outbox.flush(0)


def test_flushing_is_bounded():
    """flush() returns False when it takes longer than its time. (F1)"""
    outbox = Outbox(lambda: None, 1000)
    outbox.put(["a"])
    assert not outbox.flush(0.01)


def test_a_closed_outbox_takes_nothing_and_gives_nothing():
    """After close() put() returns False, and take() gives nothing. (N1)"""
    outbox = Outbox(lambda: None, 1000)
    outbox.put(["a"])
    outbox.close()
    assert not outbox.put(["b"])
    assert not outbox.take()


@pytest.mark.parametrize(("taken", "sent", "unsent"), [(0, 0, 3), (3, 0, 3), (3, 2, 1), (3, 3, 0)])
def test_closing_tells_what_was_not_sent(taken, sent, unsent):
    """close() returns how many messages nobody has sent, those that were taken included. (N5)"""
    outbox = Outbox(lambda: None, 1000)
    outbox.put(["4a", b"b", "4c"])
    packets = outbox.take() if taken else None
    for _ in range(sent):
        packets.popleft()
    assert outbox.close() == unsent
    assert outbox.close() == unsent
    assert outbox.flush(0) is (unsent == 0)


def test_closing_wakes_all_who_wait():
    """Who waits in take() or flush() goes on when the outbox is closed. (N39)"""
    outbox, answers = Outbox(lambda: None, 1000), []
    outbox.put(["a"])
    outbox.take()
    flushing = threading.Thread(target=lambda: answers.append(outbox.flush(CEILING)))
    flushing.start()
    outbox.close()
    assert ended(flushing)
    assert answers == [False]
    idle = Outbox(lambda: None, 1000)
    thread, _ = taking(idle)
    idle.close()
    assert ended(thread)


def test_what_is_put_while_something_is_sent_waits():
    """Packets that come while others are being sent are taken next. (N5)"""
    outbox = Outbox(lambda: None, 1000)
    outbox.put(["a"])
    first = outbox.take()
    outbox.put(["b"])
    assert list(first) == ["a"]
    assert list(outbox.take()) == ["b"]
