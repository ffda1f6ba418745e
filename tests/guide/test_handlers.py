"""Guide: "Defining Event Handlers", "Catch-All Event and Namespace Handlers", "Connect, Connect Error and Disconnect
Event Handlers"."""

from __future__ import annotations

from typing import Any

import pytest

import socketio
from socketio.exceptions import ConnectionError, ConnectionRefusedError
from socketio.testing import Server

from .waiting import Inbox, cut


def test_a_handler_is_registered_by_its_name_or_under_any_name(server: Server, sio: socketio.Client) -> None:
    """Defining Event Handlers: ``event`` takes the function's name, ``on`` any name; arguments are passed on."""
    received = Inbox[Any]()

    @sio.event
    def message(data: Any) -> None:
        received.put(("message", data))

    @sio.on("my message")
    def on_message(data: Any, more: Any) -> None:
        received.put(("my message", data, more))

    sio.connect(server.url)
    server.emit("message", {"foo": "bar"})
    server.emit("my message", ("one", 2))
    assert received.take() == ("message", {"foo": "bar"})
    assert received.take() == ("my message", "one", 2)


async def test_a_handler_is_a_function_or_a_coroutine(server: Server, async_sio: socketio.AsyncClient) -> None:
    """Defining Event Handlers: the client for asyncio takes both."""
    sio, received = async_sio, Inbox[Any]()

    @sio.event
    async def message(data: Any) -> None:
        await sio.sleep()
        received.put(("message", data))

    @sio.on("my message")
    def on_message(data: Any, more: Any) -> None:
        received.put(("my message", data, more))

    await sio.connect(server.url)
    server.emit("message", {"foo": "bar"})
    assert await received.take_soon() == ("message", {"foo": "bar"})
    server.emit("my message", ("one", 2))
    assert await received.take_soon() == ("my message", "one", 2)


def test_a_catch_all_handler_gets_the_events_without_a_handler(server: Server, sio: socketio.Client) -> None:
    """Catch-All Event Handlers: it gets the event name first, and neither ``connect`` nor ``disconnect``."""
    received = Inbox[Any]()

    @sio.on("*")
    def any_event(event: str, *args: Any) -> None:
        received.put(("any", event, *args))

    @sio.event
    def known() -> None:
        received.put(("known",))

    sio.connect(server.url)
    server.emit("my event", (1, "data"))
    server.emit("known")
    sio.call("acknowledged when all of that has arrived")
    sio.disconnect()
    assert received.take() == ("any", "my event", 1, "data")
    assert received.take() == ("known",)
    assert received.is_empty()


async def test_a_catch_all_handler_may_be_a_coroutine(server: Server, async_sio: socketio.AsyncClient) -> None:
    """Catch-All Event Handlers: for asyncio, it may be a coroutine."""
    sio, received = async_sio, Inbox[Any]()

    @sio.on("*")
    async def any_event(event: str, *args: Any) -> None:
        received.put(("any", event, *args))

    await sio.connect(server.url)
    server.emit("my event", (1, "data"))
    assert await received.take_soon() == ("any", "my event", 1, "data")
    await sio.disconnect()
    assert received.is_empty()


def test_a_catch_all_namespace_serves_namespaces_without_handlers(server: Server, sio: socketio.Client) -> None:
    """Catch-All Namespace Handlers: namespace first; with a catch-all event, event name and namespace."""
    received = Inbox[Any]()
    server.on("connect", lambda namespace, sid, environ: None, namespace="*")

    @sio.on("my_event", namespace="*")
    def my_event_any_namespace(namespace: str, *args: Any) -> None:
        received.put(("my_event", namespace, *args))

    @sio.on("*", namespace="*")
    def any_event_any_namespace(event: str, namespace: str, *args: Any) -> None:
        received.put(("any", event, namespace, *args))

    sio.connect(server.url, namespaces=["/chat", "/news"])
    server.emit("my_event", (1, "data"), namespace="/chat")
    server.emit("other", (2, "data"), namespace="/news")
    assert received.take() == ("my_event", "/chat", 1, "data")
    assert received.take() == ("any", "other", "/news", 2, "data")


async def test_a_catch_all_namespace_serves_namespaces_without_handlers_with_asyncio(
    server: Server, async_sio: socketio.AsyncClient
) -> None:
    """Catch-All Namespace Handlers: the same for asyncio."""
    sio, received = async_sio, Inbox[Any]()
    server.on("connect", lambda namespace, sid, environ: None, namespace="*")

    @sio.on("my_event", namespace="*")
    def my_event_any_namespace(namespace: str, *args: Any) -> None:
        received.put(("my_event", namespace, *args))

    @sio.on("*", namespace="*")
    async def any_event_any_namespace(event: str, namespace: str, *args: Any) -> None:
        received.put(("any", event, namespace, *args))

    await sio.connect(server.url, namespaces=["/chat", "/news"])
    server.emit("my_event", (1, "data"), namespace="/chat")
    server.emit("other", (2, "data"), namespace="/news")
    assert await received.take_soon() == ("my_event", "/chat", 1, "data")
    assert await received.take_soon() == ("any", "other", "/news", 2, "data")


