"""connect() is bounded, whatever the peer does: request_timeout for each step, wait_timeout for the namespaces."""

from __future__ import annotations

import asyncio
import contextlib
import time

import pytest

from integration.scripted import ScriptedServer
from integration.waiting import CEILING, Gate, within
from socketio import exceptions

from .hostile import RawServer, open_packet
from .peers import drip_http_body, drip_http_headers, raw_server, unreachable_url


async def _say_nothing(reader, writer):
    await reader.read(-1)
    await asyncio.Event().wait()


async def _say_something_else(reader, writer):
    while True:
        writer.write(b"220 mail.example.org ESMTP\r\n")
        await writer.drain()
        await asyncio.sleep(0.02)


async def _never_end_a_line(reader, writer):
    while True:
        writer.write(b"x" * 1000)
        await writer.drain()
        await asyncio.sleep(0.001)


@contextlib.asynccontextmanager
async def _unreachable(*args):
    with unreachable_url() as url:
        yield url


@pytest.mark.transports("polling", "websocket", "upgrade")
@pytest.mark.parametrize(
    "conversation",
    [_say_nothing, _say_something_else, _never_end_a_line, drip_http_headers, drip_http_body, None],
)
async def test_a_peer_that_never_ends_what_it_says(make_client, transport, conversation):
    """A peer that is silent, drips, floods or is not there is given up about request_timeout later."""
    peer = raw_server(conversation) if conversation is not None else _unreachable()
    async with peer as url:
        sio = make_client(request_timeout=0.5)
        started = time.monotonic()
        with pytest.raises(exceptions.ConnectionError):
            await within(5, sio.connect(url, transports=transport.argument))
        assert time.monotonic() - started < 2
        assert not sio.connected
        assert sio.sid is None


async def test_a_websocket_that_is_accepted_and_silent(make_client):
    """A websocket that opens and brings no OPEN packet is given up after request_timeout."""
    async with ScriptedServer(handshake="silent") as server:
        sio = make_client(request_timeout=0.3)
        with pytest.raises(exceptions.ConnectionError, match="silent"):
            await within(2, sio.connect(server.url, transports="websocket"))
        assert not sio.connected


@pytest.mark.parametrize("upgrade", ["hang", "silent"])
async def test_an_upgrade_that_is_never_answered(make_client, upgrade, recorder):
    """Polling goes on when the upgrade is never answered: connect() takes request_timeout longer, no more."""
    async with ScriptedServer(upgrade=upgrade) as server:
        sio = make_client(request_timeout=0.3)
        sio.on("event", recorder.handler("event"))
        connecting = asyncio.ensure_future(sio.connect(server.url))
        connection = await server.accept()
        await within(3, connection.accept_namespace())
        await within(2, connecting)
        assert sio.transport() == "polling"
        await connection.send('42["event",1]')
        await recorder.wait_for("event")
        await sio.emit("answer")
        assert await connection.receive() == '42["answer"]'
        await within(3, sio.disconnect())


@pytest.mark.parametrize("packet", ["2", "6", '42["early"]', '40/other,{"sid":"x"}', "4nonsense"])
async def test_a_server_that_talks_and_never_answers_the_namespace(make_client, transport, packet):
    """Whatever else a server sends, connect() gives up wait_timeout after it has asked for its namespaces."""
    async with ScriptedServer() as server:
        sio = make_client()
        started = time.monotonic()
        connecting = asyncio.ensure_future(sio.connect(server.url, transports=transport.argument, wait_timeout=0.4))
        connection = await server.accept()
        with contextlib.suppress(ConnectionError):  # the client has gone
            while not connecting.done():
                await connection.send(packet)
                await asyncio.wait([connecting], timeout=0.02)
        with pytest.raises(exceptions.ConnectionError, match="failed to connect: /"):
            await within(2, connecting)
        assert 0.35 < time.monotonic() - started < 2
        assert not sio.connected


async def test_a_server_that_lets_the_first_post_wait(make_client):
    """The answer to a CONNECT is asked for also where the server does not answer the POST before that."""
    asked = asyncio.Event()

    async def answer(request):
        if request.method == "POST":
            await within(CEILING, asked.wait())
            await request.answer("ok")
        elif "sid" not in request.query:
            await request.answer(open_packet())
        elif not asked.is_set():
            asked.set()
            await request.answer('40{"sid":"x"}')
        else:
            await request.until_closed()

    sio = make_client()
    async with RawServer(answer) as server:
        await within(3, sio.connect(server.url, transports="polling"))
        await within(3, sio.disconnect())


async def test_a_connect_handler_that_never_returns(make_client, server, transport):
    """connect() waits for connect handlers, but no longer than wait_timeout."""
    gate = Gate()
    sio = make_client()
    sio.on("connect", gate.wait)
    await within(3, sio.connect(server.url, transports=transport.argument, wait_timeout=0.4))
    assert sio.connected
    gate.open()
    await within(3, sio.disconnect())


async def test_a_simple_client_is_bounded_too(make_simple_client, transport):
    """The simple clients' connect() gives up in the same time, and can be tried again."""
    async with ScriptedServer() as server:
        sio = make_simple_client(request_timeout=0.3)
        for _ in range(2):
            with pytest.raises(exceptions.ConnectionError):
                await within(3, sio.connect(server.url, transports=transport.argument, wait_timeout=0.2))
            assert not sio.connected
        connecting = asyncio.ensure_future(sio.connect(server.url, transports=transport.argument))
        for _ in range(2):
            await server.accept()
        await (await server.accept()).accept_namespace()
        await within(CEILING, connecting)
        assert sio.connected
