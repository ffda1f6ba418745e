"""Guide: "Using the Simple Client"."""

from __future__ import annotations

from typing import Any

import pytest

import socketio
from socketio.exceptions import DisconnectedError, TimeoutError
from socketio.testing import Server

from .waiting import Inbox

VALUES: list[Any] = [
    "text",
    b"\x00\xff",
    {"foo": "bar", "nested": {"bytes": b"\x01"}},
    ["a", b"\x02", {"b": [1, 2]}],
    None,
]


def echo(server: Server) -> None:
    """Have a server send each event back as it came."""
    server.on("*", lambda event, sid, *args: server.emit(event, args, to=sid))


def test_creating_an_instance_in_a_with_block(server: Server) -> None:
    """Creating a Client Instance: the context manager disconnects at its end."""
    farewells = Inbox[Any]()
    server.on("disconnect", farewells.put_arguments)
    with socketio.SimpleClient() as sio:
        sio.connect(server.url)
        sid = sio.sid
    assert farewells.take() == (sid, "client disconnect")
    assert not sio.connected


async def test_creating_an_instance_in_an_async_with_block(server: Server) -> None:
    """Creating a Client Instance: so does the asynchronous one."""
    farewells = Inbox[Any]()
    server.on("disconnect", farewells.put_arguments)
    async with socketio.AsyncSimpleClient() as sio:
        await sio.connect(server.url)
        sid = sio.sid
    assert await farewells.take_soon() == (sid, "client disconnect")
    assert not sio.connected


def test_creating_an_instance_without_a_block(server: Server) -> None:
    """Creating a Client Instance, Disconnecting from the Server: it can be made and disconnected by hand."""
    sio = socketio.SimpleClient()
    sio.connect(server.url)
    assert sio.connected
    sio.disconnect()
    assert not sio.connected
    with pytest.raises(DisconnectedError):
        sio.emit("my message", {"foo": "bar"})


async def test_creating_an_async_instance_without_a_block(server: Server) -> None:
    """Creating a Client Instance, Disconnecting from the Server: so can the client for asyncio."""
    sio = socketio.AsyncSimpleClient()
    await sio.connect(server.url)
    assert sio.connected
    await sio.disconnect()
    assert not sio.connected
    with pytest.raises(DisconnectedError):
        await sio.emit("my message", {"foo": "bar"})


@pytest.mark.parametrize(
    ("transports", "used", "first_request"),
    [
        (None, "websocket", "transport=polling"),
        (["websocket"], "websocket", "transport=websocket"),
        (["polling"], "polling", "transport=polling"),
    ],
)
def test_connecting(server: Server, transports: list[str] | None, used: str, first_request: str) -> None:
    """Connecting to a Server: by polling and an upgrade, or as the argument says; ``sid`` and ``transport`` tell."""
    sids = Inbox[Any]()
    server.on("connect", lambda sid, environ: sids.put(sid))
    with socketio.SimpleClient() as sio:
        sio.connect(server.url, transports=transports)
        assert sio.sid == sids.take()
        assert sio.transport == used
    assert first_request in server.requests[0].path_qs


@pytest.mark.parametrize(
    ("transports", "used", "first_request"),
    [
        (None, "websocket", "transport=polling"),
        (["websocket"], "websocket", "transport=websocket"),
        (["polling"], "polling", "transport=polling"),
    ],
)
async def test_connecting_with_asyncio(
    server: Server, transports: list[str] | None, used: str, first_request: str
) -> None:
    """Connecting to a Server: the coroutine."""
    sids = Inbox[Any]()
    server.on("connect", lambda sid, environ: sids.put(sid))
    async with socketio.AsyncSimpleClient() as sio:
        await sio.connect(server.url, transports=transports)
        assert sio.sid == await sids.take_soon()
        assert sio.transport == used
    assert first_request in server.requests[0].path_qs


def test_emitting_and_receiving(server: Server) -> None:
    """Emitting Events, Receiving Events: text, bytes, dicts and lists are one argument each, and come back the same."""
    echo(server)
    with socketio.SimpleClient() as sio:
        sio.connect(server.url)
        for value in VALUES[:-1]:
            sio.emit("my message", value)
            assert sio.receive() == ["my message", value]
        sio.emit("my message")
        assert sio.receive() == ["my message"]


async def test_emitting_and_receiving_with_asyncio(server: Server) -> None:
    """Emitting Events, Receiving Events: the coroutines."""
    echo(server)
    async with socketio.AsyncSimpleClient() as sio:
        await sio.connect(server.url)
        for value in VALUES[:-1]:
            await sio.emit("my message", value)
            assert await sio.receive() == ["my message", value]
        await sio.emit("my message")
        assert await sio.receive() == ["my message"]


def test_emitting_a_tuple(server: Server) -> None:
    """Emitting Events: the elements of a tuple are arguments of their own."""
    echo(server)
    with socketio.SimpleClient() as sio:
        sio.connect(server.url)
        sio.emit("my message", tuple(VALUES))
        event = sio.receive()
    assert event[0] == "my message"
    assert event[1:] == VALUES


async def test_emitting_a_tuple_with_asyncio(server: Server) -> None:
    """Emitting Events: the elements of a tuple are arguments of their own."""
    echo(server)
    async with socketio.AsyncSimpleClient() as sio:
        await sio.connect(server.url)
        await sio.emit("my message", tuple(VALUES))
        event = await sio.receive()
    assert event[0] == "my message"
    assert event[1:] == VALUES


def test_receiving_with_a_timeout(server: Server) -> None:
    """Receiving Events: when nothing comes, the timeout ends the waiting; what comes later can still be received."""
    with socketio.SimpleClient() as sio:
        sio.connect(server.url)
        with pytest.raises(TimeoutError):
            sio.receive(timeout=0.01)
        server.emit("my message", "late")
        assert sio.receive(timeout=5) == ["my message", "late"]


async def test_receiving_with_a_timeout_with_asyncio(server: Server) -> None:
    """Receiving Events: when nothing comes, the timeout ends the waiting; what comes later can still be received."""
    async with socketio.AsyncSimpleClient() as sio:
        await sio.connect(server.url)
        with pytest.raises(TimeoutError):
            await sio.receive(timeout=0.01)
        server.emit("my message", "late")
        assert await sio.receive(timeout=5) == ["my message", "late"]


def test_a_lost_connection_is_repaired_unnoticed(server: Server) -> None:
    """Using the Simple Client: disconnections and reconnections do not concern the application."""
    echo(server)
    sids = Inbox[str]()
    server.on("connect", lambda sid, environ: sids.put(sid))
    with socketio.SimpleClient(reconnection_delay=0) as sio:
        sio.connect(server.url)
        server.close_transport(sids.take())
        again = sids.take()
        sio.emit("my message", "still there")
        assert sio.receive(timeout=5) == ["my message", "still there"]
        assert sio.sid == again


async def test_a_lost_connection_is_repaired_unnoticed_with_asyncio(server: Server) -> None:
    """Using the Simple Client: disconnections and reconnections do not concern the application."""
    echo(server)
    sids = Inbox[str]()
    server.on("connect", lambda sid, environ: sids.put(sid))
    async with socketio.AsyncSimpleClient(reconnection_delay=0) as sio:
        await sio.connect(server.url)
        server.close_transport(await sids.take_soon())
        again = await sids.take_soon()
        await sio.emit("my message", "still there")
        assert await sio.receive(timeout=5) == ["my message", "still there"]
        assert sio.sid == again
