"""How a client connects, and what connect() says when it cannot."""

from __future__ import annotations

import asyncio

import pytest

from socketio import exceptions
from socketio.engine import EngineError

from ..flavours import URL
from ..waiting import Gate, within


async def test_the_arguments_go_to_the_engine_and_are_remembered(sio):
    """connect() hands URL, headers, transports and path to the engine and keeps all of its arguments. (C1)"""
    headers, auth = {"X": "1"}, {"token": "x"}
    await sio.connect(
        f"{URL}?a=1",
        headers=headers,
        auth=auth,
        transports=["websocket"],
        namespaces=["/a"],
        socketio_path="path",
        wait_timeout=5,
    )
    (attempt,) = sio.engine.attempts.items
    assert (attempt.url, attempt.headers) == (f"{URL}?a=1", headers)
    assert (attempt.transports, attempt.path) == (["websocket"], "path")
    assert (sio.connection_url, sio.connection_headers, sio.connection_auth) == (f"{URL}?a=1", headers, auth)
    assert (sio.connection_transports, sio.connection_namespaces) == (["websocket"], ["/a"])
    assert sio.socketio_path == "path"


async def test_the_defaults_of_connect(sio):
    """Without further arguments there are no headers, all transports, and the path socket.io. (C1, C5)"""
    await sio.connect(URL)
    (attempt,) = sio.engine.attempts.items
    assert (attempt.headers, attempt.transports, attempt.path) == ({}, None, "socket.io")
    assert sio.engine.sent.items == ["0{}"]


async def test_namespaces_are_asked_for_in_their_order(sio):
    """When the transport opens, one CONNECT goes out per namespace, each with the auth payload. (C3, C11, M34)"""
    await sio.connect(URL, auth={"token": "x"}, namespaces=["/b", "/", "/a?q=1"])
    assert sio.engine.sent.items == ['0/b,{"token":"x"}', '0{"token":"x"}', '0/a?q=1,{"token":"x"}']
    assert sio.namespaces == {"/b": "/b-1", "/": "/-2", "/a": "/a-3"}


async def test_by_default_all_namespaces_with_handlers_are_connected(sio, flavour):
    """Without a namespaces argument these are the namespaces with handlers, '*' aside. (C4)"""
    sio.on("a", print, namespace="/x")
    sio.on("*", print, namespace="*")
    sio.register_namespace(flavour.namespace_class("/room"))
    await sio.connect(URL)
    assert list(sio.namespaces) == ["/x", "/room"]


async def test_functions_are_asked_at_the_attempt(sio):
    """url, headers and auth may be functions, which are asked when they are needed. (C2, C11)"""
    await sio.connect(lambda: f"{URL}?a=1", headers=lambda: {"X": "1"}, auth=lambda: {"token": "x"})
    (attempt,) = sio.engine.attempts.items
    assert (attempt.url, attempt.headers) == (f"{URL}?a=1", {"X": "1"})
    assert sio.engine.sent.items == ['0{"token":"x"}']


async def test_sids_are_those_of_the_server(sio):
    """sid is the transport's, get_sid() that of a namespace, None where it is not connected. (C11, C12, H1, H2, M11)"""
    await sio.connect(URL, namespaces=["/", "/a"])
    assert sio.sid == "transport-1"
    assert (sio.get_sid(), sio.get_sid("/"), sio.get_sid("/a"), sio.get_sid("/b")) == ("/-1", "/-1", "/a-2", None)
    assert sio.transport() == "websocket"
    await sio.disconnect()
    assert (sio.sid, sio.get_sid(), sio.transport()) == (None, None, None)


async def test_connect_returns_when_all_namespaces_are_accepted(sio):
    """With wait=True connect() waits for every namespace that was asked for. (C8)"""
    sio.engine.server.silent = {"/late"}
    connecting = asyncio.ensure_future(sio.connect(URL, namespaces=["/early", "/late"]))
    await sio.engine.sent.until(lambda: len(sio.engine.sent.items) == 2)
    await sio.engine.idle()
    assert sio.namespaces == {"/early": "/early-1"}
    assert not connecting.done()
    sio.engine.deliver('0/late,{"sid":"abc"}')
    await within(connecting)
    assert sio.namespaces == {"/early": "/early-1", "/late": "abc"}


