"""The packets that wait to be sent over one connection, without I/O.

In: packets, all of one call together. Out: the same packets, for one sender at a time: the writing thread or task, or a
caller that sends them itself. Unsent packets are counted, so that callers can wait for room or until all are sent.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from ..runtime.steps import Steps, Wait
from .frames import Outgoing

PORTION = 2**20
"""Bytes taken at a time, so that there is room again before all is sent."""


class SendQueue:
    """A queue, first in, first out.

    :param high_water_mark: the size above which there is no room.
    :param condition: creates a condition from a lock, and acquires the lock itself.
    :param start_writer: called once, when the writing thread is needed.
    :ivar size: bytes, or characters, that are not sent yet.
    :ivar closed: whether further packets are refused.
    """

    def __init__(
        self, high_water_mark: int, condition: Callable[[Any], Any], start_writer: Callable[[], None] | None = None
    ) -> None:
        self.size = 0
        self.high_water_mark = high_water_mark
        # Used directly, never through a condition: Ctrl-C can come between the lines of Condition.__enter__.
        # Re-entrant: a signal handler may call disconnect() on the thread that holds it.
        self._lock = threading.RLock()
        self._filled, self._emptied = condition(self._lock), condition(self._lock)
        self._start_writer = start_writer
        self._waiting: deque[Outgoing] = deque()
        self._taken: deque[Outgoing] | tuple[()] = ()  # while nothing is sent: a deque takes 600 bytes
        self._taken_size = self._added = self._accepted = 0
        self._sender: object = None
        self.closed = False

    # -- putting in

    def put(self, packets: list[Outgoing], wake: bool = True, accepts: bool = False) -> bool:
        """Add packets, with nothing in between; return ``False`` when the queue is closed.

        :param wake: ``False`` if :meth:`try_take` is called next.
        :param accepts: whether the application adds them, after waiting for room.
        """
        with self._lock:
            if self.closed:
                return False
            self._waiting.extend(packets)
            self._added += len(packets)
            size = self.size + sum(map(len, packets))
            if accepts:
                self._accepted = size  # before the size: another thread may look at both
            self.size = size
            if wake:
                self._wake()
            return True

    def wake(self) -> None:
        """Let the writing thread or task send the packets."""
        with self._lock:
            self._wake()

    def _wake(self) -> None:
        if not self._waiting or self._sender is not None:
            return
        start, self._start_writer = self._start_writer, None
        if start is not None:
            start()
        self._filled.notify_all()

    def close(self) -> int:
        """Refuse further packets; return how many messages were not sent, without pongs and the like."""
        with self._lock:
            self.closed = True
            self._filled.notify_all()
            self._emptied.notify_all()
            return self.unsent()

    # -- taking out

    def take(self) -> Steps[deque[Outgoing] | None]:
        """Wait for packets and take the first of them, a mebibyte or a few more; ``None`` when the queue is closed.

        The writer removes each one from the result when it is sent. Those taken before count as sent now.
        """
        with self._lock:
            if self._sender is self:
                self._taken = ()
                self._release()
        while (packets := self.try_take(self)) is None and not self.closed:
            yield Wait(partial(self._filled.wait_for, self._can_take), None)
        return packets

    def _can_take(self) -> bool:
        return (bool(self._waiting) and self._sender is None) or self.closed

    def try_take(self, sender: object) -> deque[Outgoing] | None:
        """Take packets unless another sender has some, which then sends all. Ends with :meth:`give_back`.

        :param sender: stands for the caller; a signal handler on the same thread is another one.
        """
        with self._lock:
            if self._sender is not None or self.closed or not self._waiting:
                return None
            self._sender = sender
            taken: deque[Outgoing] = deque()
            if self.size <= PORTION:
                taken, self._waiting = self._waiting, taken
                self._taken_size = self.size
            while self._waiting and self._taken_size < PORTION:
                packet = self._waiting.popleft()
                taken.append(packet)
                self._taken_size += len(packet)
            self._taken = taken
            return taken

    def give_back(self, sender: object) -> None:
        """Let the writing thread or task send what was taken and not sent, and newer packets.

        Does nothing for a caller that has taken nothing.
        """
        with self._lock:
            if self._sender is sender:
                self._release()
                self._wake()

    def _release(self) -> None:
        """Count taken packets that were removed as sent; put the others back, before newer ones."""
        self._sender = None
        self.size -= self._taken_size - sum(map(len, self._taken))
        self._waiting.extendleft(reversed(self._taken))
        self._taken, self._taken_size = (), 0
        self._emptied.notify_all()

    def rest(self) -> deque[Outgoing]:
        """Return all unsent packets, after the queue was closed and no sender is left.

        Each packet is to be removed from the result when it is sent.
        """
        self._taken = rest = deque((*self._taken, *self._waiting))
        self._waiting.clear()
        return rest

    # -- waiting

    def has_room(self) -> bool:
        """Return whether there is room. Otherwise callers should wait."""
        return self.size <= self.high_water_mark or self.closed

    def is_overfull(self) -> bool:
        """Return whether answers, which do not wait for room, exceed another high-water mark."""
        return self.size > max(self._accepted, self.high_water_mark) + self.high_water_mark

    def wait_for_room(self, timeout: float | None) -> Steps[bool]:
        """Wait until there is room; return ``False`` after ``timeout`` seconds, or if the queue is closed."""
        yield Wait(partial(self._emptied.wait_for, self.has_room), timeout)
        return self.has_room() and not self.closed

    def mark(self) -> int:
        """Return a mark after the last queued packet, for :meth:`flush`."""
        return self._added

    def flush(self, timeout: float, mark: int | None = None) -> Steps[bool]:
        """Wait until all packets in the queue, or those before a mark, are sent. Does not wait for newer ones.

        Returns ``False`` after ``timeout`` seconds, or if the queue is closed.
        """
        self.wake()
        end = self._added if mark is None else mark
        if not self._is_sent(end):
            yield Wait(partial(self._emptied.wait_for, lambda: self.closed or self._is_sent(end)), timeout)
        return self._is_sent(end)

    def _is_sent(self, mark: int) -> bool:
        return self._added - self.qsize() >= mark

    # -- counting

    def qsize(self) -> int:
        """Return the number of packets that are not sent yet."""
        return len(self._waiting) + len(self._taken)

    def empty(self) -> bool:
        """Return whether everything is sent."""
        return self.qsize() == 0

    def unsent(self) -> int:
        """Return how many messages were not sent."""
        return sum(isinstance(packet, bytes) or packet[:1] == "4" for packet in (*self._taken, *self._waiting))
