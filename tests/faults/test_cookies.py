"""Cookies: those of the handshake come back to the server that set them, and go to nobody else."""

from __future__ import annotations

import aiohttp
import pytest
import requests

from integration.flavours import run_blocking
from integration.waiting import CEILING, within

from .hostile import Peer, RawServer


def _cookies(request):
    return dict(pair.split("=", 1) for pair in request.headers.get("cookie", "").split("; ") if pair)


async def _hold(request):
    await request.until_closed()


@pytest.fixture
async def make_session(flavour):
    """Return a function that makes a session with the library's default cookie jar, closed after the test."""
    sessions = []

    def make(kind):
        if kind == "own":
            return None
        session = aiohttp.ClientSession() if flavour.is_asyncio else requests.Session()
        sessions.append(session)
        return session

    yield make
    await flavour.close()
    for session in sessions:
        closing = session.close()
        if closing is not None:
            await closing


@pytest.mark.parametrize("kind", ["own", "of the application"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_they_come_back(make_client, make_session, flavour, kind, host):
    """Every later request has the cookies of the handshake, the upgrade too, whoever made the session."""
    headers = ["Set-Cookie: sticky=a1b2; Path=/; HttpOnly", 'Set-Cookie: quoted="x y"', "Set-Cookie: other=a=b"]
    peer = Peer(_hold, *headers, upgrades=["websocket"])

    async def answer(request):
        if request.is_websocket:
            await request.answer("", 400)
        else:
            await peer(request)

    sio = make_client(http_session=make_session(kind))
    async with RawServer(answer) as server:
        url = server.url.replace("127.0.0.1", host)
        await within(CEILING, sio.connect(url, headers={"Cookie": "mine=1"}))
        peer.connected.set()
        await sio.emit("hello")
        await sio.disconnect()
        first, *later = server.requests
    assert _cookies(first) == {"mine": "1"}
    assert {(request.method, request.is_websocket) for request in later} == {
        ("GET", True),
        ("POST", False),
        ("GET", False),
    }
    expected = {"mine": "1", "sticky": "a1b2", "quoted": '"x y"', "other": "a=b"}
    if flavour.is_asyncio and kind != "own" and host == "localhost":
        # A jar of the application's that keeps a cookie, as aiohttp's does for names, may put its value in quotes.
        for request in later:
            request.headers["cookie"] = request.headers["cookie"].replace('"a=b"', "a=b")
    assert [_cookies(request) for request in later] == [expected] * len(later)


@pytest.mark.parametrize("kind", ["own", "of the application"])
async def test_a_cookie_that_changes(make_client, make_session, flavour, kind):
    """A cookie that a later answer sets anew is sent as it is then: load balancers turn theirs with every answer."""
    peer = Peer(_hold, "Set-Cookie: sticky=0; Path=/")
    count = 0

    async def answer(request):
        nonlocal count
        if request.method != "POST":
            await peer(request)
            return
        count += 1
        await request.answer("ok", 200, f"Set-Cookie: sticky={count}; Path=/")
        peer._asked.set()

    sio = make_client(http_session=make_session(kind))
    async with RawServer(answer) as server:
        await within(CEILING, sio.connect(server.url, transports="polling"))
        peer.connected.set()
        for _ in range(3):
            await sio.emit("hello")
            await (sio.eio.drain(CEILING) if flavour.is_asyncio else run_blocking(sio.eio.drain, CEILING))
        await sio.disconnect()
        sent = [_cookies(request)["sticky"] for request in server.requests if request.method == "POST"]
    assert sent == [str(number) for number in range(len(sent))]


@pytest.mark.parametrize("kind", ["own", "of the application"])
@pytest.mark.parametrize(
    "attribute",
    ["Domain=example.org", "Path=/elsewhere", "Secure", "Max-Age=0", "Expires=Thu, 01 Jan 1970 00:00:10 GMT"],
)
async def test_a_cookie_that_is_not_for_these_requests(make_client, make_session, kind, attribute):
    """A cookie for another host or path, for TLS, or of the past, is not sent."""
    peer = Peer(_hold, f"Set-Cookie: wrong=1; {attribute}", "Set-Cookie: right=1; Path=/")
    sio = make_client(http_session=make_session(kind))
    async with RawServer(peer) as server:
        await within(CEILING, sio.connect(server.url, transports="polling"))
        peer.connected.set()
        await sio.disconnect()
        assert all(_cookies(request) == {"right": "1"} for request in server.requests[1:])
        assert len(server.requests) > 2


@pytest.mark.transports("websocket", "polling")
@pytest.mark.parametrize("attribute", ["", "; Domain=localhost", "; Domain=127.0.0.1"])
async def test_clients_keep_theirs_apart(make_client, transport, attribute):
    """A cookie that one client was given is not sent by another one of the process."""
    async with RawServer(Peer(_hold, f"Set-Cookie: first=1{attribute}")) as server:
        for host in ("127.0.0.1", "localhost"):
            peer_url = server.url.replace("127.0.0.1", host)
            sio = make_client()
            await within(CEILING, sio.connect(peer_url, transports=transport.argument))
            server._script.connected.set()
            await sio.disconnect()
            second = make_client()
            before = len(server.requests)
            await within(CEILING, second.connect(peer_url, transports=transport.argument))
            assert _cookies(server.requests[before]) == {}
            await second.disconnect()
