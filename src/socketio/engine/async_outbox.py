"""What waits to be sent over one connection: a queue that callers fill and one task empties.

All packets of one call stay together. Nothing here knows a transport.
"""

from __future__ import annotations

import asyncio

from ..packet import Frame


class AsyncOutbox:
    """The packets of one connection, first in, first out."""

    def __init__(self) -> None:
        self._filled = asyncio.Event()
        self._settled = asyncio.Event()
        self._settled.set()
        self._waiting: list[Frame] = []
        self._taken = 0
        self._closed = False

    def put(self, packets: list[Frame]) -> bool:
        """Add packets, with nothing in between; return ``False`` when the outbox is closed."""
        if self._closed:
            return False
        self._waiting.extend(packets)
        self._settled.clear()
        self._filled.set()
        return True

    async def take(self) -> list[Frame]:
        """Wait for packets and take all of them; an empty list means that the outbox is closed.

        Those taken before count as sent now.
        """
        if self._closed:
            return []
        self._taken = 0
        if not self._waiting:
            self._filled.clear()
            self._settled.set()
            await self._filled.wait()
        if self._closed:
            return []
        packets, self._waiting = self._waiting, []
        self._taken = len(packets)
        return packets

    async def flush(self, timeout: float) -> bool:
        """Wait until all is sent; return whether it was, in ``timeout`` seconds and before the outbox was closed."""
        try:
            await asyncio.wait_for(self._settled.wait(), timeout)
        except asyncio.TimeoutError:
            return False
        return not self._waiting and not self._taken

    def close(self) -> int:
        """Take no more packets and drop what waits; return how many were not sent."""
        unsent = len(self._waiting) + self._taken
        self._closed = True
        self._taken, self._waiting = unsent, []
        self._filled.set()
        self._settled.set()
        return unsent
