"""What the transports for asyncio rely on in aiohttp."""

from __future__ import annotations

import asyncio
import socket
import time

import aiohttp
import pytest
from aiohttp import WSMsgType
from multidict import CIMultiDict
from yarl import URL

from socketio.engine import compat, websocket
from socketio.engine.asyncio.keep_alive import KeptConnections
from socketio.engine.frames import FrameReader, FrameWriter

from .conftest import CEILING


@pytest.fixture
async def http():
    async with aiohttp.ClientSession() as http:
        yield http


@pytest.fixture
async def connect(http, server):
    """Return a coroutine function that opens a websocket, which is closed after the test."""
    opened = []

    async def connect(path="/ws", **options):
        options = {"timeout": aiohttp.ClientWSTimeout(ws_close=0.05), "autoping": False, **options}
        opened.append(await http.ws_connect(server.ws + path, **options))
        return opened[-1]

    yield connect
    for ws in opened:
        await ws.close()


# -- websockets


@pytest.mark.parametrize("message", ["ünï", "", b"\x00\xff", b""])
async def test_texts_and_bytes_are_told_apart(connect, message):
    """send_str() and send_bytes() send what receive() returns as TEXT or BINARY. (M8)"""
    ws = await connect()
    await (ws.send_str(message) if isinstance(message, str) else ws.send_bytes(message))
    received = await ws.receive(timeout=CEILING)
    assert received.type is (WSMsgType.TEXT if isinstance(message, str) else WSMsgType.BINARY)
    assert received.data == message


async def test_silence_is_a_timeout_after_which_the_websocket_goes_on(connect):
    """receive(timeout=) raises asyncio.TimeoutError, and a later receive() works. (N3, M7)"""
    ws = await connect()
    with pytest.raises(asyncio.TimeoutError):
        await ws.receive(timeout=0.01)
    await ws.send_str("hello")
    assert (await ws.receive(timeout=CEILING)).data == "hello"


async def test_pings_and_pongs_are_shown_without_autoping(connect):
    """With autoping=False receive() returns PING and PONG, and pong() and ping() send them. (M7, N9)"""
    ws = await connect()
    await ws.send_str("ping me")
    received = await ws.receive(timeout=CEILING)
    assert received.type is WSMsgType.PING
    await ws.pong(received.data)
    assert (await ws.receive(timeout=CEILING)).data == "PONG hello"
    await ws.ping()
    assert (await ws.receive(timeout=CEILING)).type is WSMsgType.PONG


async def test_the_end_by_the_server_is_shown(connect):
    """When the server closes, receive() returns what is no message; it does not raise. (M17)"""
    ws = await connect()
    await ws.send_str("hang up")
    received = await ws.receive(timeout=CEILING)
    assert received.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED)


async def test_a_shut_socket_ends_the_reading(connect):
    """get_extra_info('socket') has a shutdown(), after which receive() returns that it is over. (N26)"""
    ws = await connect()
    receiving = asyncio.ensure_future(ws.receive(timeout=CEILING))
    await asyncio.sleep(0)
    ws.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
    received = await asyncio.wait_for(receiving, CEILING)
    assert received.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR)
    await ws.close()
    if (connection := ws.get_extra_info("socket")) is not None:
        with pytest.raises(OSError):
            connection.shutdown(socket.SHUT_RDWR)


async def test_closing_waits_no_longer_than_it_may(connect):
    """ClientWSTimeout(ws_close=) limits how long close() waits for a server that does not answer. (N26)"""
    ws = await connect("/ws_silent")
    began = time.monotonic()
    await ws.close()
    assert time.monotonic() - began < CEILING / 2


async def test_closing_may_be_repeated(connect):
    """close() of a closed websocket does nothing. (N39)"""
    ws = await connect()
    await ws.close()
    await ws.close()
    assert ws.closed


async def test_sending_after_the_end_raises_what_is_caught(connect):
    """Sending over a websocket that is closed raises one of the errors that the transport knows. (N1)"""
    ws = await connect()
    await ws.close()
    with pytest.raises((OSError, RuntimeError, aiohttp.ClientError)):
        await ws.send_str("x")


