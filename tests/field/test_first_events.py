"""Servers that emit in their ``connect`` handlers, or in the middleware of a namespace: what they say first arrives.

Source: issue 10, A1. python-socketio and Flask-SocketIO answer a CONNECT when the ``connect`` handler has returned, and
socket.io when the middleware has: the events come before the answer.
"""

from __future__ import annotations

import json
import logging

import aiohttp
import pytest

from integration.proxy import Proxy
from integration.waiting import CEILING, Gate, until, within
from socketio import exceptions

from .running import FieldServer

BINARY = {"a": b"\x00\x01", "b": [b""]}
FIRST = [("connect", ()), ("first", (1,)), ("binary", (BINARY,)), ("ask", ("question", 2))]
NAMES = ["first", "binary", "ask", "answered"]
SERVERS = {
    "python": ("python_connect.py", {}),
    "flask": ("flask_connect.py", {}),
    "node": ("node_connect.js", {}),
    "node-msgpack": ("node_connect.js", {"msgpack": True}),
    "python-msgpack": ("python_connect.py", {"serializer": "msgpack"}),
}
two_servers = pytest.mark.parametrize("emitting", ["python", "node"], indirect=True)
node = pytest.mark.parametrize("emitting", ["node"], indirect=True)


@pytest.fixture(params=SERVERS)
def emitting(request, field_servers):
    """A server that emits first; ``options`` of clients that talk to it."""
    if request.param not in field_servers:
        program, options = SERVERS[request.param]
        field_servers[request.param] = FieldServer(program, **options)
    return field_servers[request.param]


def serializer(server):
    """Return the option of a client for a server."""
    return {"serializer": "msgpack"} if "msgpack" in str(server.options) else {}


def items(count):
    """Return the calls for so many events."""
    return [("item", (number,)) for number in range(count)]


def record(sio, recorder, namespace="/"):
    for name in ("connect", "first", "binary", "item", "answered", "echo", "disconnect", "connect_error"):
        sio.on(name, recorder.handler(name), namespace=namespace)
    sio.on("ask", recorder.handler("ask", returns=("yes", 3)), namespace=namespace)


@pytest.mark.transports("polling", "websocket", "upgrade")
async def test_what_is_emitted_first_arrives(make_client, emitting, transport, recorder):
    """In order, right behind the connect handler; what is asked for there is answered."""
    namespace = "/chat" if transport.name == "upgrade" else "/"
    sio = make_client(**serializer(emitting))
    record(sio, recorder, namespace)
    await sio.connect(emitting.url, transports=transport.argument, auth={"count": 20})
    await recorder.wait_for("answered")
    await sio.emit("echo", 5, namespace=namespace)
    await recorder.wait_for("echo")
    assert recorder.calls == [*FIRST, *items(20), ("answered", ("yes", 3)), ("echo", (5,))]


@two_servers
async def test_each_namespace_gets_its_own(make_client, emitting, transport, recorder):
    """Two namespaces at once: each has its connect handler first, and then its events."""
    sio = make_client(**serializer(emitting))
    for namespace in ("/", "/chat"):
        for name in ("connect", "first", "binary", "ask"):
            sio.on(name, recorder.handler(f"{namespace} {name}"), namespace=namespace)
        sio.on("answered", recorder.handler("answered"), namespace=namespace)
    await sio.connect(emitting.url, transports=transport.argument)
    await recorder.wait_for("answered", 2)
    for namespace in ("/", "/chat"):
        names = [name for name in recorder.names if name.startswith(f"{namespace} ")]
        assert names == [f"{namespace} {name}" for name in ("connect", "first", "binary", "ask")]


@two_servers
@pytest.mark.transports("websocket")
async def test_objects_get_them(make_client, flavour, emitting, transport, recorder):
    """The methods of a namespace object get them; they can emit, and are answered."""

    class Chat(flavour.namespace_class):
        def on_connect(self):
            recorder.record("connect")

        def on_first(self, *args):
            recorder.record("first", *args)

        async def on_ask(self, *args):
            await self.emit("echo", "from the handler")
            return args

        def on_echo(self, *args):
            recorder.record("echo", *args)

        def on_answered(self, *args):
            recorder.record("answered", *args)

    sio = make_client(**serializer(emitting))
    sio.register_namespace(Chat("/chat"))
    await sio.connect(emitting.url, transports=transport.argument)
    await recorder.wait_for("answered")
    await recorder.wait_for("echo")
    assert recorder.calls[:2] == [("connect", ()), ("first", (1,))]
    assert sorted(recorder.calls[2:]) == [("answered", ("question", 2)), ("echo", ("from the handler",))]


@two_servers
@pytest.mark.transports("websocket")
@pytest.mark.parametrize("namespace", ["/", "*"])
async def test_handlers_for_any_event_get_them(make_client, emitting, transport, recorder, namespace):
    """Those of a namespace, and those of all namespaces."""
    sio = make_client(**serializer(emitting))
    sio.on("*", recorder.handler("any"), namespace=namespace)
    await sio.connect(emitting.url, transports=transport.argument)
    first, *_, answered = await recorder.wait_for("any", 4)
    assert first == ("first", "/", 1) if namespace == "*" else ("first", 1)
    assert answered[0] == "answered"
    assert [args[0] for args in recorder.of("any")] == NAMES


