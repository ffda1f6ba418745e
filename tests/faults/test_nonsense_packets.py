"""Packets that break the protocol: each is dropped, or ends its connection, which comes back; one line says so."""

from __future__ import annotations

import asyncio

import msgpack
import pytest

from integration.scripted import ScriptedServer, session
from integration.waiting import CEILING, within
from socketio import exceptions

from .hostile import RawServer, open_packet
from .watching import Lines, in_time

PLACE = '{"_placeholder":true,"num":0}'
BOTH = pytest.mark.transports("websocket", "polling")

PACKETS = [
    f'451-["x",{PLACE},{PLACE.replace("0", "1")}]',
    '451-["x",{"_placeholder":true,"num":1e400}]',
    '451-["x",{"_placeholder":true,"num":null}]',
    '451-["x",{"_placeholder":true,"num":true}]',
    f'451000000000-["x",{PLACE}]',
    f'450-["x",{PLACE}]',
    f'45-1-["x",{PLACE}]',
    "451-[",
    "451-",
    "45",
    "461-[]",
    f"461-[{PLACE}]",
    f'451-["x",{"[" * 900}{PLACE}{"]" * 900}]',
    f'42["x",{"[" * 100_000}{"]" * 100_000}]',
    f'42["x",{"1" * 1_000_000}]',
    '42["x",NaN',
    '42["x"]]',
    '42["x\ud800"]'.encode("utf-8", "surrogatepass"),
    f'42{10**99}["x"',
    '42-1["x"]',
    '42[["x"]]',
    '42[{"x":1}]',
    "42true",
    "43999[1]",
    f"43{10**90}[1]",
    "43-1[1]",
    '43["x"]',
    f"461-999[{PLACE}]",
    "40",
    '40{"sid":1}',
    "40/nowhere,",
    "41/nowhere,",
    "44/nowhere,",
    '44/nowhere,{"message":"no"}',
    "4/",
    "4/,",
    "42/,",
    '42/nowhere?a=1,["x"]',
    "5",
    "3",
    "6",
    "7",
    open_packet(),
    open_packet(pingInterval=-1),
    "\x00",
    "\ufeff42",
]


def _name(packet):
    return repr(packet[:30])


@pytest.fixture
def lines():
    return Lines()


@pytest.fixture
def make_watched(make_client, lines):
    """Return a function that makes a client that reconnects at once, and whose log is watched."""

    def make(**options):
        return make_client(reconnection_delay=0.02, logger=lines.logger, engineio_logger=lines.logger, **options)

    return make


async def _works(server, connection, recorder, event='42["works"]'):
    """An event gets through, on this connection or on the one that repairs it; return whether it is the same."""
    await connection.send(event)
    works = asyncio.ensure_future(recorder.wait_for("works"))
    repaired = asyncio.ensure_future(server.accept())
    await asyncio.wait({works, repaired}, timeout=CEILING, return_when=asyncio.FIRST_COMPLETED)
    same = works.done()
    if not same:
        again = await repaired
        await again.accept_namespace()
        await again.send(event)
    await works
    repaired.cancel()
    return same


@BOTH
@pytest.mark.parametrize("packet", PACKETS, ids=_name)
async def test_in_mid_stream(make_watched, transport, recorder, lines, packet):
    """Whatever comes after the connection is made calls no handler, and the next event does."""
    sio = make_watched()
    sio.on("works", recorder.handler("works"))
    sio.on("*", recorder.handler("other"))
    async with session(sio, transport.argument) as (server, connection):
        await connection.send(packet)
        await _works(server, connection, recorder)
        assert recorder.of("other") == []
        assert list(sio.namespaces) == ["/"]
        assert len(lines.warnings) <= 2, lines.warnings


