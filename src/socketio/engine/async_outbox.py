"""What waits to be sent over one connection: a queue that callers fill and one task empties.

All packets of one call stay together. Nothing here knows a transport.
"""

from __future__ import annotations

from collections import deque

from ..async_condition import AsyncCondition
from .frames import Outgoing


class AsyncOutbox:
    """The packets of one connection, first in, first out."""

    def __init__(self) -> None:
        self._changed = AsyncCondition()
        self._waiting: deque[Outgoing] = deque()
        self._taken: deque[Outgoing] = deque()
        self._closed = False

    def put(self, packets: list[Outgoing], wake: bool = True) -> bool:
        """Add packets, with nothing in between; return ``False`` when the outbox is closed.

        :param wake: ``False`` where the sending task shall not be woken yet.
        """
        if self._closed:
            return False
        self._waiting.extend(packets)
        if wake:
            self.wake()
        return True

    def wake(self) -> None:
        """Have the sending task look for packets."""
        self._changed.notify_all()

    async def take(self) -> deque[Outgoing]:
        """Wait for packets and take all of them; none means that the outbox is closed.

        Whoever takes them removes each one from the result when it is sent. Those taken before count as sent now.
        """
        self._taken = deque()
        self._changed.notify_all()
        await self._changed.wait_for(lambda: self._waiting or self._closed)
        if not self._closed:
            self._taken, self._waiting = self._waiting, deque()
        return self._taken

    async def flush(self, timeout: float) -> bool:
        """Wait until all is sent; return whether it was, in ``timeout`` seconds and before the outbox was closed."""
        await self._changed.wait_for(lambda: self._closed or self._is_empty(), timeout)
        return self._is_empty()

    def _is_empty(self) -> bool:
        return not self._waiting and not self._taken

    def close(self) -> int:
        """Take no more packets; return how many were not sent."""
        self._closed = True
        self._changed.notify_all()
        return len(self._taken) + len(self._waiting)

    def rest(self) -> deque[Outgoing]:
        """Return all that was not sent, when the outbox is closed."""
        return self._taken + self._waiting
