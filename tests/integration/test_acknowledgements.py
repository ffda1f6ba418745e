"""Acknowledgements in both directions."""

from __future__ import annotations

import asyncio

import pytest

from socketio import exceptions

from .waiting import within


@pytest.mark.parametrize(
    ("result", "values"),
    [
        (None, []),
        ((), []),
        ("one", ["one"]),
        (0, [0]),
        (False, [False]),
        ([1, 2], [[1, 2]]),
        ((1, [2], None), [1, [2], None]),
        ({"a": b"\x00binary"}, [{"a": b"\x00binary"}]),
    ],
)
async def test_what_a_handler_returns_is_acknowledged(make_client, server, recorder, result, values):
    """None gives no values, a tuple one per element, anything else one. (E4)"""
    sio = make_client()
    sio.on("question", recorder.handler("question", returns=result))
    sio.on("answer", recorder.handler("answer"))
    await sio.connect(server.url, transports="websocket")
    await sio.emit("ask", ("question", 1, 2))
    assert await recorder.wait_for("answer") == [(values,)]
    assert recorder.of("question") == [(1, 2)]


async def test_an_event_that_nobody_handles_is_acknowledged(make_client, server, transport, recorder):
    """An ack that the server asked for is sent, without values, even if nobody handles the event. (M24)"""
    sio = make_client()
    sio.on("answer", recorder.handler("answer"))
    await sio.connect(server.url, transports=transport.argument)
    await sio.emit("ask", ("nobody", 1))
    await sio.emit("ask", "nobody")
    assert await recorder.wait_for("answer", 2) == [([],), ([],)]


async def test_a_failing_handler_sends_no_acknowledgement(make_client, server, recorder):
    """A handler that fails, or returns what cannot be encoded, acknowledges nothing; the next one does. (M23)"""
    sio = make_client()

    @sio.on("fails")
    def fails():
        raise ValueError("as expected")

    sio.on("odd", recorder.handler("odd", returns=object()))
    sio.on("works", recorder.handler("works", returns="fine"))
    sio.on("answer", recorder.handler("answer"))
    await sio.connect(server.url, transports="websocket")
    for event in ("fails", "odd", "works"):
        await sio.emit("ask", event)
    assert await recorder.wait_for("answer") == [(["fine"],)]
    assert await sio.call("echo", 1) == 1
    assert len(recorder.of("answer")) == 1


async def test_what_call_returns(make_client, server, transport):
    """call() returns several values as a tuple, one as itself, none as None. (D9)"""
    sio = make_client()
    await sio.connect(server.url, transports=transport.argument, namespaces=["/", "/chat"])
    assert await sio.call("echo", (1, "two")) == (1, "two")
    assert await sio.call("echo", [1, "two"], namespace="/chat") == [1, "two"]
    assert await sio.call("echo", (None,)) is None
    assert await sio.call("echo") is None


async def test_callbacks_get_the_values_once(make_client, server, transport, recorder):
    """A callback gets the acknowledged values as arguments, once. (D5, E5)"""
    sio = make_client()
    await sio.connect(server.url, transports=transport.argument)
    for i in range(5):
        await sio.emit("echo", (i, b"x"), callback=recorder.handler("ack"))
    await sio.emit("echo", callback=recorder.handler("empty"))
    await sio.send("m", callback=recorder.handler("message"))
    await recorder.wait_for("empty")
    assert recorder.of("ack") == [(i, b"x") for i in range(5)]
    assert recorder.of("empty") == [()]


async def test_acknowledgements_in_any_order_find_their_callbacks(make_client, server, transport):
    """Answers that come in another order reach their own calls. (M26)"""
    sio = make_client()
    await sio.connect(server.url, transports=transport.argument)
    calls = [sio.call("slow_ack", (0.05 * (4 - i), i)) for i in range(5)]
    assert await asyncio.gather(*calls) == list(range(5))


async def test_a_late_acknowledgement_is_ignored(make_client, server, recorder):
    """An answer that comes after call() has given up disturbs nobody. (M26, D10)"""
    sio = make_client()
    await sio.connect(server.url, transports="websocket")
    with pytest.raises(exceptions.TimeoutError):
        await sio.call("slow_ack", (0.3, "late"), timeout=0.05)
    await sio.emit("slow_ack", (0.3, "on time"), callback=recorder.handler("ack"))
    assert await recorder.wait_for("ack") == [("on time",)]
    assert await sio.call("echo", "next") == "next"


@pytest.mark.parametrize("timeout", [0.05, 0])
async def test_call_gives_up_in_time(make_client, server, transport, timeout):
    """call() raises TimeoutError when no answer comes in time, and only that. (D10)"""
    sio = make_client()
    await sio.connect(server.url, transports=transport.argument)
    with pytest.raises(exceptions.TimeoutError) as caught:
        await within(3, sio.call("no_ack", timeout=timeout))
    assert not isinstance(caught.value, exceptions.DisconnectedError)
    assert sio.connected


