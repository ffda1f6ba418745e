"""Waiting for what the code under test does, on whatever thread it does it, without sleeping."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

CEILING = 10.0
"""Seconds that anything may take at most."""


class Log:
    """A list of what happened, in order, that can be waited for.

    :ivar items: what was added so far.
    """

    def __init__(self) -> None:
        self.items: list[Any] = []
        self._changed = threading.Condition()

    def add(self, item: Any) -> None:
        """Add what has just happened."""
        with self._changed:
            self.items.append(item)
            self._changed.notify_all()

    def handler(self, name: str, returns: Any = None) -> Callable[..., Any]:
        """Return a function that adds ``(name, *args)`` at each call and returns ``returns``."""

        def handle(*args: Any) -> Any:
            self.add((name, *args))
            return returns

        return handle

    async def until(self, holds: Callable[[], Any]) -> None:
        """Wait until something added makes ``holds`` true."""

        def wait() -> bool:
            with self._changed:
                return bool(self._changed.wait_for(holds, CEILING))

        assert await run_blocking(wait), f"waited in vain, so far there is: {self.items}"

    async def has(self, *items: Any) -> None:
        """Wait until there are these items, in this order, and check that there are no others."""
        await self.until(lambda: len(self.items) >= len(items))
        assert self.items == list(items)


class Gate:
    """Closed until somebody opens it. May be waited for on any thread, with an event loop or without."""

    def __init__(self) -> None:
        self._opened = threading.Event()

    @property
    def is_open(self) -> bool:
        """Whether it was opened."""
        return self._opened.is_set()

    def open(self, *args: Any) -> None:
        """Let everybody through; arguments are ignored, so that this can be a handler."""
        self._opened.set()

    async def wait(self, *args: Any) -> None:
        """Wait until it is open."""
        assert await run_blocking(self._opened.wait, CEILING), "the gate was not opened"


async def run_blocking(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Return what a function returns that may block: run on another thread, or in place where no event loop runs.

    The thread is a daemon of its own, so that a call that never returns fails its test only.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return function(*args, **kwargs)
    future: asyncio.Future[Any] = loop.create_future()

    def deliver(error: BaseException | None, result: Any) -> None:
        if not future.done():
            future.set_result(result) if error is None else future.set_exception(error)

    def run() -> None:
        error, result = None, None
        try:
            result = function(*args, **kwargs)
        except BaseException as exc:
            error = exc
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(deliver, error, result)
        del error

    threading.Thread(target=run, name="test", daemon=True).start()
    return await future


def blocking(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a plain function that does what a coroutine function does, and blocks where that awaits."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        coroutine = function(*args, **kwargs)
        try:
            coroutine.send(None)
        except StopIteration as done:
            return done.value
        coroutine.close()
        raise AssertionError("with threads, a function may only await adapters and gates")

    return run


async def within(awaitable: Any, seconds: float = CEILING) -> Any:
    """Return the result of an awaitable; fail if it takes longer than the ceiling."""
    try:
        return await asyncio.wait_for(awaitable, seconds)
    except asyncio.TimeoutError:
        raise AssertionError(f"not done within {seconds} s") from None


def run_apart(main: Coroutine[Any, Any, T]) -> T:
    """Return the result of a coroutine that runs in an event loop of its own, on a thread of its own."""
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(asyncio.run(main))
        except BaseException as exc:
            errors.append(exc)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(CEILING)
    assert not thread.is_alive(), "the event loop did not end"
    for error in errors:
        raise error
    return results[0]


def start_tasks_late() -> None:
    """Have the running event loop start tasks in its next turn, whatever the Python: by a task factory of its own."""

    def make(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, T], **options: Any) -> asyncio.Task[T]:
        return asyncio.Task(coroutine, loop=loop, **options)

    asyncio.get_running_loop().set_task_factory(make)
