"""Runs the application's functions for the asyncio client: in order, and coroutines as tasks, as few as it can.

In: calls that return a value or an awaitable. They start in the order in which they came: a plain function runs at
once, unless coroutines that came before it wait for their first turn; then it runs after them. A task goes on with the
calls that came after its own, as long as none of them waits for anything; else those have tasks of their own.
"""

from __future__ import annotations

import asyncio
import inspect
from collections import deque
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from functools import partial
from typing import Any, NamedTuple, Protocol

TURN = 0.001
"""Seconds after which other tasks have their turn, while calls wait."""
_SHARING = hasattr(asyncio.Task, "cancelling")
"""Whether one task may run several calls: Python 3.10 does not tell of a call that has cancelled its own task."""


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
        self._leader: asyncio.Task[None] | None = None  # what waits comes after its first step
        self._watched: asyncio.AbstractEventLoop | None = None  # the loop in which a look is due
        self._suspends = False  # whether the last leader was suspended in that
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
        if self._blocked or self._waiting or self._leader is not None:
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
        while self._waiting and not self._blocked and (self._leader is None or self._may_join(self._waiting[0])):
            job = self._waiting.popleft()
            awaitable = self._begin(job)
            if awaitable is not None:
                self._make_task(job, awaitable)

    def _may_join(self, job: Job) -> bool:
        """Return whether a call gets a task of its own at once: the event loop starts tasks in their order."""
        return (self._suspends or not _SHARING) and job.is_coroutine()

    def _begin(self, job: Job) -> Awaitable[Any] | None:
        self._blocked = True
        awaitable = job.begin()
        self._blocked = False
        return awaitable

    def _make_task(self, job: Job, awaitable: Awaitable[Any]) -> None:
        hand = [(job, awaitable)]
        task = asyncio.ensure_future(self._run(hand))
        self._tasks.add(task)
        task.add_done_callback(partial(self._ended, hand))
        if self.serial:
            self._current = task
            self._blocked = True
        elif not task.done():
            self._leader = task
            self._watch(task)

    async def _run(self, hand: list[tuple[Job, Awaitable[Any]]]) -> None:
        task = asyncio.current_task()
        if task is not None and task is self._leader:
            await self._lead(task, hand)
        else:
            await self._finish(hand)

    async def _lead(self, task: Any, hand: list[tuple[Job, Awaitable[Any]]]) -> None:
        """Finish the call in hand, then those that wait, as long as each finds the task as if it were its own."""
        context, time = copy_context(), asyncio.get_running_loop().time
        end = time() + TURN
        await self._finish(hand)
        while (
            self._waiting
            and _SHARING
            and not task.cancelling()
            and self._leader is task
            and copy_context() == context
            and time() < end
        ):
            job = self._waiting.popleft()
            awaitable = self._begin(job)
            if awaitable is not None:
                hand.append((job, awaitable))
                await self._finish(hand)
        if self._leader is task:
            self._leader, self._suspends = None, False
            if self._waiting:
                asyncio.get_running_loop().call_soon(self._begin_next, context=context)

    async def _finish(self, hand: list[tuple[Job, Awaitable[Any]]]) -> None:
        job, awaitable = hand[0]
        try:
            job.returned(await awaitable)
        except Exception:
            job.failed()
        hand.clear()
        job.ended()

    def _watch(self, task: asyncio.Task[None]) -> None:
        """Have a look when the task was in its first step, and before its second; one look at a time."""
        loop = asyncio.get_running_loop()
        if self._watched is not loop:
            self._watched = loop
            loop.call_soon(self._look, task)

    def _look(self, task: asyncio.Task[None]) -> None:
        """Let the others go on if the leader was suspended in its first step."""
        self._watched = None
        if self._leader is task:
            self._leader, self._suspends = None, True
            self._begin_next()
        elif self._leader is not None:
            self._watch(self._leader)

    def _ended(self, hand: list[tuple[Job, Awaitable[Any]]], task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        for job, awaitable in hand:  # the task was cancelled
            if inspect.iscoroutine(awaitable):
                awaitable.close()  # in case that it has not begun
            job.ended()
        if self._leader is task:
            self._leader = None
        if self._current is task:
            self._current, self._blocked = None, False
        self._begin_next()
