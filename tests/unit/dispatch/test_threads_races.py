"""The threads that run handlers, where threads meet: kinds that block, jobs that come while somebody goes idle."""

from __future__ import annotations

import itertools
import signal
import sys
import threading
import time
from functools import partial

import pytest

from socketio.dispatch import threads as dispatch
from socketio.dispatch.threads import Dispatcher

CEILING = 20.0
"""Seconds that anything may take at most."""


@pytest.fixture
def dispatcher(request):
    """A dispatcher whose threads end after the test."""
    dispatcher = Dispatcher(request.node.name)
    yield dispatcher
    dispatcher.retire()
    assert_threads_end(dispatcher)


@pytest.fixture
def _hasty_switching():
    """Let the interpreter switch between threads as often as it can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def assert_threads_end(dispatcher):
    for thread in threading.enumerate():
        if thread.name == dispatcher._name:
            thread.join(CEILING)
            assert not thread.is_alive(), "the dispatcher's thread did not end"


def until(holds):
    """Wait until something is so that nobody tells."""
    deadline = time.monotonic() + CEILING
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.001)


def finish(dispatcher, kind=None):
    """Wait until all jobs before have started, and this one has ended."""
    done = threading.Event()
    dispatcher.submit(done.set, kind)
    assert done.wait(CEILING), "the jobs were not run"


def call(job):
    job()


def identity(item):
    return item


def submit_all(dispatcher, jobs):
    """Submit jobs that come together."""
    dispatcher.submit_all(jobs, identity)


class Blocked:
    """A job that blocks until it is released."""

    def __init__(self):
        self.began, self.released = threading.Event(), threading.Event()

    def __call__(self):
        self.began.set()
        assert self.released.wait(CEILING)


def block(dispatcher, kind):
    """Have a job of this kind be moved on from."""
    blocked = Blocked()
    dispatcher.submit(blocked, kind)
    finish(dispatcher, "other")
    blocked.released.set()


# -- kinds that block


def test_the_lead_passes_on_before_a_job_of_a_kind_that_blocked(dispatcher, monkeypatch):
    """The next job starts without any look, where a job of the same kind blocked before. (M22)"""
    block(dispatcher, "slow")
    assert dispatcher._quick_returns == {"slow": 0}
    monkeypatch.setattr(dispatch, "LOOKS", 1_000_000)  # looks find nothing from now on
    jobs = [Blocked() for _ in range(20)]
    for job in jobs:
        dispatcher.submit(job, "slow")
    for job in jobs:
        assert job.began.wait(CEILING)
    for job in jobs:
        job.released.set()


def test_a_job_of_a_blocking_kind_needs_no_second_thread_while_nothing_waits(dispatcher):
    """The lead is free while such a job runs, and is taken when the next one comes. (N15, N39)"""
    block(dispatcher, "slow")
    blocked, second = Blocked(), threading.Event()
    dispatcher.submit(blocked, "slow")
    assert blocked.began.wait(CEILING)
    assert dispatcher.is_idle()
    dispatcher.submit(second.set, "slow")
    assert second.wait(CEILING)
    blocked.released.set()


@pytest.mark.usefixtures("_hasty_switching")
def test_quick_jobs_between_blocking_ones_run_in_their_order_where_the_processor_is_scarce(dispatcher, monkeypatch):
    """However the threads lose the processor, quick jobs run one after the other, and each job runs once. (N14, N18)"""
    block(dispatcher, "slow")
    monkeypatch.setattr(dispatch, "LOOKS", 1_000_000)
    quick, slow, running, overlaps, stop = [], [], [], [], threading.Event()

    def run_quick(number):
        overlaps.extend(running)
        running.append(number)
        quick.append(number)
        running.remove(number)

    def run_slow(number):
        slow.append(number)
        time.sleep(0.003)

    def burn():
        while not stop.is_set():
            sum(range(100))

    burners = [threading.Thread(target=burn, daemon=True) for _ in range(3)]
    for burner in burners:
        burner.start()
    submit_all(dispatcher, [("slow", run_slow, n) if n % 2 else ("quick", run_quick, n) for n in range(3000)])
    finish(dispatcher)
    stop.set()
    for burner in burners:
        burner.join(CEILING)
    until(lambda: len(slow) == 1500)
    assert sorted(slow) == list(range(1, 3000, 2))
    assert quick == list(range(0, 3000, 2))
    assert overlaps == []


def test_a_kind_that_is_quick_again_no_longer_counts_as_blocking(dispatcher, monkeypatch):
    """A few quick jobs, and its kind has the time of all others again. (N18, M22)"""
    block(dispatcher, "slow")
    monkeypatch.setattr(dispatch, "QUICK", CEILING)
    for returns in range(1, dispatch.QUICK_RETURNS):
        finish(dispatcher, "slow")
        until(lambda returns=returns: dispatcher._quick_returns == {"slow": returns})
    finish(dispatcher, "slow")
    until(lambda: dispatcher._quick_returns == {})


def test_quick_jobs_are_counted_only_in_a_row(dispatcher, monkeypatch):
    """A slow job, and the count begins anew. (N18, M22)"""
    block(dispatcher, "slow")
    for quick, returns in ((CEILING, 1), (CEILING, 2), (-1, 0), (CEILING, 1)):
        monkeypatch.setattr(dispatch, "QUICK", quick)
        finish(dispatcher, "slow")
        until(lambda returns=returns: dispatcher._quick_returns == {"slow": returns})


def test_other_kinds_do_not_count_as_blocking(dispatcher, monkeypatch):
    """The lead does not pass on before jobs of another kind. (N18)"""
    block(dispatcher, "slow")
    monkeypatch.setattr(dispatch, "LOOKS", 1_000_000)
    monkeypatch.setattr(dispatch, "LOOK", 0.0001)
    quick, second = Blocked(), threading.Event()
    dispatcher.submit(quick, "quick")
    dispatcher.submit(second.set, "quick")
    assert quick.began.wait(CEILING)
    assert not second.wait(0.05)
    quick.released.set()
    assert second.wait(CEILING)
    assert list(dispatcher._quick_returns) == ["slow"]


def test_the_number_of_blocking_kinds_is_bounded(dispatcher, monkeypatch):
    """However many kinds block, no more than so many are remembered. (N39)"""
    monkeypatch.setattr(dispatch, "MAX_BLOCKING_KINDS", 3)
    monkeypatch.setattr(dispatch, "LOOK", 0.0005)
    jobs = [Blocked() for _ in range(10)]
    for number, job in enumerate(jobs):
        dispatcher.submit(job, f"kind {number}")
    finish(dispatcher)
    assert 1 <= len(dispatcher._quick_returns) <= 3
    for job in jobs:
        job.released.set()


def test_quick_jobs_between_slow_ones_start_in_their_order(dispatcher):
    """A hundred jobs that block, with quick ones between: all start before any of them ends, quick ones in order.

    (M22, N18)
    """
    started, released = [], threading.Event()

    def slow(number):
        started.append(number)
        assert released.wait(CEILING)

    for number in range(200):
        dispatcher.submit(partial(started.append if number % 2 else slow, number), "quick" if number % 2 else "slow")
    finish(dispatcher)
    until(lambda: len(started) == 200)
    assert sorted(started) == list(range(200))
    assert [number for number in started if number % 2] == list(range(1, 200, 2))
    released.set()


# -- jobs that are read first


def test_a_job_is_read_where_it_runs(dispatcher):
    """The function that returns the job is called on the thread that runs it. (N15)"""
    got = []

    def read(item):
        got.append(threading.get_ident())
        return None, lambda ident: got.append(threading.get_ident()), item

    dispatcher.submit_all(["item"], read)
    finish(dispatcher)
    assert len(set(got)) == 1
    assert got[0] != threading.get_ident()


def test_jobs_that_are_read_run_in_their_order(dispatcher):
    """Those that come together and single ones run one after the other, as they came. (N18)"""
    ran = []
    for first in range(0, 1000, 20):
        submit_all(dispatcher, [(None, ran.append, number) for number in range(first, first + 10)])
        for number in range(first + 10, first + 20):
            dispatcher.submit(partial(ran.append, number))
    dispatcher.submit_all([], identity)
    finish(dispatcher)
    assert ran == list(range(1000))


@pytest.mark.parametrize("says_so", [False, True])
def test_a_job_that_blocks_holds_up_none_of_those_that_came_with_it(dispatcher, says_so):
    """Another thread goes on with the next one. (M22, N18)"""
    started, jobs = [], [Blocked() for _ in range(5)]

    def job(number):
        started.append(number)
        if number % 10 == 3:
            if says_so:
                dispatcher.blocking()
            jobs[number // 10]()

    submit_all(dispatcher, [("slow" if number % 10 == 3 else "quick", job, number) for number in range(50)])
    finish(dispatcher)
    until(lambda: len(started) == 50)
    assert sorted(started) == list(range(50))
    assert [number for number in started if number % 10 != 3] == [n for n in range(50) if n % 10 != 3]
    for blocked in jobs:
        blocked.released.set()


def test_nobody_watches_over_a_job_behind_which_nothing_waits(dispatcher):
    """A single job needs one thread, read first or not; a second one comes with what waits behind it. (N15, N39)"""
    first, second = Blocked(), threading.Event()
    dispatcher.submit(first)
    assert first.began.wait(CEILING)
    assert len(dispatcher._jobs) == 1
    assert not dispatcher._is_calling
    dispatcher.submit(second.set)
    assert second.wait(CEILING)
    first.released.set()


@pytest.mark.usefixtures("_hasty_switching")
def test_no_two_quick_jobs_run_at_once_while_others_look_all_the_time(dispatcher, monkeypatch):
    """Whenever somebody looks, a job is moved on from only while it runs, and its successor starts once. (N18, N16)"""
    monkeypatch.setattr(dispatch, "LOOK", 0.0)
    monkeypatch.setattr(dispatch, "LOOKS", 1_000_000)
    started, running, overlaps = [], [], []

    def job(number):
        overlaps.extend(running)
        running.append(number)
        started.append(number)
        running.remove(number)

    for first in range(0, 5000, 50):
        submit_all(dispatcher, [(number % 7, job, number) for number in range(first, first + 50)])
    finish(dispatcher)
    assert started == list(range(5000))
    assert overlaps == []


@pytest.mark.usefixtures("_hasty_switching")
def test_jobs_that_are_moved_on_from_at_any_moment_start_once_and_in_order(dispatcher, monkeypatch):
    """However hasty the looks, nothing is lost, doubled or overtaken. (N18, N16)"""
    monkeypatch.setattr(dispatch, "LOOK", 0.0)
    monkeypatch.setattr(dispatch, "LOOKS", 1)
    read, started = [], []

    def run(number):
        started.append(number)
        time.sleep(0.0002 if number % 10 == 0 else 0)

    def read_one(number):
        read.append(number)
        return number % 100, run, number

    for first in range(0, 5000, 50):
        dispatcher.submit_all(range(first, first + 50), read_one)
    finish(dispatcher)
    until(lambda: len(started) == 5000)
    assert read == list(range(5000))
    assert sorted(started) == list(range(5000))


def test_a_leader_that_ends_its_job_while_another_thread_takes_the_lead_waits_for_the_outcome(dispatcher):
    """While another thread decides, under the lock, the leader neither goes on nor gives up. (N18)"""
    first, second = Blocked(), threading.Event()
    submit_all(dispatcher, [("a", call, first), ("b", call, second.set)])
    assert first.began.wait(CEILING)
    with dispatcher._lock:
        leader, dispatcher._leader = dispatcher._leader, None
        first.released.set()
        assert not second.wait(0.05)
        dispatcher._leader = leader
    assert second.wait(CEILING)


def test_a_job_that_raises_is_reported_and_ends_no_other(dispatcher, monkeypatch):
    """Jobs raise nothing, but a logger of the application may: the jobs after it run. (M23)"""
    reported = []
    monkeypatch.setattr(sys, "excepthook", lambda *exc: reported.append(exc[0]))
    submit_all(dispatcher, [("a", lambda argument: {}[argument], "missing"), ("b", id, 1)])
    finish(dispatcher)
    assert reported == [KeyError]


@pytest.mark.parametrize("kind", ["slow", "other"])
def test_nothing_overtakes_what_is_being_read(dispatcher, monkeypatch, kind):
    """However long the reading takes, a later job does not start before the one that is read. (N14, N18)"""
    block(dispatcher, "slow")
    monkeypatch.setattr(dispatch, "LOOK", 0.0005)
    started, reading, read = [], threading.Event(), threading.Event()

    def slow_read(word):
        if word == "first":
            reading.set()
            assert read.wait(CEILING)
        return kind, started.append, word

    dispatcher.submit_all(["first", "second"], slow_read)
    assert reading.wait(CEILING)
    until(lambda: dispatcher._is_watched)
    assert not read.wait(0.05)  # time for many looks
    assert started == []
    read.set()
    finish(dispatcher)
    until(lambda: len(started) == 2)
    assert started == ["first", "second"]


def test_a_job_that_was_read_may_block_like_any_other(dispatcher):
    """After the reading a job that blocks is moved on from. (M22)"""
    blocked = Blocked()
    submit_all(dispatcher, [("slow", call, blocked)])
    finish(dispatcher)
    assert blocked.began.is_set()
    blocked.released.set()


# -- nothing is lost


@pytest.mark.usefixtures("_hasty_switching")
def test_no_job_is_lost_when_the_leader_goes_idle(dispatcher):
    """Each of thousands of jobs from many threads, one at a time, meets a leader that has just run out. (N16)"""

    def submit():
        for _ in range(500):
            done = threading.Event()
            dispatcher.submit(done.set)
            assert done.wait(CEILING), "a job was lost"

    run_together([submit] * 6)


@pytest.mark.usefixtures("_hasty_switching")
def test_no_job_is_lost_when_threads_end(dispatcher, monkeypatch):
    """Nor where threads that wait for something to do give up at that moment. (N16, N39)"""
    monkeypatch.setattr(dispatch, "IDLE", 0.002)
    for pause in [0, 0.001, 0.0019, 0.002, 0.0021, 0.0045] * 40:
        events = [threading.Event() for _ in range(6)]
        for event in events:
            dispatcher.submit(event.set)
        for event in events:
            assert event.wait(CEILING), "a job was lost"
        time.sleep(pause)


def test_a_spare_thread_that_is_called_as_it_gives_up_is_not_relied_on(dispatcher, monkeypatch):
    """When another takes the job it was called for, and then ends too, the next job has a thread of its own. (N16)"""
    monkeypatch.setattr(dispatch, "IDLE", 0.05)
    finish(dispatcher)
    until(lambda: dispatcher._spares or not dispatcher._jobs)
    ran = []
    with dispatcher._lock:
        time.sleep(0.2)  # the spare's time is over, and it waits for the lock
        dispatcher.submit(lambda: ran.append(1))
        dispatcher._run()  # this thread leads, and then is a spare itself
    assert ran == [1]
    assert_threads_end(dispatcher)
    finish(dispatcher)


@pytest.mark.usefixtures("_hasty_switching")
def test_each_job_may_hand_over(dispatcher):
    """With blocking() in every job all of them start in their order, and none is lost. (M22, N18)"""
    started = []

    def job(number):
        started.append(number)
        dispatcher.blocking()

    for number in range(3000):
        dispatcher.submit(partial(job, number))
    finish(dispatcher)
    assert started == list(range(3000))


@pytest.mark.usefixtures("_hasty_switching")
def test_retiring_again_and_again_loses_nothing(dispatcher):
    """retire() at any moment: all jobs run, in the order of each submitter, and the threads end. (N39, M15)"""
    ran, stop = [], threading.Event()

    def submit(name):
        for number in range(500):
            dispatcher.submit(partial(ran.append, (name, number)))

    def retire():
        while not stop.wait(0.0001):
            dispatcher.retire()

    retiring = threading.Thread(target=retire)
    retiring.start()
    try:
        run_together([partial(submit, name) for name in range(4)])
        until(lambda: len(ran) == 2000)
    finally:
        stop.set()
        retiring.join(CEILING)
    assert [sorted(item for item in ran if item[0] == name) for name in range(4)] == [
        [item for item in ran if item[0] == name] for name in range(4)
    ]
    dispatcher.retire()
    assert_threads_end(dispatcher)


def run_together(functions):
    """Run functions on threads of their own, at the same time; fail where one fails or does not end."""
    failures = []

    def run(function):
        try:
            function()
        except BaseException as exc:
            failures.append(exc)

    threads = [threading.Thread(target=run, args=(function,), daemon=True) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(3 * CEILING)
    assert not any(thread.is_alive() for thread in threads)
    assert failures == []


# -- signal handlers


def test_a_signal_handler_may_submit_while_its_thread_is_inside(dispatcher):
    """submit(), blocking() and retire() return, though the same thread holds the lock, and the job runs. (M19)"""
    done, handled = threading.Event(), []

    def handle(*args):
        dispatcher.blocking()
        dispatcher.submit(done.set)
        dispatcher.retire()
        handled.append(1)

    before = signal.signal(signal.SIGINT, handle)
    try:
        with dispatcher._lock:
            signal.raise_signal(signal.SIGINT)
            assert handled == [1]
        assert done.wait(CEILING)
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no interval timers")
def test_signals_at_any_moment_lose_no_job(dispatcher, monkeypatch):
    """A signal handler that submits, wherever it interrupts a submit(), loses neither job, and nothing hangs. (M19)"""
    monkeypatch.setattr(dispatch, "LOOKS", 1_000_000)  # a thread that is not given the processor is not moved on from
    ran, by_signal, numbers, stop = [], set(), itertools.count(), [False]

    def handle(*args):  # which the next signal may interrupt
        if not stop[0]:
            number = next(numbers)
            by_signal.add(number)
            dispatcher.submit(partial(ran.append, ("signal", number)))

    before = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.0003, 0.0003)
    try:
        for number in range(5000):
            dispatcher.submit(partial(ran.append, ("main", number)))
    finally:
        stop[0] = True
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    finish(dispatcher)
    assert [number for name, number in ran if name == "main"] == list(range(5000))
    assert sorted(number for name, number in ran if name == "signal") == sorted(by_signal)
