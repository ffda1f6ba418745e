"""Time limits for asyncio that do not mistake a busy event loop for a silent server.

In: seconds. Out: one call, when they are over. Data that has arrived is read before the call is made, and time in which
the event loop was busy is not counted, up to as much again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

_STEPS = 4
_SHORTEST_STEP, _LONGEST_STEP = 0.05, 3600.0
_FEW_TURNS, _MANY_TURNS = 20, 100
"""Iterations of the event loop that it takes to read a long answer from the socket; fewer, if each is slow."""
_SLOW = 0.5
_NEGLIGIBLE = 1e-6


class TimeLimit:
    """Calls a function after some seconds, unless cancelled.

    :param seconds: may be ``inf``.
    :param expired: called on the event loop, once.
    :param loop: the running event loop, if the caller knows it, and ``now`` its time.

    The time is measured in steps. A step that ends late by more than half its length, because the event loop was busy,
    is repeated. After the last one, the event loop runs until it must have read the data that has arrived.
    """

    __slots__ = ("_due", "_excused", "_expired", "_handle", "_loop", "_rest", "_step", "_turns", "_until")

    def __init__(
        self,
        seconds: float,
        expired: Callable[[], object],
        loop: asyncio.AbstractEventLoop | None = None,
        now: float | None = None,
    ) -> None:
        self._loop = loop = loop or asyncio.get_running_loop()
        self._expired = expired
        self._rest = self._excused = seconds
        self._step = step = seconds / _STEPS
        if not _SHORTEST_STEP <= step <= _LONGEST_STEP:
            self._step = step = max(0.0, min(max(step, _SHORTEST_STEP), seconds, _LONGEST_STEP))
        self._due = due = (loop.time() if now is None else now) + step
        self._handle: asyncio.Handle = loop.call_at(due, self._end_step)

    def cancel(self) -> None:
        """Cancel the call."""
        self._handle.cancel()

    def _begin_step(self) -> None:
        if self._step > self._rest or self._step > _LONGEST_STEP:
            self._step = min(self._rest, _LONGEST_STEP)
        self._due = self._loop.time() + self._step
        self._handle = self._loop.call_at(self._due, self._end_step)

    def _end_step(self) -> None:
        if self._excused > 0 and self._loop.time() - self._due > self._step / 2:
            self._excused -= self._step
        else:
            self._rest -= self._step
        if self._rest > _NEGLIGIBLE:
            self._begin_step()
        else:
            self._turns = 0
            self._until = self._loop.time() + _SLOW
            self._let_loop_read()

    def _let_loop_read(self) -> None:
        self._turns += 1
        if self._turns > _MANY_TURNS or (self._turns > _FEW_TURNS and self._loop.time() > self._until):
            self._expired()
        else:
            self._handle = self._loop.call_soon(self._let_loop_read)
