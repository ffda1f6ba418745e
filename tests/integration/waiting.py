"""Waiting for what the code under test does, without sleeping: on the event loop and on any other thread.

In: calls from handlers, on whatever thread. Out: a coroutine goes on, or fails with what there was instead.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

CEILING = 10.0
"""Seconds that anything may take at most."""


class Gate:
    """Closed until somebody opens it. May be opened and waited for on any thread."""

    def __init__(self) -> None:
        self._opened = threading.Event()
        self._lock = threading.Lock()
        self._waiters: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = []

    def open(self, *args: Any) -> None:
        """Let everybody through; arguments are ignored, so that this can be a handler."""
        with self._lock:
            self._opened.set()
            waiters, self._waiters = self._waiters, []
        for loop, future in waiters:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(_resolve, future)

    @property
    def is_open(self) -> bool:
        """Whether it was opened."""
        return self._opened.is_set()

    async def wait(self, timeout: float = CEILING) -> None:
        """Wait until it is open; on a thread without an event loop this blocks the thread."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            assert self._opened.wait(timeout), "the gate was not opened"
            return
        with self._lock:
            if self._opened.is_set():
                return
            future = loop.create_future()
            self._waiters.append((loop, future))
        try:
            await asyncio.wait_for(future, timeout)
        except asyncio.TimeoutError:
            raise AssertionError("the gate was not opened") from None


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


class Recorder:
    """What was called, in order, and a way to wait for it.

    :ivar calls: ``(name, args)`` of every call.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._waiters: list[tuple[Callable[[], bool], Gate]] = []

    def record(self, name: str, *args: Any) -> None:
        """Add a call."""
        with self._lock:
            self.calls.append((name, args))
            self._counts[name] += 1
            ready = [waiter for waiter in self._waiters if waiter[0]()]
            self._waiters = [waiter for waiter in self._waiters if waiter not in ready]
        for _, gate in ready:
            gate.open()

    def handler(self, name: str, returns: Any = None) -> Callable[..., Any]:
        """Return a function that records its calls under ``name`` and returns ``returns``."""

        def handle(*args: Any) -> Any:
            self.record(name, *args)
            return returns

        return handle

    @property
    def names(self) -> list[str]:
        """The names of all calls, in order."""
        return [name for name, _ in list(self.calls)]

    def of(self, name: str) -> list[tuple[Any, ...]]:
        """Return the arguments of each call under ``name``."""
        return [args for called, args in list(self.calls) if called == name]

    async def wait_for(self, name: str, count: int = 1, timeout: float = CEILING) -> list[tuple[Any, ...]]:
        """Return the arguments of each call under ``name``, once there are ``count``."""
        await self.wait_until(lambda: self._counts[name] >= count, timeout)
        return self.of(name)

    async def wait_until(self, holds: Callable[[], bool], timeout: float = CEILING) -> None:
        """Wait until a call makes ``holds`` true."""
        gate = Gate()
        with self._lock:
            if holds():
                return
            self._waiters.append((holds, gate))
        try:
            await gate.wait(timeout)
        except AssertionError:
            raise AssertionError(f"waited in vain; recorded so far: {self.calls[-20:]}") from None


async def within(seconds: float, awaitable: Any) -> Any:
    """Return the result of an awaitable; fail if it takes longer."""
    try:
        return await asyncio.wait_for(awaitable, seconds)
    except asyncio.TimeoutError:
        raise AssertionError(f"not done within {seconds} s") from None


async def until(holds: Callable[[], Any]) -> None:
    """Wait until something is so that nobody tells of."""
    deadline = time.monotonic() + CEILING
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.005)
