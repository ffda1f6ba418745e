"""HTTP errors and connections that fail: ConnectionError with the cause and what came back, over both transports."""

from __future__ import annotations

import socket

import aiohttp
import pytest

from integration.waiting import CEILING, within
from socketio import exceptions

from .hostile import Peer, RawServer
from .watching import in_time

pytestmark = pytest.mark.transports("websocket", "polling")

HTML = "<html><body><h1>502 Bad Gateway</h1>" + "x" * 1000 + "</body></html>"


async def _failure(sio, url, transport, **options):
    with in_time(6), pytest.raises(exceptions.ConnectionError) as caught:
        await within(CEILING, sio.connect(url, transports=transport.argument, **options))
    assert caught.value.__cause__ is not None
    assert not sio.connected
    assert sio.transport() is None
    return str(caught.value)


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("status", [400, 401, 403, 404, 407, 429, 500, 502, 503, 504, 599])
async def test_a_status(make_client, transport, status, chunked):
    """An HTTP error tells its status and the first 200 characters of its body, however that is sent."""

    async def answer(request):
        if chunked:
            head = f"HTTP/1.1 {status} No\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"
            await request.write(f"{head}{len(HTML):x}\r\n{HTML}\r\n0\r\n\r\n".encode())
        else:
            await request.answer(HTML, status, "Content-Type: text/html; charset=utf-8")

    async with RawServer(answer) as server:
        text = await _failure(make_client(), server.url, transport)
    assert text.startswith(f"Unexpected status code {status} in server response: text/html '<html><body><h1>502 Bad")
    assert HTML[:200] in text
    assert HTML[:201] not in text


@pytest.mark.flavours("asyncio")  # requests has no such rules
async def test_a_status_for_a_session_of_the_application(make_client, transport):
    """With a session of the application the body is shown too, and its own rules for a status have no say."""

    async def answer(request):
        await request.answer('{"message": "no"}', 403, "Content-Type: application/json")

    async with RawServer(answer) as server, aiohttp.ClientSession(raise_for_status=True) as session:
        text = await _failure(make_client(http_session=session), server.url, transport)
    assert text == """Unexpected status code 403 in server response: application/json '{"message": "no"}'"""


@pytest.mark.parametrize(
    "body", [b'{"message":', b"{", b"\xff\xfe", b"[" * 100_000, b"9" * 10_000, b"\x00", b'{"a": NaN}']
)
async def test_a_refusal_with_broken_json(make_client, transport, recorder, body):
    """A 401 whose JSON is broken is the ConnectionError of a 401."""

    async def answer(request):
        await request.answer(body, 401, "Content-Type: application/json")

    sio = make_client()
    sio.on("connect_error", recorder.handler("connect_error"))
    async with RawServer(answer) as server:
        text = await _failure(sio, server.url, transport)
    assert text.startswith("Unexpected status code 401 in server response: application/json ")
    assert len(recorder.of("connect_error")) == 1


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200", b"\x16\x03\x01", b"SSH-2.0-x\r\n", b"220 mail\r\n\r\n"])
async def test_a_server_that_closes(make_client, transport, sent):
    """A server that closes without a word, or with one that is no HTTP, is a ConnectionError that names it."""

    async def answer(request):
        await request.write(sent)
        request.writer.close()

    async with RawServer(answer) as server:
        text = await _failure(make_client(), server.url, transport)
        assert f"127.0.0.1:{server.port}" in text or "it sent" in text


async def test_nobody_listens(make_client, transport):
    """A refused port is told as such."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    text = await _failure(make_client(), f"http://127.0.0.1:{port}", transport)
    assert f"127.0.0.1:{port}" in text
    assert "refused" in text.lower() or "connect call failed" in text.lower()


async def test_a_name_that_does_not_exist(make_client, transport):
    """A host that is not found is told as such; names below .invalid never are (RFC 2606)."""
    text = await _failure(make_client(), "http://nowhere.invalid:1", transport)
    assert "nowhere.invalid:1" in text
    assert "gaierror" in text or "name" in text.lower()


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 on this machine")
async def test_ipv6(make_client, transport, recorder):
    """An IPv6 address connects, and its errors name it."""

    async def works(request):
        if request.is_websocket:
            await request.send('42["works"]')
        elif not recorder.calls:
            await request.answer('42["works"]')
            return
        await request.until_closed()

    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            pass
    except OSError:
        pytest.skip("no IPv6 on this machine")
    sio = make_client()
    sio.on("works", recorder.handler("works"))
    peer = Peer(works)
    async with RawServer(peer, host="::1") as server:
        await within(CEILING, sio.connect(server.url, transports=transport.argument))
        peer.connected.set()
        await recorder.wait_for("works")
        assert server.requests[0].headers["host"] == f"[::1]:{server.port}"
        await sio.disconnect()
        url = server.url
    assert "[::1]" in await _failure(make_client(), url, transport)


async def test_the_application_goes_on(make_client, transport, recorder):
    """After each of many kinds of failure the same client connects to a good server."""
    answers = iter([b"", b"HTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n", b"junk\r\n\r\n", b"HTTP/1.1 302 F\r\n\r\n"])
    peer = Peer(lambda request: request.until_closed())

    async def answer(request):
        sent = next(answers, None)
        if sent is None:
            await peer(request)
            return
        await request.write(sent)
        request.writer.close()

    sio = make_client()
    async with RawServer(answer) as server:
        for _ in range(4):
            await _failure(sio, server.url, transport)
        await within(CEILING, sio.connect(server.url, transports=transport.argument))
        peer.connected.set()
        assert sio.connected
        await sio.disconnect()