async def test_the_size_of_a_message_can_be_raised(connect):
    """max_msg_size is the limit of a message, 4 MiB by default. (N12)"""
    ws = await connect(max_msg_size=100_000_000)
    await ws.send_str("large")
    assert len((await ws.receive(timeout=CEILING)).data) == 5_000_000
    ws = await connect()
    await ws.send_str("large")
    assert (await ws.receive(timeout=CEILING)).type is not WSMsgType.TEXT


async def test_a_refused_websocket_has_a_status(connect):
    """A handshake that is refused raises WSServerHandshakeError with the status, a ClientError. (M13)"""
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await connect("/refuse")
    assert caught.value.status == 403
    assert isinstance(caught.value, aiohttp.ClientError)


async def test_headers_go_with_the_websocket_request(connect, server):
    """ws_connect(headers=) sends a dict of headers, a Cookie among them. (M4)"""
    await connect(headers={"X-Header": "1", "Cookie": "a=2"})
    assert (server.requests[-1]["X-Header"], server.requests[-1]["Cookie"]) == ("1", "a=2")


async def test_a_websocket_is_asked_for_by_an_http_url(http, server):
    """ws_connect() takes a URL of the scheme http, for which the environment names proxies. (M5)"""
    ws = await http.ws_connect(f"{server.http}/ws")
    await ws.send_str("hello")
    assert (await ws.receive(timeout=CEILING)).data == "hello"
    await ws.close()


async def test_the_headers_of_a_session_can_be_taken_out():
    """headers of a session are those that it sends, and a header can be taken out of them. (M4)"""
    async with aiohttp.ClientSession(headers={"A": None, "B": "c"}) as http:
        http.headers.pop("A")
        assert dict(http.headers) == {"B": "c"}


async def test_a_connector_tells_how_many_connections_it_allows(http):
    """limit and limit_per_host are numbers, 0 for none. (M5)"""
    assert (http.connector.limit, http.connector.limit_per_host) == (100, 0)


# -- the request for a websocket, and the connection that is taken over


class Takeover(asyncio.BufferedProtocol):
    """A protocol that takes the place of aiohttp's."""

    def __init__(self, response):
        self.response, self.data, self.buffer = response, b"", bytearray(65536)
        self.came, self.lost = asyncio.Event(), asyncio.get_running_loop().create_future()
        self.transport, self.predecessor, set_parser = compat.connection_of(response)
        set_parser(self, self)
        self.along = self.data
        self.transport.set_protocol(self)

    def feed_data(self, data):
        self.data += data
        return False, b""

    def feed_eof(self):
        pass

    def is_eof(self):
        return False

    def get_buffer(self, sizehint):
        return self.buffer

    def buffer_updated(self, nbytes):
        self.data += self.buffer[:nbytes]
        self.came.set()

    def connection_lost(self, exc):
        self.predecessor.connection_lost(exc)
        self.lost.set_result(exc)


@pytest.fixture
async def ask(http, server):
    """Return a coroutine function that requests a websocket with request(), and returns the answer."""

    async def ask(path):
        headers = CIMultiDict(websocket.request_headers(websocket.new_key()))
        return await http.request(
            "GET", server.http + path, headers=headers, allow_redirects=False, raise_for_status=False
        )

    return ask


async def test_a_connection_that_was_taken_over_carries_frames_in_both_directions(ask):
    """response.connection has a transport and a protocol; after set_protocol() all that comes goes to that. (M8)"""
    taken = Takeover(await ask("/ws"))
    taken.transport.write(FrameWriter().encode(["hello"], 1)[0])
    await asyncio.wait_for(taken.came.wait(), CEILING)
    assert FrameReader(1000).feed(taken.data) == ["hello"]
    taken.response.close()
    assert await asyncio.wait_for(taken.lost, CEILING) is None


async def test_what_comes_along_with_the_answer_is_handed_over_by_set_parser(ask):
    """What the server sends in one piece with its answer goes to feed_data() of the parser, none of it twice. (E1)"""
    taken = Takeover(await ask("/ws_eager"))
    while b"second" not in taken.data:
        taken.came.clear()
        await asyncio.wait_for(taken.came.wait(), CEILING)
    assert taken.along.startswith(b"\x81\x05first\x81")
    assert FrameReader(1000).feed(taken.data) == ["first", "second"]
    taken.response.close()
    await asyncio.wait_for(taken.lost, CEILING)


