"""What waits to be sent, where callers send it themselves: who has it, who gets it next, and that nothing is lost."""

from __future__ import annotations

import random
import sys
import threading

import pytest

from socketio.engine.send_queue import SendQueue
from socketio.engine.threads.client import Condition
from socketio.runtime.steps import run

CEILING = 20.0
ROOM = 1 << 30
ME, ANOTHER = "me", "another"


class Sender:
    """An queue with a writing thread, and callers that send themselves where they can.

    :ivar sent: all that was sent, in order.
    """

    def __init__(self):
        self.sent, self.started, self.sending = [], 0, threading.Lock()
        self.queue = SendQueue(ROOM, Condition, self.start)
        self.threads = []

    def start(self):
        self.started += 1
        self.threads.append(threading.Thread(target=self.write, daemon=True))
        self.threads[-1].start()

    def write(self):
        while packets := run(self.queue.take()):
            self.send(packets)

    def send(self, packets, most=sys.maxsize):
        assert self.sending.acquire(blocking=False), "two threads send at the same time"
        while packets and most:
            self.sent.append(packets.popleft())
            most -= 1
        self.sending.release()

    def send_at_once(self, most=sys.maxsize):
        me = object()
        try:
            packets = self.queue.try_take(me)
            if packets:
                self.send(packets, most)
        finally:
            self.queue.give_back(me)

    def close(self):
        unsent = self.queue.close()
        for thread in self.threads:
            thread.join(CEILING)
            assert not thread.is_alive()
        return unsent


@pytest.fixture
def sender():
    sender = Sender()
    yield sender
    sender.close()


@pytest.fixture
def _hasty_switching():
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


# -- one caller


def test_a_caller_sends_without_the_writing_thread(sender):
    """What is put without waking anybody, and then sent at once, starts no thread. (N39)"""
    for number in range(10):
        sender.queue.put([number_text(number)], wake=False)
        sender.send_at_once()
    assert sender.sent == [number_text(number) for number in range(10)]
    assert run(sender.queue.flush(0))
    assert sender.started == 0


def number_text(number):
    return f"packet {number}"


def test_the_writing_thread_is_started_once(sender):
    """However often there is something to do for it. (N39)"""
    for number in range(100):
        sender.queue.put([number_text(number)])
        if number % 10 == 0:
            assert run(sender.queue.flush(CEILING))
    sender.queue.wake()
    assert run(sender.queue.flush(CEILING))
    assert sender.started == 1
    assert sender.sent == [number_text(number) for number in range(100)]


def test_nothing_to_do_starts_nobody(sender):
    """wake(), flush() and give_back() of an empty queue start no thread. (N39)"""
    sender.queue.wake()
    assert run(sender.queue.flush(0))
    sender.queue.give_back(ME)
    assert sender.queue.try_take(ME) is None
    assert sender.started == 0


def test_flushing_starts_the_writing_thread(sender):
    """What was put without waking anybody is sent all the same, when somebody waits for it. (F1)"""
    sender.queue.put(["a"], wake=False)
    assert run(sender.queue.flush(CEILING))
    assert sender.sent == ["a"]


def test_what_a_caller_has_taken_nobody_else_takes():
    """While one has packets, try_take() gives none, and they count as not sent. (N5)"""
    queue = SendQueue(ROOM, Condition)
    queue.put(["4a", "4b"], wake=False)
    taken = queue.try_take(ME)
    queue.put(["4c"], wake=False)
    assert list(taken) == ["4a", "4b"]
    assert queue.try_take(ME) is None
    assert not run(queue.flush(0))
    assert queue.close() == 3


def test_what_was_not_sent_comes_first_again():
    """Given back, packets stand before those that came meanwhile. (N5)"""
    queue = SendQueue(ROOM, Condition)
    queue.put(["a", "b"], wake=False)
    queue.try_take(ME).popleft()
    queue.put(["c"], wake=False)
    queue.give_back(ME)
    assert list(queue.try_take(ME)) == ["b", "c"]


