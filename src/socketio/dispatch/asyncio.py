"""Runs handlers with asyncio: in order, coroutines as tasks.

In: calls that return a value or an awaitable. They start in the order in which they came. A plain function runs at
once; so does a coroutine up to its first wait, as an eager task. Where tasks are not eager (before Python 3.12, or with
a task factory that makes others), a coroutine waits for its first turn of the event loop, and what follows it waits,
too: coroutines in a row together, because the event loop starts tasks in the order in which they were made.
"""

from __future__ import annotations

import asyncio
import inspect
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeVar

T = TypeVar("T")


_TURN = 0.001
"""Seconds after which other tasks run while calls wait."""


class Calls(Protocol):
    """Calls of one kind, and what becomes of each; they differ in their subject, an event say."""

    def begin(self, subject: Any, /) -> Awaitable[Any] | None:
        """Make the call; return what has to be awaited for its end, ``None`` when it has ended. Raises nothing."""

    def returned(self, subject: Any, value: Any, /) -> None:
        """Take the value of what was awaited; an exception here counts as the call's."""

    def failed(self, subject: Any, /) -> None:
        """Tell, in the handling of an exception."""

    def ended(self, subject: Any, /) -> None:
        """Do what comes last, also when the task of the call was cancelled."""

    def is_coroutine(self, subject: Any, /) -> bool:
        """Return whether the call is that of a coroutine function, which does nothing before it is awaited.

        Asked when it is the call's turn.
        """
        ...