async def test_the_connect_handlers_have_run_when_connect_returns(sio, calls):
    """The connect handlers are called without arguments, and connect() waits for them. (C8, C12, M9)"""
    sio.on("connect", lambda: calls.add(("connect", sio.connected, sio.get_sid())))
    sio.on("connect", calls.handler("connect /a"), namespace="/a")
    await sio.connect(URL)
    assert calls.items == [("connect", True, "/-1"), ("connect /a",)]


async def test_a_second_acceptance_has_no_effect(sio, calls):
    """A second CONNECT for a namespace calls nobody, changes no sid, and is answered by nothing. (C12)"""
    sio.on("connect", calls.handler("connect"))
    sio.on("last", calls.handler("last"))
    await sio.connect(URL)
    sio.engine.deliver('0{"sid":"other"}', '2["last"]')
    await calls.has(("connect",), ("last",))
    assert sio.get_sid() == "/-1"
    assert sio.engine.sent.items == ["0{}"]


async def test_without_wait_connect_returns_when_the_transport_is_open(sio, calls):
    """With wait=False the namespaces are connected later; until then emit() says that they are not. (M12, C8)"""
    sio.engine.server.silent = {"/"}
    sio.on("connect", calls.handler("connect"))
    await sio.connect(URL, wait=False)
    assert not sio.connected
    with pytest.raises(exceptions.BadNamespaceError):
        await sio.emit("a")
    sio.engine.deliver('0{"sid":"abc"}')
    await calls.has(("connect",))
    assert sio.connected
    await sio.emit("a")


async def test_without_wait_a_slow_connect_handler_is_not_waited_for(flavour, sio):
    """With wait=False connect() returns although a connect handler takes its time. (M12)"""
    gate = Gate()
    sio.on("connect", flavour.function(gate.wait))
    sio.engine.settle = True
    connecting = asyncio.ensure_future(sio.connect(URL, wait=False))
    try:
        await within(asyncio.shield(connecting), 5)
    finally:
        gate.open()
        await within(connecting)


async def test_without_wait_a_refusal_leaves_the_others(sio, calls):
    """With wait=False a rejected namespace calls its connect_error and does not disturb the others. (M12)"""
    sio.engine.server.refusals = {"/no": "not you"}
    sio.on("connect_error", calls.handler("error"), namespace="/no")
    await sio.connect(URL, namespaces=["/no", "/yes"], wait=False)
    await calls.has(("error", "not you"))
    await sio.engine.idle()
    assert list(sio.namespaces) == ["/yes"]
    assert sio.failed_namespaces == ["/no"]


# -- what is refused


async def test_a_connected_client_does_not_connect_again(sio):
    """connect() on a connected client is a ConnectionError, and the connection stays. (C7)"""
    await sio.connect(URL)
    with pytest.raises(exceptions.ConnectionError, match="Already connected"):
        await sio.connect(URL)
    assert sio.connected
    assert len(sio.engine.attempts.items) == 1


async def test_a_client_that_connects_does_not_connect_twice(sio):
    """connect() while another one is at it is a ConnectionError. (C7)"""
    sio.engine.opening = sio.engine.new_gate()
    connecting = asyncio.ensure_future(sio.connect(URL))
    await sio.engine.attempts.until(lambda: sio.engine.attempts.items)
    with pytest.raises(exceptions.ConnectionError, match="already connecting"):
        await sio.connect(URL)
    sio.engine.opening.set()
    await within(connecting)


async def test_a_transport_that_fails_is_a_connection_error(sio, calls):
    """A failure of the engine is a ConnectionError with its text and cause; connect_error gets the text. (C6, M13)"""
    sio.on("connect_error", calls.handler("error"))
    sio.on("connect_error", calls.handler("error /a"), namespace="/a")
    cause = EngineError("refused")
    sio.engine.failures = [cause]
    with pytest.raises(exceptions.ConnectionError, match="refused") as caught:
        await sio.connect(URL)
    assert caught.value.__cause__ is cause
    assert caught.value.data == {}
    assert calls.items == [("error", "refused"), ("error /a", "refused")]
    assert not sio.connected
    with pytest.raises(exceptions.BadNamespaceError):
        await sio.emit("a")


