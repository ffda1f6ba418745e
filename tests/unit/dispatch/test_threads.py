"""The threads that run handlers: in order, and none held up by another."""

from __future__ import annotations

import threading

import pytest

from socketio.dispatch import threads as dispatch
from socketio.dispatch.threads import Dispatcher

CEILING = 10.0
"""Seconds that anything may take at most."""


@pytest.fixture
def dispatcher(request):
    """A dispatcher whose threads have a name of their own, and end after the test."""
    dispatcher = Dispatcher(request.node.name, serial=getattr(request, "param", False))
    yield dispatcher
    dispatcher.retire()
    assert_threads_end(dispatcher)


serial = pytest.mark.parametrize("dispatcher", [True], indirect=True)
both_modes = pytest.mark.parametrize("dispatcher", [False, True], indirect=True, ids=["moving-on", "serial"])


def threads_of(dispatcher):
    return [thread for thread in threading.enumerate() if thread.name == dispatcher._name]


def assert_threads_end(dispatcher):
    for thread in threads_of(dispatcher):
        thread.join(CEILING)
        assert not thread.is_alive(), "the dispatcher's thread did not end"


def run_all(dispatcher, jobs):
    """Submit jobs and wait until the last of them has run."""
    done = threading.Event()
    for job in jobs:
        dispatcher.submit(job)
    dispatcher.submit(done.set)
    assert done.wait(CEILING), "the jobs were not run"


class Blocked:
    """A job that blocks until it is released."""

    def __init__(self):
        self.began, self.released, self.ended = threading.Event(), threading.Event(), threading.Event()

    def __call__(self):
        self.began.set()
        assert self.released.wait(CEILING)
        self.ended.set()


@both_modes
def test_jobs_run_in_the_order_in_which_they_came(dispatcher):
    """A thousand quick jobs start, and end, in their order. (N18, N15)"""
    ran = []
    run_all(dispatcher, [lambda number=number: ran.append(number) for number in range(1000)])
    assert ran == list(range(1000))


def test_quick_jobs_do_not_overlap(dispatcher, monkeypatch):
    """A job starts when the one before has ended, unless that one takes long. (N18, N16)"""
    monkeypatch.setattr(dispatch, "LOOK", CEILING)
    events = []

    def job(number):
        events.append(("begin", number))
        events.append(("end", number))

    run_all(dispatcher, [lambda number=number: job(number) for number in range(200)])
    assert events == [(word, number) for number in range(200) for word in ("begin", "end")]


def test_quick_jobs_need_few_threads(dispatcher, monkeypatch):
    """Jobs that do not block are run by a handful of threads, not by one each. (N15)"""
    monkeypatch.setattr(dispatch, "LOOK", CEILING)
    idents = set()
    run_all(dispatcher, [lambda: idents.add(threading.get_ident()) for _ in range(500)])
    assert len(idents) <= 4
    assert len(threads_of(dispatcher)) <= 4


def test_a_blocked_job_does_not_hold_up_the_rest(dispatcher):
    """Jobs after one that blocks run meanwhile, in their order. (M22, N18)"""
    blocked, ran = Blocked(), []
    dispatcher.submit(blocked)
    run_all(dispatcher, [lambda number=number: ran.append(number) for number in range(50)])
    assert ran == list(range(50))
    assert not blocked.ended.is_set()
    blocked.released.set()
    assert blocked.ended.wait(CEILING)


def test_a_hundred_blocked_jobs_are_all_started(dispatcher):
    """However many jobs block, the next one is started. (M22)"""
    jobs = [Blocked() for _ in range(100)]
    for job in jobs:
        dispatcher.submit(job)
    for job in jobs:
        assert job.began.wait(CEILING)
    assert not any(job.ended.is_set() for job in jobs)
    for job in jobs:
        job.released.set()
    for job in jobs:
        assert job.ended.wait(CEILING)


