"""How handlers are run on an event loop: in order, coroutines as tasks."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import logging
import sys

import pytest

from socketio.dispatch.asyncio import AsyncDispatcher
from socketio.dispatch.calls import Call

from ..waiting import start_tasks_late

CEILING = 10.0
IS_EAGER = sys.version_info >= (3, 12)


class Log:
    """What was called, returned and failed, in order."""

    def __init__(self, serial=False):
        self.dispatcher = AsyncDispatcher(serial=serial)
        self.events = []

    def submit(self, call, name=None):
        """Submit a call whose result, or failure, is noted."""
        self.add(
            call,
            lambda result: self.events.append(("returned", result)),
            lambda: self.events.append(("failed", name)),
        )

    def add(self, call, returned, failed, ended=lambda: None):
        """Add a call of these functions."""
        self.dispatcher.add(Call(call, failed, ended, returned))

    def function(self, name):
        """Submit a plain function."""

        def call():
            self.events.append(("began", name))
            return name

        self.submit(call, name)

    def coroutine(self, name, gate=None):
        """Submit a coroutine function that waits for a gate in the middle."""

        async def call():
            self.events.append(("began", name))
            if gate is not None:
                await gate.wait()
            return name

        self.submit(call, name)

    def begun(self):
        return [name for word, name in self.events if word == "began"]

    def returned(self):
        return [name for word, name in self.events if word == "returned"]

    async def end(self):
        """Wait until all tasks have ended, and those that they let begin."""
        while self.dispatcher._tasks:
            _, late = await asyncio.wait(self.dispatcher._tasks, timeout=CEILING)
            assert not late


async def test_plain_functions_run_at_once():
    """A function has run when submit() returns. (M25, N18)"""
    log = Log()
    for name in "abc":
        log.function(name)
    assert log.events == [(word, name) for name in "abc" for word in ("began", "returned")]


async def test_coroutines_start_in_their_order():
    """Coroutines begin in the order in which they came, as soon as the loop runs. (N18)"""
    start_tasks_late()
    log = Log()
    for number in range(50):
        log.coroutine(number)
    assert log.events == []
    await log.end()
    assert log.begun() == list(range(50))
    assert log.returned() == list(range(50))


async def test_coroutines_start_at_once_where_tasks_are_eager():
    """A coroutine has taken its first step when submit() returns, from Python 3.12 on. (issue 10, B5)"""
    log, gate = Log(), asyncio.Event()
    log.coroutine("waits", gate)
    log.coroutine("returns")
    log.function("function")
    assert log.begun() == (["waits", "returns", "function"] if IS_EAGER else [])
    assert log.returned() == (["returns", "function"] if IS_EAGER else [])
    gate.set()
    await log.end()
    assert log.begun() == ["waits", "returns", "function"]


@pytest.mark.parametrize("serial", [False, True])
async def test_a_coroutine_that_exits_at_once_holds_nothing_up(serial):
    """SystemExit goes on to the event loop; where that goes on, too, so do the calls. (M23, issue 10, B5)"""
    if not IS_EAGER:
        return  # there, it goes to the event loop by way of the task, and ends that

    async def leave():
        sys.exit(3)

    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)  # its exception is never retrieved
    log, ended = Log(serial), []
    with pytest.raises(SystemExit):
        log.add(leave, lambda result: None, lambda: None, lambda: ended.append("leave"))
    log.function("next")
    assert ended == ["leave"]
    assert log.returned() == ["next"]
    gc.collect()


@pytest.mark.parametrize("serial", [False, True])
async def test_many_coroutines_that_wait_need_no_deep_stack(serial):
    """Thousands that end in their first step follow each other without calling each other. (issue 10, B5)"""
    log, gate = Log(serial), asyncio.Event()
    log.coroutine("first", gate)
    for number in range(3000):
        log.coroutine(number)
    gate.set()
    for _ in range(100_000):
        if len(log.events) == 2 * 3001:
            break
        await asyncio.sleep(0)
    assert log.begun() == ["first", *range(3000)]


async def test_a_function_does_not_overtake_coroutines():
    """A function that comes after coroutines which wait for their first turn runs after them. (N18, M25)"""
    log = Log()
    log.coroutine("a")
    log.function("b")
    log.coroutine("c")
    log.function("d")
    await log.end()
    assert log.begun() == ["a", "b", "c", "d"]


async def test_a_coroutine_that_awaits_does_not_hold_up_the_rest():
    """What comes after a coroutine begins when that one awaits for the first time. (M22)"""
    log, gate, last = Log(), asyncio.Event(), asyncio.Event()
    log.coroutine("blocked", gate)
    log.function("b")
    log.coroutine("c")
    log.add(last.set, lambda result: None, lambda: None)
    await asyncio.wait_for(last.wait(), CEILING)
    assert log.begun() == ["blocked", "b", "c"]
    gate.set()
    await log.end()
    assert log.returned() == ["b", "c", "blocked"]


async def test_a_call_may_submit_calls():
    """What a call submits runs after what waits already. (M22, N18)"""
    start_tasks_late()
    log = Log()

    def outer():
        log.events.append(("began", "outer"))
        log.function("inner")
        log.events.append(("began", "end of outer"))

    log.coroutine("first")
    log.submit(outer)
    log.function("last")
    await log.end()
    assert log.begun() == ["first", "outer", "end of outer", "last", "inner"]


async def test_any_awaitable_is_awaited():
    """A function that returns a future is a coroutine too. (M25)"""
    log, future = Log(), asyncio.get_running_loop().create_future()
    log.submit(lambda: future)
    log.function("next")
    future.set_result("value")
    await log.end()
    assert sorted(log.returned()) == ["next", "value"]


# -- the tasks of coroutines


class Tasks(Log):
    """Notes the task of each coroutine."""

    def __init__(self, serial=False):
        super().__init__(serial)
        self.tasks = {}

    def coroutine(self, name, *steps):
        """Submit a coroutine that takes these steps: functions to call, awaitables to await."""

        async def call():
            self.events.append(("began", name))
            self.tasks[name] = asyncio.current_task()
            for step in steps:
                result = step()
                if result is not None:
                    await result
            return name

        self.submit(call, name)


@pytest.mark.parametrize("serial", [False, True])
async def test_each_coroutine_has_a_task_of_its_own(serial):
    """Whoever cancels the task of a coroutine, waits for it, or keeps something by it, meets no other one. (M25)"""
    log = Tasks(serial)
    for number in range(0, 20, 2):
        log.coroutine(number, *([lambda: asyncio.sleep(0)] if number % 4 else []))
        log.function(number + 1)
    while len(log.returned()) < 20:
        await log.end()
        await asyncio.sleep(0)
    assert log.begun() == list(range(20))
    assert len(set(log.tasks.values())) == 10


async def test_each_coroutine_finds_the_context_clean():
    """What a coroutine puts into a context variable is seen by no other. (M25)"""
    variable = contextvars.ContextVar("variable", default="clean")
    log, seen = Tasks(), []
    for number in range(5):
        log.coroutine(number, lambda: seen.append(variable.get()), lambda number=number: variable.set(number) and None)
    log.coroutine(5, lambda: asyncio.sleep(0), lambda: seen.append(variable.get()))
    await log.end()
    assert seen == ["clean"] * 6


async def test_a_coroutine_that_cancels_its_task_cancels_no_other():
    """Also where it returns before the cancellation has come. (M25)"""
    log = Tasks()
    log.coroutine("first")
    log.coroutine("cancels", lambda: asyncio.current_task().cancel() and None)
    log.coroutine("waits", lambda: asyncio.sleep(0))
    log.coroutine("last")
    await log.end()
    assert log.begun() == ["first", "cancels", "waits", "last"]
    assert sorted(log.returned()) == ["cancels", "first", "last", "waits"]


def begun_in_two_loops(serial, turns):
    """Leave calls to a loop that is closed after so many turns, then have two run in another."""
    log = Tasks(serial)

    async def leave():
        for number in range(3):
            log.coroutine(number, asyncio.get_running_loop().create_future)
            log.function(f"after {number}")
        for _ in range(turns):
            await asyncio.sleep(0)

    async def go_on():
        log.dispatcher.abandon()
        log.dispatcher = AsyncDispatcher(serial)
        log.coroutine("first", lambda: asyncio.sleep(0))
        log.function("last")
        while "last" not in log.returned():
            await asyncio.wait_for(log.end(), CEILING)
            await asyncio.sleep(0)

    loop = asyncio.new_event_loop()
    loop.run_until_complete(leave())
    loop.close()
    asyncio.run(go_on())
    return log.begun()


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
@pytest.mark.parametrize("serial", [False, True])
@pytest.mark.parametrize("turns", [0, 1, 2])
def test_a_loop_that_was_closed_holds_nothing_up(serial, turns):
    """Calls of the next dispatcher begin in the next loop, wherever the one before was left. (M25)"""
    assert begun_in_two_loops(serial, turns)[-2:] == ["first", "last"]
    gc.collect()  # so that what asyncio has to say of the tasks that were left is said here


# -- failures


async def broken():
    raise KeyError("x")


@pytest.mark.parametrize("serial", [False, True])
@pytest.mark.parametrize("call", [lambda: {}["x"], broken], ids=["function", "coroutine"])
async def test_a_call_that_fails_is_reported_and_the_next_one_begins(call, serial):
    """An exception ends its call only, and is in handling when that is told. (M23)"""
    log, seen = Log(serial), []

    def failed():
        try:
            raise
        except KeyError as exc:
            seen.append(exc)

    log.add(call, lambda result: None, failed)
    log.function("next")
    await log.end()
    assert [exc.args for exc in seen] == [("x",)]
    assert log.returned() == ["next"]


@pytest.mark.parametrize("serial", [False, True])
@pytest.mark.parametrize("is_coroutine", [False, True])
async def test_a_result_that_cannot_be_used_counts_as_a_failure(is_coroutine, serial):
    """An exception in what takes the result, an acknowledgement say, is the call's own. (M23)"""
    log = Log(serial)

    async def call():
        return 1

    log.add(call if is_coroutine else int, lambda result: 1 / 0, lambda: log.events.append(("failed", 0)))
    log.function("next")
    await log.end()
    assert log.events == [("failed", 0), ("began", "next"), ("returned", "next")]


