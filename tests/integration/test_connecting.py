"""Opening a connection: transports, what connect() promises when it returns, and what it sends."""

from __future__ import annotations

import asyncio
import socket

import pytest

from socketio import exceptions

from .scripted import ScriptedServer
from .waiting import Gate, within


async def test_each_transport_connects(make_client, server, transport):
    """Polling, websocket and the upgrade all work, and transport() names the one in use. (M1, H2)"""
    sio = make_client()
    await sio.connect(server.url, transports=transport.argument)
    assert sio.connected
    assert sio.transport() == transport.final
    assert await sio.call("echo", "hello") == "hello"
    assert (await sio.call("handshake"))["transport"] == transport.final


@pytest.mark.servers("node")
@pytest.mark.parametrize("transports", ["websocket", ["carrier pigeon", "websocket"], ("websocket",)])
async def test_unknown_transports_are_filtered_out(make_client, server, transports):
    """An unknown transport name is ignored, and one name may be given as a string. (M1)"""
    sio = make_client()
    await sio.connect(server.url, transports=transports)
    assert sio.transport() == "websocket"
    assert len(await sio.call("requests")) == 1


@pytest.mark.servers("node")
@pytest.mark.parametrize("transports", ["carrier pigeon", ["carrier pigeon"], []])
async def test_no_valid_transport_is_an_error(make_client, server, transports):
    """When no valid transport is left, connect() raises ValueError, and the client is as before. (M1, M15)"""
    sio = make_client()
    with pytest.raises(ValueError):
        await sio.connect(server.url, transports=transports)
    await sio.connect(server.url, transports="websocket")
    assert sio.connected


@pytest.mark.parametrize("upgrade", ["refuse", "hang", "silent"])
async def test_a_failed_upgrade_leaves_the_client_on_polling(make_client, upgrade):
    """When the websocket is refused or never answered during the upgrade, polling goes on, soon. (M2, N3)"""
    async with ScriptedServer(upgrade=upgrade) as server:
        sio = make_client(request_timeout=0.4)
        connecting = asyncio.ensure_future(sio.connect(server.url))
        connection = await server.accept()
        await connection.accept_namespace()
        await within(5, connecting)
        assert sio.transport() == "polling"
        await sio.emit("hello")
        assert await connection.receive() == '42["hello"]'
        await sio.disconnect()


@pytest.mark.servers("node")
@pytest.mark.server_options(allow_upgrades=False)
async def test_a_server_without_upgrades_is_polled(make_client, server):
    """Where the server offers no upgrade, none is tried. (M1)"""
    sio = make_client()
    await sio.connect(server.url)
    assert sio.transport() == "polling"
    assert all("upgrade" not in request["headers"] for request in await sio.call("requests"))


async def test_the_connect_handler_runs_before_connect_returns(make_client, server, transport, recorder):
    """Handlers of connect have run when connect() returns, those of disconnect when disconnect() does. (M9)"""
    sio = make_client()
    sio.on("connect", recorder.handler("connect"))
    sio.on("disconnect", recorder.handler("disconnect"))
    await sio.connect(server.url, transports=transport.argument)
    assert recorder.calls == [("connect", ())]
    await sio.disconnect()
    assert recorder.calls == [("connect", ()), ("disconnect", ("client disconnect",))]


async def test_the_connect_handler_may_use_the_namespace(make_client, server, transport, recorder):
    """In the connect handler its namespace is connected, with its sid, and emit() and call() work. (M10, C8)"""
    sio = make_client()
    sio.on("echo", recorder.handler("echo"))

    @sio.on("connect", namespace="/chat")
    async def connect():
        recorder.record("state", sio.connected, sio.get_sid("/chat"), "/chat" in sio.namespaces)
        await sio.emit("emit_back", ("echo", "emitted"), namespace="/chat")
        recorder.record("answer", await sio.call("echo", "called", namespace="/chat"))

    await sio.connect(server.url, transports=transport.argument)
    assert recorder.of("state") == [(True, sio.get_sid("/chat"), True)]
    assert recorder.of("answer") == [("called",)]


