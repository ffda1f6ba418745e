"""How a connection ends: by the client, by the server, by accident; and who is told."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from socketio import exceptions

from ..flavours import URL
from ..waiting import Gate, within

CLIENT, SERVER, TRANSPORT = "client disconnect", "server disconnect", "transport error"


def told(sio, calls, *namespaces):
    """Log the ends of namespaces, and what is final."""
    for name in namespaces:
        sio.on("disconnect", calls.handler(f"{name} lost"), namespace=name)
        sio.on("__disconnect_final", calls.handler(f"{name} over"), namespace=name)


@pytest.fixture
async def sio(make_client, calls):
    """A client that is connected to '/' and '/a', does not reconnect, and logs the ends of both."""
    sio = make_client(reconnection=False)
    told(sio, calls, "/", "/a")
    await sio.connect(URL, namespaces=["/", "/a"])
    sio.engine.sent.items.clear()
    return sio


def assert_disconnected(sio):
    assert (sio.connected, sio.namespaces, sio.get_sid("/a")) == (False, {}, None)


# -- by the client


async def test_disconnect_sends_what_was_emitted_then_leaves_each_namespace(sio, calls):
    """What was emitted goes out first, then DISCONNECT for each namespace, then it is closed. (F1, N9, N10, N36)"""
    await sio.emit("last", b"x")
    await sio.disconnect()
    assert sio.engine.sent.items[1:] == [b"x", "1", "1/a,"]
    assert sio.engine.closings.items == ["closed"]
    assert_disconnected(sio)


async def test_the_disconnect_handlers_have_run_when_disconnect_returns(sio, calls):
    """Each namespace is told, with the client's reason, then that it is final. (F1, M9, M17)"""
    await sio.disconnect()
    assert calls.items == [("/ lost", CLIENT), ("/a lost", CLIENT), ("/ over",), ("/a over",)]


async def test_disconnect_waits_for_a_handler_that_takes_its_time(make_client, flavour, calls):
    """disconnect() returns when a disconnect handler that waits has ended. (F1, M9)"""
    sio, gate = make_client(), Gate()

    async def disconnected(reason):
        calls.add("began")
        await gate.wait()
        calls.add("ended")

    sio.on("disconnect", flavour.function(disconnected))
    await sio.connect(URL)
    disconnecting = asyncio.ensure_future(sio.disconnect())
    await calls.has("began")
    assert not disconnecting.done()
    gate.open()
    await within(disconnecting)
    assert calls.items == ["began", "ended"]


async def test_a_server_that_takes_nothing_is_cut_off(sio):
    """Where what was emitted is not taken in time, the transport is aborted, and the client is free. (F1, N26)"""
    sio.engine.takes = False
    await sio.emit("last")
    await within(sio.disconnect())
    assert sio.engine.closings.items == ["aborted"]
    assert_disconnected(sio)


@pytest.mark.parametrize("sent", ["nothing", "an event", "an acknowledgement"])
async def test_the_server_has_read_what_was_sent_over_this_connection(sio, calls, sent):
    """disconnect() waits until the server has read what the application sent, if that is anything. (F1, N9)"""
    await sio.emit("over another connection")
    sio.engine.lose()
    await calls.until(lambda: len(calls.items) == 4)
    await within(sio.wait())
    await sio.connect(URL)
    if sent == "an event":
        await sio.emit("last")
    elif sent == "an acknowledgement":
        sio.engine.deliver('21["asks"]')
        await sio.engine.sent.until(lambda: "31[]" in sio.engine.sent.items)
    await sio.disconnect()
    assert len(sio.engine.drained.items) == (0 if sent == "nothing" else 1)


@pytest.mark.parametrize("method", ["disconnect", "shutdown"])
async def test_disconnecting_what_is_not_connected_does_nothing(make_client, method):
    """disconnect() and shutdown() of an unconnected client do nothing, and nor does the second of two. (M16, G6)"""
    sio = make_client()
    await within(getattr(sio, method)())
    await sio.connect(URL)
    await within(getattr(sio, method)())
    await within(getattr(sio, method)())
    assert sio.engine.closings.items == ["closed"]
    assert sio.engine.sent.items == ["0{}", "1"]