@pytest.mark.parametrize("serial", [False, True])
async def test_a_cancelled_call_ends_and_the_next_one_begins(serial, caplog):
    """Cancellation is not swallowed: the call's task is cancelled, is no failure, and holds nothing up. (M25)"""
    log, gate = Log(serial), asyncio.Event()
    log.coroutine("cancelled", gate)
    log.function("next")
    await asyncio.sleep(0)
    task = next(iter(log.dispatcher._tasks))
    task.cancel()
    await log.end()
    assert task.cancelled()
    assert log.returned() == ["next"]
    assert not [event for event in log.events if event[0] == "failed"]
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_a_call_cancelled_before_its_first_step_holds_nothing_up():
    """Also a task that was cancelled before it began lets the next call begin. (N18, M25)"""
    start_tasks_late()
    log = Log()
    log.coroutine("cancelled")
    log.function("next")
    task = next(iter(log.dispatcher._tasks))
    task.cancel()
    for _ in range(20):
        await asyncio.sleep(0)
    assert log.returned() == ["next"]


@pytest.mark.parametrize("serial", [False, True])
@pytest.mark.parametrize("after_coroutine", [False, True])
async def test_a_function_that_meets_a_cancelled_future_has_failed(serial, after_coroutine):
    """What the future raises is no cancellation of ours, and ends nothing but the function. (M23)"""
    log, future = Log(serial), asyncio.get_running_loop().create_future()
    future.cancel()
    if after_coroutine:
        log.coroutine("before")
    log.submit(future.result, "function")
    log.function("next")
    await log.end()
    await asyncio.sleep(0)
    assert log.events[-3:] == [("failed", "function"), ("began", "next"), ("returned", "next")]