async def test_sids(make_client, server, transport):
    """sid is the id of the transport session, get_sid() that of a namespace, as the server knows them. (M11, H1)"""
    sio = make_client()
    await sio.connect(server.url, transports=transport.argument, namespaces=["/", "/chat"])
    for namespace in ("/", "/chat"):
        handshake = await sio.call("handshake", namespace=namespace)
        assert handshake["sid"] == sio.sid
        assert handshake["socket_sid"] == sio.get_sid(namespace) == sio.namespaces[namespace]
    assert len({sio.sid, sio.get_sid(), sio.get_sid("/chat")}) == 3
    assert sio.get_sid("/nowhere") is None
    await sio.disconnect()
    assert sio.sid is None
    assert sio.get_sid() is None
    assert sio.namespaces == {}


async def test_connect_without_waiting(make_client, transport, recorder):
    """With wait=False connect() returns before the namespaces are there; until then emit() says so. (M12)"""
    async with ScriptedServer() as server:
        sio = make_client()
        sio.on("connect", recorder.handler("connect"))
        await sio.connect(server.url, transports=transport.argument, wait=False)
        connection = await server.accept()
        assert not sio.connected
        with pytest.raises(exceptions.BadNamespaceError):
            await sio.emit("too early")
        await connection.accept_namespace()
        await recorder.wait_for("connect")
        assert sio.connected
        await sio.emit("in time")
        assert await connection.receive() == '42["in time"]'
        await sio.disconnect()


async def test_without_waiting_a_refusal_disturbs_nobody(make_client, server, transport, recorder):
    """With wait=False a refused namespace leaves the others connected. (M12, F6)"""
    sio = make_client()
    sio.on("connect", recorder.handler("connect"), namespace="/chat")
    sio.on("connect_error", recorder.handler("connect_error"), namespace="/refuse")
    await sio.connect(server.url, transports=transport.argument, wait=False)
    await recorder.wait_for("connect")
    await recorder.wait_for("connect_error")
    assert list(sio.namespaces) == ["/chat"]
    assert await sio.call("echo", 1, namespace="/chat") == 1


@pytest.mark.servers("node")
async def test_namespaces_of_handlers_are_connected(make_client, server):
    """Without the argument, the namespaces with handlers are connected; without handlers '/' is. (C4, C5)"""
    sio = make_client()
    await sio.connect(server.url, transports="websocket")
    assert list(sio.namespaces) == ["/"]
    await sio.disconnect()
    sio.on("message", print, namespace="/chat")
    sio.on("message", print, namespace="*")
    await sio.connect(server.url, transports="websocket")
    assert list(sio.namespaces) == ["/chat"]
    await sio.disconnect()
    await sio.connect(server.url, transports="websocket", namespaces="/news")
    assert list(sio.namespaces) == ["/news"]


@pytest.mark.parametrize("auth", [{"token": "secret", "n": [1, None]}, lambda: {"asked": True}])
async def test_auth_reaches_the_server(make_client, server, auth):
    """The auth payload goes to every namespace, and may be a function. (C11)"""
    sio = make_client()
    await sio.connect(server.url, auth=auth, transports="websocket", namespaces=["/", "/chat"])
    expected = auth() if callable(auth) else auth
    for namespace in ("/", "/chat"):
        assert (await sio.call("handshake", namespace=namespace))["auth"] == expected


@pytest.mark.flavours("asyncio")
@pytest.mark.servers("node")
async def test_coroutine_functions_as_arguments(make_client, server):
    """For asyncio, url, headers and auth may be coroutine functions. (C2)"""

    async def url():
        return server.url

    async def headers():
        return {"X-Test": "yes"}

    async def auth():
        return {"token": 1}

    sio = make_client()
    await sio.connect(url, headers=headers, auth=auth)
    handshake = await sio.call("handshake")
    assert handshake["headers"]["x-test"] == "yes"
    assert handshake["auth"] == {"token": 1}


