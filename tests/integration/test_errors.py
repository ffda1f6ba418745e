"""Connections that fail: what connect() raises, what connect_error gets, and what is left."""

from __future__ import annotations

import socket

import pytest

from socketio import exceptions

from .proxy import Proxy
from .scripted import ScriptedServer
from .waiting import within


@pytest.fixture
def unused_url():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


async def test_nobody_listens(make_client, unused_url, transport, recorder):
    """A refused connection calls connect_error of every namespace with the error text and raises. (M13, C6)"""
    sio = make_client()
    for namespace in ("/", "/chat"):
        sio.on("connect_error", recorder.handler(namespace), namespace=namespace)
    with pytest.raises(exceptions.ConnectionError) as caught:
        await sio.connect(unused_url, transports=transport.argument)
    assert caught.value.data == {}
    assert caught.value.__cause__ is not None
    assert sorted(recorder.names) == ["/", "/chat"]
    for _, args in recorder.calls:
        assert args == (str(caught.value),)


@pytest.mark.parametrize(
    ("body", "argument"),
    [({"message": "no", "code": 4}, {"message": "no", "code": 4}), ("<html>gone</html>", None)],
)
async def test_an_http_error(make_client, transport, recorder, body, argument):
    """connect_error gets the decoded JSON body of an HTTP error, None without one. (M13)"""
    async with ScriptedServer(handshake=(401, body)) as server:
        sio = make_client()
        sio.on("connect_error", recorder.handler("/"))
        sio.on("connect_error", recorder.handler("/chat"), namespace="/chat")
        with pytest.raises(exceptions.ConnectionError, match=r"^Unexpected status code 401 in server response"):
            await sio.connect(server.url, transports=transport.argument)
    assert sorted(recorder.calls) == [("/", (argument,)), ("/chat", (argument,))]


async def test_after_a_failed_connect_nothing_is_connected(make_client, unused_url, transport):
    """After a failed connect() no namespace is connected, and emit() and call() say so. (N1)"""
    sio = make_client()
    with pytest.raises(exceptions.ConnectionError):
        await sio.connect(unused_url, transports=transport.argument)
    assert not sio.connected
    assert sio.namespaces == {}
    with pytest.raises(exceptions.BadNamespaceError):
        await sio.emit("hello")
    with pytest.raises(exceptions.BadNamespaceError):
        await sio.call("hello")
    await within(3, sio.wait())


async def test_a_refused_namespace(make_client, server, transport, recorder):
    """connect_error gets the server's message and data; connect() raises with them, whoever else was accepted.

    Nothing stays connected. (M14, C9, N1)
    """
    sio = make_client()
    sio.on("connect_error", recorder.handler("refuse"), namespace="/refuse")
    sio.on("connect_error", recorder.handler("auth"), namespace="/auth")
    sio.on("connect_error", recorder.handler("chat"), namespace="/chat")
    refused = {"message": "not welcome", "data": {"code": 7, "reason": "closed"}}
    unauthorized = {"message": "unauthorized", "data": {"got": {"token": "wrong"}}}
    with pytest.raises(exceptions.ConnectionError) as caught:
        await sio.connect(server.url, auth={"token": "wrong"}, transports=transport.argument)
    assert sorted(recorder.calls) == [("auth", (unauthorized,)), ("refuse", (refused,))]
    order = sio.failed_namespaces
    assert sorted(order) == ["/auth", "/refuse"]
    assert str(caught.value) == f"One or more namespaces failed to connect: {', '.join(order)}"
    assert caught.value.data == {"/auth": unauthorized, "/refuse": refused}
    assert not sio.connected
    with pytest.raises(exceptions.BadNamespaceError):
        await sio.emit("hello", namespace="/chat")


