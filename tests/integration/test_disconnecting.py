"""The end of a connection: who is told, in which order, why, and what is left."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from socketio import exceptions

from .waiting import Gate, within


async def test_what_was_emitted_before_disconnect_arrives(make_client, server, observer, transport, key):
    """disconnect() delivers what was emitted before it, in order, then DISCONNECT. (F1, N9, N10)"""
    sio = make_client()
    await sio.connect(server.url, transports=transport.argument, namespaces=["/", "/chat"])
    sids = list(sio.namespaces.values())
    for i in range(40):
        await sio.emit("note", (key, i), namespace="/" if i % 2 else "/chat")
    await sio.disconnect()
    assert await observer.notes(key, 40) == list(range(40))
    for sid in sids:
        assert "client" in (await observer.notes(f"disconnect:{sid}", 1))[0]


async def test_each_namespace_is_told(make_client, server, observer, transport):
    """A DISCONNECT packet for each namespace reaches the server, not the end of the transport alone. (N36, N10)"""
    sio = make_client()
    await sio.connect(server.url, transports=transport.argument, namespaces=["/", "/chat", "/news"])
    sids = list(sio.namespaces.values())
    assert len(sids) == 3
    await sio.disconnect()
    reasons = {(await observer.notes(f"disconnect:{sid}", 1))[0] for sid in sids}
    assert reasons == {"client namespace disconnect" if server.kind == "node" else "client disconnect"}


async def test_a_large_message_before_disconnect_arrives(make_client, server, observer, transport, key):
    """Megabytes emitted just before disconnect() arrive too. (N9, N12)"""
    sio = make_client()
    await sio.connect(server.url, transports=transport.argument)
    await sio.emit("note", (key, "x" * 3_000_000))
    await sio.emit("note", (key, "last"))
    await sio.disconnect()
    values = await observer.notes(key, 2)
    assert [len(value) for value in values] == [3_000_000, 4]


async def test_the_server_ends_the_last_namespace(make_client, server, transport, recorder):
    """After a DISCONNECT for the last namespace the transport closes, nobody reconnects, wait() returns.

    (F2, M17, M18, N23, N24)
    """
    sio = make_client(reconnection_delay=0.01)
    for event in ("connect", "disconnect", "__disconnect_final"):
        sio.on(event, recorder.handler(event))
    await sio.connect(server.url, transports=transport.argument)
    waiting = asyncio.ensure_future(sio.wait())
    await sio.emit("kick")
    await within(5, waiting)
    assert recorder.calls == [
        ("connect", ()),
        ("disconnect", ("server disconnect",)),
        ("__disconnect_final", ()),
    ]
    assert not sio.connected
    assert sio.namespaces == {}
    with pytest.raises(exceptions.BadNamespaceError):
        await sio.emit("hello")
    await sio.disconnect()
    assert sio.sid is None
    assert recorder.names.count("connect") == 1


async def test_the_server_ends_one_of_several_namespaces(make_client, server, transport, recorder):
    """A DISCONNECT for one namespace leaves the others connected. (F4, N23)"""
    sio = make_client()
    sio.on("disconnect", recorder.handler("/"))
    sio.on("disconnect", recorder.handler("/chat"), namespace="/chat")
    await sio.connect(server.url, transports=transport.argument)
    await sio.emit("kick", namespace="/chat")
    await recorder.wait_for("/chat")
    assert list(sio.namespaces) == ["/"]
    with pytest.raises(exceptions.BadNamespaceError):
        await sio.emit("hello", namespace="/chat")
    assert await sio.call("echo", 1) == 1
    await sio.emit("kick")
    assert await recorder.wait_for("/") == [("server disconnect",)]
    assert recorder.of("/chat") == [("server disconnect",)]


async def test_a_namespace_that_is_ended_at_once(make_client, server, transport, recorder):
    """A DISCONNECT right behind the acceptance leaves nobody who looks connected. (N23, M18)"""
    sio = make_client()
    for event in ("connect", "disconnect"):
        sio.on(event, recorder.handler(event), namespace="/kick-at-once")
    try:
        await within(5, sio.connect(server.url, transports=transport.argument))
    except exceptions.ConnectionError:
        pass
    else:
        await within(5, sio.wait())
    assert recorder.calls == [("connect", ()), ("disconnect", ("server disconnect",))]
    assert not sio.connected
    with pytest.raises(exceptions.BadNamespaceError):
        await sio.emit("hello", namespace="/kick-at-once")


async def test_events_before_the_disconnect_come_first(make_client, server, transport, recorder):
    """What the server sent before DISCONNECT is handled before the disconnect handler. (N25, N24)"""
    sio = make_client()
    sio.on("item", lambda i, text: recorder.record("item", i))
    sio.on("disconnect", recorder.handler("disconnect"))
    await sio.connect(server.url, transports=transport.argument)
    await sio.emit("burst_and_kick", 100)
    await within(10, sio.wait())
    await recorder.wait_for("disconnect")
    assert recorder.calls == [
        *(("item", (i,)) for i in range(100)),
        ("disconnect", ("server disconnect",)),
    ]


async def test_a_lost_connection(make_client, server, proxy, transport, recorder):
    """A cut connection is a transport error for every namespace; without reconnection that is the end. (F7, F8, M17)"""
    sio = make_client(reconnection=False)
    for namespace in ("/", "/chat"):
        for event in ("disconnect", "__disconnect_final"):
            sio.on(event, recorder.handler(f"{event} {namespace}"), namespace=namespace)
    await sio.connect(proxy.url, transports=transport.argument)
    await proxy.drop()
    await within(10, sio.wait())
    assert recorder.of("disconnect /") == recorder.of("disconnect /chat") == [("transport error",)]
    assert recorder.of("__disconnect_final /") == recorder.of("__disconnect_final /chat") == [()]
    assert not sio.connected
    assert sio.sid is None
    assert sio.namespaces == {}


async def test_disconnecting_what_is_not_connected(make_client, server, transport, recorder):
    """disconnect() and shutdown() on an unconnected client do nothing, nor does the second time. (M16, G6)"""
    sio = make_client()
    sio.on("disconnect", recorder.handler("disconnect"))
    await sio.disconnect()
    await sio.shutdown()
    await within(3, sio.wait())
    await sio.connect(server.url, transports=transport.argument)
    await sio.shutdown()
    assert not sio.connected
    await sio.disconnect()
    await sio.shutdown()
    await within(3, sio.wait())
    assert recorder.calls == [("disconnect", ("client disconnect",))]


async def test_disconnect_is_quick(make_client, server, transport):
    """disconnect() does not wait for the pending long poll. (N26)"""
    sio = make_client()
    await sio.connect(server.url, transports=transport.argument)
    assert await sio.call("echo", 1) == 1
    started = time.monotonic()
    await sio.disconnect()
    assert time.monotonic() - started < 1.5


@pytest.mark.servers("node")
async def test_disconnect_on_a_dead_network_is_bounded(make_client, server, proxy, transport):
    """disconnect() gives up on a server that takes nothing any more. (F1, N26)"""
    sio = make_client(request_timeout=0.3)
    await sio.connect(proxy.url, transports=transport.argument)
    proxy.pause()
    await sio.emit("hello")
    await within(5, sio.disconnect())
    assert not sio.connected


async def test_a_failing_disconnect_handler(make_client, server, transport, recorder):
    """An exception in a disconnect handler does not leave the client looking connected. (N22)"""
    sio = make_client()

    @sio.on("disconnect")
    def disconnect(reason):
        recorder.record("disconnect", reason)
        raise RuntimeError("as expected")

    for end in ("kick", "disconnect"):
        await sio.connect(server.url, transports=transport.argument)
        if end == "kick":
            await sio.emit("kick")
            await within(5, sio.wait())
        else:
            await sio.disconnect()
        assert not sio.connected
    assert recorder.of("disconnect") == [("server disconnect",), ("client disconnect",)]


async def test_a_disconnect_handler_may_connect_again(make_client, server, transport, recorder):
    """A disconnect handler may use the client: it is no longer connected, and can connect. (M15, M22)"""
    sio = make_client()

    @sio.on("disconnect")
    async def disconnect(reason):
        recorder.record("disconnect", reason, sio.connected)

    @sio.on("__disconnect_final")
    async def disconnect_final():
        await sio.connect(server.url, transports=transport.argument)
        recorder.record("again")

    await sio.connect(server.url, transports=transport.argument)
    await sio.emit("kick")
    await recorder.wait_for("again")
    assert recorder.of("disconnect") == [("server disconnect", False)]
    assert await sio.call("echo", 1) == 1
    sio.on("__disconnect_final", print)


@pytest.mark.flavours("threads")
async def test_threads_end_with_their_connection(make_client, server, transport):
    """When disconnect() has returned, the connection's threads are gone, or about to be. (N39)"""
    before = set(threading.enumerate())
    sio = make_client()
    for _ in range(3):
        await sio.connect(server.url, transports=transport.argument)
        assert await sio.call("echo", 1) == 1
        await sio.disconnect()
    for thread in set(threading.enumerate()) - before:
        await within(5, asyncio.to_thread(thread.join))


