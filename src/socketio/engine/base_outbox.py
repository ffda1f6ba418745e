"""What both outboxes keep: the packets of one connection, first in, first out, and how much they are."""

from __future__ import annotations

from collections import deque

from .frames import Outgoing

PORTION = 2**20
"""What is taken at a time, so that there is room again before all is sent."""


class BaseOutbox:
    """The part of :class:`Outbox` and :class:`AsyncOutbox` that does not wait.

    :param high_water_mark: the size above which there is no room.
    :ivar size: bytes, or characters, that are not sent yet.
    """

    def __init__(self, high_water_mark: int) -> None:
        self.size = 0
        self.high_water_mark = high_water_mark
        self._waiting: deque[Outgoing] = deque()
        self._taken: deque[Outgoing] = deque()
        self._taken_size = 0
        self._added = 0
        self._accepted = 0
        self._closed = False

    def is_overfull(self) -> bool:
        """Return whether more than a high-water mark was put in beyond that: answers, which wait for nothing."""
        return self.size > max(self._accepted, self.high_water_mark) + self.high_water_mark

    def has_room(self) -> bool:
        """Return whether more may be put in; whoever can wait should, else."""
        return self.size <= self.high_water_mark or self._closed

    def _add(self, packets: list[Outgoing], accepts: bool) -> None:
        self._waiting.extend(packets)
        self._added += len(packets)
        size = self.size + sum(map(len, packets))
        if accepts:
            self._accepted = size  # before the size: another thread may look at both
        self.size = size

    def _take(self) -> None:
        """Take the first packets."""
        if self.size <= PORTION:  # all of them
            self._taken, self._waiting = self._waiting, self._taken
            self._taken_size = self.size
            return
        while self._waiting and self._taken_size < PORTION:
            packet = self._waiting.popleft()
            self._taken.append(packet)
            self._taken_size += len(packet)

    def _settle(self) -> None:
        """Count what was taken and is not there any more as sent."""
        left = sum(map(len, self._taken))
        self.size -= self._taken_size - left
        self._taken_size = left

    def _put_back(self) -> None:
        """Have what was taken and not sent wait again, before what came meanwhile."""
        self._settle()
        self._waiting.extendleft(reversed(self._taken))
        self._taken.clear()
        self._taken_size = 0

    def mark(self) -> int:
        """Return a mark after the last queued packet, for ``is_sent()``."""
        return self._added

    def is_sent(self, mark: int) -> bool:
        """Return whether all that was put in before a mark is sent."""
        return self._added - len(self._waiting) - len(self._taken) >= mark

    def count(self) -> int:
        """Return how many packets are not sent yet."""
        return len(self._waiting) + len(self._taken)

    def unsent(self) -> int:
        """Return how many messages were not sent. What the engine itself says, pongs for one, is nobody's loss."""
        return sum(isinstance(packet, bytes) or packet[:1] == "4" for packet in (*self._taken, *self._waiting))