async def test_shutdown_of_a_connected_client_is_disconnect(sio, calls):
    """shutdown() tells the server and the handlers as disconnect() does. (G6)"""
    await sio.shutdown()
    assert sio.engine.sent.items == ["1", "1/a,"]
    assert calls.items == [("/ lost", CLIENT), ("/a lost", CLIENT), ("/ over",), ("/a over",)]


async def test_two_disconnects_at_once_are_one(sio, calls):
    """A second disconnect() during the first waits for it, and everybody is told once. (M16)"""
    await sio.emit("last")
    sio.engine.draining = sio.engine.new_gate()
    first, second = asyncio.ensure_future(sio.disconnect()), asyncio.ensure_future(sio.disconnect())
    for _ in range(5):
        await asyncio.sleep(0)
    sio.engine.draining.set()
    await within(asyncio.gather(first, second))
    await within(sio.wait())
    assert sio.engine.sent.items == ['2["last"]', "1", "1/a,"]
    assert len(calls.items) == 4


async def test_a_handler_may_disconnect(sio, flavour, calls):
    """disconnect() works in an event handler, and is final. (M22, F9)"""

    async def leave():
        await sio.disconnect()
        calls.add("left")

    sio.on("leave", flavour.function(leave))
    sio.engine.deliver('2["leave"]')
    await calls.until(lambda: "left" in calls.items)
    await within(sio.wait())
    assert_disconnected(sio)
    assert sio.engine.sent.items == ["1", "1/a,"]


async def test_in_serial_mode_a_handler_may_disconnect(make_client, flavour, calls):
    """With async_handlers=False disconnect() in a handler does not wait for handlers whose turn comes after. (M22)"""
    sio = make_client(async_handlers=False)
    told(sio, calls, "/")

    async def leave():
        await sio.disconnect()
        calls.add("left")

    sio.on("leave", flavour.function(leave))
    await sio.connect(URL)
    sio.engine.deliver('2["leave"]')
    await calls.has("left", ("/ lost", CLIENT), ("/ over",))
    await within(sio.wait())


async def test_a_connect_handler_may_disconnect(make_client, flavour):
    """disconnect() in the connect handler ends the connection; connect() does not hang. (M22, M23)"""
    sio = make_client()
    sio.on("connect", flavour.function(sio.disconnect))
    with contextlib.suppress(exceptions.ConnectionError):
        await within(sio.connect(URL))
    await within(sio.wait())
    assert not sio.connected


async def test_after_a_disconnect_the_client_can_connect(sio):
    """The same client connects again, with new sids. (M15)"""
    await sio.disconnect()
    await sio.connect(URL, namespaces=["/", "/a"])
    assert sio.namespaces == {"/": "/-3", "/a": "/a-4"}


async def test_disconnect_does_not_start_a_reconnection(make_client, calls):
    """A disconnection that the client itself began stays one. (F9)"""
    sio = make_client()
    told(sio, calls, "/")
    await sio.connect(URL)
    await sio.disconnect()
    await within(sio.wait())
    assert len(sio.engine.attempts.items) == 1
    assert calls.items == [("/ lost", CLIENT), ("/ over",)]


async def test_a_disconnect_handler_that_fails_ends_nothing_less(sio, calls):
    """An exception in a disconnect handler leaves the client disconnected, and the others told. (N22)"""
    sio.on("disconnect", lambda reason: 1 / 0)
    await within(sio.disconnect())
    assert_disconnected(sio)
    assert calls.items == [("/a lost", CLIENT), ("/ over",), ("/a over",)]


async def test_a_disconnect_handler_may_do_without_the_reason(make_client, flavour, calls):
    """A handler without parameters is called too, function or coroutine. (E12)"""

    async def lost():
        calls.add("/a lost")

    sio = make_client()
    sio.on("disconnect", lambda: calls.add("lost"))
    sio.on("disconnect", flavour.function(lost), namespace="/a")
    await sio.connect(URL)
    await sio.disconnect()
    await calls.has("lost", "/a lost")


