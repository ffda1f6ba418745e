"""A condition variable and an event for asyncio, with time limits.

``asyncio.wait_for()`` makes a task for each wait, which takes longer than most waits here, and counts time in which the
event loop is busy: see ``async_time_limit.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from .async_time_limit import TimeLimit

T = TypeVar("T")


def running_loop() -> asyncio.AbstractEventLoop:
    """Return the running event loop; raise a ``RuntimeError`` that suggests an alternative if there is none."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        raise RuntimeError(
            "no asyncio event loop is running here: the asyncio clients do not work with trio; Client and SimpleClient"
            " work without an event loop"
        ) from None


class AsyncCondition:
    """Wakes tasks that wait for a condition. Can be made outside of an event loop."""

    __slots__ = ("_waiters",)

    def __init__(self) -> None:
        self._waiters: list[asyncio.Future[None]] = []

    def notify_all(self) -> None:
        """Wake all waiters."""
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def wait_for(self, predicate: Callable[[], Any], timeout: float | None = None) -> bool:
        """Wait until ``predicate`` is true; return ``False`` when that takes longer than ``timeout`` seconds."""
        limit, expired = None, False

        def expire() -> None:
            nonlocal expired
            expired = True
            self.notify_all()

        try:
            while not (holds := predicate()) and not expired:
                if limit is None and timeout is not None:
                    limit = TimeLimit(timeout, expire)
                waiter = asyncio.get_running_loop().create_future()
                self._waiters.append(waiter)
                try:
                    await waiter
                finally:
                    self._waiters.remove(waiter)
            return bool(holds)
        finally:
            if limit is not None:
                limit.cancel()


class AsyncEvent:
    """A flag that can be waited for, like ``threading.Event``: ``wait()`` returns ``False`` after a timeout."""

    __slots__ = ("_changed", "_is_set")

    def __init__(self) -> None:
        self._is_set = False
        self._changed = AsyncCondition()

    def is_set(self) -> bool:
        """Return whether it was set."""
        return self._is_set

    def set(self) -> None:
        """Set it, and wake all waiters."""
        self._is_set = True
        self._changed.notify_all()

    async def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set; return ``False`` when that takes longer than ``timeout`` seconds."""
        return await self._changed.wait_for(self.is_set, timeout)


async def wait_for(awaitable: Awaitable[T], timeout: float | None) -> T:
    """Return the result of an awaitable; cancel it and raise ``asyncio.TimeoutError`` if it takes longer.

    ``asyncio.wait_for()`` up to Python 3.11 swallows a cancellation that comes in the same iteration of the event loop
    as the result (bpo-37658).
    """
    task = asyncio.ensure_future(awaitable)
    limit = None if timeout is None else TimeLimit(timeout, task.cancel)
    try:
        await asyncio.wait([task])
    finally:
        if limit is not None:
            limit.cancel()
        if not task.done():
            task.cancel()
            await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # retrieved here: if this was cancelled, asyncio would report it as never retrieved
    if task.cancelled():
        raise asyncio.TimeoutError
    return task.result()
