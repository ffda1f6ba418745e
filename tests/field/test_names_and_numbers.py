"""What a server would close the connection for is not sent, and what it may send is accepted.

Source: issue 10, A6 and A7. A socket.io server closes the connection, with all that is queued, for numbers that JSON
does not have, and for names that are reserved; names of its own events may be numbers.
"""

from __future__ import annotations

import asyncio
import json
import math

import orjson
import pytest

from integration.waiting import CEILING, within
from socketio import exceptions

RESERVED = ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"]
VALUES = [math.nan, [math.inf], {"a": (-math.inf,)}, (1, math.nan), {"a": b"x", "b": math.nan}, {math.inf: 1}]
pytestmark = pytest.mark.servers("node", "python")


async def test_reserved_names(make_client, make_simple_client, server, transport):
    """emit() and call() raise ValueError, and the connection goes on."""
    for sio in (make_client(), make_simple_client()):
        await sio.connect(server.url, transports=transport.argument)
        sid = sio.sid
        for name in RESERVED:
            for method in (sio.emit, sio.call):
                with pytest.raises(ValueError, match=f"'{name}' is reserved"):
                    await method(name, 1)
        assert await sio.call("echo", "still there") == "still there"
        assert sio.sid == sid


async def test_numbers_that_json_does_not_have(make_client, make_simple_client, server, transport):
    """So do they for ``nan`` and ``inf``, wherever they stand."""
    for sio in (make_client(), make_simple_client()):
        await sio.connect(server.url, transports=transport.argument)
        sid = sio.sid
        for value in VALUES:
            for method in (sio.emit, sio.call):
                with pytest.raises(ValueError, match="JSON"):
                    await method("echo", value)
        assert await sio.call("echo", "still there") == "still there"
        assert sio.sid == sid


async def test_in_an_acknowledgement(make_client, server, transport, recorder, caplog):
    """It is logged like any failure of the handler, and no acknowledgement is sent; the connection goes on."""
    sio = make_client()
    values = iter([math.nan, [math.inf], 1])
    sio.on("question", lambda: next(values))
    sio.on("answer", recorder.handler("answer"))
    await sio.connect(server.url, transports=transport.argument)
    for _ in range(3):
        await sio.emit("ask", "question")
    assert await recorder.wait_for("answer") == [([1],)]
    errors = [record for record in caplog.records if "Handler of event question" in record.getMessage()]
    assert len(errors) == 2
    assert all("JSON" in str(record.exc_info[1]) for record in errors)


async def test_in_auth(make_client, server, transport):
    """connect() raises ValueError, leaves nothing open, and can be called again."""
    sio = make_client()
    with pytest.raises(ValueError, match="JSON"):
        await sio.connect(server.url, transports=transport.argument, auth={"a": math.nan})
    assert not sio.connected
    await sio.connect(server.url, transports=transport.argument)
    assert await sio.call("echo", 1) == 1


async def test_a_json_module_decides_for_itself(make_client, server, transport):
    """orjson sends ``null``; the standard library's module, given as it is, sends ``NaN``, whatever the server does."""
    sio = make_client(json=orjson)
    await sio.connect(server.url, transports=transport.argument)
    assert await sio.call("echo", [math.nan, math.inf, 1]) == [None, None, 1]
    sio = make_client(json=json)
    await sio.connect(server.url, transports=transport.argument)
    if server.kind == "python":
        assert math.isnan(await sio.call("echo", math.nan))
    else:
        with pytest.raises(exceptions.CallInterruptedError):
            await sio.call("echo", math.nan)


@pytest.mark.server_options(serializer="msgpack")
async def test_messagepack_has_them(make_client, server, transport):
    """They are sent, and come back; reserved names are refused."""
    sio = make_client(serializer="msgpack")
    await sio.connect(server.url, transports=transport.argument)
    nan, inf, inside = await sio.call("echo", (math.nan, -math.inf, {"a": [math.inf]}))
    assert math.isnan(nan)
    assert (inf, inside) == (-math.inf, {"a": [math.inf]})
    with pytest.raises(ValueError, match="reserved"):
        await sio.emit("disconnect")


@pytest.mark.parametrize("serializer", ["default", "msgpack"])
async def test_numbers_as_names(make_client, make_simple_client, servers, server, transport, recorder, serializer):
    """Handlers for a number, for any event, methods of objects, and receive() get events whose names are numbers."""
    url = servers(server.kind, serializer=serializer).url
    sio = make_client(serializer=serializer)
    for number in (42, -1, 1.5):
        sio.on(number, recorder.handler(f"on {number}", returns=number))
    sio.on("*", recorder.handler("any"))
    sio.on("answer", recorder.handler("answer"))
    await sio.connect(url, transports=transport.argument)
    for name in (42, -1, 1.5, 7):
        await sio.emit("emit_back", (name, "value"))
    assert await recorder.wait_for("any") == [(7, "value")]
    await sio.emit("emit_back", (42, b"binary"))
    assert await recorder.wait_for("on 42", 2) == [("value",), (b"binary",)]
    assert recorder.of("on -1") == recorder.of("on 1.5") == [("value",)]
    await sio.emit("ask", 42)
    assert await recorder.wait_for("answer") == [([42],)]
    simple = make_simple_client(serializer=serializer)
    await simple.connect(url, transports=transport.argument)
    for name in (42, 0, 1.5):
        await simple.emit("emit_back", (name, "value"))
        assert await within(CEILING, simple.receive()) == [name, "value"]


async def test_numbers_as_names_for_objects(make_client, flavour, server, transport, recorder):
    """The method ``on_42`` of a namespace object gets the event 42, and ``trigger_event`` the number."""

    class Numbers(flavour.namespace_class):
        def on_42(self, *args):
            recorder.record("on_42", *args)

    sio = make_client()
    sio.register_namespace(Numbers("/chat"))
    await sio.connect(server.url, transports=transport.argument)
    for name in (43, 42):
        await sio.emit("emit_back", (name, "value"), namespace="/chat")
    assert await recorder.wait_for("on_42") == [("value",)]


async def test_what_is_queued_is_sent(make_client, server, transport):
    """Events that are queued when emit() raises are sent."""
    sio = make_client()
    await sio.connect(server.url, transports=transport.argument)
    calls = [asyncio.ensure_future(sio.call("echo", number)) for number in range(20)]
    with pytest.raises(ValueError):
        await sio.emit("echo", math.nan)
    with pytest.raises(ValueError):
        await sio.emit("disconnect")
    assert await asyncio.gather(*calls) == list(range(20))
