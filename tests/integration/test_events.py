"""Events in both directions: what arrives, unchanged, and what handlers may do."""

from __future__ import annotations

import asyncio
import time

import pytest

from socketio import exceptions

from .waiting import CEILING, Gate, within

VALUES = [
    (),
    (None,),
    (1, None, True, -2.5, "text"),
    ('ünï\u0000cödé \U0001f600 \u2028 \x1e " \\ \n',),
    ([1, [2, {"three": [4]}]], {}),
    (b"binary",),
    (b"", {"a": [b"\x00\x01", {"b": b"\xff" * 300}]}, "x", b"\x1e"),
    ({"_placeholder": True, "num": 0, "more": 1}, {"_placeholder": False, "num": 0}),
    ({"name": "__proto__", "nested": {"num": 0}}, b"x"),
    (2**53 - 1, 0.1, 1e300, -1e-7),
]


async def test_values_arrive_unchanged_in_both_directions(make_client, server, transport, recorder):
    """Every shape of arguments comes back as it was sent, in events and in acknowledgements. (D2, D6, M28, M29, E3)"""
    sio = make_client()
    sio.on("echo", recorder.handler("echo"))
    await sio.connect(server.url, transports=transport.argument)
    for values in VALUES:
        answer = await sio.call("echo", values)
        assert answer == (None if not values else values[0] if len(values) == 1 else values)
    await recorder.wait_for("echo", len(VALUES))
    assert recorder.of("echo") == VALUES


async def test_how_data_becomes_arguments(make_client, server, transport, recorder):
    """A tuple is several arguments, anything else one, None none; send() emits message. (D1, D2, D7, M28)"""
    sio = make_client()
    sio.on("message", recorder.handler("message"))
    await sio.connect(server.url, transports=transport.argument)
    for data in (("message",), ("message", None), ("message", [1, 2]), ("message", (3, 4)), ("message", 5, 6)):
        await sio.emit("emit_back", data)
    await sio.emit("ask", ("message", "asked"))
    await recorder.wait_for("message", 6)
    assert recorder.of("message") == [(), (None,), ([1, 2],), ([3, 4],), (5, 6), ("asked",)]


async def test_what_json_makes_of_python_values(make_client, server, recorder):
    """Keys that are no text, nested tuples and bytearrays follow the json module. (M28)"""
    sio = make_client()
    await sio.connect(server.url, transports="websocket")
    given = {1: "a", None: "b", False: "c", 2.5: ("nested", ("tuple",)), "x": bytearray(b"bytes")}
    expected = {"1": "a", "null": "b", "false": "c", "2.5": ["nested", ["tuple"]], "x": b"bytes"}
    assert await sio.call("echo", given) == expected


@pytest.mark.parametrize("data", [object(), {"a": {1, 2}}, [b"x", complex(1)], {(1, 2): 3}, {b"k": b"v"}])
async def test_what_cannot_be_encoded_breaks_nothing(make_client, server, recorder, data):
    """What JSON does not know is a TypeError of the caller, and the next event arrives. (M28)"""
    sio = make_client()
    await sio.connect(server.url, transports="websocket")
    with pytest.raises(TypeError):
        await sio.emit("note", ("never", data))
    with pytest.raises(TypeError):
        await sio.call("echo", data)
    assert await within(CEILING, sio.call("echo", 1)) == 1


async def test_megabytes_pass_in_both_directions(make_client, server, transport, recorder):
    """Messages of several megabytes, text and binary, pass both ways. (M8, N12)"""
    sio = make_client()
    sio.on("echo", recorder.handler("echo"))
    await sio.connect(server.url, transports=transport.argument)
    text, binary = "é" * 1_500_000, bytes(range(256)) * 20_000
    assert await sio.call("echo", text) == text
    assert await sio.call("echo", {"data": binary}) == {"data": binary}
    await recorder.wait_for("echo", 2)
    assert recorder.of("echo") == [(text,), ({"data": binary},)]


