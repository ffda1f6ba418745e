"""What is on the wire, frame by frame: the forms that the client sends, and those that it understands."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from socketio import exceptions
from socketio.engine.threads.polling import PollingTransport

from .scripted import ScriptedServer, session
from .waiting import CEILING, within

PLACEHOLDER = '{"_placeholder":true,"num":0}'


# -- what the client sends


@pytest.mark.parametrize(("auth", "payload"), [(None, "{}"), ({"t": 1}, '{"t":1}'), (lambda: {"t": 2}, '{"t":2}')])
async def test_connect_packets(make_client, transport, auth, payload):
    """One CONNECT packet for each namespace, in their order, with the auth payload, before any answer. (M34, C11)"""
    async with ScriptedServer() as server:
        sio = make_client()
        connecting = asyncio.ensure_future(
            sio.connect(server.url, transports=transport.argument, namespaces=["/b", "/", "/a"], auth=auth)
        )
        connection = await server.accept()
        assert await connection.receive_many(3) == [f"40/b,{payload}", f"40{payload}", f"40/a,{payload}"]
        await connection.send('40/a,{"sid":"1"}', '40{"sid":"2"}', '40/b,{"sid":"3"}')
        await within(CEILING, connecting)
        assert sio.namespaces == {"/a": "1", "/": "2", "/b": "3"}
        await sio.disconnect()


@pytest.mark.flavours("threads")
async def test_the_first_packets_go_by_one_connection(make_client, monkeypatch):
    """Over polling, a CONNECT is posted, and its answer fetched, by the TCP connection of the handshake."""
    patient = property(lambda transport: CEILING, lambda transport, seconds: None)
    monkeypatch.setattr(PollingTransport, "opening_time", patient, raising=False)
    sio = make_client()
    async with ScriptedServer() as server:
        connecting = asyncio.ensure_future(sio.connect(server.url, transports="polling"))
        connection = await server.accept()
        await connection.accept_namespace()
        await within(CEILING, connecting)
        first = server.requests[:3]
        assert [request.method for request in first] == ["GET", "POST", "GET"]
        assert len({request.transport.get_extra_info("peername") for request in first}) == 1
        await sio.disconnect()


async def test_event_packets(make_client, transport):
    """Events have the standard form, and ids start at 1 in each namespace. (M34, D1, D3, D5, D6, D8)"""
    sio = make_client()
    async with session(sio, transport.argument, ("/", "/a")) as (_, connection):
        await sio.emit("e")
        await sio.emit("e", (1, "two", [3], {"four": None}))
        await sio.emit("e", "x", namespace="/a")
        await sio.emit("e", callback=print)
        await sio.emit("e", callback=print)
        await sio.emit("e", namespace="/a", callback=print)
        await sio.send("hi")
        assert await connection.receive_many(7) == [
            '42["e"]',
            '42["e",1,"two",[3],{"four":null}]',
            '42/a,["e","x"]',
            '421["e"]',
            '422["e"]',
            '42/a,1["e"]',
            '42["message","hi"]',
        ]


async def test_binary_event_packets(make_client, transport):
    """A binary event is its header with placeholders, then the attachments in order. (M34, D6)"""
    sio = make_client()
    async with session(sio, transport.argument, ("/", "/a")) as (_, connection):
        await sio.emit("e", b"one")
        await sio.emit("e", ({"x": b"one"}, [bytearray(b"two")], b""), namespace="/a", callback=print)
        assert await connection.receive_many(6) == [
            f'451-["e",{PLACEHOLDER}]',
            b"one",
            '453-/a,1["e",{"x":{"_placeholder":true,"num":0}},[{"_placeholder":true,"num":1}],'
            '{"_placeholder":true,"num":2}]',
            b"one",
            b"two",
            b"",
        ]


async def test_acknowledgement_packets(make_client, transport):
    """Acknowledgements have the standard form, for id 0 too. (M34, M24, E4)"""
    sio = make_client()
    sio.on("q", lambda *args: args)
    sio.on("q", lambda *args: b"binary", namespace="/a")
    async with session(sio, transport.argument, ("/", "/a")) as (_, connection):
        await connection.send('420["q"]', '4212["q",1,[2]]', '42/a,3["q"]', '427["unhandled",1]')
        assert await connection.receive_many(5) == [
            "430[]",
            "4312[1,[2]]",
            f"461-/a,3[{PLACEHOLDER}]",
            b"binary",
            "437[]",
        ]


async def test_the_goodbye(make_client, transport):
    """disconnect() sends what was emitted, a DISCONNECT for each namespace, then ends the transport. (F1, N10, N36)"""
    sio = make_client()
    async with session(sio, transport.argument, ("/", "/a")) as (_, connection):
        await sio.emit("last", b"words")
        await sio.disconnect()
        frames = await connection.rest()
        assert frames[:2] == [f'451-["last",{PLACEHOLDER}]', b"words"]
        assert sorted(frames[2:4]) == ["41", "41/a,"]
        assert frames[4:] == (["5", "1"] if transport.name == "polling" else [])


async def test_no_request_for_packets_follows_the_close(make_client):
    """It would ask for a session that has ended: python-socketio's server logs "Invalid session" as an error then."""
    sio = make_client()
    async with session(sio, "polling") as (server, connection):
        await connection.wait_polled()
        connection.receipt = asyncio.Event()
        disconnecting = asyncio.ensure_future(sio.disconnect())
        assert await connection.rest() == ["41", "5", "1"]
        sent = len(server.requests)
        await connection.wait_unpolled()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(connection.wait_polled(), 0.3)
        connection.receipt.set()
        await within(CEILING, disconnecting)
        assert [request.method for request in server.requests[sent:]] == []


