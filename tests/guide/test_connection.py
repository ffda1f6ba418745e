"""Guide: "Creating a Client Instance", "Connecting to a Server", "Emitting Events", "Event Callbacks", "Disconnecting
from the Server", "Managing Background Tasks", "Debugging and Troubleshooting"."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest

import socketio
from socketio.testing import Server

from .waiting import CEILING, Inbox


def test_connecting(server: Server) -> None:
    """Creating a Client Instance, Connecting to a Server: then ``sid`` is set, and ``transport()`` tells the name."""
    sio = socketio.Client()
    sio.connect(server.url)
    try:
        assert sio.sid
        assert sio.transport() == "websocket"
    finally:
        sio.disconnect()


async def test_connecting_with_asyncio(server: Server) -> None:
    """Creating a Client Instance, Connecting to a Server: the coroutine."""
    sio = socketio.AsyncClient()
    await sio.connect(server.url)
    try:
        assert sio.sid
        assert sio.transport() == "websocket"
    finally:
        await sio.disconnect()


def test_emitting(server: Server, sio: socketio.Client) -> None:
    """Emitting Events: from the program, from a handler, and from a background task; a tuple is several arguments."""
    received = Inbox[Any]()
    server.on("my message", lambda sid, *args: received.put(args))

    @sio.event
    def answer_me(data: Any) -> None:
        sio.emit("my message", ("from a handler", data))

    sio.connect(server.url)
    sio.emit("my message", {"foo": "bar"})
    assert received.take() == ({"foo": "bar"},)
    server.emit("answer_me", b"\x00\x01")
    assert received.take() == ("from a handler", b"\x00\x01")
    sio.start_background_task(sio.emit, "my message", ["from", "a task"]).join(CEILING)
    assert received.take() == (["from", "a task"],)


async def test_emitting_with_asyncio(server: Server, async_sio: socketio.AsyncClient) -> None:
    """Emitting Events: the coroutine, from the same places."""
    sio, received = async_sio, Inbox[Any]()
    server.on("my message", lambda sid, *args: received.put(args))

    @sio.event
    async def answer_me(data: Any) -> None:
        await sio.emit("my message", ("from a handler", data))

    await sio.connect(server.url)
    await sio.emit("my message", {"foo": "bar"})
    assert await received.take_soon() == ({"foo": "bar"},)
    server.emit("answer_me", b"\x00\x01")
    assert await received.take_soon() == ("from a handler", b"\x00\x01")
    await sio.start_background_task(sio.emit, "my message", ["from", "a task"])
    assert await received.take_soon() == (["from", "a task"],)


def test_a_handler_answers_the_callback_of_the_server(server: Server, sio: socketio.Client) -> None:
    """Event Callbacks: the values that a handler returns are the arguments of the server's callback."""
    answers = Inbox[Any]()

    @sio.event
    def my_event(data: Any) -> tuple[str, int]:
        return "OK", 123

    sio.connect(server.url)
    server.emit("my_event", {"foo": "bar"}, callback=answers.put_arguments)
    assert answers.take() == ("OK", 123)


async def test_a_handler_answers_the_callback_of_the_server_with_asyncio(
    server: Server, async_sio: socketio.AsyncClient
) -> None:
    """Event Callbacks: a coroutine does too."""
    sio, answers = async_sio, Inbox[Any]()

    @sio.event
    async def my_event(data: Any) -> tuple[str, int]:
        await sio.sleep()
        return "OK", 123

    await sio.connect(server.url)
    server.emit("my_event", {"foo": "bar"}, callback=answers.put_arguments)
    assert await answers.take_soon() == ("OK", 123)


def test_a_callback_gets_what_the_server_returns(server: Server, sio: socketio.Client) -> None:
    """Event Callbacks: ``emit(callback=...)`` has a function called with the values of the server's handler."""
    answers = Inbox[Any]()
    server.on("my message", lambda sid, data: ("received", data))
    sio.connect(server.url)
    sio.emit("my message", {"foo": "bar"}, callback=answers.put_arguments)
    assert answers.take() == ("received", {"foo": "bar"})


async def test_a_callback_gets_what_the_server_returns_with_asyncio(
    server: Server, async_sio: socketio.AsyncClient
) -> None:
    """Event Callbacks: for asyncio the callback may be a coroutine."""
    sio, answers = async_sio, Inbox[Any]()
    server.on("my message", lambda sid, data: ("received", data))

    async def called_back(*args: Any) -> None:
        answers.put(args)

    await sio.connect(server.url)
    await sio.emit("my message", {"foo": "bar"}, callback=called_back)
    assert await answers.take_soon() == ("received", {"foo": "bar"})
    await sio.emit("my message", {"foo": "bar"}, callback=answers.put_arguments)
    assert await answers.take_soon() == ("received", {"foo": "bar"})