@pytest.mark.parametrize("end", ["disconnect", "kick", "loss"])
async def test_call_ends_with_its_connection(make_client, server, proxy, transport, end):
    """call() raises at once what is both TimeoutError and DisconnectedError when its connection ends. (M27, N24)"""
    sio = make_client(reconnection=False)
    await sio.connect(proxy.url, transports=transport.argument)
    call = asyncio.ensure_future(sio.call("no_ack", timeout=60))
    assert await sio.call("echo", 1) == 1
    if end == "disconnect":
        await sio.disconnect()
    elif end == "kick":
        await sio.emit("kick")
    else:
        await proxy.drop()
    with pytest.raises(exceptions.TimeoutError) as caught:
        await within(5, call)
    assert isinstance(caught.value, exceptions.DisconnectedError)


@pytest.mark.servers("node")
async def test_pending_callbacks_do_not_meet_the_next_connection(make_client, server, recorder):
    """Callbacks pending at the end are never called, also when ids come again. (M26)"""
    sio = make_client()
    await sio.connect(server.url, transports="websocket")
    for _ in range(3):
        await sio.emit("no_ack", callback=recorder.handler("old"))
    assert await sio.call("echo", 1) == 1
    await sio.disconnect()
    await sio.connect(server.url, transports="websocket")
    for i in range(5):
        await sio.emit("echo", i, callback=recorder.handler("new"))
    await recorder.wait_for("new", 5)
    assert recorder.calls == [("new", (i,)) for i in range(5)]


async def test_an_exception_in_a_callback_ends_nothing(make_client, server, recorder):
    """A failing callback, also for its parameters, leaves the connection and other callbacks alone. (M23)"""
    sio = make_client()

    def fails(*args):
        raise ValueError("as expected")

    def two(first, second):
        recorder.record("two")

    await sio.connect(server.url, transports="websocket")
    for callback in (fails, two, recorder.handler("works")):
        await sio.emit("echo", 1, callback=callback)
    assert await recorder.wait_for("works") == [(1,)]
    assert recorder.names == ["works"]


async def test_a_callback_may_emit_call_and_disconnect(make_client, server, transport, recorder):
    """Callbacks may use the client like handlers. (M22)"""
    sio = make_client()

    async def callback(value):
        await sio.emit("emit_back", ("event", value))
        recorder.record("answer", await sio.call("echo", value + 1))
        await sio.disconnect()

    sio.on("disconnect", recorder.handler("disconnect"))
    await sio.connect(server.url, transports=transport.argument)
    await sio.emit("echo", 1, callback=callback)
    assert await recorder.wait_for("disconnect") == [("client disconnect",)]
    assert recorder.of("answer") == [(2,)]


async def test_catch_all_handlers_acknowledge_too(make_client, server, recorder):
    """What handlers of '*', as event and as namespace, return is acknowledged. (M31)"""
    sio = make_client()
    sio.on("answer", recorder.handler("answer"))
    sio.on("*", lambda event, value: (event, value))
    sio.on("answer", recorder.handler("answer"), namespace="*")
    sio.on("question", lambda namespace, value: (namespace, value), namespace="*")
    sio.on("*", lambda event, namespace, value: (event, namespace, value), namespace="*")
    await sio.connect(server.url, transports="websocket", namespaces=["/", "/chat"])
    await sio.emit("ask", ("question", 1))
    assert await recorder.wait_for("answer") == [(["question", 1],)]
    await sio.emit("ask", ("question", 2), namespace="/chat")
    await recorder.wait_for("answer", 2)
    await sio.emit("ask", ("riddle", 3), namespace="/chat")
    await recorder.wait_for("answer", 3)
    assert recorder.of("answer")[1:] == [("/chat", ["/chat", 2]), ("/chat", ["riddle", "/chat", 3])]


async def test_methods_of_classes_acknowledge_too(make_client, flavour, server, recorder):
    """What the methods of a namespace class return is acknowledged. (M31, E9)"""

    class Chat(flavour.namespace_class):
        def on_question(self, value):
            return "plain", value

        async def on_riddle(self, value):
            return "coroutine", await self.call("echo", value)

        def on_answer(self, values):
            recorder.record("answer", values)

    sio = make_client()
    sio.register_namespace(Chat("/chat"))
    await sio.connect(server.url, transports="websocket")
    for event in ("question", "riddle", "missing"):
        await sio.emit("ask", (event, 1), namespace="/chat")
    await recorder.wait_for("answer", 3)
    assert sorted(recorder.of("answer")) == [([],), (["coroutine", 1],), (["plain", 1],)]
