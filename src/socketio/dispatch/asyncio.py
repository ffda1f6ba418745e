"""Runs handlers with asyncio: in order, coroutines as tasks.

In: calls. A plain function runs at once; so does a coroutine up to its first wait, as an eager task. Where tasks are
not eager (before Python 3.12, or with a task factory), all calls become tasks until the coroutine has begun: tasks
begin in order.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import deque
from typing import Any

from .calls import Calls


class AsyncDispatcher:
    """Starts calls one after the other; if it is ``serial``, each when the previous one has ended."""

    def __init__(self, serial: bool = False) -> None:
        self.serial = serial
        self._is_busy = self.is_draining = False  # draining: earlier calls took long, and other tasks run now
        self._waiting: deque[tuple[Calls, Any]] = deque()
        self._tasks: dict[asyncio.Task[None], tuple[Calls, Any, Any]] = {}
        self._coroutine: Any = None  # of the task that is being made, and may have begun
        self._not_begun: list[asyncio.Handle] = []  # as many as there are tasks that have not

    def add(self, calls: Calls, subject: Any = None) -> None:
        """Add a call."""
        if self._is_busy or self._waiting:
            self._waiting.append((calls, subject))
        else:
            self._begin(calls, subject)
        if self._waiting and not self.is_draining:
            self._begin_next()

    async def end(self, timeout: float) -> None:
        """Cancel the running calls, because the event loop is about to end."""
        for task in (tasks := self._tasks.keys() - {asyncio.current_task()}):
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=timeout)

    def abandon(self) -> None:
        """Stop: the event loop is closed or, in a child process, belongs to the parent."""
        self._waiting.clear()

    def is_current(self) -> bool:
        """Return whether the running task is a call."""
        task = asyncio.current_task()
        return task is not None and (task in self._tasks or task.get_coro() is self._coroutine)

    def _begin_next(self) -> None:
        self.is_draining, deadline = False, time.monotonic() + 0.001  # after which other tasks run
        while self._waiting and not self._is_busy and not self.is_draining:
            self._begin(*self._waiting.popleft())
            if self._waiting and time.monotonic() > deadline:
                self.is_draining = True
                asyncio.get_running_loop().call_soon(self._begin_next)

    def _begin(self, calls: Calls, subject: Any) -> None:
        self._is_busy, task = True, None
        try:
            awaitable = None if self._not_begun else calls.begin(subject)
            if awaitable is not None or self._not_begun:
                task = self._make_task(self._run(calls, subject, awaitable))
        finally:  # also after SystemExit
            if task is None or task.done():
                calls.ended(subject)
            else:
                self._tasks[task] = calls, subject, awaitable
                task.add_done_callback(self._end)
            self._is_busy, self._coroutine = self.serial and bool(self._tasks), None

    def _make_task(self, coroutine: Any) -> asyncio.Task[None]:
        loop, self._coroutine = asyncio.get_running_loop(), coroutine
        if sys.version_info >= (3, 12) and loop.get_task_factory() in (None, asyncio.eager_task_factory):
            return asyncio.Task(coroutine, loop=loop, eager_start=True)
        task = loop.create_task(coroutine)
        self._not_begun.append(loop.call_soon(self._not_begun.pop))
        return task

    async def _run(self, calls: Calls, subject: Any, awaitable: Any) -> None:
        try:
            awaitable = calls.begin(subject) if awaitable is None else awaitable
            if awaitable is not None:
                calls.returned(subject, await awaitable)
        except Exception:
            calls.failed(subject)

    def _end(self, task: asyncio.Task[None]) -> None:
        calls, subject, awaitable = self._tasks.pop(task)
        if task.cancelled() and asyncio.iscoroutine(awaitable):
            awaitable.close()  # if that was before its first step
        calls.ended(subject)
        if self.serial:
            self._is_busy = False
            self._begin_next()