def test_blocked_jobs_start_in_their_order(dispatcher):
    """Jobs that are moved on from have started in the order in which they came. (N18)"""
    started, jobs = [], [Blocked() for _ in range(20)]

    def job(number):
        started.append(number)
        jobs[number]()

    for number in range(20):
        dispatcher.submit(lambda number=number: job(number))
    assert jobs[-1].began.wait(CEILING)
    assert started == list(range(20))
    for blocked in jobs:
        blocked.released.set()


def test_a_job_can_say_that_it_will_block(dispatcher, monkeypatch):
    """After blocking() the next job starts at once, without patience. (M22)"""
    monkeypatch.setattr(dispatch, "LOOK", 1000 * CEILING)
    second, done = threading.Event(), threading.Event()

    def job():
        dispatcher.blocking()
        if second.wait(CEILING):
            done.set()

    dispatcher.submit(job)
    dispatcher.submit(second.set)
    assert done.wait(CEILING)


def test_saying_so_twice_starts_one_job_only(dispatcher, monkeypatch):
    """A job that has given up its lead has none to give up: the one after it is not overtaken. (N18)"""
    monkeypatch.setattr(dispatch, "LOOK", 1000 * CEILING)
    first, second, third = Blocked(), Blocked(), threading.Event()
    again = threading.Event()

    def talkative():
        dispatcher.blocking()
        assert second.began.wait(CEILING)
        dispatcher.blocking()
        again.set()
        first()

    for job in (talkative, second, third.set):
        dispatcher.submit(job)
    assert again.wait(CEILING)
    assert first.began.wait(CEILING)
    assert not third.is_set()
    second.released.set()
    assert third.wait(CEILING)
    first.released.set()


def test_saying_so_elsewhere_has_no_effect(dispatcher, monkeypatch):
    """blocking() on a thread that runs no job, or without one, does nothing. (M22)"""
    monkeypatch.setattr(dispatch, "LOOK", 1000 * CEILING)
    dispatcher.blocking()
    blocked, second = Blocked(), threading.Event()
    dispatcher.submit(blocked)
    assert blocked.began.wait(CEILING)
    dispatcher.submit(second.set)
    dispatcher.blocking()
    blocked.released.set()
    assert second.wait(CEILING)
    assert blocked.ended.is_set()


def test_a_job_may_submit_jobs(dispatcher, monkeypatch):
    """What a job submits runs after what waits already. (M22, N18)"""
    ran, ready, last = [], threading.Event(), threading.Event()

    def job():
        assert ready.wait(CEILING)
        dispatcher.submit(lambda: (ran.append("inner"), last.set()))

    monkeypatch.setattr(dispatch, "LOOK", 1000 * CEILING)
    dispatcher.submit(job)
    dispatcher.submit(lambda: ran.append("next"))
    ready.set()
    assert last.wait(CEILING)
    assert ran == ["next", "inner"]


def test_a_job_may_wait_for_the_job_it_submits(dispatcher):
    """A job that submits another and waits for it does not wait in vain. (M22)"""
    inner, done = threading.Event(), threading.Event()

    def job():
        dispatcher.submit(inner.set)
        dispatcher.blocking()
        if inner.wait(CEILING):
            done.set()

    dispatcher.submit(job)
    assert done.wait(CEILING)


def test_jobs_may_come_from_many_threads(dispatcher):
    """Whoever submits, nothing is lost, and each submitter's jobs keep their order. (N16, N7)"""
    ran = []

    def submit(name):
        for number in range(100):
            dispatcher.submit(lambda number=number: ran.append((name, number)))

    submitters = [threading.Thread(target=submit, args=(name,)) for name in range(8)]
    for thread in submitters:
        thread.start()
    for thread in submitters:
        thread.join(CEILING)
    run_all(dispatcher, [])
    for name in range(8):
        assert [number for submitter, number in ran if submitter == name] == list(range(100))


# -- serial mode