def test_disconnecting_at_any_time(server: Server, sio: socketio.Client) -> None:
    """Disconnecting from the Server: the server sees it, and with it everything that was emitted before."""
    seen = Inbox[Any]()
    server.on("my message", lambda sid, data: seen.put(data))
    server.on("disconnect", lambda sid, reason: seen.put(reason))
    sio.connect(server.url)
    for number in range(100):
        sio.emit("my message", number)
    sio.disconnect()
    assert [seen.take() for _ in range(100)] == list(range(100))
    assert seen.take() == "client disconnect"
    assert not sio.connected


async def test_disconnecting_at_any_time_with_asyncio(server: Server, async_sio: socketio.AsyncClient) -> None:
    """Disconnecting from the Server: the coroutine."""
    sio, seen = async_sio, Inbox[Any]()
    server.on("my message", lambda sid, data: seen.put(data))
    server.on("disconnect", lambda sid, reason: seen.put(reason))
    await sio.connect(server.url)
    for number in range(100):
        await sio.emit("my message", number)
    await sio.disconnect()
    assert [await seen.take_soon() for _ in range(100)] == list(range(100))
    assert await seen.take_soon() == "client disconnect"
    assert not sio.connected


def test_waiting_for_the_end(server: Server, sio: socketio.Client) -> None:
    """Managing Background Tasks: ``wait()`` returns when the connection has ended, and handlers run meanwhile."""
    received: list[str] = []

    @sio.event
    def message(data: str) -> None:
        received.append(data)

    sio.connect(server.url)
    server.emit("message", "while the main thread waits")
    server.disconnect(str(sio.get_sid()))
    sio.wait()
    assert received == ["while the main thread waits"]


async def test_waiting_for_the_end_with_asyncio(server: Server, async_sio: socketio.AsyncClient) -> None:
    """Managing Background Tasks: the coroutine."""
    sio = async_sio
    received: list[str] = []

    @sio.event
    async def message(data: str) -> None:
        received.append(data)

    await sio.connect(server.url)
    server.emit("message", "while the main task waits")
    server.disconnect(str(sio.get_sid()))
    await asyncio.wait_for(sio.wait(), CEILING)
    assert received == ["while the main task waits"]


def test_a_background_task_gets_its_arguments(sio: socketio.Client) -> None:
    """Managing Background Tasks: a function runs in a thread of its own, with positional and keyword arguments."""
    ran = Inbox[Any]()

    def my_background_task(my_argument: int, option: str = "") -> None:
        sio.sleep(0.001)
        ran.put((my_argument, option, threading.current_thread()))

    task = sio.start_background_task(my_background_task, 123, option="x")
    task.join(CEILING)
    assert ran.take() == (123, "x", task)


async def test_a_background_task_gets_its_arguments_with_asyncio(async_sio: socketio.AsyncClient) -> None:
    """Managing Background Tasks: a coroutine runs as a task; the helper itself is no coroutine."""
    sio = async_sio

    async def my_background_task(my_argument: int, option: str = "") -> tuple[int, str]:
        await sio.sleep(0.001)
        return my_argument, option

    task = sio.start_background_task(my_background_task, 123, option="x")
    assert isinstance(task, asyncio.Task)
    assert await task == (123, "x")


@pytest.fixture
def log_state() -> Iterator[None]:
    """Take off what ``logger=True`` has put on."""
    loggers = [logging.getLogger(name) for name in ("socketio.client", "engineio.client")]
    yield
    for logger in loggers:
        logger.handlers.clear()
        logger.setLevel(logging.NOTSET)


@pytest.mark.usefixtures("log_state")
def test_logging_to_the_terminal(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """Debugging and Troubleshooting: ``logger`` and ``engineio_logger`` write to stderr."""
    sio = socketio.Client(logger=True, engineio_logger=True)
    sio.connect(server.url)
    sio.disconnect()
    written = capsys.readouterr().err
    assert "Namespace / is connected" in written
    assert "Upgraded to websocket" in written


@pytest.mark.usefixtures("log_state")
async def test_logging_to_the_terminal_with_asyncio(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """Debugging and Troubleshooting: the simple client takes the same arguments."""
    async with socketio.AsyncSimpleClient(logger=True, engineio_logger=True) as sio:
        await sio.connect(server.url)
    written = capsys.readouterr().err
    assert "Namespace / is connected" in written
    assert "Upgraded to websocket" in written


def test_logging_to_a_logger_of_your_own(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    """Debugging and Troubleshooting: a logger object gets the records."""
    own = logging.getLogger("guide")
    with caplog.at_level(logging.INFO, "guide"), socketio.SimpleClient(logger=own, engineio_logger=own) as sio:
        sio.connect(server.url)
    assert {"Connected over websocket", "Namespace / is connected"} <= set(caplog.messages)
    assert {record.name for record in caplog.records} == {"guide"}


def test_logging_nothing(server: Server, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> None:
    """Debugging and Troubleshooting: by default nothing is logged when all goes well."""
    with socketio.SimpleClient() as sio:
        sio.connect(server.url)
    assert not caplog.records
    assert capsys.readouterr().err == ""
