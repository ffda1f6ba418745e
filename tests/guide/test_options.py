"""Our own guide, "Connecting and disconnecting", "Options of the clients": what it shows beyond the common sections."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Iterator
from typing import Any

import aiohttp
import orjson
import pytest
import requests

import socketio
from socketio.exceptions import (
    BadNamespaceError,
    CallInterruptedError,
    ConnectionError,
    ConnectionRefusedError,
    DisconnectedError,
    InvalidURLError,
    TimeoutError,
)
from socketio.msgpack_packet import MsgPackPacket
from socketio.testing import Server

from .waiting import CEILING, Inbox, cut


def refuse(server: Server, namespace: str = "/", times: int = 10**9) -> None:
    """Have a server refuse so many clients of a namespace."""
    left = iter(range(times))

    @server.on("connect", namespace=namespace)
    def connect(sid: str, environ: Any, auth: Any) -> None:
        if next(left, None) is not None:
            raise ConnectionRefusedError("not authorized")


def test_a_refusal_says_why(server: Server, sio: socketio.Client) -> None:
    """Connecting: the error has the server's data, its cause the texts, and nothing is left connected."""
    refuse(server)
    with pytest.raises(ConnectionError, match=r"^One or more namespaces failed to connect: /$") as refusal:
        sio.connect(server.url, auth={"token": "secret"})
    assert refusal.value.data == {"/": {"message": "not authorized"}}
    assert str(refusal.value.__cause__) == "/: not authorized"
    assert not sio.connected


async def test_a_refusal_says_why_with_asyncio(server: Server, async_sio: socketio.AsyncClient) -> None:
    """Connecting: the same for asyncio."""
    refuse(server)
    with pytest.raises(ConnectionError, match=r"^One or more namespaces failed to connect: /$") as refusal:
        await async_sio.connect(server.url, auth={"token": "secret"})
    assert refusal.value.data == {"/": {"message": "not authorized"}}
    assert str(refusal.value.__cause__) == "/: not authorized"
    assert not async_sio.connected


@pytest.mark.parametrize("url", ["", "localhost:5000", "ftp://localhost", "http://", "http://localhost:99999", None])
async def test_a_url_that_nobody_can_connect_to(url: Any) -> None:
    """Connecting: it is an error of both kinds, before anything is tried."""
    with pytest.raises(InvalidURLError) as error:
        socketio.Client().connect(url)
    assert isinstance(error.value, ValueError)
    with pytest.raises(InvalidURLError):
        await socketio.AsyncClient().connect(url)


def test_arguments_that_can_never_work(server: Server, sio: socketio.Client) -> None:
    """Connecting, Emitting events: they are told from failures of the connection."""
    with pytest.raises(ValueError, match="begins with '/'"):
        sio.connect(server.url, namespaces="chat")
    with pytest.raises(ValueError, match="No valid transports"):
        sio.connect(server.url, transports="telepathy")
    with pytest.raises(ValueError, match="serializer"):
        socketio.Client(serializer="pigeon")
    sio.connect(server.url)
    with pytest.raises(TypeError, match="event name"):
        sio.emit(7)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        sio.emit("my message", object())


def test_not_waiting(server: Server, sio: socketio.Client) -> None:
    """Connecting: with ``wait=False``, the handlers tell what becomes of each namespace."""
    refuse(server, "/chat")
    happened = Inbox[Any]()
    sio.on("connect_error", lambda data: happened.put(data), namespace="/chat")
    sio.on("connect", lambda: happened.put("connected"))
    sio.connect(server.url, namespaces=["/chat", "/"], wait=False)
    assert happened.take() == {"message": "not authorized"}
    assert happened.take() == "connected"
    assert list(sio.namespaces) == ["/"]