@serial
def test_in_serial_mode_one_job_runs_at_a_time(dispatcher, monkeypatch):
    """A job that blocks, and says so, holds up the rest until it ends. (N18)"""
    monkeypatch.setattr(dispatch, "LOOK", 0.0)
    events, blocked, last = [], Blocked(), threading.Event()

    def first():
        dispatcher.blocking()
        blocked()
        events.append("first ended")

    dispatcher.submit(first)
    for number in range(5):
        dispatcher.submit(lambda number=number: events.append(number))
    dispatcher.submit(last.set)
    assert blocked.began.wait(CEILING)
    assert not last.wait(0.05)  # long enough for a dispatcher without patience to move on
    assert events == []
    blocked.released.set()
    assert last.wait(CEILING)
    assert events == ["first ended", 0, 1, 2, 3, 4]


# -- threads


@both_modes
def test_a_retired_dispatcher_ends_its_threads(dispatcher):
    """After retire() the threads end when all jobs are done. (N39)"""
    blocked, ran = Blocked(), threading.Event()
    dispatcher.submit(blocked)
    dispatcher.submit(ran.set)
    assert blocked.began.wait(CEILING)
    dispatcher.retire()
    blocked.released.set()
    assert ran.wait(CEILING)
    assert_threads_end(dispatcher)
    assert not dispatcher._jobs


@both_modes
def test_a_retired_dispatcher_works_again(dispatcher):
    """A job after retire() starts a thread anew. (M15, N27)"""
    run_all(dispatcher, [])
    dispatcher.retire()
    assert_threads_end(dispatcher)
    run_all(dispatcher, [])
    assert threads_of(dispatcher)


def test_idle_threads_end_by_themselves(dispatcher, monkeypatch):
    """A thread with nothing to do ends after a while; a later job starts another. (N39)"""
    monkeypatch.setattr(dispatch, "IDLE", 0.01)
    run_all(dispatcher, [])
    assert_threads_end(dispatcher)
    run_all(dispatcher, [])
    assert_threads_end(dispatcher)


def test_threads_are_used_again(dispatcher):
    """Threads that were blocked take later jobs, when they are free. (N39)"""
    for _ in range(20):
        blocked = Blocked()
        dispatcher.submit(blocked)
        run_all(dispatcher, [])
        blocked.released.set()
        assert blocked.ended.wait(CEILING)
    assert len(threads_of(dispatcher)) <= 4


def test_a_new_dispatcher_has_no_thread():
    """Threads are started by the first job, not by the constructor. (A6)"""
    before = threading.active_count()
    dispatcher = Dispatcher("unused")
    dispatcher.blocking()
    dispatcher.retire()
    assert threading.active_count() == before


def test_threads_do_not_keep_a_program_alive(dispatcher):
    """The threads are daemons. (M20)"""
    daemons = []
    run_all(dispatcher, [lambda: daemons.append(threading.current_thread().daemon)])
    assert daemons == [True]


def test_a_job_knows_that_it_is_one(dispatcher):
    """is_current() is true on the dispatcher's threads, and nowhere else. (M22)"""
    answers = []
    run_all(dispatcher, [lambda: answers.append(dispatcher.is_current())])
    other = Dispatcher("other")
    run_all(other, [lambda: answers.append(dispatcher.is_current())])
    other.retire()
    assert answers == [True, False]
    assert not dispatcher.is_current()


def refuse(*args, **kwargs):
    raise RuntimeError("can't create new thread at interpreter shutdown")


@both_modes
def test_without_new_threads_the_caller_runs_the_job(dispatcher, monkeypatch):
    """Where Python starts no thread any more, and there is none, a job runs before submit() returns. (M20)"""
    monkeypatch.setattr(threading.Thread, "start", refuse)
    ran = []
    dispatcher.submit(lambda: ran.append(threading.current_thread()))
    assert ran == [threading.current_thread()]


def test_without_new_threads_the_existing_ones_go_on(dispatcher, monkeypatch):
    """Where Python starts no thread any more, those that there are run all jobs. (M20)"""
    blocked, ran = Blocked(), threading.Event()
    dispatcher.submit(blocked)
    assert blocked.began.wait(CEILING)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    dispatcher.submit(ran.set)
    blocked.released.set()
    assert ran.wait(CEILING)
