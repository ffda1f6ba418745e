"""What the polling transport relies on in requests and urllib3: pools, their connections, and how a wait is cut."""

from __future__ import annotations

import io
import socket
import threading
import time
from http import client as http_client

import pytest
import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.util.wait import wait_for_read, wait_for_write

from socketio.engine.frames import FrameWriter
from socketio.engine.threads.connections import track_sockets
from socketio.engine.threads.websocket_handshake import open_websocket

from .conftest import CEILING


@pytest.fixture
def http():
    with requests.Session() as http:
        yield http


def pool_of(http, url, verify=None):
    """Return the pool for a URL, as the transport asks for it."""
    settings = http.merge_environment_settings(url, {}, None, verify, None)
    return http.get_adapter(url).get_connection_with_tls_context(
        requests.Request("GET", url).prepare(), settings["verify"], proxies=settings["proxies"], cert=settings["cert"]
    )


def test_the_pool_that_is_asked_for_is_the_one_that_is_used(http, server):
    """A connection class that is given to the pool makes the connections of later requests. (N26)"""
    pool = pool_of(http, server.http)
    used = []

    class Connection(pool.ConnectionCls):
        def getresponse(self, *args, **kwargs):
            used.append(self.sock)
            return super().getresponse(*args, **kwargs)

    pool.ConnectionCls = Connection
    assert http.request("GET", f"{server.http}/ok", timeout=CEILING).text == "ok"
    assert isinstance(used[0], socket.socket)
    assert pool_of(http, f"{server.http}/other?x=1") is pool


def test_idle_connections_are_in_the_queue_of_the_pool(http, server):
    """pool.pool is a queue of connections or None, from which connections can be taken. (N26)

    There are none in it before one is made, which num_connections tells.
    """
    pool = pool_of(http, server.http)
    assert pool.num_connections == 0
    assert all(pool.pool.get_nowait() is None for _ in range(pool.pool.qsize()))
    for _ in range(pool.pool.maxsize):
        pool.pool.put_nowait(None)
    http.get(f"{server.http}/ok", timeout=CEILING)
    content = [pool.pool.get_nowait() for _ in range(pool.pool.qsize())]
    assert pool.num_connections == 1
    (idle,) = [connection for connection in content if connection is not None]
    assert isinstance(idle, pool.ConnectionCls)
    idle.close()
    for _ in content:
        pool.pool.put_nowait(None)
    assert http.get(f"{server.http}/ok", timeout=CEILING).text == "ok"


def test_the_pool_depends_on_how_certificates_are_verified(http):
    """With other TLS settings there is another pool, so that the pool must be asked for with the request's own. (M6)"""
    url = "https://localhost"
    assert pool_of(http, url) is pool_of(http, url)
    assert pool_of(http, url, verify=False) is not pool_of(http, url)


def test_a_shut_socket_ends_the_wait_for_an_answer(http, server):
    """Shutting the socket of a pending request on another thread ends it with a RequestException at once. (N26)"""
    pool = pool_of(http, server.http)
    waiting = threading.Event()
    sockets, errors = [], []

    class Connection(pool.ConnectionCls):
        def getresponse(self, *args, **kwargs):
            sockets.append(self.sock)
            waiting.set()
            return super().getresponse(*args, **kwargs)

    def poll():
        try:
            http.request("GET", f"{server.http}/silent", timeout=CEILING)
        except requests.RequestException as exc:
            errors.append(exc)

    pool.ConnectionCls = Connection
    thread = threading.Thread(target=poll)
    thread.start()
    assert waiting.wait(CEILING)
    began = time.monotonic()
    socket.socket.shutdown(sockets[0], socket.SHUT_RDWR)
    thread.join(CEILING)
    assert len(errors) == 1
    assert time.monotonic() - began < CEILING / 2


def test_the_limit_of_a_request_is_kept(http, server):
    """timeout= ends a request that is not answered with a RequestException. (N4)"""
    with pytest.raises(requests.Timeout):
        http.request("GET", f"{server.http}/silent", timeout=0.05)


def test_the_errors_of_requests():
    """RequestException is an OSError, and so are all that a request raises for the network. (C6)"""
    assert issubclass(requests.RequestException, OSError)
    assert issubclass(requests.ConnectionError, requests.RequestException)
    assert issubclass(requests.exceptions.InvalidURL, (requests.RequestException, ValueError))


