"""The simple clients: receive() instead of handlers, and losses that nobody notices."""

from __future__ import annotations

import asyncio

import pytest

from socketio import exceptions

from .waiting import CEILING, Gate, within

QUICK = {"reconnection_delay": 0.02, "reconnection_delay_max": 0.05}


async def test_a_conversation(make_simple_client, server, transport):
    """connect, emit, call, receive and disconnect, with the properties sid and transport. (K2, K4, K5, K9)"""
    sio = make_simple_client()
    await sio.connect(server.url, transports=transport.argument)
    assert sio.connected
    assert sio.transport == transport.final
    handshake = await sio.call("handshake")
    assert sio.sid == handshake["socket_sid"]
    await sio.emit("emit_back", ("event", 1, b"two", [3]))
    assert await sio.receive(timeout=CEILING) == ["event", 1, b"two", [3]]
    await sio.emit("emit_back", "bare")
    assert await sio.receive() == ["bare"]
    assert await sio.call("echo", (1, 2)) == (1, 2)
    await sio.disconnect()
    assert not sio.connected


async def test_before_and_after(make_simple_client, server):
    """An unconnected client has empty sid and transport; disconnect() may be repeated. (K1, K4, K12)"""
    sio = make_simple_client()
    assert not sio.sid
    assert sio.transport == ""
    await sio.disconnect()
    await sio.connect(server.url, transports="websocket")
    with pytest.raises(RuntimeError, match="Already connected"):
        await sio.connect(server.url)
    await sio.disconnect()
    await sio.disconnect()
    await sio.connect(server.url, transports="websocket")
    assert await sio.call("echo", 1) == 1


async def test_a_namespace(make_simple_client, server):
    """A simple client lives in one namespace, and gets no others' events. (K2, K5)"""
    sio = make_simple_client()
    await sio.connect(server.url, transports="websocket", namespace="/chat", auth={"a": 1})
    handshake = await sio.call("handshake")
    assert handshake["socket_sid"] == sio.sid
    assert handshake["auth"] == {"a": 1}
    await sio.emit("emit_back", ("event", 1))
    assert await sio.receive(timeout=CEILING) == ["event", 1]


async def test_events_are_received_in_order(make_simple_client, server, transport):
    """receive() returns events in the order in which the server sent them. (N29)"""
    sio = make_simple_client()
    await sio.connect(server.url, transports=transport.argument)
    await sio.emit("burst_binary", (200, 3))
    received = [await sio.receive(timeout=CEILING) for _ in range(201)]
    assert received == [*(["item", i, bytes([i]) * 3] for i in range(200)), ["done", 200]]


async def test_receive_waits_and_gives_up(make_simple_client, server):
    """receive() waits for the next event; with a timeout it gives up with TimeoutError. (K9, K10)"""
    sio = make_simple_client()
    await sio.connect(server.url, transports="websocket")
    with pytest.raises(exceptions.TimeoutError):
        await within(3, sio.receive(timeout=0.05))
    receiving = asyncio.ensure_future(sio.receive())
    await sio.emit("emit_back", ("event", 1))
    assert await within(CEILING, receiving) == ["event", 1]
    with pytest.raises(exceptions.TimeoutError):
        await within(3, sio.call("no_ack", timeout=0.05))


async def test_a_cut_connection_is_repaired_unnoticed(make_simple_client, server, proxy, transport):
    """While the connection is down, call() and emit() wait for it, and receive() waits across it. (M45, K7)"""
    sio = make_simple_client(**QUICK)
    await sio.connect(proxy.url, transports=transport.argument)
    sid = sio.sid
    receiving = asyncio.ensure_future(sio.receive())
    await _lose_connection(sio, proxy)
    calling = asyncio.ensure_future(sio.call("echo", "across"))
    await proxy.accept()
    assert await within(CEILING, calling) == "across"
    assert await within(CEILING, receiving) == ["echo", "across"]
    assert sio.sid != sid
    await sio.emit("emit_back", ("event", 2))
    assert await sio.receive(timeout=CEILING) == ["event", 2]


async def _lose_connection(sio, proxy):
    """Cut the connection, and wait until an attempt to restore it has failed."""
    failed = Gate()
    sio.client.on("connect_error", failed.open, namespace=sio.namespace)
    await proxy.drop()
    await failed.wait()


