"""What waits to be sent over one connection of the threaded client."""

from __future__ import annotations

import threading
from collections import deque

import pytest

from socketio.engine.send_queue import SendQueue
from socketio.engine.threads.client import Condition
from socketio.runtime.steps import run

CEILING = 10.0


def taking(queue):
    """Return a thread that takes packets until the queue is closed, and the list of what it took."""
    taken = []

    def take():
        while packets := run(queue.take()):
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
    queue = SendQueue(1000, Condition)
    assert queue.put(["a", b"b"])
    assert queue.put(["c"])
    assert list(run(queue.take())) == ["a", b"b", "c"]


def test_taking_waits_for_packets():
    """take() blocks while there is nothing, and goes on with the first packet. (N5)"""
    queue = SendQueue(1000, Condition)
    thread, taken = taking(queue)
    for packet in "abc":
        queue.put([packet])
        assert run(queue.flush(CEILING))
    queue.close()
    assert ended(thread)
    assert taken == [["a"], ["b"], ["c"]]


def test_packets_of_one_call_stay_together():
    """Whoever puts at the same time, what is put at once has nothing in between. (N7)"""
    queue = SendQueue(1000, Condition)
    thread, taken = taking(queue)

    def put(name):
        for number in range(200):
            queue.put([f"{name} {number}", name.encode()])

    putters = [threading.Thread(target=put, args=(name,)) for name in "abcd"]
    for putter in putters:
        putter.start()
    for putter in putters:
        putter.join(CEILING)
    assert run(queue.flush(CEILING))
    queue.close()
    assert ended(thread)
    packets = [packet for group in taken for packet in group]
    assert len(packets) == 1600
    assert all(header[0].encode() == attachment for header, attachment in zip(packets[::2], packets[1::2], strict=True))
    for name in "abcd":
        numbers = [packet for packet in packets[::2] if packet[0] == name]
        assert numbers == [f"{name} {number}" for number in range(200)]


def test_what_was_taken_is_sent_when_the_next_is_taken():
    """flush() is true when all that was put was taken, and the taker has come back for more. (N9, F1)"""
    queue = SendQueue(1000, Condition)
    assert run(queue.flush(0))
    queue.put(["a"])
    assert not run(queue.flush(0))
    run(queue.take())
    assert not run(queue.flush(0))
    thread, _ = taking(queue)
    assert run(queue.flush(CEILING))
    queue.close()
    assert ended(thread)


def test_flushing_waits_for_what_is_in_only():
    """What is put in after flush() has begun, or after a mark, is not waited for. (issue 10, B4)"""
    queue = SendQueue(2**20, Condition)
    queue.put(["before"])
    mark = queue.mark()
    assert run(queue.take()) == deque(["before"])
    queue.put(["after"])
    assert not run(queue.flush(0, mark))
    run(queue.take()).clear()
    assert run(queue.flush(0, mark))
    queue.put(["later"])
    assert run(queue.flush(0, mark))
    assert not run(queue.flush(0))


def test_flushing_is_bounded():
    """flush() returns False when it takes longer than its time. (F1)"""
    queue = SendQueue(1000, Condition)
    queue.put(["a"])
    assert not run(queue.flush(0.01))


def test_a_closed_queue_takes_nothing_and_gives_nothing():
    """After close() put() returns False, and take() gives nothing. (N1)"""
    queue = SendQueue(1000, Condition)
    queue.put(["a"])
    queue.close()
    assert not queue.put(["b"])
    assert not run(queue.take())


@pytest.mark.parametrize(("taken", "sent", "unsent"), [(0, 0, 3), (3, 0, 3), (3, 2, 1), (3, 3, 0)])
def test_closing_tells_what_was_not_sent(taken, sent, unsent):
    """close() returns how many messages nobody has sent, those that were taken included. (N5)"""
    queue = SendQueue(1000, Condition)
    queue.put(["4a", b"b", "4c"])
    packets = run(queue.take()) if taken else None
    for _ in range(sent):
        packets.popleft()
    assert queue.close() == unsent
    assert queue.close() == unsent
    assert run(queue.flush(0)) is (unsent == 0)


def test_closing_wakes_all_who_wait():
    """Who waits in take() or flush() goes on when the queue is closed. (N39)"""
    queue, answers = SendQueue(1000, Condition), []
    queue.put(["a"])
    run(queue.take())
    flushing = threading.Thread(target=lambda: answers.append(run(queue.flush(CEILING))))
    flushing.start()
    queue.close()
    assert ended(flushing)
    assert answers == [False]
    idle = SendQueue(1000, Condition)
    thread, _ = taking(idle)
    idle.close()
    assert ended(thread)


def test_what_is_put_while_something_is_sent_waits():
    """Packets that come while others are being sent are taken next. (N5)"""
    queue = SendQueue(1000, Condition)
    queue.put(["a"])
    first = run(queue.take())
    queue.put(["b"])
    assert list(first) == ["a"]
    assert list(run(queue.take())) == ["b"]