async def test_the_same_buffer_twice(make_client, server, recorder):
    """One buffer given twice arrives twice. (M29)"""
    sio = make_client()
    buffer = b"again"
    await sio.connect(server.url, transports="websocket")
    assert await sio.call("echo", ([buffer, buffer], {"a": buffer})) == ([buffer, buffer], {"a": buffer})


@pytest.mark.parametrize("event", ["with space", "ünïcødé-12", "2", '"quoted"', "51-x", "a,b", "/slash"])
async def test_any_text_is_an_event_name(make_client, server, recorder, event):
    """Non-ASCII and punctuated event names work. (M33, I7)"""
    sio = make_client()
    sio.on(event, recorder.handler("event"))
    await sio.connect(server.url, transports="websocket")
    await sio.emit("emit_back", (event, b"binary", 1))
    assert await recorder.wait_for("event") == [(b"binary", 1)]


async def test_handlers_may_take_their_time(make_client, server, transport, recorder):
    """While a handler waits, other events, acknowledgements and calls go on. (M22)"""
    gate = Gate()
    sio = make_client()

    @sio.on("wait")
    async def wait():
        recorder.record("waiting")
        await gate.wait()
        recorder.record("waited")

    sio.on("other", recorder.handler("other"))
    await sio.connect(server.url, transports=transport.argument)
    await sio.emit("emit_back", "wait")
    await sio.emit("emit_back", ("other", 1))
    await recorder.wait_for("other")
    assert await sio.call("echo", 2) == 2
    assert recorder.names == ["waiting", "other"]
    gate.open()
    await recorder.wait_for("waited")


async def test_handlers_may_emit_and_call(make_client, server, transport, recorder):
    """A handler may emit and call, also when several handlers do. (M22)"""
    sio = make_client()

    @sio.on("item")
    async def item(i, text):
        recorder.record("answer", i, await sio.call("echo", i))
        await sio.emit("emit_back", ("seen", i))

    sio.on("seen", recorder.handler("seen"))
    await sio.connect(server.url, transports=transport.argument)
    await sio.emit("burst", (20, 1))
    await recorder.wait_for("seen", 20)
    assert sorted(recorder.of("answer")) == [(i, i) for i in range(20)]


async def test_a_handler_may_disconnect(make_client, server, transport, recorder):
    """disconnect() in a handler ends the connection, and wait() returns. (M22, N24)"""
    sio = make_client()

    @sio.on("bye")
    async def bye():
        await sio.disconnect()
        recorder.record("disconnected", sio.connected)

    sio.on("disconnect", recorder.handler("reason"))
    await sio.connect(server.url, transports=transport.argument)
    await sio.emit("emit_back", "bye")
    await within(5, sio.wait())
    await recorder.wait_for("disconnected")
    assert recorder.of("disconnected") == [(False,)]
    assert await recorder.wait_for("reason") == [("client disconnect",)]


async def test_a_hundred_slow_handlers_run_beside_each_other(make_client, server, recorder):
    """A hundred handlers that each wait 0.2 s are done within a second or so. (M22, DESIGN 5)"""
    sio = make_client()

    @sio.on("item")
    async def item(i, text):
        await sio.sleep(0.2)
        recorder.record("item", i)

    await sio.connect(server.url, transports="websocket")
    started = time.monotonic()
    await sio.emit("burst", (100, 1))
    await recorder.wait_for("item", 100)
    assert time.monotonic() - started < 3
    assert sorted(recorder.of("item")) == [(i,) for i in range(100)]


async def test_strictly_one_handler_at_a_time(make_client, server, recorder):
    """With async_handlers=False the next handler starts when the one before has ended. (DESIGN 5)"""
    sio = make_client(async_handlers=False)

    @sio.on("item")
    async def item(i, text):
        recorder.record("begin", i)
        await sio.sleep(0.01)
        recorder.record("end", i)

    sio.on("done", recorder.handler("done"))
    await sio.connect(server.url, transports="websocket")
    await sio.emit("burst", (10, 1))
    await recorder.wait_for("done")
    expected = [(name, (i,)) for i in range(10) for name in ("begin", "end")]
    assert recorder.calls == [*expected, ("done", (10,))]