def test_a_request_takes_headers_cookies_and_data(http, server):
    """request() merges headers and cookies of the call into the session's, which keeps the server's only. (M4, N28)"""
    http.headers["X-Session"] = "1"
    http.request(
        "GET", f"{server.http}/ok", headers={"X-Call": "2"}, cookies={"call": "3"}, verify=None, timeout=CEILING
    )
    http.request("GET", f"{server.http}/ok", headers={}, cookies={}, data=None, timeout=CEILING)
    first, second = server.requests[-2:]
    assert (first["X-Session"], first["X-Call"], first["Cookie"]) == ("1", "2", "call=3")
    assert second["Cookie"] == "server=1"


def test_a_prepared_request_has_all_that_would_be_sent(http):
    """prepare_request() merges headers, auth and the cookies that fit the URL. (M4, M5)"""
    http.auth = ("user", "password")
    http.cookies.set("here", "1", domain="example.test")
    http.cookies.set("elsewhere", "2", domain="other.test")
    request = requests.Request("GET", "http://example.test/", headers={"X": "3"}, cookies={"call": "4"})
    headers = http.prepare_request(request).headers
    assert (headers["X"], headers["Authorization"][:6]) == ("3", "Basic ")
    assert set(headers["Cookie"].split("; ")) == {"here=1", "call=4"}


@pytest.mark.parametrize(("verify", "expected"), [(None, "/bundle.pem"), (False, False), ("/own.pem", "/own.pem")])
def test_what_the_environment_has_to_say_about_certificates(http, monkeypatch, verify, expected):
    """merge_environment_settings(): None lets REQUESTS_CA_BUNDLE decide, False and a path stay. (M6, N38)"""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/bundle.pem")
    settings = http.merge_environment_settings("https://example.test", {}, None, verify, None)
    assert settings["verify"] == expected
    assert {"proxies", "verify", "cert"} <= set(settings)


def test_the_adapter_of_a_session_is_an_http_adapter(http):
    """get_adapter() returns the HTTPAdapter that a session has for http and https. (N26)"""
    assert isinstance(http.get_adapter("http://a"), HTTPAdapter)
    assert isinstance(http.get_adapter("https://a"), HTTPAdapter)


def test_the_attributes_of_a_pool(http):
    """A pool has the headers for its proxy, and tells how many connections it keeps, and whether it makes more. (M5)"""
    pool = pool_of(http, "http://a")
    assert (pool.proxy_headers, pool.block, pool.pool.maxsize) == ({}, False, 10)


def test_a_connection_is_asked_whether_it_can_be_used_again(http, server):
    """The pool closes an idle connection that says is_connected is False, and connects it anew. (M1)

    urllib3 1 does not ask: there, a websocket takes the idle connection, which works as well.
    """
    pool = pool_of(http, server.http)
    connected = []

    class Connection(pool.ConnectionCls):
        is_connected = False

        def connect(self):
            connected.append(self)
            super().connect()

    pool.ConnectionCls = Connection
    for _ in range(2):
        assert http.get(f"{server.http}/ok", timeout=CEILING).text == "ok"
    assert len(connected) == (2 if hasattr(urllib3.connection.HTTPConnection, "is_connected") else 1)


def test_a_connection_can_be_taken_when_the_server_has_switched_protocols(http, server):
    """After a 101 response_class sees what came along, and the socket lives on when the answer is closed. (M1)"""
    pool = pool_of(http, server.http)
    taken = []

    class Response(http_client.HTTPResponse):
        def begin(self):
            super().begin()
            assert self.status == 101
            self.will_close = False

    class Connection(pool.ConnectionCls):
        response_class = Response

        def getresponse(self, *args, **kwargs):
            sock = self.sock
            response = super().getresponse(*args, **kwargs)
            taken.append(sock)
            self.sock = None
            return response

    pool.ConnectionCls = Connection
    headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    headers["Sec-WebSocket-Key"] = "AAAAAAAAAAAAAAAAAAAAAA=="
    with http.get(f"{server.http}/ws", headers=headers, timeout=CEILING, stream=True) as response:
        assert response.status_code == 101
    with taken[0] as sock:
        sock.sendall(FrameWriter().encode(["hello"], 1)[0])
        assert sock.recv(100) == b"\x81\x05hello"