def test_a_server_that_does_not_answer(server: Server, sio: socketio.Client) -> None:
    """Connecting: after ``wait_timeout`` the attempt has failed, for the namespaces that were not accepted."""

    @server.event(namespace="/chat")
    async def connect(sid: str, environ: Any) -> None:
        await asyncio.Event().wait()

    failures = Inbox[Any]()
    sio.on("connect_error", failures.put, namespace="/chat")
    with pytest.raises(ConnectionError, match=r"failed to connect: /chat$") as refusal:
        sio.connect(server.url, namespaces=["/", "/chat"], wait_timeout=0.05)
    assert "failed to connect: /chat" in failures.take()
    assert "within 0.05 s" in str(refusal.value.__cause__)
    assert refusal.value.data == {}


async def test_values_that_change(server: Server, async_sio: socketio.AsyncClient) -> None:
    """Values that change: functions and coroutine functions are asked at every attempt."""
    seen = Inbox[Any]()
    server.on("connect", lambda sid, environ, auth: seen.put((environ["HTTP_X_ATTEMPT"], auth)))
    asked: dict[str, int] = {"url": 0, "headers": 0, "auth": 0}

    def count(what: str) -> str:
        asked[what] += 1
        return str(asked[what])

    async def headers() -> dict[str, str]:
        return {"X-Attempt": count("headers")}

    def url() -> str:
        count("url")
        return server.url

    async def auth() -> dict[str, str]:
        return {"token": count("auth")}

    await async_sio.connect(url, headers=headers, auth=auth)
    assert await seen.take_soon() == ("1", {"token": "1"})
    cut(async_sio)
    assert await seen.take_soon() == ("2", {"token": "2"})
    assert asked == {"url": 2, "headers": 2, "auth": 2}


def test_values_that_change_with_threads(server: Server, sio: socketio.Client) -> None:
    """Values that change: functions."""
    seen = Inbox[Any]()
    server.on("connect", lambda sid, environ, auth: seen.put((environ["HTTP_X_ATTEMPT"], auth)))
    tokens = iter("ab")
    numbers = iter("12")
    sio.connect(lambda: server.url, headers=lambda: {"X-Attempt": next(numbers)}, auth=lambda: {"token": next(tokens)})
    assert seen.take() == ("1", {"token": "a"})
    cut(sio)
    assert seen.take() == ("2", {"token": "b"})


def test_trying_again_from_the_start(server: Server, sio: socketio.Client) -> None:
    """Reconnection: ``retry=True`` repeats a first attempt that fails; each failure calls ``connect_error``."""
    refuse(server, times=2)
    failures = Inbox[Any]()
    sio.on("connect_error", failures.put)
    sio.connect(server.url, retry=True)
    assert sio.connected
    assert [failures.take(), failures.take()] == [{"message": "not authorized"}] * 2
    assert failures.is_empty()


async def test_trying_again_until_attempts_run_out(server: Server) -> None:
    """Reconnection: then the error of the first attempt is raised, and ``wait()`` returns."""
    refuse(server)
    sio = socketio.AsyncClient(reconnection_attempts=2, reconnection_delay=0)
    with pytest.raises(ConnectionError, match="namespaces failed"):
        await sio.connect(server.url, retry=True)
    await asyncio.wait_for(sio.wait(), CEILING)


def test_a_call_whose_connection_is_lost(server: Server, sio: socketio.Client) -> None:
    """Reconnection: it ends at once, with an error of both kinds."""
    called = threading.Event()

    @server.on("my message")
    async def never_answer(sid: str) -> None:
        called.set()
        await asyncio.Event().wait()

    def lose() -> None:
        called.wait(CEILING)
        cut(sio)

    sio.connect(server.url)
    task = sio.start_background_task(lose)
    with pytest.raises(CallInterruptedError) as error:
        sio.call("my message")
    task.join(CEILING)
    assert isinstance(error.value, TimeoutError)
    assert isinstance(error.value, DisconnectedError)


def test_one_handler_at_a_time(server: Server) -> None:
    """Order: with ``async_handlers=False`` the next handler starts when the one before has ended."""
    sio = socketio.Client(async_handlers=False)
    happened = Inbox[Any]()

    @sio.event
    def work(number: int) -> None:
        happened.put(("begins", number))
        sio.call("tick")  # blocks: without the option, the next handler would begin
        happened.put(("ends", number))

    sio.connect(server.url)
    for number in range(3):
        server.emit("work", number)
    expected = [(what, number) for number in range(3) for what in ("begins", "ends")]
    assert [happened.take() for _ in expected] == expected
    sio.disconnect()


