"""What programs do with ``sio.eio``, and with a reconnection that they want to end.

Source: issue 10, D6: Locust's cloud runner and Taurus set ``_reconnect_abort``; integrations close ``eio.ws``, look at
``eio.http`` and ``eio.queue``, and listen to ``eio.on('message')``.
"""

from __future__ import annotations

import asyncio
import inspect
import socket
import time

import aiohttp
import pytest
import requests

import socketio
from socketio import base_client, exceptions

CEILING = 10.0
transports = pytest.mark.transports("polling", "websocket", "upgrade")
pytestmark = pytest.mark.servers("python")


def closed_port():
    """Return a port without a server."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


async def until(holds):
    """Let the loop turn until something holds."""
    deadline = time.monotonic() + CEILING
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.001)


async def do(flavour, function, *args):
    """Return what a method of the engine returns, called where it does not block the loop."""
    if not flavour.is_asyncio:
        return await asyncio.to_thread(function, *args)
    result = function(*args)
    return await result if inspect.isawaitable(result) else result


# -- the websocket


@pytest.mark.transports("websocket", "upgrade")
@pytest.mark.servers("node", "python")
@pytest.mark.parametrize("reconnection", [True, False])
async def test_closing_the_websocket_is_a_lost_connection(flavour, server, transport, recorder, reconnection):
    """eio.ws.close() returns at once; the client reconnects, or its wait() returns."""
    sio = flavour.client(reconnection=reconnection, reconnection_delay=0.01)
    for event in ("connect", "disconnect"):
        sio.on(event, recorder.handler(event))
    await sio.connect(server.url, transports=transport.argument)
    websocket = sio.eio.ws
    assert websocket.closed is False
    await asyncio.wait_for(do(flavour, websocket.close), CEILING)
    assert websocket.closed is True
    await recorder.wait_for("disconnect")
    assert recorder.of("disconnect") == [("transport error",)]
    assert "the program closed the connection" in str(flavour.native(sio).disconnect_details) or flavour.is_asyncio
    if reconnection:
        await recorder.wait_for("connect", 2)
        assert await sio.call("echo", 1) == 1
    else:
        await asyncio.wait_for(sio.wait(), CEILING)
        assert not sio.connected
    await do(flavour, websocket.close)  # twice is no error


@pytest.mark.flavours("asyncio")
@pytest.mark.transports("websocket")
async def test_closing_a_websocket_that_aiohttp_reads(flavour, server, transport, recorder):
    """Where compression leaves the websocket to aiohttp, close() is aiohttp's."""
    sio = flavour.client(reconnection=False, websocket_extra_options={"compress": 15})
    sio.on("disconnect", recorder.handler("disconnect"))
    await sio.connect(server.url, transports=transport.argument)
    await sio.eio.ws.close()
    await asyncio.wait_for(sio.wait(), CEILING)
    assert recorder.of("disconnect") == [("transport error",)]


# -- the session


@transports
async def test_the_session_is_there_while_connected(flavour, server, transport):
    """eio.http is a session of the flavour's library over every transport, and None before and after."""
    sio = flavour.client()
    assert sio.eio.http is None
    assert sio.eio.external_http is False
    for _ in range(2):
        await sio.connect(server.url, transports=transport.argument)
        session = sio.eio.http
        assert isinstance(session, aiohttp.ClientSession if flavour.is_asyncio else requests.Session)
        assert sio.eio.http is session
        assert await sio.call("echo", 1) == 1
        await sio.disconnect()
        assert sio.eio.http is None


@transports
@pytest.mark.flavours("threads")
@pytest.mark.server_options(cookie=True)
async def test_the_session_has_the_cookies_of_the_server(flavour, server, transport):
    """Also when the websocket is on and polling is over."""
    sio = flavour.client()
    await sio.connect(server.url, transports=transport.argument)
    if transport.name != "websocket":
        assert sio.eio.http.cookies.keys()


@transports
async def test_a_session_of_the_program_is_used_and_kept(flavour, server, transport):
    """eio.http may be set before connect(), with external_http, as well as given by http_session; it stays open."""
    async with aiohttp.ClientSession() as of_aiohttp:
        with requests.Session() as of_requests:
            session = of_aiohttp if flavour.is_asyncio else of_requests
            sio = flavour.client()
            native = flavour.native(sio)
            native.eio.http, native.eio.external_http = session, True
            await sio.connect(server.url, transports=transport.argument)
            assert native.eio.http is session
            await sio.disconnect()
            assert native.eio.http is session
            given = flavour.client(http_session=session)
            assert given.eio.external_http is True
            await given.connect(server.url, transports=transport.argument)
            assert given.eio.http is session
            await given.disconnect()
        assert not of_aiohttp.closed


# -- the queue, the messages


