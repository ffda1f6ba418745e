"""The order in which an event loop's handlers start, for any mix of them, against a model."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socketio.dispatch.asyncio import AsyncDispatcher
from socketio.dispatch.calls import Call

from ..waiting import run_apart, start_tasks_late

CEILING = 10.0
KINDS = ["function", "coroutine", "future", "broken function", "broken coroutine"]


class Run:
    """Submits calls and notes what happens.

    :ivar events: ``(word, number)`` in order; the words are ``began``, ``returned``, ``failed`` and ``ended``.
    """

    def __init__(self, serial):
        self.dispatcher = AsyncDispatcher(serial)
        self.events = []
        self.count = 0

    def submit(self, kind, steps=0):
        number, self.count = self.count, self.count + 1

        async def coroutine():
            self.events.append(("began", number))
            for _ in range(steps):
                await asyncio.sleep(0)
            if kind.startswith("broken"):
                raise KeyError(number)
            return number

        def function():
            self.events.append(("began", number))
            if kind.startswith("broken"):
                raise KeyError(number)
            return number

        def future():
            self.events.append(("began", number))
            future = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_soon(future.set_result, number)
            return future

        call = {"function": function, "broken function": function, "future": future}.get(kind, coroutine)
        self.dispatcher.add(
            Call(
                call,
                lambda: self.events.append(("failed", number)),
                lambda: self.events.append(("ended", number)),
                lambda result: self.events.append(("returned", result)),
            )
        )

    def of(self, word):
        return [number for each, number in self.events if each == word]

    async def settle(self):
        """Let the loop turn until all calls have ended."""
        for _ in range(10_000):
            if len(self.of("ended")) == self.count:
                return
            await asyncio.sleep(0)
        raise AssertionError(f"not all calls have ended: {self.events}")


calls = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 3)) | st.integers(1, 3), max_size=20)
"""A call with the number of its awaits, or so many turns of the loop before the next one."""


async def run(script, serial, is_late=False):
    if is_late:
        start_tasks_late()
    run = Run(serial)
    kinds = []
    for step in script:
        if isinstance(step, int):
            for _ in range(step):
                await asyncio.sleep(0)
        else:
            run.submit(*step)
            kinds.append(step[0])
    await run.settle()
    return run, kinds


@pytest.mark.parametrize("serial", [False, True])
@given(script=calls, is_late=st.booleans())
def test_calls_start_in_their_order_whatever_they_are(serial, script, is_late):
    """Each call starts once, in its turn, and ends once: with its value, or with a failure if it is broken. (N18)"""
    done, kinds = run_apart(run(script, serial, is_late))
    assert done.of("began") == list(range(len(kinds)))
    assert sorted(done.of("ended")) == list(range(len(kinds)))
    assert sorted(done.of("failed")) == [n for n, kind in enumerate(kinds) if kind.startswith("broken")]
    assert sorted(done.of("returned")) == [n for n, kind in enumerate(kinds) if not kind.startswith("broken")]
    if serial:
        word = {True: "failed", False: "returned"}
        assert done.events == [
            event
            for n, kind in enumerate(kinds)
            for event in (("began", n), (word[kind.startswith("broken")], n), ("ended", n))
        ]


@given(kinds=st.lists(st.sampled_from(["function", "broken function"]), max_size=10))
def test_functions_alone_need_no_turn_of_the_loop(kinds):
    """Where nothing but plain functions comes, each has ended when submit() returns. (M25)"""

    async def main():
        run = Run(serial=False)
        for number, kind in enumerate(kinds):
            run.submit(kind)
            assert run.of("ended") == list(range(number + 1))

    run_apart(main())


async def test_calls_after_a_coroutine_begin_in_one_turn():
    """Where tasks are not eager, what comes after a coroutine begins in its turn of the event loop, in order. (N18)"""
    start_tasks_late()
    run = Run(serial=False)
    for number in range(10):
        run.submit("function" if number % 3 else "coroutine")
    assert run.of("began") == []
    await asyncio.sleep(0)
    assert run.of("began") == list(range(10))
    run.submit("function")
    assert run.of("began") == list(range(11))
    await run.settle()


@given(
    kinds=st.lists(st.sampled_from(["function", "coroutine"]), min_size=1, max_size=8),
    doomed=st.sets(st.integers(0, 7)),
)
def test_those_cancelled_before_their_first_step_hold_nobody_up(kinds, doomed):
    """All others start in their order; each call has ended in the end, the cancelled ones without a start. (M25)"""

    async def main():
        start_tasks_late()
        run = Run(serial=False)
        for kind in kinds:
            run.submit(kind)
        cancelled = [task for index, task in enumerate(list(run.dispatcher._tasks)) if index in doomed]
        for task in cancelled:
            task.cancel()
        await run.settle()
        began = run.of("began")
        assert began == sorted(began)
        assert len(began) == len(kinds) - len(cancelled)
        assert sorted(run.of("ended")) == list(range(len(kinds)))
        assert run.of("failed") == []
        assert not run.dispatcher._tasks
        assert not run.dispatcher._not_begun
        run.submit("function")
        assert run.of("began")[-1] == len(kinds)

    run_apart(main())


async def test_in_serial_mode_a_call_cancelled_before_its_first_step_lets_the_next_begin():
    """The next call starts when it has ended, in serial mode too. (M25, N18)"""
    start_tasks_late()
    run = Run(serial=True)
    for kind in ("coroutine", "function", "coroutine"):
        run.submit(kind)
    task = next(iter(run.dispatcher._tasks))
    task.cancel()
    await run.settle()
    assert run.events == [
        ("ended", 0), ("began", 1), ("returned", 1), ("ended", 1), ("began", 2), ("returned", 2), ("ended", 2),
    ]  # fmt: skip
