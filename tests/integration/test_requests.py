"""The HTTP requests behind a connection: URL, headers, cookies, sessions."""

from __future__ import annotations

import aiohttp
import pytest
import requests

from .flavours import run_blocking


def _headers(records, name):
    return [record["headers"].get(name) for record in records]


async def test_the_query_string_reaches_the_server(make_client, server, transport):
    """The query string of the URL is sent; its path is ignored. (M3)"""
    sio = make_client()
    await sio.connect(f"{server.url}/some/path?room=7&q=a%20b", transports=transport.argument)
    handshake = await sio.call("handshake")
    assert handshake["query"]["room"] == "7"
    assert handshake["query"]["q"] == "a b"
    assert handshake["path"] == "/socket.io/"


@pytest.mark.servers("node")
async def test_ws_and_http_urls_are_equivalent(make_client, server, transport):
    """A URL may say ws: where it means http:, whatever the transport. (M3)"""
    sio = make_client()
    await sio.connect(server.url.replace("http", "ws", 1), transports=transport.argument)
    assert sio.transport() == transport.final


@pytest.mark.servers("node", "python")
@pytest.mark.server_options(path="deep/path")
@pytest.mark.parametrize("path", ["deep/path", "/deep/path", "deep/path/", "/deep/path/"])
async def test_socketio_path(make_client, server, path):
    """socketio_path works with and without slashes at its ends. (M3)"""
    sio = make_client()
    await sio.connect(server.url, socketio_path=path)
    assert (await sio.call("handshake"))["path"] == "/deep/path/"


async def test_headers_go_with_every_request(make_client, server, transport):
    """Custom headers go with the handshake and with all later requests; the caller's dict stays. (M4, N2)"""
    headers = {"X-Test": "yes", "Cookie": "flavour=oat; size=big"}
    given = dict(headers)
    sio = make_client()
    await sio.connect(server.url, headers=headers, transports=transport.argument)
    await sio.call("echo", 1)
    records = await sio.call("requests")
    assert set(_headers(records, "x-test")) == {"yes"}
    assert all("flavour=oat" in cookie and "size=big" in cookie for cookie in _headers(records, "cookie"))
    assert headers == given


@pytest.mark.servers("node", "python")
@pytest.mark.server_options(cookie=True)
async def test_cookies_of_the_server_come_back(make_client, server, transport):
    """A cookie set at the handshake is sent with every later request, beside the caller's. (M4)"""
    sio = make_client()
    await sio.connect(server.url, headers={"Cookie": "mine=1"}, transports=transport.argument)
    await sio.call("echo", 1)
    records = await sio.call("requests")
    assert "sticky" not in records[0]["headers"]["cookie"]
    assert all("mine=1" in cookie for cookie in _headers(records, "cookie"))
    later = _headers(records[1:], "cookie")
    assert len({cookie.partition("sticky=")[2].partition(";")[0] for cookie in later}) <= 1
    assert all("sticky=" in cookie for cookie in later)
    if transport.name != "websocket":
        assert later


@pytest.mark.servers("node")
async def test_websocket_extra_options_are_for_the_websocket_only(make_client, flavour, server, transport):
    """Headers in websocket_extra_options go with the websocket request alone; the dict stays as it is. (M4, N2)"""
    name = "headers" if flavour.is_asyncio else "header"
    options = {name: {"X-Socket": "yes"}}
    sio = make_client(websocket_extra_options=options)
    await sio.connect(server.url, headers={"X-All": "yes"}, transports=transport.argument)
    for record in await sio.call("requests"):
        assert record["headers"].get("x-all") == "yes"
        expected = "yes" if "upgrade" in record["headers"] else None
        assert record["headers"].get("x-socket") == expected
    assert options == {name: {"X-Socket": "yes"}}


def _session(flavour):
    if flavour.is_asyncio:
        return aiohttp.ClientSession(
            headers={"X-Session": "yes"},
            cookies={"from": "session"},
            cookie_jar=aiohttp.CookieJar(unsafe=True),
        )
    session = requests.Session()
    session.headers["X-Session"] = "yes"
    session.cookies["from"] = "session"
    return session


@pytest.mark.servers("node")
async def test_the_session_of_the_caller_is_used_and_stays_open(make_client, flavour, server, transport):
    """Headers and cookies of http_session go with all requests, and disconnect() leaves it open. (M5)"""
    session = _session(flavour)
    sio = make_client(http_session=session)
    await sio.connect(server.url, transports=transport.argument)
    records = await sio.call("requests")
    assert set(_headers(records, "x-session")) == {"yes"}
    assert all("from=session" in cookie for cookie in _headers(records, "cookie"))
    await sio.disconnect()
    await _still_works(session, server.url)


@pytest.mark.servers("node")
async def test_a_session_made_for_the_client_is_used(make_client, flavour, server, transport):
    """http_session may be a function, for asyncio also a coroutine function, that makes a session. (M5)"""

    async def make_session():
        return _session(flavour)

    factory = make_session if flavour.is_asyncio else lambda: _session(flavour)
    sio = make_client(http_session=factory)
    for _ in range(2):
        await sio.connect(server.url, transports=transport.argument)
        assert set(_headers(await sio.call("requests"), "x-session")) == {"yes"}
        await sio.disconnect()


async def _still_works(session, url: str) -> None:
    if isinstance(session, aiohttp.ClientSession):
        assert not session.closed
        async with session.get(f"{url}/socket.io/?EIO=4&transport=polling") as response:
            assert response.status == 200
        await session.close()
        return
    response = await run_blocking(session.get, f"{url}/socket.io/?EIO=4&transport=polling")
    assert response.status_code == 200
    assert session.cookies["from"] == "session"
    session.close()


@pytest.mark.servers("node")
@pytest.mark.parametrize("stamped", [True, False])
async def test_timestamps_in_requests(make_client, server, transport, stamped):
    """timestamp_requests=False leaves the parameter t out of the URLs. (API: engineio options)"""
    sio = make_client(timestamp_requests=stamped)
    await sio.connect(server.url, transports=transport.argument)
    for record in await sio.call("requests"):
        assert ("t=" in record["url"].replace("transport=", "")) is stamped