@pytest.mark.servers("node")
async def test_a_class_hears_of_its_refusal(make_client, flavour, server, recorder):
    """A class-based namespace gets on_connect_error with the server's payload. (M14)"""

    class Refused(flavour.namespace_class):
        def on_connect_error(self, data):
            recorder.record("refused", data["message"])

    sio = make_client()
    sio.register_namespace(Refused("/refuse"))
    with pytest.raises(exceptions.ConnectionError):
        await sio.connect(server.url)
    assert recorder.calls == [("refused", ("not welcome",))]


@pytest.mark.servers("node")
async def test_the_right_auth_is_let_in(make_client, server, transport):
    """The namespace that asks for a token accepts the right one. (C11)"""
    sio = make_client()
    await sio.connect(server.url, auth={"token": "secret"}, namespaces=["/auth"], transports=transport.argument)
    assert await sio.call("echo", 1, namespace="/auth") == 1


async def test_a_namespace_that_never_answers(make_client, server, transport):
    """After wait_timeout connect() disconnects and raises, naming the namespace that did not answer. (C10)"""
    sio = make_client()
    with pytest.raises(exceptions.ConnectionError, match="namespaces failed to connect: /silent"):
        await within(
            5,
            sio.connect(
                server.url,
                namespaces=["/chat", "/silent"],
                transports=transport.argument,
                wait_timeout=0.15,
            ),
        )
    assert not sio.connected
    assert sio.failed_namespaces == ["/silent"]
    assert sio.sid is None


async def test_a_handshake_that_is_never_answered(make_client, transport):
    """request_timeout limits the connection attempt, on every transport. (N4)"""
    async with ScriptedServer(handshake="hang") as server:
        sio = make_client(request_timeout=0.3)
        with pytest.raises(exceptions.ConnectionError):
            await within(3, sio.connect(server.url, transports=transport.argument))
        assert not sio.connected


async def test_a_server_that_accepts_connections_and_says_nothing(make_client, transport):
    """A peer that never says a word is given up after request_timeout. (N4)"""
    async with ScriptedServer() as server, Proxy(server.port) as proxy:
        proxy.pause()
        sio = make_client(request_timeout=0.3)
        with pytest.raises(exceptions.ConnectionError):
            await within(3, sio.connect(proxy.url, transports=transport.argument))


async def test_a_server_of_the_generation_before(make_client, servers, transport):
    """A Socket.IO 2 server is refused with a ConnectionError that says why. (M13)"""
    sio = make_client()
    with pytest.raises(exceptions.ConnectionError, match=r"Engine\.IO 3|status code 400"):
        await within(5, sio.connect(servers("node-v2").url, transports=transport.argument))
    assert not sio.connected


@pytest.mark.parametrize("handshake", [(200, "0{}"), (200, "hello"), (200, ""), (200, '0{"sid":5}')])
async def test_a_nonsense_handshake(make_client, handshake):
    """An answer that is no handshake is a ConnectionError, not another exception. (C6)"""
    async with ScriptedServer(handshake=handshake) as server:
        sio = make_client()
        with pytest.raises(exceptions.ConnectionError):
            await within(5, sio.connect(server.url))
        assert not sio.connected


@pytest.mark.parametrize("url", ["", "nonsense", "ftp://127.0.0.1", "http://", "http://127.0.0.1:99999"])
async def test_a_url_that_nobody_can_connect_to(make_client, url):
    """An impossible URL is an error of connect(), and the client is as before. (C6)"""
    sio = make_client()
    with pytest.raises((exceptions.ConnectionError, ValueError)):
        await within(5, sio.connect(url))
    assert not sio.connected


async def test_exceptions_in_the_arguments_reach_the_caller(make_client, transport):
    """An exception in an auth function is not swallowed: connect() raises, and nothing is connected. (DESIGN 6)"""

    def auth():
        raise LookupError("no token at hand")

    async with ScriptedServer() as server:
        sio = make_client()
        with pytest.raises((exceptions.ConnectionError, LookupError), match="no token at hand"):
            await within(5, sio.connect(server.url, auth=auth, transports=transport.argument))
        assert not sio.connected