# -- by the server


async def test_the_server_ends_one_namespace(sio, calls):
    """A DISCONNECT calls disconnect, then the final event, of its namespace; the others stay. (F2, N23)"""
    sio.engine.deliver("1/a,")
    await calls.has(("/a lost", SERVER), ("/a over",))
    assert list(sio.namespaces) == ["/"]
    with pytest.raises(exceptions.BadNamespaceError):
        await sio.emit("up", namespace="/a")
    await sio.emit("up")


async def test_the_server_ends_the_last_namespace(make_client, calls):
    """With the last namespace the transport is closed, wait() returns, and nobody reconnects. (F2, M18, N24)"""
    sio = make_client()
    told(sio, calls, "/")
    await sio.connect(URL)
    sio.engine.deliver("1")
    await within(sio.wait())
    assert calls.items == [("/ lost", SERVER), ("/ over",)]
    assert_disconnected(sio)
    assert sio.engine.closings.items == ["closed"]
    assert len(sio.engine.attempts.items) == 1
    await sio.connect(URL)
    assert sio.connected


async def test_the_end_of_a_namespace_that_is_not_there_is_reported(sio, calls):
    """A DISCONNECT for another namespace reaches its handlers, and leaves those that are connected. (F4)"""
    told(sio, calls, "/other")
    sio.engine.deliver("1/other,")
    await calls.has(("/other lost", SERVER), ("/other over",))
    assert list(sio.namespaces) == ["/", "/a"]


async def test_the_end_of_the_root_that_is_not_there_is_reported(make_client, calls):
    """A DISCONNECT for '/' where only another namespace is connected leaves that. (F4)"""
    sio = make_client()
    told(sio, calls, "/", "/a")
    await sio.connect(URL, namespaces="/a")
    sio.engine.deliver("1")
    await calls.has(("/ lost", SERVER), ("/ over",))
    assert list(sio.namespaces) == ["/a"]


async def test_an_end_before_the_acceptance_ends_the_attempt(make_client, calls):
    """A DISCONNECT for a namespace that was not accepted yet makes connect() fail, and calls its handler. (F4, N23)"""
    sio = make_client()
    sio.engine.server.silent = {"/"}
    told(sio, calls, "/")
    connecting = asyncio.ensure_future(sio.connect(URL))
    await sio.engine.sent.until(lambda: sio.engine.sent.items)
    sio.engine.deliver("1")
    with pytest.raises(exceptions.ConnectionError):
        await within(connecting)
    assert_disconnected(sio)
    assert calls.items[0] == ("/ lost", SERVER)


async def test_an_end_right_after_the_acceptance_is_not_lost(make_client, calls):
    """A DISCONNECT that comes before connect() has returned leaves a client that can connect again. (N23, F2)"""
    sio = make_client()
    sio.engine.server.silent = {"/"}
    told(sio, calls, "/")
    connecting = asyncio.ensure_future(sio.connect(URL))
    await sio.engine.sent.until(lambda: sio.engine.sent.items)
    sio.engine.deliver('0{"sid":"abc"}', "1")
    await within(asyncio.wait([connecting]))
    await within(sio.wait())
    connecting.exception()
    assert calls.items == [("/ lost", SERVER), ("/ over",)]
    assert_disconnected(sio)
    sio.engine.server.silent = set()
    await sio.connect(URL)
    assert sio.connected


async def test_a_later_refusal_ends_its_namespace(sio, calls):
    """A CONNECT_ERROR for a connected namespace calls connect_error and disconnect, and removes it. (F5, F6, M36)"""
    sio.on("connect_error", calls.handler("/a refused"), namespace="/a")
    sio.engine.deliver('4/a,"no"')
    await calls.has(("/a refused", "no"), ("/a lost", SERVER), ("/a over",))
    assert list(sio.namespaces) == ["/"]


