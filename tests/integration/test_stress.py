"""Threads under stress: thousands of events, handlers that block, and an interpreter that switches at every step."""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import sys
import threading
import time

import pytest

import socketio
from socketio.exceptions import BadNamespaceError, DisconnectedError

CEILING = 40.0
"""Seconds that anything may take at most, on a machine that is busy with other things too."""

pytestmark = pytest.mark.servers("node")


@pytest.fixture(autouse=True)
def _hasty_switching():
    """Let the interpreter switch between threads as often as it can: order must not depend on it."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.fixture
def connect(server):
    """Return a function that connects a new client, with handlers by event; it is disconnected after the test."""
    clients = []

    def connect(transports=("websocket",), handlers=None, **options):
        sio = socketio.Client(handle_sigint=False, **options)
        clients.append(sio)
        for event, handler in (handlers or {}).items():
            sio.on(event, handler)
        sio.connect(server.url, transports=list(transports))
        return sio

    yield connect
    for sio in clients:
        sio.disconnect()


@pytest.fixture
def done():
    """An event to set when all has been handled."""
    return threading.Event()


def run_together(*functions):
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
    deadline = time.monotonic() + CEILING
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
        assert not thread.is_alive(), "a thread hangs"
    assert failures == []


@pytest.mark.parametrize(
    ("burst", "count", "expected"),
    [
        ("burst", 10_000, lambda i: (i, "xxxxx")),
        ("burst_binary", 3_000, lambda i: (i, bytes([i % 256]) * 5)),
    ],
)
def test_thousands_of_events_come_in_order_and_whole(connect, done, burst, count, expected):
    """Each event is handled once, in its turn, with its own attachments. (N13, N14, N15, N16)"""
    items = []
    sio = connect(handlers={"item": lambda *args: items.append(args), "done": lambda count: done.set()})
    sio.emit(burst, (count, 5))
    assert done.wait(CEILING), f"{len(items)} of {count} events came"
    assert items == [expected(i) for i in range(count)]


def test_many_threads_emit_binary_while_one_calls(connect, done):
    """What eight threads emit comes back whole, each thread's in its order, and every call has its answer. (N5, N7)"""
    echoes = []

    def echo(worker, *rest):
        if worker != "call":
            echoes.append((worker, *rest))
            if len(echoes) == 8000:
                done.set()

    sio = connect(handlers={"echo": echo})

    def emit(worker):
        for i in range(1000):
            sio.emit("echo", (worker, i, bytes([worker, i % 256]) * (1 + i % 20), {"again": b"%d" % i}))

    def call():
        for i in range(200):
            assert sio.call("echo", ("call", i, b"%d" % i), timeout=CEILING) == ("call", i, b"%d" % i)

    run_together(call, *(functools.partial(emit, worker) for worker in range(8)))
    assert done.wait(CEILING), f"{len(echoes)} of 8000 events came"
    for worker in range(8):
        assert [echo for echo in echoes if echo[0] == worker] == [
            (worker, i, bytes([worker, i % 256]) * (1 + i % 20), {"again": b"%d" % i}) for i in range(1000)
        ]


@pytest.mark.parametrize("quick", [False, True], ids=["alone", "quick-between"])
def test_a_hundred_handlers_that_block(connect, done, quick):
    """All are handled, beside each other; quick events between them in their order. (M22, N18)

    Which of two handlers that block gets the processor first is for the operating system to decide.
    """
    started, ended = [], itertools.count(1)

    def slow(i):
        started.append(i)
        time.sleep(0.2)
        if next(ended) == 100:
            done.set()

    sio = connect(handlers={"slow": slow, "quick": started.append})
    for i in range(200 if quick else 100):
        sio.emit("emit_back", ("quick" if quick and i % 2 else "slow", i))
    assert done.wait(CEILING)
    assert sorted(started) == list(range(200 if quick else 100))
    quick_ones = [i for i in started if quick and i % 2]
    assert quick_ones == sorted(quick_ones)


def test_large_events_are_not_overtaken_while_they_are_decoded(connect, done):
    """However long json takes, and though this kind of event has blocked before: handlers start in order. (N14)"""
    started = []

    class Slow:
        dumps = staticmethod(json.dumps)
        loads = staticmethod(functools.partial(json.loads, object_hook=lambda found: dict(found)))  # lets others run

    def item(i, *data):
        started.append(i)
        if i % 8 == 0:
            time.sleep(0.03)
        if i == 39:
            done.set()

    sio = connect(handlers={"item": item}, json=Slow)
    large = [{"a": i} for i in range(3000)]
    for i in range(40):
        sio.emit("emit_back", ("item", i, large if i % 8 in (1, 2, 3, 5, 6) else None))
    assert done.wait(CEILING)
    assert started == list(range(40))


def test_handlers_that_wait_for_later_handlers(connect, done):
    """A handler that waits for what the handler of a later event sets does not wait in vain. (M22)"""
    gates, passed = [threading.Event() for _ in range(61)], []

    def item(i, text):
        gates[i].set()
        if i < 60 and i % 2 == 0:
            assert gates[i + 1].wait(CEILING)
        passed.append(i)
        if len(passed) == 61:
            done.set()

    sio = connect(handlers={"item": item})
    sio.emit("burst", (61, 1))
    assert done.wait(CEILING), f"passed: {sorted(passed)}"


def test_handlers_that_call(connect, done):
    """call() in every handler, with calls of other threads beside them: each has its own answer. (M22, N11)"""
    answers = []

    def item(i, text):
        answers.append((i, sio.call("echo", ("handler", i), timeout=CEILING)))
        if len(answers) == 300:
            done.set()

    def call(worker):
        for i in range(100):
            assert sio.call("echo", (worker, i), timeout=CEILING) == (worker, i)

    sio = connect(handlers={"item": item})
    sio.emit("burst", (300, 1))
    run_together(*(functools.partial(call, worker) for worker in range(4)))
    assert done.wait(CEILING), f"{len(answers)} of 300 answers came"
    assert sorted(answers) == [(i, ("handler", i)) for i in range(300)]


@pytest.mark.parametrize("transports", [["websocket"], ["polling"], ["polling", "websocket"]])
def test_handlers_that_disconnect_and_connect(connect, server, transports):
    """disconnect() and connect() in a handler, while others wait for calls and events still come: no deadlock. (M22)"""
    rounds, finished = itertools.count(1), threading.Event()

    def item(i, text):
        with contextlib.suppress(DisconnectedError, BadNamespaceError):  # another handler has left meanwhile
            sio.call("echo", i, timeout=CEILING)

    def leave():
        sio.disconnect()
        sio.connect(server.url, transports=transports)
        if next(rounds) == 5:
            finished.set()
        else:
            go_on()

    def go_on():
        sio.emit("burst", (20, 1))
        sio.emit("emit_back", "leave")
        sio.emit("burst", (20, 1))

    sio = connect(transports, {"item": item, "leave": leave})
    go_on()
    assert finished.wait(CEILING)
    assert sio.call("echo", "still here", timeout=CEILING) == "still here"
