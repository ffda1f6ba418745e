"""The last argument of an event is the application's, unless it is an offset of connection state recovery.

Source: issue 10, A2. socket.io servers with the option send a ``pid``, whatever their adapter is, and most adapters
append an offset to most events. ``serializer="msgpack"`` of the JavaScript server sends ``undefined`` as the ``pid``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json

import pytest

from integration.scripted import ScriptedServer
from integration.waiting import CEILING, within

from .running import FieldServer

WORDS = ["hello", "ok", "1.2.3", "12:30:00", "2026-11-28", "BTC-USD", "42", "user_17", "9b2e4c1a", "Quality", "", None]


def _get(servers, serializer, options):
    key = serializer, json.dumps(options)
    if key not in servers:
        servers[key] = FieldServer("node_connect.js", msgpack=serializer == "msgpack", **options)
    return servers[key]


@pytest.fixture(params=["default", "msgpack"])
def serializer(request):
    return request.param


@pytest.fixture(params=[True, False], ids=["recovery", "no-recovery"])
def recovering(request, field_servers, serializer):
    """A socket.io server, with connection state recovery or without."""
    return _get(field_servers, serializer, {"connectionStateRecovery": {}} if request.param else {})


async def test_of_an_event(make_client, recovering, serializer, transport, recorder):
    """Events, those that ask for an acknowledgement, volatile and local ones: all arguments come, and nothing else."""
    sio = make_client(serializer=serializer)
    sio.on("in", recorder.handler("in"), namespace="/plain")
    await sio.connect(recovering.url, transports=transport.argument)
    expected = []
    # An event that is volatile is lost over polling, unless a request waits for it.
    for way in ("volatile", "emit", "with_ack", "local") if transport.name == "websocket" else ("with_ack", "emit"):
        for args in [(1, word) for word in WORDS] + [(word, b"x", word) for word in WORDS] + [()]:
            await sio.emit(way, ("in", *args), namespace="/plain")
            expected.append(args)
            await recorder.wait_for("in", len(expected))
    assert recorder.of("in") == expected


async def test_of_events_that_come_together(
    make_client, make_simple_client, recovering, serializer, transport, recorder
):
    """However events are read, in a burst and by a simple client."""
    sio = make_client(serializer=serializer)
    sio.on("in", recorder.handler("in"), namespace="/plain")
    simple = make_simple_client(serializer=serializer)
    await sio.connect(recovering.url, transports=transport.argument)
    await simple.connect(recovering.url, transports=transport.argument, namespace="/plain")
    args = [(number, [word], word) for number in range(20) for word in WORDS]
    for each in args:
        await sio.emit("local", ("in", *each), namespace="/plain")
    assert await recorder.wait_for("in", len(args)) == args
    assert [await within(CEILING, simple.receive()) for _ in args] == [["in", *each] for each in args]


async def test_undefined_in_messagepack(make_client, field_servers, transport, recorder):
    """JavaScript's ``undefined`` is ``None``, at the end and inside of other values."""
    server = _get(field_servers, "msgpack", {})
    sio = make_client(serializer="msgpack")
    sio.on("undefined", recorder.handler("undefined"), namespace="/plain")
    await sio.connect(server.url, transports=transport.argument)
    await sio.emit("send_undefined", namespace="/plain")
    assert await recorder.wait_for("undefined") == [(None, [1, None], {"a": [None]}, None)]


# -- adapters whose servers are not to be had here: what they send is known


@contextlib.asynccontextmanager
async def adapter(sio, transport):
    """Connect to a server that sends a pid, and yield its connection."""
    async with ScriptedServer() as server:
        connecting = asyncio.ensure_future(sio.connect(server.url, transports=transport.argument))
        connection = await server.accept()
        assert (await connection.receive()).startswith("40")
        await connection.send('40{"sid":"vA1mtzrBDkg1mEsKAAAB","pid":"7ZbzBZSTGaVDcbP3AAAC"}')
        await within(CEILING, connecting)
        try:
            yield connection
        finally:
            await within(CEILING, sio.disconnect())


async def test_of_the_redis_adapter(make_client, transport, recorder):
    """It sends a pid, and no offsets: every word stays."""
    sio = make_client()
    sio.on("in", recorder.handler("in"))
    words = [word for word in WORDS if word]
    async with adapter(sio, transport) as connection:
        await connection.send(*(f"42{json.dumps(['in', 1, word], separators=(',', ':'))}" for word in words))
        assert await recorder.wait_for("in", len(words)) == [(1, word) for word in words]


@pytest.mark.parametrize("filler", ['""', "null"])
async def test_of_the_cluster_adapters(make_client, transport, recorder, filler):
    """Those of Node's cluster, of Postgres, and of sharded Redis append the same to every event: it goes."""
    sio = make_client()
    sio.on("in", recorder.handler("in"))
    async with adapter(sio, transport) as connection:
        await connection.send(f'42["in",{filler}]', f'42["in",1,"word",{filler}]')
        await connection.send(f'451-["in",{{"_placeholder":true,"num":0}},{filler}]', b"x", f'42["in","",{filler}]')
        assert await recorder.wait_for("in", 4) == [(), (1, "word"), (b"x",), ("",)]
        # A volatile event has none: from here on, it is ambiguous.
        await connection.send('42["in","word"]', f'42["in",1,{filler}]')
        assert (await recorder.wait_for("in", 6))[4:] == [("word",), (1, json.loads(filler))]
