"""Runs the application's functions for the asyncio client: in order, coroutines as tasks.

In: calls that return a value or an awaitable. They start in the order in which they came: a plain function runs at
once, unless coroutines that came before it wait for their first turn; then it runs after them. Coroutines that come one
after the other wait for it together: the event loop starts tasks in the order in which they were made.
"""

from __future__ import annotations

import asyncio
import inspect
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, NamedTuple, Protocol


class Job(Protocol):
    """A call, and what becomes of it."""

    def begin(self) -> Awaitable[Any] | None:
        """Make the call; return what has to be awaited for its end, ``None`` when it has ended. Raises nothing."""

    def returned(self, value: Any) -> None:
        """Take the value of what was awaited; an exception here counts as the call's."""

    def failed(self) -> None:
        """Tell, in the handling of an exception."""

    def ended(self) -> None:
        """Do what comes last, also when the task of the call was cancelled."""

    def is_coroutine(self) -> bool:
        """Return whether the call is that of a coroutine function, which does nothing before it is awaited.

        Asked when it is the call's turn.
        """


class Call(NamedTuple):
    """A job made of functions."""

    call: Callable[[], Any]
    returned: Callable[[Any], None]
    failed: Callable[[], None]
    ended: Callable[[], None]
    is_coroutine: Callable[[], bool]

    def begin(self) -> Awaitable[Any] | None:
        """Make the call; return what has to be awaited for its end, ``None`` when it has ended."""
        try:
            result = self.call()
            if result is not None and inspect.isawaitable(result):
                return result
            self.returned(result)
        except Exception:
            self.failed()
        self.ended()
        return None


class AsyncDispatcher:
    """Starts calls one after the other, on the event loop.

    :param serial: start a call only when the one before has ended.
    """

    def __init__(self, serial: bool = False) -> None:
        self.serial = serial
        self._waiting: deque[Job] = deque()
        self._blocked = False
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
        """Add a call, as a :class:`Job` with these methods."""
        self.add(Call(call, returned, failed, ended, is_coroutine))

    def add(self, job: Job) -> None:
        """Add a job."""
        if self._blocked or self._waiting or self._not_begun:
            self._waiting.append(job)
            self._begin_next()
            return
        self._blocked = True
        awaitable = job.begin()
        self._blocked = False
        if awaitable is not None:
            self._make_task(job, awaitable)
        if self._waiting:
            self._begin_next()

    def is_current(self) -> bool:
        """Return whether the running task is the call that all others wait for, in serial mode."""
        return self._current is not None and asyncio.current_task() is self._current

    def _begin_next(self) -> None:
        """Begin the calls that wait, as far as it is their turn."""
        while self._waiting and not self._blocked and (not self._not_begun or self._waiting[0].is_coroutine()):
            job = self._waiting.popleft()
            self._blocked = True
            awaitable = job.begin()
            self._blocked = False
            if awaitable is not None:
                self._make_task(job, awaitable)

    def _make_task(self, job: Job, result: Awaitable[Any]) -> None:
        task = asyncio.ensure_future(self._finish(job, result))
        self._tasks.add(task)
        task.add_done_callback(partial(self._ended, job, result))
        if self.serial:
            self._current = task
            self._blocked = True
        else:
            self._not_begun.add(task)

    async def _finish(self, job: Job, result: Awaitable[Any]) -> None:
        if not self.serial:
            self._note_begin(asyncio.current_task())
        try:
            job.returned(await result)
        except Exception:
            job.failed()

    def _note_begin(self, task: asyncio.Task[Any] | None) -> None:
        """Let the others go on after the first step of the last task that has not begun."""
        self._not_begun.discard(task)
        if not self._not_begun and self._waiting:
            asyncio.get_running_loop().call_soon(self._begin_next)

    def _ended(self, job: Job, result: Any, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if inspect.iscoroutine(result):
            result.close()  # it has not begun, when the task was cancelled before its first step
        job.ended()
        if task in self._not_begun:
            self._note_begin(task)
        if self._current is task:
            self._current = None
            self._blocked = False
            self._begin_next()
