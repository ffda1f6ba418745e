"""Work in steps: one caller carries it out, or one thread many at a time."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
import time

import pytest

from socketio.runtime.steps import Wait, all_of, call, joined, run, run_async, run_together


def after(condition, results, name, limit=60.0):
    """Steps that wait once, note whether it has happened, and end."""
    results[name] = yield Wait(condition, limit)


def test_one_caller_waits_and_gets_the_result():
    """run() gives each wait its limit, tells the steps what has happened, and returns their result."""
    given = []

    def until(seconds):
        given.append(seconds)
        return len(given) == 2

    def steps():
        first = yield Wait(until, 1.5)
        second = yield Wait(until, 2.5)
        return first, second

    assert run(steps()) == (False, True)
    assert given == [1.5, 2.5]


def test_an_exception_while_waiting_is_raised_in_the_steps():
    """Ctrl-C comes where the steps wait, so that they can clean up."""
    cleaned = []

    def until(seconds):
        raise KeyboardInterrupt

    def steps():
        try:
            yield Wait(until, 1)
        finally:
            cleaned.append(True)

    with pytest.raises(KeyboardInterrupt):
        run(steps())
    assert cleaned == [True]


def test_many_at_a_time():
    """What one waits for does not hold up the others, and its limit ends the wait."""
    ready, results = threading.Event(), {}

    def set_ready():
        ready.set()
        yield Wait(lambda seconds: True, 0)

    began = time.monotonic()
    run_together(
        [
            (after(threading.Event().wait, results, "never"), 0.05),
            (after(threading.Event().wait, results, "own limit", 0.01), 60.0),
            (after(ready.wait, results, "ready"), 60.0),
            (set_ready(), 60.0),
        ]
    )
    assert results == {"never": False, "own limit": False, "ready": True}
    assert time.monotonic() - began < 5


def test_an_exception_ends_only_its_own_steps():
    """Steps that raise, before or after a wait, or while they wait, change nothing for others."""
    results = {}

    def fails():
        yield Wait(lambda seconds: True, 1)
        raise ValueError("this one")

    def fails_at_once():
        raise ValueError("this one")
        yield

    def until(seconds):
        raise OSError("this wait")

    run_together(
        [
            (fails(), 1.0),
            (fails_at_once(), 1.0),
            (after(until, results, "broken"), 0.01),
            (after(lambda seconds: True, results, "other"), 1.0),
        ]
    )
    assert results == {"broken": False, "other": True}


def test_the_end_of_a_thread_can_be_waited_for():
    """joined() tells whether the thread has ended."""
    end = threading.Event()
    thread = threading.Thread(target=end.wait, daemon=True)
    thread.start()
    wait = joined(thread, 1)
    assert not wait.until(0.01)
    end.set()
    assert wait.until(5)


@pytest.mark.parametrize("instruction", range(60))
def test_ctrl_c_between_two_steps_is_raised_in_the_steps(instruction):
    """Whichever instruction of run() it interrupts, steps that have begun can clean up."""
    begun, cleaned, counted = [], [], 0

    def steps():
        begun.append(True)
        try:
            yield call(int)
            yield call(int)
        finally:
            cleaned.append(True)

    def trace(frame, event, arg):
        nonlocal counted
        if frame.f_code is not run.__code__:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            counted += 1
            if counted == instruction:
                raise KeyboardInterrupt
        return trace

    def interrupted():
        sys.settrace(trace)
        with contextlib.suppress(KeyboardInterrupt):
            run(work)

    work = steps()
    thread = threading.Thread(target=interrupted)  # whose state it may damage, within a handler of an exception
    thread.start()
    thread.join()
    assert cleaned == begun
    assert work.gi_frame is None or not begun


# -- steps of both flavours


async def test_a_task_carries_steps_out_like_a_thread():
    """What a step waits for is awaited; its result, or its exception, comes back to the steps."""

    async def double(number):
        await asyncio.sleep(0)
        return 2 * number

    async def fail():
        raise ValueError("no")

    def steps():
        first = yield call(double, 4)
        try:
            yield call(fail)
        except ValueError as exc:
            return first, str(exc)

    assert await run_async(steps()) == (8, "no")


async def test_steps_can_clean_up_when_their_task_is_cancelled():
    """The cancellation is raised where they wait, and goes on after it."""
    cleaned = []

    async def clean():
        await asyncio.sleep(0)
        cleaned.append(True)

    def steps():
        try:
            yield call(asyncio.sleep, 60)
        except asyncio.CancelledError:
            yield call(clean)
            raise

    task = asyncio.ensure_future(run_async(steps()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cleaned == [True]


def test_each_of_several_waits_has_its_turn():
    """Also when one before has failed; the first exception is raised at the end."""
    done = []

    def fail(name):
        done.append(name)
        raise ValueError(name)

    with pytest.raises(ValueError, match="first"):
        run(all_of([call(fail, "first"), call(done.append, "second"), call(fail, "third")]))
    assert done == ["first", "second", "third"]