def test_connect_and_disconnect_handlers_are_called(server: Server, sio: socketio.Client) -> None:
    """Connect and Disconnect Event Handlers: when the application connects and disconnects, with the reason."""
    happened: list[Any] = []

    @sio.event
    def connect() -> None:
        happened.append("connect")

    @sio.event
    def disconnect(reason: str) -> None:
        happened.append(reason)

    sio.connect(server.url)
    assert happened == ["connect"]
    sio.disconnect()
    assert happened == ["connect", sio.reason.CLIENT_DISCONNECT]


async def test_connect_and_disconnect_handlers_are_called_with_asyncio(
    server: Server, async_sio: socketio.AsyncClient
) -> None:
    """Connect and Disconnect Event Handlers: the same for asyncio."""
    sio = async_sio
    happened: list[Any] = []

    @sio.event
    async def connect() -> None:
        happened.append("connect")

    @sio.event
    async def disconnect(reason: str) -> None:
        happened.append(reason)

    await sio.connect(server.url)
    assert happened == ["connect"]
    await sio.disconnect()
    assert happened == ["connect", sio.reason.CLIENT_DISCONNECT]


def test_a_server_that_refuses_tells_the_connect_error_handler_why(server: Server, sio: socketio.Client) -> None:
    """Connect Error Event Handlers: a connection attempt that fails calls it with the server's arguments."""
    failures = Inbox[Any]()

    @server.event
    def connect(sid: str, environ: Any, auth: Any) -> None:
        raise ConnectionRefusedError("not authorized", {"retry": False})

    @sio.event
    def connect_error(data: Any) -> None:
        failures.put(data)

    with pytest.raises(ConnectionError):
        sio.connect(server.url)
    assert failures.take() == {"message": "not authorized", "data": {"retry": False}}


async def test_a_server_that_refuses_tells_the_connect_error_handler_why_with_asyncio(
    server: Server, async_sio: socketio.AsyncClient
) -> None:
    """Connect Error Event Handlers: the same for asyncio."""
    sio, failures = async_sio, Inbox[Any]()

    @server.event
    def connect(sid: str, environ: Any, auth: Any) -> None:
        raise ConnectionRefusedError("not authorized", {"retry": False})

    @sio.event
    async def connect_error(data: Any) -> None:
        failures.put(data)

    with pytest.raises(ConnectionError):
        await sio.connect(server.url)
    assert await failures.take_soon() == {"message": "not authorized", "data": {"retry": False}}


def test_the_server_disconnects(server: Server, sio: socketio.Client) -> None:
    """Disconnect Event Handlers: the reason tells that the server has ended the connection."""
    reasons = Inbox[str]()
    sio.on("disconnect", reasons.put)
    sio.connect(server.url)
    server.disconnect(str(sio.get_sid()))
    assert reasons.take() == sio.reason.SERVER_DISCONNECT


async def test_the_server_disconnects_with_asyncio(server: Server, async_sio: socketio.AsyncClient) -> None:
    """Disconnect Event Handlers: the same for asyncio."""
    sio, reasons = async_sio, Inbox[str]()
    sio.on("disconnect", reasons.put)
    await sio.connect(server.url)
    server.disconnect(str(sio.get_sid()))
    assert await reasons.take_soon() == sio.reason.SERVER_DISCONNECT


def test_an_accidental_disconnection_is_repaired(server: Server, sio: socketio.Client) -> None:
    """Disconnect Event Handlers: after an accident, first the disconnect handler is called, then the client reconnects
    and the connect handler is called again."""
    happened = Inbox[Any]()
    sio.on("connect", lambda: happened.put(("connect", sio.get_sid())))
    sio.on("disconnect", lambda reason: happened.put(("disconnect", reason)))
    sio.connect(server.url)
    cut(sio)
    event, first_sid = happened.take()
    assert event == "connect"
    assert happened.take() == ("disconnect", sio.reason.TRANSPORT_ERROR)
    event, second_sid = happened.take()
    assert event == "connect"
    assert second_sid not in (first_sid, None)


async def test_an_accidental_disconnection_is_repaired_with_asyncio(
    server: Server, async_sio: socketio.AsyncClient
) -> None:
    """Disconnect Event Handlers: the same for asyncio."""
    sio, happened = async_sio, Inbox[Any]()
    sio.on("connect", lambda: happened.put(("connect", sio.get_sid())))
    sio.on("disconnect", lambda reason: happened.put(("disconnect", reason)))
    await sio.connect(server.url)
    cut(sio)
    event, first_sid = await happened.take_soon()
    assert event == "connect"
    assert await happened.take_soon() == ("disconnect", sio.reason.TRANSPORT_ERROR)
    event, second_sid = await happened.take_soon()
    assert event == "connect"
    assert second_sid not in (first_sid, None)


def test_the_reasons_have_names() -> None:
    """Disconnect Event Handlers: the attribute ``reason`` lists them."""
    for client_class in (socketio.Client, socketio.AsyncClient):
        assert client_class.reason.CLIENT_DISCONNECT == "client disconnect"
        assert client_class.reason.SERVER_DISCONNECT == "server disconnect"
        assert client_class.reason.TRANSPORT_ERROR == "transport error"
