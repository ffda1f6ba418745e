"""What waits to be sent over one connection: a queue that callers fill and one thread empties.

All packets of one call stay together. Nothing here knows a transport.
"""

from __future__ import annotations

import threading

from ..packet import Frame


class Outbox:
    """The packets of one connection, first in, first out."""

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._waiting: list[Frame] = []
        self._taken = 0
        self._closed = False

    def put(self, packets: list[Frame]) -> bool:
        """Add packets, with nothing in between; return ``False`` when the outbox is closed."""
        with self._changed:
            if self._closed:
                return False
            self._waiting.extend(packets)
            self._changed.notify_all()
            return True

    def take(self) -> list[Frame]:
        """Wait for packets and take all of them; an empty list means that the outbox is closed.

        Those taken before count as sent now.
        """
        with self._changed:
            if self._closed:
                return []
            self._taken = 0
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if self._closed:
                return []
            packets, self._waiting = self._waiting, []
            self._taken = len(packets)
            return packets

    def flush(self, timeout: float) -> bool:
        """Wait until all is sent; return whether it was, in ``timeout`` seconds and before the outbox was closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._is_empty(), timeout)
            return self._is_empty()

    def _is_empty(self) -> bool:
        return not self._waiting and not self._taken

    def close(self) -> int:
        """Take no more packets and drop what waits; return how many were not sent."""
        with self._changed:
            unsent = len(self._waiting) + self._taken
            self._closed = True
            self._taken, self._waiting = unsent, []
            self._changed.notify_all()
            return unsent
