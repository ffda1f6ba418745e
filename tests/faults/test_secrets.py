"""Secrets: credentials, cookies, tokens and auth data are in no log line from INFO up, and in no exception."""

from __future__ import annotations

import asyncio
import socket
import traceback

import pytest

from integration.waiting import CEILING, within
from socketio import exceptions

from .hostile import Peer, RawServer, frame
from .watching import Lines

SECRET = "s3cr3t"
ARGUMENTS = {
    "headers": {"Authorization": f"Bearer {SECRET}", "X-Api-Key": SECRET, "Cookie": f"session={SECRET}"},
    "auth": {"token": SECRET},
}


def _with_secrets(url):
    return url.replace("://", f"://user:{SECRET}@") + f"/?token={SECRET}#{SECRET}"


def _text(exc):
    return "".join(traceback.format_exception(type(exc), exc, exc.__traceback__))


@pytest.fixture
def lines():
    return Lines()


@pytest.fixture
def make_watched(make_client, lines):
    """Return a function that makes a client whose log is watched."""

    def make(**options):
        return make_client(logger=lines.logger, engineio_logger=lines.logger, **options)

    return make


ANSWERS = {
    "closes": b"",
    "401": b"HTTP/1.1 401 No\r\nContent-Length: 2\r\nSet-Cookie: a=s3cr3t\r\nX-Token: s3cr3t\r\n\r\nno",
    "500": b"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\nSet-Cookie: a=s3cr3t\r\n\r\n2\r\nno\r\n0\r\n\r\n",
    "302": b"HTTP/1.1 302 Go\r\nContent-Length: 0\r\nLocation: http://u:s3cr3t@other.invalid/?a=s3cr3t#s3cr3t\r\n\r\n",
    "nonsense": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nSet-Cookie: a=s3cr3t\r\n\r\nhello",
    "no websocket": b"HTTP/1.1 101 OK\r\nUpgrade: x\r\nSet-Cookie: a=s3cr3t\r\nConnection: s3cr3t\r\n\r\n",
    "bad header": b"HTTP/1.1 200 OK\r\nContent-Length: x\r\nSet-Cookie: a=s3cr3t\r\n\r\n",
}


@pytest.mark.parametrize("kind", [*ANSWERS, "refuses", "hangs"])
async def test_a_handshake_that_fails(make_watched, transport, lines, kind):
    """Nor where connecting fails, in whatever way: with the exceptions that are chained."""

    async def answer(request):
        if kind == "hangs":
            await request.until_closed()
        else:
            await request.write(ANSWERS[kind])
        request.writer.close()

    sio = make_watched(request_timeout=0.3)
    async with RawServer(answer) as server:
        url = server.url
        if kind == "refuses":
            with socket.create_server(("127.0.0.1", 0)) as listener:
                url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(exceptions.ConnectionError) as caught:
            await within(CEILING, sio.connect(_with_secrets(url), transports=transport.argument, **ARGUMENTS))
    assert SECRET not in _text(caught.value)
    assert SECRET not in lines.text


@pytest.mark.parametrize(
    "url",
    [
        f"http://user:{SECRET}@127.0.0.1:99999/",
        f"http://user:{SECRET}/x@127.0.0.1/",
        f"http://127.0.0.1:{SECRET}/",
        f"ftp://user:{SECRET}@127.0.0.1/?token={SECRET}",
        f"http://?token={SECRET}",
        f"http://user:{SECRET}@[::1/?token={SECRET}",
        f"http://user:{SECRET}@a b.invalid/?token={SECRET}",
        f"http://user:{SECRET}@{'a' * 70}.invalid/?token={SECRET}",
        f"http://user:{SECRET}@\u2100.invalid/?token={SECRET}",
        f"http://user:{SECRET}@\u00e9..invalid/?token={SECRET}",
    ],
)
@pytest.mark.transports("websocket", "polling")
async def test_an_impossible_url(make_watched, transport, lines, url):
    """Nor where the URL is none that anybody can connect to."""
    sio = make_watched(request_timeout=0.3)
    with pytest.raises(exceptions.ConnectionError) as caught:
        await within(CEILING, sio.connect(url, transports=transport.argument))
    shown = _text(caught.value)
    if f":{SECRET}/" not in url:  # what stands where a port does is none
        assert SECRET not in shown
    assert SECRET not in lines.text


@pytest.mark.transports("websocket", "polling")
async def test_a_life_with_a_loss(make_watched, transport, recorder, lines):
    """Nor while a client connects, emits, is cut off, fails to reconnect, reconnects and disconnects."""
    losses = 0

    async def script(request):
        nonlocal losses
        if losses < 2:
            losses += 1
            if request.is_websocket:
                await request.write(frame(0x3, SECRET.encode()))
            else:
                await request.answer(SECRET, 502)
            request.writer.close()
        await request.until_closed()

    peer = Peer(script)
    async with RawServer(peer) as server:
        sio = make_watched(reconnection_delay=0.02)
        sio.on("connect", recorder.handler("connect"))
        url = f"{server.url}/?token={SECRET}#{SECRET}"
        await within(CEILING, sio.connect(url, transports=transport.argument, **ARGUMENTS))
        peer.connected.set()
        await recorder.wait_for("connect", 3)
        await sio.emit("login", {"password": SECRET})
        await asyncio.sleep(0)
        await sio.disconnect()
    assert "Connected over" in lines.text
    own = [line for line in lines.text.splitlines() if "Unexpected status code" not in line]  # that shows what came
    assert SECRET not in "\n".join(own)
