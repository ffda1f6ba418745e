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

_LOOK = 0.005
"""Seconds between two looks at what several wait for."""


class Wait(NamedTuple):
    """What a step waits for.

    :ivar until: waits for it; gets the seconds that it may take, and returns whether it has happened. With asyncio, it
        returns an awaitable of that.
    :ivar limit: seconds to wait at most.
    """

    until: Callable[[Any], Any]
    limit: float | None


Steps: TypeAlias = Generator[Wait, Any, T]


def call(function: Callable[..., Any], *args: Any) -> Wait:
    """Wait for the result of a function, with asyncio of a coroutine function, however long it takes."""
    return Wait(lambda _: function(*args), 0.0)


def all_of(waits: Iterable[Wait]) -> Steps[None]:
    """Wait for one after the other, also if one before has failed; raise what the first one has raised."""
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
    """Run the steps on this thread and return their result."""
    try:
        wait = next(steps)
        while True:
            try:
                happened = wait.until(wait.limit)
            except BaseException as exc:  # Ctrl-C
                wait = steps.throw(exc)
            else:
                wait = steps.send(happened)
    except StopIteration as end:
        result: T = end.value
        return result


async def run_async(steps: Steps[T]) -> T:
    """Run the steps in this task and return their result."""
    try:
        wait = next(steps)
        while True:
            try:
                happened = await wait.until(wait.limit)
            except BaseException as exc:  # a cancellation
                wait = steps.throw(exc)
            else:
                wait = steps.send(happened)
    except StopIteration as end:
        result: T = end.value
        return result


def run_together(tasks: Iterable[tuple[Steps[Any], float]]) -> None:
    """Run many at the same time, each with a time limit. After it, a step stops waiting.

    An exception ends only the steps that raised it.
    """
    began = time.monotonic()
    running = [(steps, limit + began, _next(steps, None)) for steps, limit in tasks]
    while True:
        waiting = [(steps, deadline, step) for steps, deadline, step in running if step is not None]
        if not waiting:
            return
        running = [(steps, deadline, _look(steps, deadline, step)) for steps, deadline, step in waiting]
        if [step for _, _, step in running] == [step for _, _, step in waiting]:
            with contextlib.suppress(Exception):
                running[0][2][0].until(_LOOK)  # type: ignore[index]


_Step: TypeAlias = "tuple[Wait, float]"


def _look(steps: Steps[Any], deadline: float, step: _Step) -> _Step | None:
    """Return the next step, or the same one if it still waits."""
    wait, until = step
    happened = False
    with contextlib.suppress(Exception):
        happened = wait.until(0)
    if not happened and time.monotonic() < min(until, deadline):
        return step
    return _next(steps, happened)


def _next(steps: Steps[Any], happened: bool | None) -> _Step | None:
    try:
        wait = next(steps) if happened is None else steps.send(happened)
    except Exception:  # StopIteration is the normal end
        return None
    return wait, math.inf if wait.limit is None else time.monotonic() + wait.limit