@pytest.mark.servers("node")
async def test_emit_and_call_wait_for_the_connection(make_simple_client, server, proxy, observer, transport, key):
    """emit() and call() begun while the client reconnects are done when it has. (M45, K7)"""
    sio = make_simple_client(**QUICK)
    await sio.connect(proxy.url, transports=transport.argument)
    await _lose_connection(sio, proxy)
    emitting = asyncio.ensure_future(sio.emit("note", (key, "emitted")))
    calling = asyncio.ensure_future(sio.call("echo", "called"))
    await proxy.accept()
    await within(CEILING, emitting)
    assert await within(CEILING, calling) == "called"
    assert await observer.notes(key, 1) == ["emitted"]


async def test_events_before_the_end_can_still_be_received(make_simple_client, server, transport):
    """What came before the connection ended is received first, then DisconnectedError is raised. (M46, K11)"""
    sio = make_simple_client()
    await sio.connect(server.url, transports=transport.argument)
    await sio.emit("burst_and_kick", 5)
    received = [await within(CEILING, sio.receive()) for _ in range(5)]
    assert received == [["item", i, ""] for i in range(5)]
    with pytest.raises(exceptions.DisconnectedError):
        await within(CEILING, sio.receive())
    for method in (sio.emit, sio.call):
        with pytest.raises(exceptions.DisconnectedError):
            await within(3, method("event"))


async def test_receive_ends_with_the_connection(make_simple_client, server, transport):
    """A receive() that waits raises DisconnectedError when the server ends the connection. (N30, K6)"""
    sio = make_simple_client()
    await sio.connect(server.url, transports=transport.argument)
    receiving = asyncio.ensure_future(sio.receive(timeout=60))
    await sio.emit("kick")
    with pytest.raises(exceptions.DisconnectedError):
        await within(5, receiving)


@pytest.mark.servers("node")
async def test_receive_ends_with_disconnect(make_simple_client, server):
    """A receive() that waits raises DisconnectedError when another thread or task disconnects. (N30)"""
    sio = make_simple_client()
    await sio.connect(server.url, transports="websocket")
    receiving = asyncio.ensure_future(sio.receive())
    assert await sio.call("slow_ack", (0.01, 1)) == 1
    await sio.disconnect()
    with pytest.raises(exceptions.DisconnectedError):
        await within(5, receiving)


@pytest.mark.servers("node")
async def test_when_the_attempts_run_out(make_simple_client, server, proxy, transport):
    """When reconnection has ended, receive(), emit() and call() say so, also those that wait. (N31, K6)"""
    sio = make_simple_client(reconnection_attempts=2, **QUICK)
    await sio.connect(proxy.url, transports=transport.argument)
    receiving = asyncio.ensure_future(sio.receive())
    await proxy.drop()
    with pytest.raises(exceptions.DisconnectedError):
        await within(CEILING, receiving)
    for method in (sio.emit, sio.call):
        with pytest.raises(exceptions.DisconnectedError):
            await within(3, method("event"))
    assert not sio.connected


@pytest.mark.servers("node")
async def test_a_call_that_is_interrupted(make_simple_client, server, proxy):
    """call() raises TimeoutError when the connection is lost before the answer comes. (K8)"""
    sio = make_simple_client(reconnection=False)
    await sio.connect(proxy.url, transports="websocket")
    calling = asyncio.ensure_future(sio.call("no_ack"))
    assert await sio.call("echo", 1) == 1
    await proxy.drop()
    with pytest.raises((exceptions.TimeoutError, exceptions.DisconnectedError)):
        await within(5, calling)


async def test_the_context_manager_disconnects(make_simple_client, server, observer, key):
    """Leaving the with block disconnects, and delivers what was emitted in it. (M47, K2)"""
    async with make_simple_client() as sio:
        await sio.connect(server.url, transports="websocket")
        sid = sio.sid
        await sio.emit("note", (key, "last words"))
    assert not sio.connected
    assert "client" in (await observer.notes(f"disconnect:{sid}", 1))[0]
    assert await observer.notes(key, 1) == ["last words"]


async def test_the_context_manager_disconnects_after_an_exception(make_simple_client, server, observer):
    """The with block disconnects after an exception too, which goes on. (M47)"""
    sio = make_simple_client()
    sids = []

    async def fail():
        async with sio:
            await sio.connect(server.url, transports="websocket")
            sids.append(sio.sid)
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert not sio.connected
    assert await observer.notes(f"disconnect:{sids[0]}", 1)


@pytest.mark.servers("node")
async def test_a_failed_connect(make_simple_client, server):
    """A refused connect() raises ConnectionError, and another one may follow. (M15, K2)"""
    sio = make_simple_client()
    with pytest.raises(exceptions.ConnectionError):
        await sio.connect(server.url, namespace="/refuse")
    assert not sio.connected
    await sio.connect(server.url, transports="websocket")
    assert await sio.call("echo", 1) == 1
