"""Guide: "Namespaces", "Class-Based Namespaces"."""

from __future__ import annotations

from typing import Any

import pytest

import socketio
from socketio.exceptions import BadNamespaceError
from socketio.testing import Server

from .waiting import Inbox


@pytest.fixture(autouse=True)
def _answering(server: Server) -> None:
    """Have the server send the event ``my message`` of any namespace back, as ``my_custom_event``."""

    @server.on("my message", namespace="*")
    def my_message(namespace: str, sid: str, data: Any) -> None:
        server.emit("my_custom_event", data, to=sid, namespace=namespace)

    server.on("my message", lambda sid, data: server.emit("my_custom_event", data, to=sid))


def test_connecting_to_a_namespace(server: Server, sio: socketio.Client) -> None:
    """Namespaces: those in the list are connected; handlers and ``emit()`` name the one that they mean."""
    happened = Inbox[Any]()

    @sio.event(namespace="/chat")
    def my_custom_event(data: Any) -> None:
        happened.put(("my_custom_event", data))

    @sio.on("connect", namespace="/chat")
    def on_connect() -> None:
        happened.put(("connect",))

    sio.connect(server.url, namespaces=["/chat"])
    sio.emit("my message", {"foo": "bar"}, namespace="/chat")
    assert happened.take() == ("connect",)
    assert happened.take() == ("my_custom_event", {"foo": "bar"})
    assert list(sio.namespaces) == ["/chat"]
    with pytest.raises(BadNamespaceError):
        sio.emit("my message", {"foo": "bar"})


async def test_connecting_to_a_namespace_with_asyncio(server: Server, async_sio: socketio.AsyncClient) -> None:
    """Namespaces: the same for asyncio."""
    sio, happened = async_sio, Inbox[Any]()

    @sio.event(namespace="/chat")
    async def my_custom_event(data: Any) -> None:
        happened.put(("my_custom_event", data))

    @sio.on("connect", namespace="/chat")
    def on_connect() -> None:
        happened.put(("connect",))

    await sio.connect(server.url, namespaces=["/chat"])
    await sio.emit("my message", {"foo": "bar"}, namespace="/chat")
    assert await happened.take_soon() == ("connect",)
    assert await happened.take_soon() == ("my_custom_event", {"foo": "bar"})
    assert list(sio.namespaces) == ["/chat"]
    with pytest.raises(BadNamespaceError):
        await sio.emit("my message", {"foo": "bar"})


def test_namespaces_share_one_connection(server: Server, sio: socketio.Client) -> None:
    """Namespaces: several logical connections, each with a sid of its own, over one websocket."""
    sio.connect(server.url, namespaces=["/", "/chat"], transports="websocket")
    assert len(server.requests) == 1
    assert list(sio.namespaces) == ["/", "/chat"]
    assert sio.get_sid() != sio.get_sid("/chat")


async def test_namespaces_share_one_connection_with_asyncio(server: Server, async_sio: socketio.AsyncClient) -> None:
    """Namespaces: the same for asyncio."""
    sio = async_sio
    await sio.connect(server.url, namespaces=["/", "/chat"], transports="websocket")
    assert len(server.requests) == 1
    assert list(sio.namespaces) == ["/", "/chat"]
    assert sio.get_sid() != sio.get_sid("/chat")


def test_namespaces_with_handlers_are_connected(server: Server, sio: socketio.Client) -> None:
    """Namespaces: without the argument, all that have handlers are connected."""
    sio.on("my_custom_event", lambda data: None, namespace="/chat")
    sio.on("my_custom_event", lambda data: None, namespace="/news")
    sio.connect(server.url)
    assert list(sio.namespaces) == ["/chat", "/news"]


async def test_namespaces_with_handlers_are_connected_with_asyncio(
    server: Server, async_sio: socketio.AsyncClient
) -> None:
    """Namespaces: the same for asyncio."""
    sio = async_sio
    sio.on("my_custom_event", lambda data: None, namespace="/chat")
    sio.on("my_custom_event", lambda data: None, namespace="/news")
    await sio.connect(server.url)
    assert list(sio.namespaces) == ["/chat", "/news"]


class MyNamespace(socketio.ClientNamespace):
    """The class that the guide shows, with an inbox for what it is called with."""

    def __init__(self, namespace: str) -> None:
        super().__init__(namespace)
        self.happened = Inbox[Any]()

    def on_connect(self, *args: Any) -> None:
        self.happened.put(("connect", *args))

    def on_disconnect(self, *args: Any) -> None:
        self.happened.put(("disconnect", *args))

    def on_my_event(self, *args: Any) -> None:
        self.happened.put(("my_event", *args))
        self.emit("my message", args[-1], namespace=args[0] if len(args) == 2 else None)

    def on_my_custom_event(self, *args: Any) -> None:
        self.happened.put(("my_custom_event", *args))


class MyAsyncNamespace(socketio.AsyncClientNamespace):
    """The same for asyncio: functions and coroutines."""

    def __init__(self, namespace: str) -> None:
        super().__init__(namespace)
        self.happened = Inbox[Any]()

    def on_connect(self, *args: Any) -> None:
        self.happened.put(("connect", *args))

    def on_disconnect(self, *args: Any) -> None:
        self.happened.put(("disconnect", *args))

    async def on_my_event(self, *args: Any) -> None:
        self.happened.put(("my_event", *args))
        await self.emit("my message", args[-1], namespace=args[0] if len(args) == 2 else None)

    async def on_my_custom_event(self, *args: Any) -> None:
        self.happened.put(("my_custom_event", *args))