@pytest.mark.parametrize("body", [{"message": "no"}, None, "text"])
async def test_an_http_error_gives_its_body_to_the_handlers(sio, calls, body):
    """connect_error gets the decoded body of an HTTP error, None without one. (M13)"""
    sio.on("connect_error", calls.handler("error"))
    sio.engine.failures = [EngineError("Unexpected status code 403 in server response", body)]
    with pytest.raises(exceptions.ConnectionError, match=r"^Unexpected status code 403 in server response"):
        await sio.connect(URL)
    assert calls.items == [("error", body)]


@pytest.mark.parametrize("argument", ["url", "headers", "auth"])
async def test_what_a_function_raises_reaches_the_caller(sio, calls, argument):
    """An error in a url, headers or auth function is raised by connect(), and told to connect_error. (C2)"""

    def broken():
        raise KeyError("token")

    sio.on("connect_error", calls.handler("error"))
    with pytest.raises(KeyError):
        await sio.connect(**{"url": URL, argument: broken})
    assert calls.items == [("error", "'token'")]
    assert not sio.connected
    await sio.connect(URL)


async def test_a_function_may_return_what_cannot_work(sio):
    """A URL or headers from a function are checked as well. (C2, C6)"""
    with pytest.raises(exceptions.InvalidURLError):
        await sio.connect(lambda: "nonsense")
    with pytest.raises(TypeError, match="headers"):
        await sio.connect(URL, headers=lambda: ["X: 1"])
    assert sio.engine.attempts.items == []


async def test_rejected_namespaces_are_listed_in_the_order_of_their_rejection(sio, calls):
    """connect() raises with the rejected namespaces and what the server sent; nothing stays connected. (C9, M14, F5)"""
    sio.engine.server.silent = {"/b", "/c"}
    for name in ("/a", "/b", "/c"):
        sio.on("connect_error", calls.handler(name), namespace=name)
        sio.on("disconnect", calls.handler(f"out of {name}"), namespace=name)
    connecting = asyncio.ensure_future(sio.connect(URL))
    await sio.engine.sent.until(lambda: len(sio.engine.sent.items) == 3)
    sio.engine.deliver('4/c,{"message":"not you"}', "4/b,")
    with pytest.raises(exceptions.ConnectionError) as caught:
        await within(connecting)
    assert str(caught.value) == "One or more namespaces failed to connect: /c, /b"
    assert caught.value.data == {"/c": {"message": "not you"}, "/b": None}
    assert isinstance(caught.value.__cause__, exceptions.ConnectionRefusedError)
    assert "not you" in str(caught.value.__cause__)
    assert sio.failed_namespaces == ["/c", "/b"]
    assert not sio.connected
    assert sio.engine.sent.items[-1] == "1/a,"
    assert sio.engine.closings.items == ["closed"]
    assert calls.items == [("/c", {"message": "not you"}), ("/b",), ("out of /a", "client disconnect")]


@pytest.mark.parametrize(
    ("data", "args"), [(None, ()), ("no", ("no",)), ({"message": "no"}, ({"message": "no"},)), (["no", 1], ("no", 1))]
)
async def test_connect_error_gets_what_the_server_sent(sio, calls, data, args):
    """connect_error is called with no argument, one, or one per list element. (F5, M36)"""
    sio.engine.server.refusals = {"/": data}
    sio.on("connect_error", calls.handler("error"))
    with pytest.raises(exceptions.ConnectionError):
        await sio.connect(URL)
    assert calls.items == [("error", *args)]


async def test_namespaces_that_do_not_answer_end_the_attempt(sio, calls):
    """After wait_timeout connect() disconnects and raises; the accepted namespaces are left. (C8, C10)"""
    sio.engine.server.silent, sio.engine.settle = {"/silent"}, True
    sio.on("connect_error", calls.handler("error"), namespace="/silent")
    sio.on("disconnect", calls.handler("disconnect"), namespace="/a")
    with pytest.raises(exceptions.ConnectionError, match="failed to connect: /silent") as caught:
        await within(sio.connect(URL, namespaces=["/a", "/silent"], wait_timeout=0.02))
    assert "0.02 s" in str(caught.value.__cause__)
    assert sio.failed_namespaces == ["/silent"]
    assert sio.engine.sent.items[-1] == "1/a,"
    assert not sio.connected
    assert [name for name, *_ in calls.items] == ["error", "disconnect"]