async def test_a_refusal_of_the_root_ends_everything(sio, calls):
    """A CONNECT_ERROR on '/' drops all namespaces and the connection. (F6)"""
    sio.on("connect_error", calls.handler("/ refused"))
    sio.engine.deliver('4"no"')
    await within(sio.wait())
    assert calls.items == [("/ refused", "no"), ("/ lost", SERVER), ("/ over",), ("/a lost", SERVER), ("/a over",)]
    assert_disconnected(sio)
    assert sio.engine.closings.items == ["closed"]


@pytest.mark.parametrize("frame", ["1", '4"no"', '0{"sid":"x"}', '2["a"]'])
async def test_what_comes_after_the_end_is_ignored(sio, calls, frame):
    """Frames that come when the client is not connected any more call nobody. (F3)"""
    await sio.disconnect()
    sio.engine.handlers["message"]([frame])
    assert len(calls.items) == 4
    assert_disconnected(sio)


# -- by accident


async def test_a_lost_transport_ends_all_namespaces(sio, calls):
    """The disconnect handlers get the transport's reason, then, without reconnection, it is final. (F7, F8)"""
    sio.engine.lose()
    await within(sio.wait())
    assert sorted(calls.items) == [("/ lost", TRANSPORT), ("/ over",), ("/a lost", TRANSPORT), ("/a over",)]
    assert [
        calls.items.index((f"{name} over",)) > calls.items.index((f"{name} lost", TRANSPORT)) for name in ("/", "/a")
    ]
    assert_disconnected(sio)
    assert sio.sid is None
    assert len(sio.engine.attempts.items) == 1


async def test_a_transport_that_is_lost_while_disconnect_sends_is_told_once(sio, calls):
    """The handlers get the reason of the loss, and the final ones are called, each once."""
    await sio.emit("last")
    sio.engine.draining = sio.engine.new_gate()
    disconnecting = asyncio.ensure_future(sio.disconnect())
    await sio.engine.drained.until(lambda: sio.engine.drained.items)
    sio.engine.lose()
    await calls.until(lambda: ("/a lost", TRANSPORT) in calls.items)
    sio.engine.draining.set()
    await within(disconnecting)
    assert calls.items == [("/ lost", TRANSPORT), ("/a lost", TRANSPORT), ("/ over",), ("/a over",)]


async def test_a_transport_that_the_server_closes_ends_with_its_reason(sio, calls):
    """An Engine.IO close from the server has the server's reason. (F7, M17)"""
    sio.engine.lose(SERVER)
    await within(sio.wait())
    assert ("/ lost", SERVER) in calls.items
    assert_disconnected(sio)


async def test_in_the_disconnect_handler_the_client_is_not_connected(sio, calls):
    """The namespaces are gone when the handler runs, and emit() says so. (F7, N1)"""
    sio.on("disconnect", lambda reason: calls.add((sio.connected, dict(sio.namespaces), sio.get_sid())))
    sio.engine.lose()
    await calls.until(lambda: (False, {}, None) in calls.items)


# -- wait()


async def test_wait_returns_at_once_without_a_connection(make_client):
    """wait() of a client that was never connected, or is not any more, returns. (G8)"""
    sio = make_client()
    await within(sio.wait())
    await sio.connect(URL)
    await sio.disconnect()
    await within(sio.wait())


async def test_wait_lasts_as_long_as_the_connection(sio):
    """wait() returns when the connection has ended, for whoever waits. (G8, N24)"""
    waiting = [asyncio.ensure_future(sio.wait()) for _ in range(3)]
    await sio.engine.idle()
    assert not any(task.done() for task in waiting)
    await sio.disconnect()
    await within(asyncio.gather(*waiting))


async def test_wait_returns_after_the_disconnect_handlers(make_client, flavour, calls):
    """When wait() returns, the handlers of the end have been called. (G8, M9)"""
    sio = make_client(reconnection=False)
    told(sio, calls, "/")
    await sio.connect(URL)
    waiting = asyncio.ensure_future(sio.wait())
    sio.engine.lose()
    await within(waiting)
    assert calls.items == [("/ lost", TRANSPORT), ("/ over",)]