async def test_an_exception_in_a_handler_ends_nothing(make_client, server, transport, recorder):
    """Handlers that fail, also for their parameters, leave the connection and later events alone. (M23)"""
    sio = make_client()

    @sio.on("fails")
    def fails():
        raise ValueError("as expected")

    @sio.on("two")
    def two(first, second):
        recorder.record("two")

    sio.on("works", recorder.handler("works"))
    await sio.connect(server.url, transports=transport.argument)
    for event in ("fails", "two", "works"):
        await sio.emit("emit_back", event)
    await recorder.wait_for("works")
    assert recorder.names == ["works"]
    assert await sio.call("echo", 1) == 1


async def test_a_type_error_does_not_make_a_handler_run_twice(make_client, server, recorder):
    """A handler that raises TypeError is called once; so is a failing disconnect handler. (N21)"""
    sio = make_client()

    def fail(name):
        def handler(*args):
            recorder.record(name, *args)
            raise TypeError("missing 1 required positional argument")

        return handler

    for name in ("connect", "event", "disconnect"):
        sio.on(name, fail(name))
    await sio.connect(server.url, transports="websocket")
    await sio.emit("emit_back", ("event", 1))
    await recorder.wait_for("event")
    assert await sio.call("echo", 1) == 1
    await sio.disconnect()
    assert recorder.names == ["connect", "event", "disconnect"]


async def test_a_failing_connect_handler_does_not_make_connect_fail(make_client, server, transport, recorder):
    """An exception in a connect handler is logged, and the connection is good. (M23)"""
    sio = make_client()

    @sio.on("connect")
    def connect():
        raise RuntimeError("as expected")

    await sio.connect(server.url, transports=transport.argument)
    assert await sio.call("echo", 1) == 1


async def test_handlers_may_be_added_and_replaced(make_client, server, recorder):
    """Handlers registered while connected take effect at once. (M32)"""
    sio = make_client()
    await sio.connect(server.url, transports="websocket")
    for name in ("first", "second"):
        sio.on("event", recorder.handler(name))
        await sio.emit("emit_back", ("event", name))
        await recorder.wait_for(name)
    assert recorder.calls == [("first", ("first",)), ("second", ("second",))]


@pytest.mark.flavours("asyncio")
async def test_plain_functions_and_coroutines_as_handlers(make_client, server, transport, recorder):
    """For asyncio, handlers and callbacks may be plain functions or coroutines. (M25)"""
    sio = make_client()

    async def handler(*args):
        await asyncio.sleep(0)
        recorder.record("coroutine", *args)
        return "from a coroutine"

    sio.on("coroutine", handler)
    sio.on("plain", recorder.handler("plain", returns="from a function"))
    sio.on("answer", recorder.handler("answer"))
    await sio.connect(server.url, transports=transport.argument)
    await sio.emit("ask", ("coroutine", 1))
    await recorder.wait_for("answer")
    await sio.emit("ask", ("plain", 2))
    await recorder.wait_for("answer", 2)
    await sio.emit("echo", 3, callback=handler)
    await recorder.wait_for("coroutine", 2)
    await sio.emit("echo", 4, callback=recorder.handler("plain"))
    await recorder.wait_for("plain", 2)
    assert recorder.of("answer") == [(["from a coroutine"],), (["from a function"],)]
    assert recorder.of("coroutine") == [(1,), (3,)]
    assert recorder.of("plain") == [(2,), (4,)]


async def test_emit_to_a_namespace_that_is_not_connected(make_client, server):
    """emit(), send() and call() to a namespace without a connection raise BadNamespaceError. (D4)"""
    sio = make_client()
    await sio.connect(server.url, transports="websocket")
    for method in (sio.emit, sio.call, sio.send):
        with pytest.raises(exceptions.BadNamespaceError):
            await method("event", namespace="/chat")
    assert await sio.call("echo", 1) == 1