@transports
async def test_the_queue_tells_what_waits(flavour, server, transport):
    """eio.queue.qsize() is a number at any time: 0 before, after, and once all was sent."""
    sio = flavour.client()
    assert (sio.eio.queue.qsize(), sio.eio.queue.empty()) == (0, True)
    await sio.connect(server.url, transports=transport.argument)
    for _ in range(3):
        await sio.emit("echo", "x" * 100_000)
    assert 0 <= sio.eio.queue.qsize() <= 3
    await sio.call("echo", 1)
    await until(lambda: sio.eio.queue.qsize() == 0)
    await sio.disconnect()
    assert sio.eio.queue.qsize() == 0


@transports
@pytest.mark.parametrize("kind", ["function", "coroutine"])
async def test_listeners_of_the_engine_get_one_message_each(flavour, server, transport, recorder, kind):
    """eio.on('message') sees each frame, binary ones too; the client's own handlers go on."""
    if kind == "coroutine" and not flavour.is_asyncio:
        kind = "function"
    sio = flavour.client()
    names = ("connect", "message", "disconnect")
    for name in names:
        handler = recorder.handler(name)

        async def coroutine(*args, handler=handler):
            handler(*args)

        sio.eio.on(name, coroutine if kind == "coroutine" else handler)
    sio.on("item", recorder.handler("item"))
    sio.on("done", recorder.handler("done"))
    await sio.connect(server.url, transports=transport.argument)
    await sio.emit("burst_binary", (2, 3))
    await recorder.wait_for("done")
    await sio.disconnect()
    await recorder.wait_for("disconnect")
    messages = [message for (message,) in recorder.of("message")]
    assert messages[0].startswith("0{")
    assert messages[1:] == [
        '451-["item",0,{"_placeholder":true,"num":0}]'[1:], b"\x00" * 3,
        '451-["item",1,{"_placeholder":true,"num":0}]'[1:], b"\x01" * 3, '2["done",2]',
    ]  # fmt: skip
    assert recorder.of("connect") == [()]
    assert recorder.of("disconnect") == [("client disconnect",)]
    assert len(recorder.of("item")) == 2


# -- reconnections


@pytest.mark.transports("websocket")
async def test_reconnect_abort_ends_a_reconnection(flavour, server, proxy, transport, recorder):
    """_reconnect_abort.set() ends the waiting before an attempt; wait() returns; the client can connect again."""
    sio = flavour.client(reconnection_delay=60)
    native = flavour.native(sio)
    sio.on("disconnect", recorder.handler("disconnect"))
    sio.on("__disconnect_final", recorder.handler("final"))
    await sio.connect(proxy.url, transports=transport.argument)
    native._reconnect_abort.set()  # no reconnection, no effect
    assert await sio.call("echo", 1) == 1
    proxy.cut()
    await recorder.wait_for("disconnect")
    waiting = asyncio.ensure_future(sio.wait())
    await until(lambda: native in base_client.reconnecting_clients and native._reconnect_task)
    assert native._reconnect_task is not None
    assert not native._reconnect_abort.is_set()
    native._reconnect_abort.set()
    await asyncio.wait_for(waiting, CEILING)
    assert recorder.of("final") == [()]
    assert native._reconnect_abort.is_set()
    await flavour.join(native._reconnect_task)
    assert native not in base_client.reconnecting_clients
    await sio.connect(server.url, transports=transport.argument)
    assert await sio.call("echo", 1) == 1


@pytest.mark.transports("websocket")
@pytest.mark.parametrize("delay", [0, 0.3])
async def test_reconnect_abort_ends_connect_with_retry(flavour, server, transport, delay):
    """As Locust's cloud runner does with a timer: connect(retry=True) raises the error of the first attempt."""
    sio = flavour.client(reconnection_delay=60)
    native = flavour.native(sio)
    connecting = asyncio.ensure_future(sio.connect(f"http://127.0.0.1:{closed_port()}", retry=True))
    await until(lambda: not native._reconnect_abort.is_set())
    await asyncio.sleep(delay)  # in the first attempt, or before the second one
    native._reconnect_abort.set()
    with pytest.raises(exceptions.ConnectionError):
        await asyncio.wait_for(connecting, CEILING)
    await sio.connect(server.url, transports=transport.argument)
    assert await sio.call("echo", 1) == 1


@pytest.mark.transports("websocket")
async def test_callbacks_are_those_that_wait(flavour, server, transport, recorder):
    """callbacks is a copy, by namespace and id."""
    sio = flavour.client()
    native = flavour.native(sio)
    assert native.callbacks == {}
    await sio.connect(server.url, transports=transport.argument, namespaces=["/", "/chat"])
    first, second = recorder.handler("first"), recorder.handler("second")
    await sio.emit("no_ack", callback=first)
    await sio.emit("no_ack", callback=second, namespace="/chat")
    assert native.callbacks == {"/": {1: first}, "/chat": {1: second}}
    await sio.disconnect()
    assert native.callbacks == {}
    assert isinstance(base_client.reconnecting_clients, list)
    assert socketio.base_client is base_client