async def test_pings_are_answered(make_client, transport):
    """A PING is answered with a PONG that carries the same, on each transport; a NOOP is ignored. (M7)"""
    sio = make_client()
    async with session(sio, transport.argument) as (_, connection):
        await connection.send("2", "6", "2again")
        assert await connection.receive_many(2) == ["3", "3again"]


# -- what the client understands


async def test_an_acceptance_without_payload(make_client, transport):
    """A CONNECT reply without payload gives the namespace the sid of the transport. (M35)"""
    async with ScriptedServer() as server:
        sio = make_client()
        connecting = asyncio.ensure_future(sio.connect(server.url, transports=transport.argument))
        connection = await server.accept()
        await connection.receive()
        await connection.send("40")
        await within(CEILING, connecting)
        assert sio.get_sid() == sio.sid == connection.sid
        await sio.disconnect()


async def test_a_namespace_with_a_query(make_client, recorder):
    """The query string of a namespace is sent, and cut from what comes back. (M35, I6)"""
    async with ScriptedServer() as server:
        sio = make_client()
        sio.on("event", recorder.handler("event"), namespace="/chat")
        connecting = asyncio.ensure_future(sio.connect(server.url, transports="websocket", namespaces="/chat?room=1"))
        connection = await server.accept()
        assert await connection.receive() == "40/chat?room=1,{}"
        await connection.send('40/chat?room=1,{"sid":"x"}', '42/chat?room=1,["event",1]')
        await within(CEILING, connecting)
        assert sio.namespaces == {"/chat": "x"}
        await recorder.wait_for("event")
        await sio.disconnect()


@pytest.mark.parametrize(
    ("payload", "args"),
    [
        ("", ()),
        (',"no"', ("no",)),
        (',{"message":"no","data":5}', ({"message": "no", "data": 5},)),
        (',["no",5]', ("no", 5)),
        (",[]", ()),
        (",5", (5,)),
        (",null", ()),
    ],
)
async def test_refusals_of_all_forms(make_client, recorder, payload, args):
    """Every form of CONNECT_ERROR payload reaches connect_error. (M36, F5, E1)"""
    async with ScriptedServer() as server:
        sio = make_client()
        sio.on("connect_error", recorder.handler("connect_error"), namespace="/chat")
        connecting = asyncio.ensure_future(sio.connect(server.url, transports="websocket"))
        connection = await server.accept()
        await connection.receive()
        await connection.send("44/chat" + payload)
        with pytest.raises(exceptions.ConnectionError, match="failed to connect: /chat"):
            await within(CEILING, connecting)
        assert recorder.of("connect_error") == [args]
        assert not sio.connected