async def test_a_simple_client_receives_them(make_simple_client, emitting, transport):
    """receive() returns them, then what comes later."""
    namespace = "/chat" if transport.name == "polling" else "/"
    sio = make_simple_client(**serializer(emitting))
    await sio.connect(emitting.url, transports=transport.argument, namespace=namespace)
    received = [await within(CEILING, sio.receive()) for _ in range(4)]
    assert received == [["first", 1], ["binary", BINARY], ["ask", "question", 2], ["answered"]]
    await sio.emit("echo", 5)
    assert await within(CEILING, sio.receive()) == ["echo", 5]


@two_servers
async def test_at_each_reconnection(make_client, make_simple_client, emitting, transport, recorder):
    """A connection that is lost and restored begins with the same events."""
    sio = make_client(reconnection_delay=0.05, **serializer(emitting))
    record(sio, recorder)
    simple = make_simple_client(reconnection_delay=0.05, **serializer(emitting))
    async with Proxy(emitting.port) as proxy:
        await sio.connect(proxy.url, transports=transport.argument)
        await simple.connect(proxy.url, transports=transport.argument)
        for number in (1, 2):
            await recorder.wait_for("answered", number)
            assert [(await within(CEILING, simple.receive()))[0] for _ in range(4)] == NAMES
            await proxy.drop()
            await recorder.wait_for("disconnect", number)
            await until(lambda: simple.sid is None)
            await proxy.accept()
        await recorder.wait_for("answered", 3)
        assert [name for name in recorder.names if name not in ("disconnect", "connect_error")] == [
            *["connect", *NAMES] * 3
        ]
        await simple.disconnect()
        await sio.disconnect()


@two_servers
async def test_a_refusal_drops_them(make_client, make_simple_client, emitting, transport, recorder):
    """A server that emits and then refuses: connect() says so, and nothing else is called."""
    sio = make_client(**serializer(emitting))
    record(sio, recorder)
    for client in (sio, make_simple_client(**serializer(emitting))):
        with pytest.raises(exceptions.ConnectionError, match="failed to connect"):
            await client.connect(emitting.url, transports=transport.argument, auth={"refuse": True})
    assert recorder.names == ["connect_error"]
    await sio.connect(emitting.url, transports=transport.argument)
    await recorder.wait_for("answered")
    assert recorder.names == ["connect_error", "connect", *NAMES]


@two_servers
@pytest.mark.transports("websocket")
@pytest.mark.parametrize("options", [{"wait": False}, {"retry": True}])
async def test_however_it_connects(make_client, emitting, transport, recorder, options):
    """The events do not depend on whether connect() waits, or tries again."""
    sio = make_client(**serializer(emitting))
    record(sio, recorder)
    await sio.connect(emitting.url, transports=transport.argument, **options)
    await recorder.wait_for("answered")
    assert recorder.names == ["connect", *NAMES]


@pytest.mark.usefixtures("patient")
@node
async def test_ten_thousand_events(make_client, emitting, transport):
    """The most events that are kept: all of them arrive, in order."""
    count = 10_000 - 3
    sio = make_client()
    numbers, answered = [], Gate()
    sio.on("item", numbers.append)
    sio.on("answered", answered.open)
    await sio.connect(emitting.url, transports=transport.argument, auth={"count": count})
    await answered.wait()
    assert numbers == list(range(count))


@node
@pytest.mark.parametrize(
    ("options", "count", "limit"), [({}, 9_998, "10000 events"), ({"max_message_size": 5_000}, 1_000, "5000 bytes")]
)
async def test_more_than_that(make_client, emitting, transport, recorder, caplog, options, count, limit):
    """A warning says why the connection ends, and connect() fails; the client can connect again."""
    sio = make_client(engineio_logger=logging.getLogger("test"), **options)
    record(sio, recorder)
    with pytest.raises(exceptions.ConnectionError, match=limit):
        await sio.connect(emitting.url, transports=transport.argument, auth={"count": count})
    assert recorder.names == ["connect_error"]
    (warning,) = [record for record in caplog.records if limit in record.message]
    assert warning.levelname == "WARNING"
    await sio.connect(emitting.url, transports=transport.argument)
    await recorder.wait_for("answered")


async def test_what_a_recovered_session_has_missed(make_client, transport, recorder):
    """A server with connection state recovery repeats it before its answer, with offsets, which are taken off.

    A client does not ask for it by itself; a program can, with ``auth``.
    """
    server = FieldServer("node_connect.js", connectionStateRecovery={})
    try:
        async with aiohttp.ClientSession() as session:
            async with session.ws_connect(f"{server.url}/socket.io/?EIO=4&transport=websocket") as websocket:
                await websocket.receive_str()
                await websocket.send_str("40")
                pid = json.loads((await websocket.receive_str())[2:])["pid"]
                await websocket.send_str('42["room","r"]')
                await websocket.send_str('42["echo",1]')
                offset = json.loads((await websocket.receive_str())[2:])[-1]
        other = make_client()
        other.on("echo", recorder.handler("other"))
        await other.connect(server.url)
        for number in range(3):
            await other.emit("to_room", ("r", "echo", number, "word"))
        await other.emit("echo")
        await recorder.wait_for("other")
        sio = make_client()
        record(sio, recorder)
        await sio.connect(server.url, transports=transport.argument, auth={"pid": pid, "offset": offset})
        await other.emit("to_room", ("r", "echo", "last"))
        await recorder.wait_for("echo", 4)
        assert recorder.of("echo") == [(0, "word"), (1, "word"), (2, "word"), ("last",)]
        assert recorder.names[1] == "connect"
    finally:
        server.close()
