"""What the polling transport relies on in requests and urllib3: pools, their connections, and how a wait is cut."""

from __future__ import annotations

import socket
import threading
import time

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.util.wait import wait_for_read, wait_for_write

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


def test_a_pool_makes_connections_that_have_a_socket(http, server):
    """_new_conn() makes a connection that nobody else uses, _validate_conn() and connect() connect it. (M6)"""
    pool = pool_of(http, server.http)
    connection = pool._new_conn()
    pool._validate_conn(connection)
    if connection.sock is None:  # plain HTTP is connected when it is used
        connection.connect()
    assert isinstance(connection.sock, socket.socket)
    assert pool.proxy is None
    assert callable(pool._prepare_proxy)
    connection.close()


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
