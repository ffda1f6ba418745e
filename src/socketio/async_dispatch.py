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
from typing import Any, NamedTuple, Protocol, TypeAlias

TURN = 0.001
"""Seconds after which other tasks have their turn, while calls wait."""
_SHARING = hasattr(asyncio.Task, "cancelling")
"""Whether one task may run several calls: Python 3.10 does not tell of a call that has cancelled its own task."""


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


Begun: TypeAlias = tuple[Calls, Any, Awaitable[Any]]
"""A call with its subject, and what has to be awaited for its end."""


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
        except Exception:
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
        self._tasks: set[asyncio.Task[None]] = set()
        self._leader: asyncio.Task[None] | None = None  # what waits comes after its first step
        self._watched: asyncio.AbstractEventLoop | None = None  # the loop in which a look is due
        self._suspends = not _SHARING  # whether the last leader was suspended in that
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
        if self._blocked or self._waiting or self._leader is not None:
            self._waiting.append((calls, subject))
            if self._leader is None or self._suspends:
                self._begin_next()
            return
        self._blocked = True
        awaitable = calls.begin(subject)
        self._blocked = False
        if awaitable is not None:
            self._make_task(calls, subject, awaitable)
        if self._waiting:
            self._begin_next()

    def is_current(self) -> bool:
        """Return whether the running task is the call that all others wait for, in serial mode."""
        return self._current is not None and asyncio.current_task() is self._current

    def _begin_next(self) -> None:
        """Begin the calls that wait, as far as it is their turn."""
        while self._waiting and not self._blocked and (self._leader is None or self._may_join(*self._waiting[0])):
            calls, subject = self._waiting.popleft()
            awaitable = self._begin(calls, subject)
            if awaitable is not None:
                self._make_task(calls, subject, awaitable)

    def _may_join(self, calls: Calls, subject: Any) -> bool:
        """Return whether a call gets a task of its own at once: the event loop starts tasks in their order."""
        return self._suspends and calls.is_coroutine(subject)

    def _begin(self, calls: Calls, subject: Any) -> Awaitable[Any] | None:
        self._blocked = True
        awaitable = calls.begin(subject)
        self._blocked = False
        return awaitable

    def _make_task(self, calls: Calls, subject: Any, awaitable: Awaitable[Any]) -> None:
        hand = [(calls, subject, awaitable)]
        task = asyncio.ensure_future(self._run(hand))
        self._tasks.add(task)
        task.add_done_callback(partial(self._ended, hand))
        if self.serial:
            self._current = task
            self._blocked = True
        elif not task.done():
            self._leader = task
            self._watch(task)

    async def _run(self, hand: list[Begun]) -> None:
        task = asyncio.current_task()
        if task is not None and task is self._leader:
            await self._lead(task, hand)
        else:
            await self._finish(hand)

    async def _lead(self, task: Any, hand: list[Begun]) -> None:
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
            calls, subject = self._waiting.popleft()
            awaitable = self._begin(calls, subject)
            if awaitable is not None:
                hand.append((calls, subject, awaitable))
                await self._finish(hand)
        if self._leader is task:
            self._leader, self._suspends = None, not _SHARING
            if self._waiting:
                asyncio.get_running_loop().call_soon(self._begin_next, context=context)

    async def _finish(self, hand: list[Begun]) -> None:
        calls, subject, awaitable = hand[0]
        try:
            calls.returned(subject, await awaitable)
        except Exception:
            calls.failed(subject)
        hand.clear()
        calls.ended(subject)

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

    def _ended(self, hand: list[Begun], task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        for calls, subject, awaitable in hand:  # the task was cancelled
            if inspect.iscoroutine(awaitable):
                awaitable.close()  # in case that it has not begun
            calls.ended(subject)
        if self._leader is task:
            self._leader = None
        if self._current is task:
            self._current, self._blocked = None, False
        self._begin_next()