async def test_a_connection_that_is_lost_meanwhile_ends_the_attempt(sio):
    """Where the transport closes before the namespaces are accepted, connect() says so. (C6, F7)"""
    sio.engine.server.silent = {"/"}
    connecting = asyncio.ensure_future(sio.connect(URL))
    await sio.engine.sent.until(lambda: sio.engine.sent.items)
    await sio.engine.idle()
    sio.engine.lose()
    with pytest.raises(exceptions.ConnectionError, match="lost before"):
        await within(connecting)
    assert not sio.connected


@pytest.mark.parametrize("failure", ["transport", "rejection", "silence"])
async def test_after_a_failure_the_client_can_connect(sio, failure):
    """The same client connects after a failed attempt, a rejection, or silence. (M15, N1)"""
    if failure == "transport":
        sio.engine.failures = [EngineError("refused")]
    elif failure == "rejection":
        sio.engine.server.refusals = {"/": "no"}
    else:
        sio.engine.server.silent = {"/"}
    with pytest.raises(exceptions.ConnectionError):
        await sio.connect(URL, wait_timeout=0.02)
    sio.engine.server.refusals, sio.engine.server.silent = {}, set()
    await within(sio.wait())
    await sio.connect(URL)
    assert sio.connected
    assert sio.failed_namespaces == []


async def test_disconnect_ends_an_attempt(sio):
    """disconnect() while connect() waits for the transport ends it with a ConnectionError. (G5, M15)"""
    sio.engine.opening = sio.engine.new_gate()
    connecting = asyncio.ensure_future(sio.connect(URL))
    await sio.engine.attempts.until(lambda: sio.engine.attempts.items)
    await within(sio.disconnect())
    with pytest.raises(exceptions.ConnectionError, match="ended by disconnect"):
        await within(connecting)
    assert not sio.connected


async def test_disconnect_ends_the_waiting_for_namespaces(sio):
    """disconnect() while connect() waits for namespaces ends it with a ConnectionError. (G5, M15)"""
    sio.engine.server.silent = {"/"}
    connecting = asyncio.ensure_future(sio.connect(URL))
    await sio.engine.sent.until(lambda: sio.engine.sent.items)
    await within(sio.disconnect())
    with pytest.raises(exceptions.ConnectionError):
        await within(connecting)
    assert not sio.connected


@pytest.mark.parametrize("argument", ["url", "headers", "auth"])
async def test_a_function_may_disconnect(flavour, sio, argument):
    """disconnect() in a url, headers or auth function ends the attempt that asks it. (C2, G5)"""
    values = {"url": URL, "headers": {}, "auth": {}}

    async def leave():
        await sio.disconnect()
        return values[argument]

    with pytest.raises(exceptions.ConnectionError, match="ended by disconnect"):
        await within(sio.connect(**{**values, argument: flavour.function(leave)}))
    assert not sio.connected
    await within(sio.connect(URL))
    assert sio.connected


@pytest.mark.parametrize("in_time", [False, True])
async def test_an_attempt_that_does_not_end_is_waited_for(flavour, make_client, in_time):
    """After disconnect() connect() waits for the attempt before to end, or says that it has not. (M15, N4)"""
    sio, asked, gate = make_client(request_timeout=10 if in_time else 0.02), Gate(), Gate()

    async def slow():
        asked.open()
        await gate.wait()
        return URL

    first = asyncio.ensure_future(sio.connect(flavour.function(slow)))
    await asked.wait()
    await within(sio.disconnect())
    second = asyncio.ensure_future(sio.connect(URL))
    if not in_time:
        with pytest.raises(exceptions.ConnectionError, match="last attempt"):
            await within(second)
    gate.open()
    with pytest.raises(exceptions.ConnectionError, match="ended by disconnect"):
        await within(first)
    await within(second if in_time else sio.connect(URL))
    assert sio.connected
    assert sio.engine.sent.items == ["0{}"]


@pytest.mark.parametrize("event", ["connect", "connect_error"])
async def test_a_handler_that_fails_changes_nothing(sio, event):
    """An exception in a connect or connect_error handler makes connect() neither fail nor hang. (M23)"""
    sio.on(event, lambda *args: 1 / 0)
    if event == "connect":
        await within(sio.connect(URL))
        assert sio.connected
    else:
        sio.engine.failures = [EngineError("refused")]
        with pytest.raises(exceptions.ConnectionError):
            await within(sio.connect(URL))
