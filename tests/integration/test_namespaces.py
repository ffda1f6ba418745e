"""Namespaces: which are connected, who handles their events, and classes as handlers."""

from __future__ import annotations

import asyncio

import pytest

from socketio import AsyncClientNamespace, ClientNamespace, exceptions

ODD_NAME = "/räume (1)/été-ü:!~&"


async def test_namespaces_are_apart(make_client, server, transport, recorder):
    """Each namespace has its own events, sids and acknowledgement ids. (D3, D8)"""
    sio = make_client()
    names = ["/", "/chat", "/news"]
    for name in names:
        sio.on("echo", recorder.handler(name), namespace=name)
    await sio.connect(server.url, transports=transport.argument)
    assert list(sio.namespaces) == names
    answers = await asyncio.gather(*(sio.call("echo", name, namespace=name) for name in names))
    assert answers == names
    for name in names:
        assert await recorder.wait_for(name) == [(name,)]


async def test_a_non_ascii_namespace(make_client, server, transport, recorder):
    """Non-ASCII and punctuated namespaces work, with binary and acknowledgements. (M33)"""
    sio = make_client()
    sio.on("echo", recorder.handler("echo"), namespace=ODD_NAME)
    await sio.connect(server.url, transports=transport.argument)
    assert list(sio.namespaces) == [ODD_NAME]
    assert await sio.call("echo", (b"binary", 1), namespace=ODD_NAME) == (b"binary", 1)
    assert await recorder.wait_for("echo") == [(b"binary", 1)]


@pytest.mark.servers("node")
async def test_an_unknown_namespace_is_refused(make_client, server):
    """A namespace that the server does not know is refused with its message. (M14)"""
    sio = make_client()
    with pytest.raises(exceptions.ConnectionError) as caught:
        await sio.connect(server.url, transports="websocket", namespaces="/unknown")
    assert caught.value.data == {"/unknown": {"message": "Invalid namespace"}}


@pytest.mark.servers("node")
async def test_who_is_called(make_client, server, recorder):
    """The exact handler, else '*' of the namespace, else those of namespace '*', with their arguments. (E7, E8)"""
    sio = make_client()
    sio.on("known", recorder.handler("/ known"))
    sio.on("*", recorder.handler("/ *"))
    sio.on("known", recorder.handler("* known"), namespace="*")
    sio.on("connect", recorder.handler("* connect"), namespace="*")
    sio.on("*", recorder.handler("* *"), namespace="*")
    await sio.connect(server.url, transports="websocket", namespaces=["/", "/chat"])
    for namespace in ("/", "/chat"):
        for event in ("known", "other"):
            await sio.emit("emit_back", (event, 1), namespace=namespace)
    await recorder.wait_for("* *")
    assert recorder.calls == [
        ("* connect", ("/chat",)),
        ("/ known", (1,)),
        ("/ *", ("other", 1)),
        ("* known", ("/chat", 1)),
        ("* *", ("other", "/chat", 1)),
    ]


@pytest.mark.servers("node")
async def test_reserved_events_do_not_reach_catch_all_handlers(make_client, server, recorder):
    """connect, connect_error and disconnect never reach a handler of event '*'. (E7)"""
    sio = make_client()
    sio.on("*", recorder.handler("*"))
    sio.on("*", recorder.handler("* *"), namespace="*")
    await sio.connect(server.url, transports="websocket", namespaces=["/", "/chat"])
    await sio.disconnect()
    with pytest.raises(exceptions.ConnectionError):
        await sio.connect(server.url, transports="websocket", namespaces=["/", "/refuse"])
    assert recorder.calls == []


async def test_a_class_handles_its_namespace(make_client, flavour, server, transport, recorder):
    """Methods of a class, plain or coroutines, handle connect, events and disconnect of its namespace. (L1, L2, E9)"""

    class Chat(flavour.namespace_class):
        def on_connect(self):
            recorder.record("connect")

        async def on_disconnect(self, reason):
            recorder.record("disconnect", reason)

        def on_plain(self, *args):
            recorder.record("plain", *args)

        async def on_coroutine(self, value):
            await self.emit("emit_back", ("plain", value + 1))
            recorder.record("answer", await self.call("echo", value))

    sio = make_client()
    chat = Chat("/chat")
    sio.register_namespace(chat)
    await sio.connect(server.url, transports=transport.argument)
    assert recorder.names == ["connect"]
    await chat.emit("emit_back", ("plain", 1, 2))
    await chat.emit("emit_back", "nobody")
    await chat.emit("emit_back", ("coroutine", 3))
    await recorder.wait_for("plain", 2)
    await recorder.wait_for("answer")
    assert recorder.of("plain") == [(1, 2), (4,)]
    assert recorder.of("answer") == [(3,)]
    await chat.disconnect()
    assert not sio.connected
    assert recorder.of("disconnect") == [("client disconnect",)]