@pytest.mark.flavours("threads")
@pytest.mark.transports("websocket")
async def test_a_goodbye_takes_no_thread(make_client, server, transport):
    """What disconnect() sends over websocket, the thread that calls it sends itself. (N39)"""
    sio = make_client()
    await sio.connect(server.url, transports=transport.argument)
    assert await sio.call("echo", 1) == 1
    connection = sio.native.eio._connection
    await sio.disconnect()
    assert connection.writer is None


@pytest.mark.flavours("asyncio")
async def test_tasks_end_with_their_connection(make_client, server, transport):
    """When disconnect() has returned, none of the connection's tasks is left. (N39)"""
    before = asyncio.all_tasks()
    sio = make_client()
    for _ in range(3):
        await sio.connect(server.url, transports=transport.argument)
        assert await sio.call("echo", 1) == 1
        await sio.disconnect()
    left = asyncio.all_tasks() - before
    assert not left


@pytest.mark.servers("node")
async def test_disconnects_at_the_same_time(make_client, server, transport, recorder):
    """Several disconnect() at once are one, and all return when it is done. (M16)"""
    sio = make_client()
    sio.on("disconnect", recorder.handler("disconnect"))
    await sio.connect(server.url, transports=transport.argument)
    await asyncio.gather(*(within(5, sio.disconnect()) for _ in range(4)))
    assert not sio.connected
    assert recorder.calls == [("disconnect", ("client disconnect",))]


@pytest.mark.servers("node")
async def test_disconnect_while_a_handler_waits(make_client, server, transport, recorder):
    """A handler that still waits does not hold up disconnect(). (M22, F1)"""
    gate = Gate()
    sio = make_client()

    @sio.on("wait")
    async def wait():
        recorder.record("waiting")
        await gate.wait()

    sio.on("disconnect", recorder.handler("disconnect"))
    await sio.connect(server.url, transports=transport.argument)
    await sio.emit("emit_back", "wait")
    await recorder.wait_for("waiting")
    await within(5, sio.disconnect())
    assert recorder.names == ["waiting", "disconnect"]
    gate.open()
