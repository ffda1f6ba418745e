"""What only the client for threads has: blocking handlers, emits from many threads, Ctrl-C, the end of the program."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading

import pytest

from socketio import exceptions
from socketio.dispatch import threads as dispatch
from socketio.runtime import process_hooks

from .flavours import URL, Client
from .waiting import CEILING


@pytest.fixture
def make():
    """Return a function that makes a client, which is disconnected after the test."""
    made = []

    def make(**options):
        made.append(Client(**{"reconnection_delay": 0.01, "randomization_factor": 0, **options}))
        return made[-1]

    yield make
    for client in made:
        client.disconnect()


@pytest.fixture
def sio(make):
    """A client that is connected to '/'."""
    sio = make()
    sio.connect(URL)
    sio.eio.sent.items.clear()
    return sio


def wait(event):
    assert event.wait(CEILING)


def threads(name):
    return [thread for thread in threading.enumerate() if thread.name == name]


# -- threads


def test_a_background_task_is_a_thread(make):
    """start_background_task() runs a function with its arguments, and returns what can be joined. (H3, M51)"""
    ran = []
    thread = make().start_background_task(lambda *args, **kwargs: ran.append((args, kwargs)), 1, 2, key=3)
    thread.join(CEILING)
    assert isinstance(thread, threading.Thread)
    assert ran == [((1, 2), {"key": 3})]


def test_sleep_is_that_of_the_engine(make, monkeypatch):
    """sleep() sleeps through the engine. (H4)"""
    sio, slept = make(), []
    monkeypatch.setattr(sio.eio, "sleep", slept.append)
    sio.sleep(5)
    sio.sleep()
    assert slept == [5, 0]


def test_the_frames_of_many_threads_do_not_mix(sio):
    """Whoever emits at the same time, attachments follow their header, and each thread's order is kept. (N7, N5)"""

    def emit(name):
        for number in range(100):
            sio.emit("up", (name, number, name.encode(), bytes([number])))

    emitters = [threading.Thread(target=emit, args=(name,)) for name in "abcd"]
    for thread in emitters:
        thread.start()
    for thread in emitters:
        thread.join(CEILING)
    frames = sio.eio.sent.items
    assert len(frames) == 1200
    numbers = {name: [] for name in "abcd"}
    for header, name, number in zip(frames[::3], frames[1::3], frames[2::3], strict=True):
        assert header.startswith(f'52-["up","{name.decode()}",{number[0]},')
        numbers[name.decode()].append(number[0])
    assert all(found == list(range(100)) for found in numbers.values())


def test_the_ids_of_many_threads_are_unique(sio):
    """Whoever asks for acknowledgements at the same time, each has an id of its own. (D8, N16)"""
    emitters = [threading.Thread(target=lambda: [sio.emit("up", callback=print) for _ in range(100)]) for _ in range(4)]
    for thread in emitters:
        thread.start()
    for thread in emitters:
        thread.join(CEILING)
    assert sio.eio.sent.items == [f'2{number}["up"]' for number in range(1, 401)]


@pytest.mark.parametrize("way", ["call", "sleep", "wait"])
def test_a_handler_that_blocks_in_the_client_lets_the_next_one_start_at_once(sio, monkeypatch, way):
    """call(), sleep() and wait() in a handler do not wait for anybody's patience. (M22)"""
    monkeypatch.setattr(dispatch, "LOOK", 1000.0)
    began, released, ran = threading.Event(), threading.Event(), threading.Event()
    monkeypatch.setattr(sio.eio, "sleep", lambda seconds: released.wait(CEILING))

    def block():
        began.set()
        if way == "call":
            with pytest.raises(exceptions.SocketIOError):
                sio.call("up")
        elif way == "sleep":
            sio.sleep(1)
        else:
            sio.wait()

    sio.on("block", block)
    sio.on("next", ran.set)
    sio.eio.deliver('2["block"]', '2["next"]')
    wait(began)
    wait(ran)
    released.set()


def test_the_threads_of_a_finished_connection_end(make):
    """After disconnect() no thread is left, whatever handlers did. (N39)"""
    sio, gate = make(), threading.Event()
    before = set(threading.enumerate())
    sio.on("slow", lambda: gate.wait(CEILING))
    sio.connect(URL)
    sio.eio.deliver('2["slow"]', '2["slow"]', '2["quick"]')
    sio.disconnect()
    gate.set()
    for thread in set(threading.enumerate()) - before:
        thread.join(CEILING)
        assert not thread.is_alive()


def test_a_client_can_be_used_on_any_thread():
    """A client may be made, connected and disconnected on different threads. (M21)"""
    made = []

    def run(function):
        thread = threading.Thread(target=function)
        thread.start()
        thread.join(CEILING)
        assert not thread.is_alive()

    run(lambda: made.append(Client()))
    run(lambda: made[0].connect(URL))
    run(lambda: made[0].emit("up"))
    run(made[0].disconnect)
    assert made[0].eio.sent.items == ["0{}", '2["up"]', "1"]


def test_a_signal_handler_may_use_the_client(sio):
    """The lock can be re-entered: what interrupts a thread that holds it may emit. (M19)"""
    with sio._sio_channel.lock:
        sio.emit("up")
        assert sio.connected
    assert sio.eio.sent.items == ['2["up"]']


# -- errors


class Records(logging.Handler):
    def __init__(self):
        super().__init__()
        self.records = []

    def emit(self, record):
        self.records.append(record)


@pytest.fixture
def logger():
    """A logger that keeps its records."""
    logger = logging.Logger("test_client")
    logger.addHandler(Records())
    return logger