def start_task(coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Return a task for a coroutine. On Python 3.12 and newer, it has already run up to its first wait.

    If the application has set a task factory, that decides.
    """
    loop = asyncio.get_running_loop()
    if sys.version_info >= (3, 12) and loop.get_task_factory() in (None, asyncio.eager_task_factory):
        return asyncio.Task(coroutine, loop=loop, eager_start=True)
    return loop.create_task(coroutine)


class Call(NamedTuple):
    """A single call, made of functions."""

    call: Callable[[], Any]
    at_return: Callable[[Any], None]
    at_failure: Callable[[], None]
    at_end: Callable[[], None]
    is_announced: Callable[[], bool]

    def begin(self, subject: None) -> Awaitable[Any] | None:
        """Make the call; return what has to be awaited for its end, ``None`` when it has ended."""
        try:
            result = self.call()
            if result is not None and inspect.isawaitable(result):
                return result
            self.at_return(result)
        except (Exception, asyncio.CancelledError):
            self.at_failure()
        self.at_end()
        return None

    def returned(self, subject: None, value: Any) -> None:
        """Take the value."""
        self.at_return(value)

    def failed(self, subject: None) -> None:
        """Tell of the failure."""
        self.at_failure()

    def ended(self, subject: None) -> None:
        """Do what comes last."""
        self.at_end()

    def is_coroutine(self, subject: None) -> bool:
        """Return whether it is announced as a call of a coroutine function."""
        return self.is_announced()


class AsyncDispatcher:
    """Starts calls one after the other, on the event loop.

    :param serial: start a call only when the one before has ended.
    """

    def __init__(self, serial: bool = False) -> None:
        self.serial = serial
        self._waiting: deque[tuple[Calls, Any]] = deque()
        self._blocked = False
        self._draining: asyncio.Handle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._not_begun: set[asyncio.Task[None]] = set()
        self._current: asyncio.Task[None] | None = None

    def submit(
        self,
        call: Callable[[], Any],
        returned: Callable[[Any], None],
        failed: Callable[[], None],
        ended: Callable[[], None] = lambda: None,
        is_coroutine: Callable[[], bool] = lambda: False,
    ) -> None:
        """Add a call of its own kind, with functions for the methods of :class:`Calls`."""
        self.add(Call(call, returned, failed, ended, is_coroutine))

    def add(self, calls: Calls, subject: Any = None) -> None:
        """Add a call."""
        if self._blocked or self._waiting or self._not_begun:
            self._waiting.append((calls, subject))
            self._begin_next()
            return
        self._begin(calls, subject)
        if self._waiting:
            self._begin_next()

    def renew(self) -> None:
        """Forget what was left to an event loop that is closed by now: it will never go on."""
        if any(task.get_loop().is_closed() for task in self._tasks):
            self._waiting.clear()
            self._tasks.clear()
            self._not_begun.clear()
            self._current = self._draining = None
            self._blocked = False

    async def end(self, timeout: float) -> None:
        """Cancel the running calls, because the event loop is about to end."""
        current = asyncio.current_task()
        tasks = [task for task in self._tasks if task is not current]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=timeout)

    def abandon(self) -> None:
        """Stop: the event loop is closed or, in a child process, belongs to the parent."""
        self._waiting.clear()
        self._draining = None

    def runs(self, task: asyncio.Task[Any] | None) -> bool:
        """Return whether a task is one of the calls."""
        return task in self._tasks

    def is_current(self) -> bool:
        """Return whether the running task is the call that all others wait for, in serial mode."""
        return self._current is not None and asyncio.current_task() is self._current

    def is_handler(self) -> bool:
        """Return whether the running task is a call that was added here."""
        return asyncio.current_task() in self._tasks

    def is_draining(self) -> bool:
        """Return whether calls wait for the next turn of the event loop because earlier ones took long."""
        return self._draining is not None

    def _begin_next(self) -> None:
        """Begin the waiting calls in order, and let other tasks run after each ``_TURN``."""
        waiting = self._waiting
        if self._draining is not None:
            return
        deadline = time.monotonic() + _TURN
        while waiting and not self._blocked and (not self._not_begun or waiting[0][0].is_coroutine(waiting[0][1])):
            if time.monotonic() > deadline:
                self._draining = asyncio.get_running_loop().call_soon(self._go_on)
                return
            self._begin(*waiting.popleft())

    def _go_on(self) -> None:
        self._draining = None
        self._begin_next()

    def _begin(self, calls: Calls, subject: Any) -> None:
        self._blocked = True
        try:
            awaitable = calls.begin(subject)
            task = None if awaitable is None else self._make_task(calls, subject, awaitable)
        finally:
            self._blocked = False
        if task is None or awaitable is None:
            return
        if task.done():
            self._end(calls, subject, awaitable, task)
        else:
            task.add_done_callback(partial(self._ended, calls, subject, awaitable))
            self._blocked = self.serial

    def _make_task(self, calls: Calls, subject: Any, awaitable: Awaitable[Any]) -> asyncio.Task[None]:
        """Return the task that waits for the end of a call. An eager task has already begun, and may have ended."""
        coroutine = self._finish(calls, subject, awaitable)
        try:
            task = start_task(coroutine)
        except BaseException:  # SystemExit, say, in the first step of an eager task
            calls.ended(subject)
            raise
        self._tasks.add(task)
        if self.serial:
            self._current = task
        elif inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED:
            self._not_begun.add(task)
        return task

    async def _finish(self, calls: Calls, subject: Any, awaitable: Awaitable[Any]) -> None:
        task: Any = asyncio.current_task()
        self._tasks.add(task)  # an eager one is not there yet
        if self.serial:
            self._current = task
        elif task in self._not_begun:
            self._note_begin(task)
        try:
            calls.returned(subject, await awaitable)
        except Exception:
            calls.failed(subject)

    def _note_begin(self, task: asyncio.Task[Any] | None) -> None:
        """Let the others go on after the first step of the last task that has not begun."""
        self._not_begun.discard(task)
        if not self._not_begun and self._waiting:
            asyncio.get_running_loop().call_soon(self._begin_next)

    def _end(self, calls: Calls, subject: Any, awaitable: Any, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if self._current is task:
            self._current = None
        if task.cancelled() and inspect.iscoroutine(awaitable):
            awaitable.close()  # it has not begun, when that was before the first step
        calls.ended(subject)

    def _ended(self, calls: Calls, subject: Any, awaitable: Any, task: asyncio.Task[None]) -> None:
        was_current = self._current is task
        self._end(calls, subject, awaitable, task)
        if task in self._not_begun:
            self._note_begin(task)
        if was_current:
            self._blocked = False
            self._begin_next()