async def test_connect_while_connected_is_an_error(make_client, server, transport):
    """connect() on a connected client raises ConnectionError and changes nothing. (C7)"""
    sio = make_client()
    await sio.connect(server.url, transports=transport.argument)
    sid = sio.get_sid()
    with pytest.raises(exceptions.ConnectionError, match="Already connected"):
        await sio.connect(server.url, transports=transport.argument)
    assert sio.get_sid() == sid
    assert await sio.call("echo", 1) == 1


async def test_the_same_client_connects_again(make_client, server, transport, recorder):
    """After a disconnection, a refusal and a failed attempt the same client can connect. (M15)"""
    sio = make_client(reconnection=False)
    sio.on("echo", recorder.handler("echo"))
    for round_ in range(1, 3):
        await sio.connect(server.url, transports=transport.argument)
        assert await sio.call("echo", round_) == round_
        await sio.disconnect()
        with pytest.raises(exceptions.ConnectionError):
            await sio.connect(server.url, transports=transport.argument, namespaces=["/", "/refuse"])
        with pytest.raises(exceptions.ConnectionError):
            await sio.connect(_unused_url(), transports=transport.argument)
    await sio.connect(server.url, transports=transport.argument)
    assert await sio.call("echo", "last") == "last"
    assert await recorder.wait_for("echo", 3) == [(1,), (2,), ("last",)]


@pytest.mark.servers("node")
async def test_connect_can_be_ended(make_client, transport):
    """disconnect() on another thread or task ends a connect() that is under way. (D difference 2)"""
    async with ScriptedServer() as server:
        sio = make_client()
        connecting = asyncio.ensure_future(sio.connect(server.url, transports=transport.argument))
        await (await server.accept()).receive()
        await within(3, sio.disconnect())
        with pytest.raises(exceptions.ConnectionError):
            await within(3, connecting)
        assert not sio.connected


@pytest.mark.flavours("asyncio")
@pytest.mark.servers("node")
async def test_a_cancelled_connect_leaves_nothing(make_client, transport):
    """Cancellation of connect() is not swallowed, and the client can connect again. (DESIGN 5)"""
    async with ScriptedServer() as server:
        sio = make_client()
        connecting = asyncio.ensure_future(sio.connect(server.url, transports=transport.argument))
        await (await server.accept()).receive()
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await within(3, connecting)
        assert not sio.connected
        again = asyncio.ensure_future(sio.connect(server.url, transports=transport.argument))
        await (await server.accept()).accept_namespace()
        await within(3, again)
        await sio.disconnect()


@pytest.mark.servers("node")
async def test_many_clients_live_in_one_process(make_client, server, transport):
    """Several clients at once keep their events apart. (M21)"""
    clients = [make_client() for _ in range(5)]
    await asyncio.gather(*(sio.connect(server.url, transports=transport.argument) for sio in clients))
    answers = await asyncio.gather(*(sio.call("echo", i) for i, sio in enumerate(clients)))
    assert answers == list(range(5))
    assert len({sio.sid for sio in clients}) == 5


@pytest.mark.servers("node")
async def test_a_slow_connect_handler_does_not_hold_up_the_other_namespaces(make_client, server, recorder):
    """While one connect handler waits, the other namespaces connect and their handlers run. (M22)"""
    gate = Gate()
    sio = make_client()

    @sio.on("connect")
    async def connect():
        await gate.wait()

    @sio.on("connect", namespace="/chat")
    async def connect_chat():
        recorder.record("chat")
        gate.open()

    await sio.connect(server.url, transports="websocket")
    assert recorder.names == ["chat"]


def _unused_url() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"