def test_messagepack_with_types_of_your_own() -> None:
    """Serializers: ``MsgPackPacket.configure`` says what becomes of a set."""

    def default(value: Any) -> Any:
        if isinstance(value, set):
            return sorted(value)
        raise TypeError(f"{value!r} cannot be sent")

    with Server(serializer="msgpack") as server:
        server.on("my message", lambda sid, data: data)
        with socketio.SimpleClient(serializer="msgpack") as sio:
            sio.connect(server.url)
            assert sio.call("my message", {"a": b"\x00"}) == {"a": b"\x00"}
        with socketio.SimpleClient(serializer=MsgPackPacket.configure(dumps_default=default)) as sio:
            sio.connect(server.url)
            assert sio.call("my message", {3, 1, 2}) == [1, 2, 3]
            with pytest.raises(TypeError, match="cannot be sent"):
                sio.emit("my message", object())


@pytest.mark.parametrize("module", [json, orjson])
async def test_a_json_module_of_your_own(server: Server, module: Any) -> None:
    """JSON: ``orjson`` and the standard library's module work as they are."""
    server.on("my message", lambda sid, data: data)
    async with socketio.AsyncSimpleClient(json=module) as sio:
        await sio.connect(server.url)
        assert await sio.call("my message", {"ä": [1, 2.5, None, b"\x00"]}) == {"ä": [1, 2.5, None, b"\x00"]}


async def test_sessions_made_when_they_are_needed(server: Server) -> None:
    """Sessions: a function, or for asyncio a coroutine function, makes one; the client closes it."""
    made: list[aiohttp.ClientSession] = []

    async def make_session() -> aiohttp.ClientSession:
        session = aiohttp.ClientSession(headers={"X-Made": "asyncio"})
        made.append(session)
        return session

    async with socketio.AsyncSimpleClient(http_session=make_session) as async_sio:
        await async_sio.connect(server.url)
    assert [session.closed for session in made] == [True]

    def make_plain_session() -> requests.Session:
        session = requests.Session()
        session.headers["X-Made"] = "threads"
        return session

    with socketio.SimpleClient(http_session=make_plain_session) as sio:
        await asyncio.to_thread(sio.connect, server.url)
    seen = [request.headers["x-made"] for request in server.requests]
    assert set(seen) == {"asyncio", "threads"}


def test_options_of_the_websocket(server: Server) -> None:
    """Options: headers in ``websocket_extra_options`` go with the websocket request only."""
    sio = socketio.SimpleClient(websocket_extra_options={"header": ["X-Extra: yes"]})
    with sio:
        sio.connect(server.url)
    seen = {request.headers.get("upgrade"): request.headers.get("x-extra") for request in server.requests}
    assert seen == {None: None, "websocket": "yes"}


@pytest.fixture
def level() -> Iterator[None]:
    """Give the client's logger a level, as a program that configures logging does."""
    logger = logging.getLogger("socketio.client")
    logger.setLevel(logging.INFO)
    yield
    logger.setLevel(logging.NOTSET)


@pytest.mark.usefixtures("level")
def test_logging_that_the_program_configures(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    """Debugging: the client's logger logs from the level that the program has given it."""
    with socketio.SimpleClient() as sio:
        sio.connect(server.url)
    assert "Namespace / is connected" in caplog.messages


def test_between_two_connections(server: Server) -> None:
    """Reconnection: until the connection is made again, ``emit()`` raises."""
    sio = socketio.Client(reconnection_delay=60, reconnection_delay_max=60)
    lost = threading.Event()
    sio.on("disconnect", lambda reason: lost.set())
    sio.connect(server.url)
    cut(sio)
    assert lost.wait(CEILING)
    with pytest.raises(BadNamespaceError):
        sio.emit("my message")
    sio.disconnect()
    sio.wait()