def test_a_failing_handler_is_logged_with_event_and_namespace(make, logger):
    """The log says which handler failed, with the traceback, and has no payload. (M23)"""
    sio, last = make(logger=logger), threading.Event()
    sio.on("broken", lambda secret: 1 / 0)
    sio.on("last", last.set)
    sio.connect(URL)
    sio.eio.deliver('2["broken","password"]', '2["last"]')
    wait(last)
    (record,) = [record for record in logger.handlers[0].records if record.levelno >= logging.ERROR]
    assert record.getMessage() == "Handler of event broken of namespace / failed"
    assert record.exc_info[0] is ZeroDivisionError
    assert not any("password" in record.getMessage() for record in logger.handlers[0].records)


@pytest.mark.parametrize("event", ["connect", "in", "callback"])
@pytest.mark.parametrize("exception", [SystemExit, asyncio.CancelledError])
@pytest.mark.parametrize("async_handlers", [True, False])
def test_what_is_no_error_in_a_handler_ends_the_handler_only(make, event, exception, async_handlers):
    """SystemExit, or what a test calls to fail, in a handler or callback, on whatever thread, does not end it. (M23)"""
    sio, last = make(async_handlers=async_handlers), threading.Event()

    def leave():
        raise exception

    if event != "callback":
        sio.on(event, leave)
    sio.on("last", last.set)
    sio.connect(URL)
    if event == "callback":
        sio.emit("up", callback=leave)
    sio.eio.deliver("31[]", '2["in"]', '2["last"]')
    wait(last)
    assert sio.connected


def test_what_nobody_handles_takes_no_thread(make, monkeypatch):
    """A client without handlers for its own life connects and disconnects without a thread for them. (N39)"""
    sio, submitted = make(), []
    monkeypatch.setattr(sio._sio_dispatcher, "submit", lambda *args: submitted.append(args))
    sio.connect(URL)
    sio.disconnect()
    sio.wait()
    assert not submitted


def test_the_handler_is_looked_for_when_it_is_its_turn(make, monkeypatch):
    """A disconnect handler is called that the connect handler registers when the server has left already. (M22)"""
    monkeypatch.setattr(dispatch, "LOOK", 1000.0)
    sio, read, told = make(), threading.Event(), threading.Event()

    def connect():
        wait(read)
        sio.on("disconnect", lambda reason: told.set())

    sio.on("connect", connect)
    sio.connect(URL, wait=False)
    sio.eio.deliver("1", read.set)
    wait(told)


# -- Ctrl-C and the end of the program


def interrupt(*args):
    raise KeyboardInterrupt


def test_ctrl_c_in_sleep_says_goodbye(sio, monkeypatch):
    """KeyboardInterrupt goes on after the server was told, for which there is a second. (M19)"""
    told = []
    sio.on("disconnect", told.append)
    sio.emit("last")
    monkeypatch.setattr(sio.eio, "sleep", interrupt)
    with pytest.raises(KeyboardInterrupt):
        sio.sleep(1)
    assert told == ["client disconnect"]
    assert sio.eio.sent.items == ['2["last"]', "1"]
    assert sio.eio.drained.items == [1.0]
    assert not sio.connected


def test_ctrl_c_is_left_to_the_application_where_it_wants_it(make, monkeypatch):
    """With handle_sigint=False KeyboardInterrupt goes on, and the connection stays. (M19)"""
    sio = make(handle_sigint=False)
    sio.connect(URL)
    monkeypatch.setattr(sio.eio, "sleep", interrupt)
    with pytest.raises(KeyboardInterrupt):
        sio.sleep(1)
    assert sio.connected


def test_ctrl_c_in_connect_leaves_a_client_that_can_connect(make):
    """KeyboardInterrupt in connect() goes on, and ends the attempt. (M19, M15)"""
    sio = make()
    sio.eio.failures = [KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        sio.connect(URL)
    sio.wait()
    sio.connect(URL)
    assert sio.connected


def test_ctrl_c_while_connect_retries_leaves_a_client_that_can_connect(make):
    """KeyboardInterrupt in a later attempt of connect(retry=True) ends it as well. (M19, M43)"""
    sio = make()
    sio.eio.failures = [OSError("down"), KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        sio.connect(URL, retry=True)
    sio.wait()
    sio.connect(URL)
    assert sio.connected


def test_ctrl_c_in_disconnect_ends_the_connection(make, monkeypatch):
    """KeyboardInterrupt while disconnect() waits for the server cuts the connection, and goes on. (M19, N22)"""
    sio = make()
    sio.connect(URL)
    sio.emit("last")
    with monkeypatch.context() as patch:
        patch.setattr(sio.eio, "drain_steps", interrupt)
        with pytest.raises(KeyboardInterrupt):
            sio.disconnect()
    assert not sio.connected
    assert len(sio.eio.closings.items) == 1
    sio.wait()
    sio.connect(URL)
    assert sio.connected


@pytest.mark.parametrize(("last_value", "seconds"), [(None, 2.5), (ValueError(), 2.5), (KeyboardInterrupt(), 0.75)])
def test_the_end_of_the_program_says_goodbye(sio, monkeypatch, last_value, seconds):
    """What was emitted is sent, and the server told, within 3 s; after Ctrl-C within a second. (M19, M20, N36)"""
    monkeypatch.setattr(sys, "last_value", last_value, raising=False)
    sio.emit("last")
    process_hooks.disconnect_all()
    assert sio.eio.sent.items == ['2["last"]', "1"]
    assert sio.eio.drained.items == [seconds]
    assert not sio.connected
