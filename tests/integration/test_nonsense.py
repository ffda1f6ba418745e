"""Frames that break the protocol, and connections that break in the middle: nothing hangs, nothing is corrupted."""

from __future__ import annotations

import asyncio

import pytest

from .proxy import Proxy
from .scripted import ScriptedServer, session
from .waiting import CEILING, Gate, within

PLACEHOLDER = '{"_placeholder":true,"num":0}'

NONSENSE = [
    "",
    "4",
    "8",
    "abc",
    "49",
    "47[]",
    "4x",
    "42",
    "42{",
    '42["x"',
    "42[]",
    "42[true]",
    "42[null]",
    '42{"a":1}',
    '42"x"',
    "451",
    '45["x"]',
    '451-["x"]',
    '451-["x",{"_placeholder":true,"num":5}]',
    '451-["x",{"_placeholder":true,"num":-1}]',
    '451-["x",{"_placeholder":true,"num":"0"}]',
    "4512345678901-[]",
    f'42{"9" * 101}["x"]',
    f'42["x",{"9" * 101}]',
    "42" + "[" * 100_000,
    '42["connect"]',
    '42["disconnect","x"]',
    '42["__disconnect_final"]',
    '421["connect_error",1]',
    '40/unasked,{"sid":"x"}',
    '40{"sid":"second"}',
    "40[1]",
    "43",
    "431{}",
    '42/nowhere,["x"]',
    "0{}",
    "3probe",
    b"stray",
    b"",
]


async def _until_it_works_again(server, connection, recorder):
    """Send an event until one gets through: on this connection, or on the one that repairs it."""
    await connection.send('42["works"]')
    works = asyncio.ensure_future(recorder.wait_for("works"))
    repaired = asyncio.ensure_future(server.accept())
    await asyncio.wait({works, repaired}, timeout=CEILING, return_when=asyncio.FIRST_COMPLETED)
    if not works.done():
        again = await repaired
        await again.accept_namespace()
        await again.send('42["works"]')
    await works
    repaired.cancel()


@pytest.mark.transports("websocket", "polling")
@pytest.mark.parametrize("frame", NONSENSE, ids=lambda frame: repr(frame[:30]))
async def test_nonsense_is_survived(make_client, transport, recorder, frame):
    """After a frame that breaks the protocol the connection goes on, or is closed and repaired. (N33, N34, E11)"""
    sio = make_client(reconnection_delay=0.02)
    sio.on("works", recorder.handler("works"))
    sio.on("*", recorder.handler("other"))
    async with session(sio, transport.argument) as (server, connection):
        await connection.send(frame)
        await _until_it_works_again(server, connection, recorder)
        assert recorder.of("other") == []
        assert list(sio.namespaces) == ["/"]


async def test_reserved_events_cannot_be_forged(make_client, recorder):
    """An event of the server with the name of a lifecycle event calls no lifecycle handler. (E7, N33)"""
    sio = make_client()
    names = ("connect", "connect_error", "disconnect", "__disconnect_final", "works")
    for name in names:
        sio.on(name, recorder.handler(name))
    async with session(sio) as (_, connection):
        await connection.send(*(f'42["{name}","forged"]' for name in names))
        await recorder.wait_for("works")
        assert recorder.names == ["connect", "works"]


@pytest.mark.parametrize(
    "frames",
    [
        [f'451-["x",{PLACEHOLDER}]', '42["text"]'],
        [f'452-["x",{PLACEHOLDER},{{"_placeholder":true,"num":1}}]', b"1", '42["text"]', b"2"],
        [f'451-["x",{PLACEHOLDER}]', f'451-["y",{PLACEHOLDER}]', b"1", b"2"],
        [f'451-["x",{PLACEHOLDER}]', "431[]", b"1"],
    ],
)
async def test_a_text_frame_is_never_an_attachment(make_client, transport, recorder, frames):
    """Text in place of an attachment corrupts no event, and does not hang the client. (N35, N34)"""
    sio = make_client(reconnection_delay=0.02)
    sio.on("works", recorder.handler("works"))
    for event in ("x", "y"):
        sio.on(event, recorder.handler(event))
    async with session(sio, transport.argument) as (server, connection):
        await connection.send(*frames)
        await _until_it_works_again(server, connection, recorder)
        assert recorder.of("x") == []
        assert recorder.of("y") in ([], [(b"1",)])


async def test_half_a_packet_dies_with_its_connection(make_client, recorder):
    """Attachments of a new connection are not taken for those that the old one owed. (N32, N33)"""
    sio = make_client(reconnection_delay=0.02)
    sio.on("*", recorder.handler("event"))
    async with session(sio) as (server, connection):
        await connection.send(f'451-["x",{PLACEHOLDER}]')
        await connection.close()
        again = await server.accept()
        await again.accept_namespace()
        await again.send(f'451-["y",{PLACEHOLDER}]', b"new")
        assert await recorder.wait_for("event") == [("y", b"new")]


async def test_a_swallowed_poll_is_a_lost_connection(make_client, recorder):
    """A poll whose connection breaks is not repeated in silence: its answer may have been lost. (M17, N33)"""
    disconnected = Gate()
    async with ScriptedServer() as server, Proxy(server.port) as proxy:
        sio = make_client(reconnection=False)
        sio.on("disconnect", disconnected.open)
        connecting = asyncio.ensure_future(sio.connect(proxy.url, transports="polling"))
        connection = await server.accept()
        await connection.accept_namespace()
        await within(CEILING, connecting)
        await connection.wait_polled()
        proxy.cut()
        await disconnected.wait()
        assert not sio.connected


@pytest.mark.transports("websocket", "polling")
async def test_silence_is_a_lost_connection(make_client, transport, recorder):
    """Without a PING for pingInterval and pingTimeout the connection is lost. (M7, M17)"""
    sio = make_client(reconnection=False)
    sio.on("disconnect", recorder.handler("disconnect"))
    async with session(sio, transport.argument, pingInterval=150, pingTimeout=100):
        assert await recorder.wait_for("disconnect", timeout=3) == [("transport error",)]