async def test_a_function_that_exits_holds_nothing_up():
    """SystemExit goes on to the event loop; where that goes on, too, so do the calls. (M23)"""
    log = Log()
    with pytest.raises(SystemExit):
        log.submit(sys.exit)
    log.function("next")
    assert log.returned() == ["next"]


# -- serial mode


async def test_in_serial_mode_one_call_runs_at_a_time():
    """A coroutine that awaits holds up the rest until it has ended. (N18)"""
    log, gate = Log(serial=True), asyncio.Event()
    log.coroutine("blocked", gate)
    log.function("b")
    log.coroutine("c")
    for _ in range(20):
        await asyncio.sleep(0)
    assert log.begun() == ["blocked"]
    gate.set()
    await log.end()
    assert log.events == [(word, name) for name in ("blocked", "b", "c") for word in ("began", "returned")]


@pytest.mark.parametrize("serial", [False, True])
async def test_a_call_knows_that_it_is_one(serial):
    """is_current() is true in the coroutine of a call, and nowhere else. (M22)"""
    log, answers = Log(serial), []

    async def call():
        answers.append(log.dispatcher.is_current())
        await asyncio.sleep(0)
        answers.append(log.dispatcher.is_current())

    log.submit(call)
    assert not log.dispatcher.is_current()
    await log.end()
    assert answers == [True, True]
    assert not log.dispatcher.is_current()


async def test_a_task_of_a_call_is_no_call():
    """is_current() is false in a task that a call has started, though it be an eager one. (M22)"""
    log, answers = Log(), []

    async def inner():
        answers.append(log.dispatcher.is_current())

    async def call():
        answers.append(log.dispatcher.is_current())
        if IS_EAGER:
            asyncio.Task(inner(), loop=asyncio.get_running_loop(), eager_start=True)
        await asyncio.create_task(inner())

    log.submit(call)
    await log.end()
    assert answers == ([True, False, False] if IS_EAGER else [True, False])


def test_a_dispatcher_can_be_made_without_a_loop():
    """Making one needs no event loop. (A3)"""
    assert AsyncDispatcher().is_draining is False