@pytest.mark.parametrize("packet", PACKETS, ids=_name)
async def test_inside_a_payload(make_watched, recorder, lines, packet):
    """Between good packets of one polling body, nonsense costs none of them, or the connection."""
    sio = make_watched()
    for event in ("before", "works"):
        sio.on(event, recorder.handler(event))
    sio.on("*", recorder.handler("other"))
    async with session(sio, "polling") as (server, connection):
        await connection.send('42["before"]', packet, '42["works"]')
        if await _works(server, connection, recorder):
            assert recorder.names[:2] == ["before", "works"]
        assert recorder.of("other") == []


@BOTH
@pytest.mark.parametrize(
    "packet", ["42[null]", "43", "40/nowhere,", "4", "451-", b"stray", open_packet(), "3probe", "6"]
)
async def test_before_the_namespace_is_connected(make_watched, transport, recorder, lines, packet):
    """Nonsense that comes before the namespace is there does not keep it from connecting."""
    sio = make_watched(reconnection=False)
    sio.on("*", recorder.handler("other"))
    async with ScriptedServer() as server:
        connecting = asyncio.ensure_future(sio.connect(server.url, transports=transport.argument))
        connection = await server.accept()
        await connection.send(packet)
        await connection.accept_namespace()
        await within(CEILING, connecting)
        assert list(sio.namespaces) == ["/"]
        assert recorder.of("other") == []
        await sio.disconnect()


OPENINGS = {
    "nothing": "",
    "no packet": "hello",
    "another packet": '42["x"]',
    "a close": "1",
    "no JSON": "0{",
    "no fields": "0",
    "a list": "0[]",
    "nested": "0" + "[" * 100_000,
    "no sid": open_packet(sid=None),
    "an empty sid": open_packet(sid=""),
    "a number as sid": open_packet(sid=5),
    "no interval": open_packet(pingInterval=None),
    "a negative interval": open_packet(pingInterval=-25000),
    "a text as interval": open_packet(pingInterval="25000"),
    "a huge interval": open_packet(pingInterval=10**18),
    "an interval of infinity": open_packet(pingInterval=float("inf")),
    "an interval that is no number": open_packet(pingInterval=float("nan")),
    "no timeout": open_packet(pingTimeout=None),
    "a timeout of zero": open_packet(pingTimeout=0),
    "a negative timeout": open_packet(pingTimeout=-1),
    "a list as timeout": open_packet(pingTimeout=[20000]),
    "upgrades as a text": open_packet(upgrades="websocket"),
    "huge digits": open_packet(pingTimeout=1).replace('"pingTimeout": 1', '"pingTimeout": ' + "9" * 5000),
}


@BOTH
@pytest.mark.parametrize("opening", OPENINGS)
async def test_an_opening_that_is_none(make_client, transport, opening):
    """In place of an OPEN packet, or with fields that are missing or absurd: connect() says what is wrong, at once."""

    async def answer(request):
        if request.is_websocket:
            await request.accept_websocket()
            await request.send(OPENINGS[opening])
            await request.until_closed()
        else:
            await request.answer(OPENINGS[opening])

    sio = make_client()
    async with RawServer(answer) as server:
        with in_time(3), pytest.raises(exceptions.ConnectionError, match=r"OPEN packet|not an Engine\.IO server"):
            await within(CEILING, sio.connect(server.url, transports=transport.argument))
        assert not sio.connected
        assert sio.transport() is None


@BOTH
@pytest.mark.parametrize("max_payload", [0, -1, 1.5, "1000", None, [], 10**30])
async def test_an_absurd_max_payload_is_none(make_client, transport, max_payload):
    """A maxPayload that is no number of bytes is taken for no limit."""
    sio = make_client()
    async with session(sio, transport.argument, maxPayload=max_payload) as (_, connection):
        await sio.emit("hello", "x" * 1000)
        assert await connection.receive() == '42["hello","' + "x" * 1000 + '"]'


@BOTH
async def test_a_connect_without_a_sid(make_client, transport, recorder):
    """A CONNECT without a sid connects the namespace; the id of the session stands in."""
    sio = make_client()
    async with ScriptedServer() as server:
        connecting = asyncio.ensure_future(sio.connect(server.url, transports=transport.argument))
        connection = await server.accept()
        await connection.receive()
        await connection.send("40")
        await within(CEILING, connecting)
        assert sio.get_sid() == connection.sid
        await sio.disconnect()


