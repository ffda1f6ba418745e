"""Steps: work that waits, written once for both flavours as generators.

:func:`run` waits on the caller's thread, :func:`run_async` in the caller's task, and :func:`run_together` for many on
one thread: at the end of a program Python starts no threads, so that one closes all connections at the same time.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable, Generator, Iterable
from typing import Any, NamedTuple, TypeAlias, TypeVar

T = TypeVar("T")

_POLL_INTERVAL = 0.005  # seconds between two checks of conditions


class Wait(NamedTuple):
    """The condition that a step waits for.

    :ivar until: waits, for at most the seconds passed to it, and returns whether the condition is fulfilled. With
        asyncio, it returns an awaitable.
    :ivar limit: seconds to wait at most.
    """

    until: Callable[[Any], Any]
    limit: float | None


Steps: TypeAlias = Generator[Wait, Any, T]


def call(function: Callable[..., Any], *args: Any) -> Wait:
    """Wait for the result of a function, or with asyncio of a coroutine function, without a limit."""
    return Wait(lambda _: function(*args), 0.0)


def all_of(waits: Iterable[Wait]) -> Steps[None]:
    """Wait for one after the other, even if one fails; raise the first error."""
    failure: BaseException | None = None
    for wait in waits:
        try:
            yield wait
        except GeneratorExit:
            raise
        except BaseException as exc:
            failure = failure or exc
    if failure is not None:
        raise failure


def joined(thread: threading.Thread, limit: float | None) -> Wait:
    """Wait for the end of a thread."""

    def until(timeout: float) -> bool:
        thread.join(timeout)
        return not thread.is_alive()

    return Wait(until, limit)


def run(steps: Steps[T]) -> T:
    """Run the steps on this thread and return their result.

    Ctrl-C is always raised in the steps, so that they can clean up.
    """
    proceed: Callable[[Any], Wait] = steps.send
    value: Any = None
    try:
        while True:
            try:
                while True:
                    wait = proceed(value)
                    proceed, value = steps.send, wait.until(wait.limit)
            except BaseException as exc:
                if getattr(steps, "gi_frame", None) is None:  # they have ended
                    if isinstance(exc, StopIteration):
                        result: T = exc.value
                        return result
                    raise
                proceed, value = steps.throw, exc
    finally:
        value = None  # otherwise its traceback refers to this frame, and the frame to it


async def run_async(steps: Steps[T]) -> T:
    """Run the steps in this task and return their result. A cancellation is raised in the steps."""
    proceed: Callable[[Any], Wait] = steps.send
    value: Any = None
    try:
        while True:
            try:
                while True:
                    wait = proceed(value)
                    proceed, value = steps.send, await wait.until(wait.limit)
            except BaseException as exc:
                if getattr(steps, "gi_frame", None) is None:  # they have ended
                    if isinstance(exc, StopIteration):
                        result: T = exc.value
                        return result
                    raise
                proceed, value = steps.throw, exc
    finally:
        value = None


class _Running:
    """Steps that run together with others, and their current wait: ``None`` when they have ended."""

    def __init__(self, steps: Steps[Any], limit: float) -> None:
        self._steps = steps
        self._deadline = time.monotonic() + limit
        self._continue(None)

    def advance(self, timeout: float) -> bool:
        """Continue if their condition is fulfilled, or its time is over; return whether they have continued."""
        happened = False
        if self.wait is not None:
            with contextlib.suppress(Exception):
                happened = self.wait.until(timeout)
            if not happened and time.monotonic() < self._until:
                return False
        self._continue(happened)
        return True

    def _continue(self, happened: bool | None) -> None:
        self.wait: Wait | None = None
        with contextlib.suppress(Exception):  # StopIteration is the normal end
            self.wait = self._steps.send(happened)
            limit = math.inf if self.wait.limit is None else self.wait.limit
            self._until = min(time.monotonic() + limit, self._deadline)


def run_together(tasks: Iterable[tuple[Steps[Any], float]]) -> None:
    """Run many at the same time, each with a time limit. After it, a step stops waiting.

    An exception ends only the steps that raised it.
    """
    running = [_Running(steps, limit) for steps, limit in tasks]
    while running := [each for each in running if each.wait is not None]:
        if True not in [each.advance(0) for each in running]:
            running[0].advance(_POLL_INTERVAL)