async def test_closing_the_session_closes_a_connection_that_was_taken_over(ask, http):
    """The connector goes on to know the connection, and waits for nothing that does not come. (N39)"""
    taken = Takeover(await ask("/ws"))
    await asyncio.wait_for(http.close(), CEILING)
    assert await asyncio.wait_for(taken.lost, CEILING) is None
    taken.response.close()


async def test_a_redirect_can_be_refused_while_ws_connect_follows_it(http, server):
    """trace_configs is a list that counts for the next request; what a trace raises ends that. (N37)"""

    async def refuse(session, context, params):
        raise KeyError(params.response.status, params.url.path)

    guard = aiohttp.TraceConfig()
    guard.on_request_end.append(refuse)
    guard.freeze()
    http.trace_configs.append(guard)
    with pytest.raises(KeyError) as caught:
        await http.ws_connect(f"{server.ws}/refuse")
    assert caught.value.args == (403, "/refuse")
    http.trace_configs.remove(guard)
    await (await http.ws_connect(f"{server.ws}/ws")).close()


# -- requests


async def test_a_request_takes_what_the_transport_gives(http, server):
    """request() takes headers, data, a limit and ssl=False, and gives status, headers and body. (M4, M6)"""
    timeout = aiohttp.ClientTimeout(total=CEILING)
    async with http.request(
        "GET", f"{server.http}/ok", headers={"X": "1"}, data=None, timeout=timeout, ssl=False
    ) as response:
        assert (response.status, await response.read()) == (200, b"ok")
        assert response.headers.get("Content-Type", "").startswith("text/plain")
        assert {name: morsel.value for name, morsel in response.cookies.items()} == {"server": "1"}
    assert server.requests[-1]["X"] == "1"


async def test_the_limit_of_a_request_is_kept(http, server):
    """ClientTimeout(total=) ends a request that is not answered with asyncio.TimeoutError. (N4)"""
    with pytest.raises(asyncio.TimeoutError):
        async with http.request("GET", f"{server.http}/silent", timeout=aiohttp.ClientTimeout(total=0.05)):
            pass


async def test_a_request_can_be_cancelled(http, server):
    """A task that waits for an answer can be cancelled, and ends at once. (N26)"""

    async def poll():
        async with http.request("GET", f"{server.http}/silent", timeout=aiohttp.ClientTimeout(total=CEILING)):
            pass

    task = asyncio.ensure_future(poll())
    done, _ = await asyncio.wait([task], timeout=0.05)
    assert not done
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=CEILING / 2)
    assert done
    assert task.cancelled()


# -- sessions


async def test_a_cookie_jar_drops_cookies_of_ip_addresses_by_default(server):
    """A default jar keeps no cookie of an IP address, an unsafe one does; filter_cookies() tells. (M4)"""
    for jar, kept in ((None, {}), (aiohttp.CookieJar(unsafe=True), {"server": "1"})):
        async with aiohttp.ClientSession(cookie_jar=jar) as http:
            async with http.get(f"{server.http}/ok"):
                pass
            found = http.cookie_jar.filter_cookies(URL(server.http))
            assert {name: morsel.value for name, morsel in found.items()} == kept


async def test_a_session_may_be_closed_twice(http):
    """close() may be repeated, and closed tells. (N39)"""
    assert not http.closed
    await http.close()
    await http.close()
    assert http.closed


async def test_a_session_is_not_callable():
    """A session and a function that makes one can be told apart. (M5)"""
    async with aiohttp.ClientSession() as http:
        assert not callable(http)


# -- idle connections


async def test_idle_connections_can_be_seen_and_closed(http, server):
    """The connector's _conns has each idle connection with the time since when it is; a closed one is not used."""
    for _ in range(2):
        async with http.get(server.http + "/") as response:
            await response.read()  # else the connection may be closed
    kept = KeptConnections(http, server.http)
    assert kept.idle() is not None
    kept.note("timeout=1000")
    kept.close_old()
    assert kept.idle() is not None
    kept.close_all()
    assert kept.idle() is None
    async with http.get(server.http + "/") as response:
        await response.read()
    assert kept.idle() is not None
    assert KeptConnections(http, "http://127.0.0.1:1").idle() is None


async def test_without_them_nothing_is_closed(server):
    """A connector that keeps its idle connections in another way costs nothing but this."""

    class Other:
        connector = None

    kept = KeptConnections(Other(), server.http)
    kept.note("timeout=1")
    kept.close_old()
    kept.close_all()
    assert kept.idle() is None