@pytest.mark.servers("node")
async def test_namespace_objects_speak_for_their_own_namespace(make_client, flavour, server, recorder):
    """emit, send and call of an object go to its namespace unless another is given. (L4)"""
    sio = make_client()
    sio.on("echo", recorder.handler("/"))
    sio.on("echo", recorder.handler("/chat"), namespace="/chat")
    chat = flavour.namespace_class("/chat")
    sio.register_namespace(chat)
    await sio.connect(server.url, transports="websocket")
    assert await chat.call("echo", 1) == 1
    assert await chat.call("echo", 2, namespace="/") == 2
    await chat.emit("echo", 3, callback=recorder.handler("ack"))
    await chat.send("message", callback=recorder.handler("sent"))
    assert await recorder.wait_for("ack") == [(3,)]
    await recorder.wait_for("/chat", 2)
    assert recorder.of("/") == [(2,)]
    assert recorder.of("/chat") == [(1,), (3,)]
    with pytest.raises(exceptions.TimeoutError):
        await chat.call("no_ack", timeout=0.05)


@pytest.mark.servers("node")
async def test_a_function_wins_over_a_class(make_client, flavour, server, recorder):
    """A function wins for its event; other events of the namespace fall to the class, not to '*'. (M30, M31)"""

    class Chat(flavour.namespace_class):
        def on_both(self):
            recorder.record("class both")

        def on_only_class(self):
            recorder.record("class only")

    sio = make_client()
    sio.register_namespace(Chat("/chat"))
    sio.on("both", recorder.handler("function both"), namespace="/chat")
    sio.on("only_class", recorder.handler("*"), namespace="*")
    await sio.connect(server.url, transports="websocket")
    for event in ("both", "only_class"):
        await sio.emit("emit_back", event, namespace="/chat")
    await recorder.wait_until(lambda: len(recorder.calls) == 2)
    assert recorder.names == ["function both", "class only"]


@pytest.mark.servers("node")
async def test_a_class_for_all_namespaces(make_client, flavour, server, recorder):
    """A class registered for '*' gets the namespace first, also for connect and disconnect. (E10, M31)"""

    class Everything(flavour.namespace_class):
        def on_connect(self, namespace):
            recorder.record("connect", namespace)

        def on_disconnect(self, namespace, reason):
            recorder.record("disconnect", namespace, reason)

        def on_event(self, namespace, value):
            recorder.record("event", namespace, value)
            return namespace

        def on_answer(self, namespace, values):
            recorder.record("answer", namespace, values)

    sio = make_client()
    sio.register_namespace(Everything("*"))
    await sio.connect(server.url, transports="websocket", namespaces=["/chat"])
    await sio.emit("ask", ("event", 1), namespace="/chat")
    await recorder.wait_for("answer")
    await sio.disconnect()
    assert recorder.calls == [
        ("connect", ("/chat",)),
        ("event", ("/chat", 1)),
        ("answer", ("/chat", ["/chat"])),
        ("disconnect", ("/chat", "client disconnect")),
    ]


@pytest.mark.servers("node")
async def test_trigger_event_may_be_overridden(make_client, flavour, server, recorder):
    """A class may route its events itself, and its result is acknowledged. (M31)"""

    class Router(flavour.namespace_class):
        async def trigger_event(self, event, *args):
            recorder.record(event, *args)
            return "routed"

    sio = make_client()
    sio.register_namespace(Router("/chat"))
    await sio.connect(server.url, transports="websocket")
    await sio.emit("ask", ("any event", 1), namespace="/chat")
    await recorder.wait_for("answer")
    assert recorder.calls == [("connect", ()), ("any event", (1,)), ("answer", (["routed"],))]


@pytest.mark.servers("node")
async def test_disconnect_handlers_without_a_reason(make_client, flavour, server, recorder):
    """A disconnect handler without a parameter works, as a function and as a method. (E12, L1)"""

    class Chat(flavour.namespace_class):
        def on_disconnect(self):
            recorder.record("method")

    sio = make_client()
    sio.register_namespace(Chat("/chat"))

    @sio.event
    def disconnect():
        recorder.record("function")

    await sio.connect(server.url, transports="websocket")
    await sio.disconnect()
    assert sorted(recorder.names) == ["function", "method"]


def test_only_namespaces_of_the_same_flavour(make_client, flavour):
    """register_namespace() refuses what is no namespace, or one of the other flavour. (B4, B5)"""
    sio = make_client()
    other = ClientNamespace("/x") if flavour.is_asyncio else AsyncClientNamespace("/x")
    for wrong in (other, object(), ClientNamespace):
        with pytest.raises(ValueError):
            sio.register_namespace(wrong)


@pytest.mark.servers("node")
async def test_decorators(make_client, server, recorder):
    """on() and event() register by decorator and by call, and leave the function unchanged. (B1, B2)"""
    sio = make_client()

    def first(value):
        recorder.record("first", value)

    assert sio.event(first) is first
    assert sio.on("second", namespace="/chat")(first) is first

    @sio.event(namespace="/chat")
    def third(value):
        recorder.record("third", value)

    await sio.connect(server.url, transports="websocket")
    await sio.emit("emit_back", ("first", 1))
    await recorder.wait_for("first")
    await sio.emit("emit_back", ("second", 2), namespace="/chat")
    await sio.emit("emit_back", ("third", 3), namespace="/chat")
    await recorder.wait_for("third")
    assert recorder.calls == [("first", (1,)), ("first", (2,)), ("third", (3,))]