def test_the_writing_thread_gets_what_was_given_back(sender):
    """What a caller could not send, and what came while it sent, is sent after it, in order. (N5)"""
    sender.queue.put(["a", "b", "c"], wake=False)
    sender.send_at_once(most=1)
    sender.queue.put(["d"], wake=False)
    assert run(sender.queue.flush(CEILING))
    assert sender.sent == ["a", "b", "c", "d"]
    assert sender.started == 1


def test_another_caller_cannot_give_back():
    """Only who has taken can; a signal handler on the same thread is another caller. (N5, M19)"""
    queue = SendQueue(ROOM, Condition)
    queue.put(["a"], wake=False)
    taken = queue.try_take(ME)
    queue.put(["b"], wake=False)
    assert queue.try_take(ANOTHER) is None
    queue.give_back(ANOTHER)
    assert list(taken) == ["a"]
    taken.clear()
    queue.give_back(ME)
    assert list(queue.try_take(ANOTHER)) == ["b"]


def test_a_writing_thread_that_has_just_started_takes_nothing_from_a_caller():
    """Its first take() waits until the caller has given back; what the caller has stays with it. (N5)"""
    queue = SendQueue(ROOM, Condition)
    queue.put(["a"], wake=False)
    taken, written = queue.try_take(ME), []
    writer = threading.Thread(target=lambda: written.extend(run(queue.take())), daemon=True)
    writer.start()
    writer.join(0.05)  # it waits
    assert list(taken) == ["a"]
    assert written == []
    queue.put(["b"])
    taken.clear()
    queue.give_back(ME)
    writer.join(CEILING)
    assert written == ["b"]
    queue.close()


def test_a_closed_queue_gives_nothing_to_callers():
    """After close() try_take() gives nothing; what was not sent is counted, once. (N1)"""
    queue = SendQueue(ROOM, Condition)
    queue.put(["4a", "4b"], wake=False)
    queue.try_take(ME).popleft()
    assert queue.close() == 1
    queue.give_back(ME)
    assert queue.close() == 1
    assert queue.try_take(ME) is None


def test_a_closed_queue_gives_the_writing_thread_nothing_of_a_caller():
    """What a caller is sending when the queue is closed stays with it. (N1)"""
    queue, written = SendQueue(ROOM, Condition), []
    queue.put(["a"], wake=False)
    queue.try_take(ME)
    queue.close()
    writer = threading.Thread(target=lambda: written.append(run(queue.take())), daemon=True)
    writer.start()
    writer.join(CEILING)
    assert written == [None]


# -- many callers


@pytest.mark.usefixtures("_hasty_switching")
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_nothing_is_lost_or_overtaken(sender, share):
    """Callers that send themselves, wholly or in part, and those that leave it: each keeps its order. (N5, N7)"""

    def work(name):
        chance = random.Random(name)
        for number in range(500):
            by_itself = chance.random() < share
            sender.queue.put([f"{name} {number}", f"{name} {number}".encode()], wake=not by_itself)
            if by_itself:
                sender.send_at_once(chance.choice([0, 1, 2, sys.maxsize]))

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcdefgh"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(CEILING)
        assert not thread.is_alive()
    assert run(sender.queue.flush(CEILING))
    assert sender.close() == 0
    texts, attachments = sender.sent[::2], sender.sent[1::2]
    assert [text.encode() for text in texts] == attachments
    for name in "abcdefgh":
        assert [text for text in texts if text[0] == name] == [f"{name} {number}" for number in range(500)]
    assert sender.started <= 1


@pytest.mark.usefixtures("_hasty_switching")
def test_the_first_packets_are_not_lost_either():
    """A caller that sends itself while the writing thread starts: what it has is sent once, and in order. (N5)"""
    for _ in range(200):
        sender = Sender()
        sender.queue.put(["a"])
        sender.queue.put(["b"], wake=False)
        sender.send_at_once()
        assert run(sender.queue.flush(CEILING))
        assert sender.close() == 0
        assert sender.sent == ["a", "b"]