async def test_a_refusal_that_comes_later(make_client, recorder):
    """A CONNECT_ERROR for a connected namespace removes it; the others stay. (M36, F6)"""
    sio = make_client()
    sio.on("connect_error", recorder.handler("connect_error"), namespace="/a")
    async with session(sio, namespaces=("/", "/a")) as (_, connection):
        await connection.send('44/a,{"message":"out"}')
        assert await recorder.wait_for("connect_error") == [({"message": "out"},)]
        assert list(sio.namespaces) == ["/"]
        with pytest.raises(exceptions.BadNamespaceError):
            await sio.emit("e", namespace="/a")
        await sio.emit("e")
        assert await connection.receive() == '42["e"]'


async def test_json_is_that_of_the_json_module(make_client, recorder):
    """White space, escapes, big integers and floats are read as the json module reads them. (M37)"""
    sio = make_client()
    sio.on("event", recorder.handler("event"))
    async with session(sio) as (_, connection):
        await connection.send(
            '42[ "event" ,\n1\t, {"a" : [ ] } ]',
            '42["event","\\u00e9\\ud83d\\ude00\\n\\"\\/"]',
            '42["event",12345678901234567890123,-0.5e-3,1E5,1e999]',
            '42["\\u0065vent"]',
        )
        await recorder.wait_for("event", 4)
        assert recorder.of("event") == [
            (1, {"a": []}),
            ('é\U0001f600\n"/',),
            (12345678901234567890123, -0.0005, 100000.0, float("inf")),
            (),
        ]


async def test_acknowledgements_that_nobody_waits_for(make_client, transport, recorder):
    """Acks for unknown ids, other namespaces or without id are ignored, binary ones too. (M38, E6)"""
    sio = make_client()
    sio.on("event", recorder.handler("event"))
    async with session(sio, transport.argument, ("/", "/a")) as (_, connection):
        await sio.emit("q", callback=recorder.handler("ack"))
        assert await connection.receive() == '421["q"]'
        await connection.send("4399[1]", "43/a,1[2]", "43/nowhere,1[3]", "43[4]", "431", "431")
        await connection.send(f"461-98[{PLACEHOLDER}]", b"5", f'451-["event",{PLACEHOLDER}]', b"6")
        assert await recorder.wait_for("event") == [(b"6",)]
        assert recorder.of("ack") == [()]


async def test_attachments_go_to_the_event_they_follow(make_client, transport, recorder):
    """Binary and plain packets in a row each get their own attachments, in any order of placeholders. (N32, E2)"""
    sio = make_client()
    sio.on("*", recorder.handler("event"))
    async with session(sio, transport.argument) as (_, connection):
        await connection.send(
            f'451-["a",{PLACEHOLDER}]',
            b"1",
            '42["b"]',
            '453-["c",{"_placeholder":true,"num":2},[{"num":0,"_placeholder":true}],{"_placeholder":true,"num":1}]',
            b"0",
            b"1",
            b"2",
            f'452-["d",{PLACEHOLDER},{{"x":{{"_placeholder":true,"num":1}}}}]',
            b"",
            b"4",
        )
        await recorder.wait_for("event", 4)
        assert recorder.of("event") == [
            ("a", b"1"),
            ("b",),
            ("c", b"2", [b"0"], b"1"),
            ("d", b"", {"x": b"4"}),
        ]


async def test_a_disconnect_for_an_unknown_namespace(make_client, recorder):
    """A DISCONNECT for a namespace that the client does not have leaves the others connected. (F4)"""
    sio = make_client()
    sio.on("event", recorder.handler("event"))
    async with session(sio) as (_, connection):
        await connection.send("41/nowhere,", '42["event"]')
        await recorder.wait_for("event")
        assert list(sio.namespaces) == ["/"]


@pytest.mark.parametrize(("end", "reason"), [("close packet", "server disconnect"), ("websocket", "transport error")])
async def test_the_server_ends_the_transport(make_client, recorder, end, reason):
    """An Engine.IO CLOSE is a server disconnect, a closed websocket a transport error; both are repaired. (M17, M18)"""
    sio = make_client(reconnection_delay=0.02)
    sio.on("connect", recorder.handler("connect"))
    sio.on("disconnect", recorder.handler("disconnect"))
    async with session(sio) as (server, connection):
        if end == "close packet":
            await connection.send("1")
        else:
            await connection.close()
        await (await server.accept()).accept_namespace()
        await recorder.wait_for("connect", 2)
        assert recorder.of("disconnect") == [(reason,)]