def test_a_class_handles_the_events_of_its_namespace(server: Server, sio: socketio.Client) -> None:
    """Class-Based Namespaces: ``on_`` methods are called, their ``emit()`` means their namespace, and events without a
    method are ignored."""
    namespace = MyNamespace("/chat")
    sio.register_namespace(namespace)
    sio.connect(server.url)
    server.emit("unknown event", namespace="/chat")
    server.emit("my_event", "data", namespace="/chat")
    for expected in (("connect",), ("my_event", "data"), ("my_custom_event", "data")):
        assert namespace.happened.take() == expected
    namespace.disconnect()
    assert namespace.happened.take() == ("disconnect", "client disconnect")
    assert namespace.happened.is_empty()


async def test_a_class_handles_the_events_of_its_namespace_with_asyncio(
    server: Server, async_sio: socketio.AsyncClient
) -> None:
    """Class-Based Namespaces: methods may be coroutines."""
    sio, namespace = async_sio, MyAsyncNamespace("/chat")
    sio.register_namespace(namespace)
    await sio.connect(server.url)
    server.emit("unknown event", namespace="/chat")
    server.emit("my_event", "data", namespace="/chat")
    for expected in (("connect",), ("my_event", "data"), ("my_custom_event", "data")):
        assert await namespace.happened.take_soon() == expected
    await namespace.disconnect()
    assert await namespace.happened.take_soon() == ("disconnect", "client disconnect")
    assert namespace.happened.is_empty()


def test_a_class_for_all_namespaces(server: Server, sio: socketio.Client) -> None:
    """Class-Based Namespaces: registered for ``'*'``, its methods get the namespace first."""
    namespace = MyNamespace("*")
    sio.register_namespace(namespace)
    sio.connect(server.url, namespaces=["/chat"])
    server.emit("my_event", "data", namespace="/chat")
    for expected in (("connect", "/chat"), ("my_event", "/chat", "data"), ("my_custom_event", "/chat", "data")):
        assert namespace.happened.take() == expected
    sio.disconnect()
    assert namespace.happened.take() == ("disconnect", "/chat", "client disconnect")


async def test_a_class_for_all_namespaces_with_asyncio(server: Server, async_sio: socketio.AsyncClient) -> None:
    """Class-Based Namespaces: the same for asyncio."""
    sio, namespace = async_sio, MyAsyncNamespace("*")
    sio.register_namespace(namespace)
    await sio.connect(server.url, namespaces=["/chat"])
    server.emit("my_event", "data", namespace="/chat")
    for expected in (("connect", "/chat"), ("my_event", "/chat", "data"), ("my_custom_event", "/chat", "data")):
        assert await namespace.happened.take_soon() == expected
    await sio.disconnect()
    assert await namespace.happened.take_soon() == ("disconnect", "/chat", "client disconnect")


def test_a_function_wins_over_a_class(server: Server, sio: socketio.Client) -> None:
    """Class-Based Namespaces: with a method and a function for an event, only the function is called."""
    namespace = MyNamespace("/chat")
    sio.register_namespace(namespace)
    sio.on("my_event", lambda data: namespace.happened.put(("function", data)), namespace="/chat")
    sio.connect(server.url)
    server.emit("my_event", "data", namespace="/chat")
    server.emit("my_custom_event", "data", namespace="/chat")
    for expected in (("connect",), ("function", "data"), ("my_custom_event", "data")):
        assert namespace.happened.take() == expected


async def test_a_function_wins_over_a_class_with_asyncio(server: Server, async_sio: socketio.AsyncClient) -> None:
    """Class-Based Namespaces: the same for asyncio."""
    sio, namespace = async_sio, MyAsyncNamespace("/chat")
    sio.register_namespace(namespace)
    sio.on("my_event", lambda data: namespace.happened.put(("function", data)), namespace="/chat")
    await sio.connect(server.url)
    server.emit("my_event", "data", namespace="/chat")
    server.emit("my_custom_event", "data", namespace="/chat")
    for expected in (("connect",), ("function", "data"), ("my_custom_event", "data")):
        assert await namespace.happened.take_soon() == expected


def test_convenience_methods_mean_the_namespace_of_the_object(server: Server, sio: socketio.Client) -> None:
    """Class-Based Namespaces: ``send()`` and ``call()`` of the object, too, need no namespace."""
    answers = Inbox[Any]()
    server.on("message", lambda sid, data: ("message", data), namespace="/chat")
    namespace = MyNamespace("/chat")
    sio.register_namespace(namespace)
    sio.connect(server.url)
    namespace.send("data", callback=answers.put_arguments)
    assert answers.take() == ("message", "data")
    assert namespace.call("message", 1) == ("message", 1)


async def test_convenience_methods_mean_the_namespace_of_the_object_with_asyncio(
    server: Server, async_sio: socketio.AsyncClient
) -> None:
    """Class-Based Namespaces: the coroutines."""
    sio, answers = async_sio, Inbox[Any]()
    server.on("message", lambda sid, data: ("message", data), namespace="/chat")
    namespace = MyAsyncNamespace("/chat")
    sio.register_namespace(namespace)
    await sio.connect(server.url)
    await namespace.send("data", callback=answers.put_arguments)
    assert await answers.take_soon() == ("message", "data")
    assert await namespace.call("message", 1) == ("message", 1)