@BOTH
async def test_connected_twice(make_client, transport, recorder):
    """A second CONNECT changes no sid and calls no handler again."""
    sio = make_client()
    for event in ("connect", "works"):
        sio.on(event, recorder.handler(event))
    async with session(sio, transport.argument) as (server, connection):
        sid = sio.get_sid()
        await connection.send('40{"sid":"other"}')
        assert await _works(server, connection, recorder)
        assert sio.get_sid() == sid
        assert recorder.names == ["connect", "works"]


@BOTH
@pytest.mark.parametrize("namespace", ["/", "/chat"])
async def test_a_refusal_of_what_is_connected(make_client, transport, recorder, namespace):
    """A CONNECT_ERROR for a connected namespace ends it like a DISCONNECT: handlers are called, `connected` is true
    to fact."""
    sio = make_client()
    sio.on("connect_error", recorder.handler("connect_error"), namespace=namespace)
    sio.on("disconnect", recorder.handler("disconnect"), namespace=namespace)
    async with session(sio, transport.argument, namespaces=(namespace,)) as (_, connection):
        prefix = "44" if namespace == "/" else f"44{namespace},"
        await connection.send(prefix + '{"message":"go away"}')
        assert await recorder.wait_for("disconnect") == [("server disconnect",)]
        assert recorder.of("connect_error") == [({"message": "go away"},)]
        assert not sio.connected
        with pytest.raises(exceptions.BadNamespaceError):
            await sio.emit("hello", namespace=namespace)


NOT_MESSAGEPACK = [
    b"",
    b"\xc1",
    b"\xdd\xff\xff\xff\xff",
    b"\xdf\xff\xff\xff\xff",
    b"\xc6\xff\xff\xff\xff",
    b"\x91" * 100_000,
    b"\x81" * 100_000,
    msgpack.packb([]),
    msgpack.packb({}),
    msgpack.packb({"type": 2}),
    msgpack.packb({"type": 9, "nsp": "/"}),
    msgpack.packb({"type": "2", "nsp": "/", "data": ["x"]}),
    msgpack.packb({"type": 2, "nsp": 5, "data": ["x"]}),
    msgpack.packb({"type": 2, "nsp": "/", "data": {"x": 1}}),
    msgpack.packb({"type": 2, "nsp": "/", "data": []}),
    msgpack.packb({"type": 2, "nsp": "/", "data": [True]}),
    msgpack.packb({"type": 2, "nsp": "/", "data": ["x"], "id": -1}),
    msgpack.packb({"type": 2, "nsp": "/", "data": ["disconnect"]}),
    msgpack.packb({"type": 3, "nsp": "/", "data": ["x"], "id": 2**64 - 1}),
    msgpack.packb({"type": 2, "nsp": "/", "data": ["x"]}) + b"\x00",
    '42["x"]',
]


@BOTH
@pytest.mark.parametrize("packet", NOT_MESSAGEPACK, ids=_name)
async def test_nonsense_in_messagepack(make_watched, transport, recorder, lines, packet):
    """MessagePack that is broken, or no packet, calls no handler, and the next event does."""
    sio = make_watched(serializer="msgpack")
    sio.on("works", recorder.handler("works"))
    sio.on("*", recorder.handler("other"))
    accept = msgpack.packb({"type": 0, "nsp": "/", "data": {"sid": "x"}})
    async with ScriptedServer() as server:
        connecting = asyncio.ensure_future(sio.connect(server.url, transports=transport.argument))
        connection = await server.accept()
        await connection.receive()
        await connection.send(accept)
        await within(CEILING, connecting)
        await connection.send(packet)
        assert await _works(server, connection, recorder, msgpack.packb({"type": 2, "nsp": "/", "data": ["works"]}))
        assert recorder.of("other") == []
        assert len(lines.warnings) == 1, lines.warnings
        await sio.disconnect()
