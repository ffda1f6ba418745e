"""What ``threading.Condition`` is to threads, for one event loop: wait until something is so, tell that it may be."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any


class AsyncCondition:
    """Wakes those who wait for something to become true. Can be made outside of an event loop."""

    def __init__(self) -> None:
        self._waiters: set[asyncio.Future[None]] = set()

    def notify_all(self) -> None:
        """Have all who wait look again."""
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def wait_for(self, predicate: Callable[[], Any], timeout: float | None = None) -> bool:
        """Wait until ``predicate`` is true; return ``False`` when that takes longer than ``timeout`` seconds."""
        loop = asyncio.get_running_loop()
        deadline = None if timeout is None else loop.time() + timeout
        while not predicate():
            rest = None if deadline is None else deadline - loop.time()
            if rest is not None and rest <= 0:
                return False
            waiter = loop.create_future()
            self._waiters.add(waiter)
            try:
                await asyncio.wait([waiter], timeout=rest)
            finally:
                self._waiters.discard(waiter)
        return True