def test_an_informational_answer_is_not_the_last():
    """begin() reads the next head when headers is None again. (M1)"""

    class Socket:
        def makefile(self, mode):
            return io.BytesIO(b"HTTP/1.1 103 Hints\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    response = http_client.HTTPResponse(Socket())
    response.begin()
    assert response.status == 103
    response.headers = None
    response.begin()
    assert response.status == 200


def test_a_request_by_way_of_a_proxy_is_for_the_whole_url():
    """request() of the connection class gets the whole URL, and set_tunnel() makes it ask for a tunnel instead. (M5)"""
    asked = []

    class Connection(urllib3.connection.HTTPConnection):
        def request(self, method, url, *args, **kwargs):
            asked.append((url, kwargs["headers"].get("Proxy-Authorization")))
            self.set_tunnel("a.test", 80, headers={"X": "1"})
            raise KeyError

    with requests.Session() as http:
        http.trust_env = False
        http.proxies = {"http": "http://user:secret@127.0.0.1:1"}
        pool = pool_of(http, "http://a.test")
        assert set(pool.proxy_headers) == {"Proxy-Authorization"}
        pool.ConnectionCls = Connection
        with pytest.raises(KeyError):
            http.get("http://a.test/b?c=d", timeout=CEILING)
    assert asked == [("http://a.test/b?c=d", "Basic dXNlcjpzZWNyZXQ=")]


def test_the_socket_of_a_connection_is_made_by_one_method(http, server):
    """_new_conn() makes it, by way of urllib3.util.connection, with the attributes that are read here. (B7)"""
    pool = pool_of(http, server.http)
    seen = []

    class Connection(pool.ConnectionCls):
        def _new_conn(self):
            assert self._dns_host == "127.0.0.1"
            seen.append((self.host, self.port, self.timeout, self.source_address, bool(self.socket_options)))
            return super()._new_conn()

    pool.ConnectionCls = Connection
    assert http.get(f"{server.http}/ok", timeout=CEILING).text == "ok"
    assert seen == [("127.0.0.1", server.port, CEILING, None, True)]
    assert callable(urllib3.util.connection.create_connection)
    assert urllib3.util.connection.allowed_gai_family() in (socket.AF_UNSPEC, socket.AF_INET)


def test_connecting_works_without_that_method(http, server, monkeypatch):
    """The fallback: urllib3's own way, one address after the other."""
    original = urllib3.connection.HTTPConnection

    def connect(self):
        self.sock = urllib3.util.connection.create_connection((self.host, self.port), self.timeout)

    monkeypatch.setattr(original, "connect", connect)
    monkeypatch.delattr(original, "_new_conn")
    track_sockets(http, server.http, None)
    assert http.get(f"{server.http}/ok", timeout=CEILING).text == "ok"
    url = f"{server.http}/ws"
    sock, _ = open_websocket(http, url, {"headers": {}, "cookies": {}, "verify": None}, CEILING, {}, lambda abort: None)
    sock.close()


def test_a_plain_adapter_gives_nothing_else_to_its_pools(http):
    """An adapter has the arguments of its pools in poolmanager.connection_pool_kw, and a method cert_verify(). (M6)"""
    adapter = http.get_adapter("https://a")
    assert set(adapter.poolmanager.connection_pool_kw) <= {"maxsize", "block"}
    adapter.init_poolmanager(1, 1, assert_fingerprint="00")
    assert "assert_fingerprint" in adapter.poolmanager.connection_pool_kw
    assert callable(adapter.cert_verify)


def test_a_hook_sees_a_redirect_before_its_body_is_read(http, server):
    """Hooks of a request are called with an answer whose body was not read, and may raise. (N37)"""

    def refuse(response, *args, **kwargs):
        assert not response.raw.closed
        raise KeyError(response.status_code)

    hooks = {"response": [*http.hooks["response"], refuse]}
    with pytest.raises(KeyError):
        http.request("GET", f"{server.http}/ok", timeout=CEILING, stream=True, allow_redirects=False, hooks=hooks)


def test_waiting_for_a_socket():
    """wait_for_read() and wait_for_write() tell whether a socket got ready in time, a shut one too. (M7)"""
    one, other = socket.socketpair()
    with one, other:
        assert not wait_for_read(one, 0.0)
        assert not wait_for_read(one, 0.01)
        assert wait_for_write(one)
        other.send(b"x")
        assert wait_for_read(one, CEILING)
        one.recv(1)
        one.shutdown(socket.SHUT_RDWR)
        assert wait_for_read(one, CEILING)
