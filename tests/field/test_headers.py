"""Headers that a program gives: one rule for both transports and both flavours.

Source: issue 10, C. ``None`` is left out; what is no text is a TypeError before anything is opened; what belongs to the
handshake, as people copy it from a browser, is left out with a warning, and ``Host`` is honoured.
"""

from __future__ import annotations

import socket

import aiohttp
import pytest
import requests

from faults.watching import Lines
from integration.waiting import CEILING, within
from socketio import exceptions

from .recording import UpgradingPeer, asked, close_sessions

pytestmark = pytest.mark.transports("websocket", "upgrade")  # the latter begins with polling
SECRET = "s3cr3t"
OF_HANDSHAKE = {
    "Upgrade": "WebSocket, h2c",
    "Connection": "keep-alive, Upgrade",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    "Sec-WebSocket-Version": "8",
    "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits",
    "Sec-WebSocket-Accept": "AAAA",
    "Content-Length": "1000",
    "Transfer-Encoding": "chunked",
    "Expect": "100-continue",
    "TE": "trailers",
    "Trailer": "X",
    "Keep-Alive": "timeout=1",
    "Proxy-Connection": "keep-alive",
    "HTTP2-Settings": "AAMAAABkAAQAAP__",
    ":authority": "app.test",
    ":method": "GET",
}
FROM_A_BROWSER = {
    "Accept": "*/*",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Accept-Language": "de,en;q=0.5",
    "Cache-Control": "no-cache",
    "Connection": "keep-alive, Upgrade",
    "Host": "app.test",
    "Origin": "https://app.test",
    "Pragma": "no-cache",
    "Sec-Fetch-Dest": "websocket",
    "Sec-WebSocket-Extensions": "permessage-deflate",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    "Sec-WebSocket-Version": "13",
    "Upgrade": "websocket",
    "User-Agent": "Mozilla/5.0",
}


def _shown(found, transport):
    return found.polls[:1] if transport.name == "polling" else found.shown


@pytest.fixture
async def make_session(flavour):
    """Return a function that makes a session with headers; closed after the test."""
    made = []

    def make(headers):
        if flavour.is_asyncio:
            session = aiohttp.ClientSession(headers=headers)
        else:
            session = requests.Session()
            session.headers.update(headers)
        made.append(session)
        return session

    yield make
    await flavour.close()
    await close_sessions(made)


# -- None


async def test_none_is_left_out(make_client, transport):
    """A header whose value is None is not sent."""
    headers = {"X-None": None, "X-Text": "yes", "Cookie": None}
    found = await asked(make_client(), transport, headers=headers)
    for request in _shown(found, transport):
        assert request.headers["x-text"] == "yes"
        assert not {"x-none", "cookie"} & request.headers.keys()
    assert headers == {"X-None": None, "X-Text": "yes", "Cookie": None}


async def test_none_in_a_session_is_left_out(make_client, make_session, transport):
    """Nor is one of the session."""
    session = make_session({"X-None": None, "X-Text": "yes"})
    found = await asked(make_client(http_session=session), transport)
    for request in _shown(found, transport):
        assert request.headers["x-text"] == "yes"
        assert "x-none" not in request.headers


async def test_none_in_the_extra_options_is_left_out(make_client, flavour, transport):
    """Nor is one of websocket_extra_options."""
    name = "headers" if flavour.is_asyncio else "header"
    options = {name: {"X-None": None, "X-Text": "yes"}}
    sio = make_client(websocket_extra_options=options)
    found = await asked(sio, transport, compare=False)
    if transport.name != "polling":
        assert found.websocket.headers["x-text"] == "yes"
        assert "x-none" not in found.websocket.headers


# -- what is no text


@pytest.fixture
def nothing_listens():
    """The URL of a port that tells whether anybody has connected: the last thing that a test may do."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.settimeout(0)
        with pytest.raises(BlockingIOError):
            listener.accept()


@pytest.mark.parametrize(
    ("name", "value"), [("X-Number", 5), ("X-Truth", True), ("X-Bytes", b"a"), ("Cookie", {"a": 1}), ("Host", object())]
)
async def test_what_is_no_text(make_client, transport, recorder, nothing_listens, name, value):
    """It is a TypeError that names the header, before anything is opened."""
    sio = make_client()
    sio.on("connect_error", recorder.handler("connect_error"))
    with pytest.raises(TypeError, match=name) as caught:
        await sio.connect(nothing_listens, headers={name: value}, transports=transport.argument, retry=True)
    assert type(value).__name__ in str(caught.value)
    assert not sio.connected
    assert recorder.calls == []


async def test_what_is_no_text_from_a_function(make_client, transport, nothing_listens):
    """So it is where a function makes the headers."""
    sio = make_client()
    with pytest.raises(TypeError, match="X-Number"):
        await sio.connect(nothing_listens, headers=lambda: {"X-Number": 5}, transports=transport.argument)


async def test_what_is_no_text_in_a_session(make_client, make_session, transport, nothing_listens):
    """So it is in a session."""
    sio = make_client(http_session=make_session({"X-Number": 5}))
    with pytest.raises(TypeError, match="X-Number"):
        await sio.connect(nothing_listens, transports=transport.argument)


async def test_what_is_no_text_in_the_extra_options(make_client, flavour, transport, nothing_listens):
    """So it is in websocket_extra_options, whether there will be a websocket or not."""
    name = "headers" if flavour.is_asyncio else "header"
    sio = make_client(websocket_extra_options={name: {"X-Number": 5}})
    with pytest.raises(TypeError, match="X-Number"):
        await sio.connect(nothing_listens, transports=transport.argument)


@pytest.mark.parametrize(
    ("headers", "named"),
    [
        ({5: "a"}, "5"),
        ({b"X": "a"}, "X"),
        ({None: "a"}, "None"),
        ([("X", "a")], "dict"),
        ("X: a", "dict"),
    ],
)
async def test_names_that_are_none(make_client, transport, nothing_listens, headers, named):
    """A name that is no text, and headers that are no dict, are a TypeError."""
    with pytest.raises(TypeError, match=named):
        await make_client().connect(nothing_listens, headers=headers, transports=transport.argument)


@pytest.mark.parametrize("name", ["", "X Y", "X:", "X\r\nY", "Ü", "X\0"])
async def test_names_that_no_request_can_have(make_client, transport, nothing_listens, name):
    """A name that RFC 9110 does not allow is a ValueError."""
    with pytest.raises(ValueError, match="name"):
        await make_client().connect(nothing_listens, headers={name: SECRET}, transports=transport.argument)


@pytest.mark.parametrize("value", [f"{SECRET}\r\nX-Evil: 1", f"{SECRET}\n", f"{SECRET}\0", f"{SECRET}\ud800"])
async def test_values_that_no_request_can_have(make_client, transport, nothing_listens, value):
    """A line break in a value is a ValueError that names the header, and does not show the value."""
    with pytest.raises(ValueError, match="X-Token") as caught:
        await make_client().connect(nothing_listens, headers={"X-Token": value}, transports=transport.argument)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("value", ["", "  padded ", "é", "日本", "a" * 5000])
async def test_any_text_is_sent(make_client, transport, value):
    """Any other text goes along, the same over both transports."""
    found = await asked(make_client(), transport, headers={"X-Text": value})
    for request in _shown(found, transport):
        sent = request.headers["x-text"].encode("latin-1")
        assert sent in (value.strip().encode("utf-8"), value.strip().encode("latin-1", "replace"))


async def test_names_that_differ_in_case_only(make_client, transport):
    """Of headers that differ in case only the last is sent, once."""
    found = await asked(make_client(), transport, headers={"X-Case": "first", "x-case": "last"})
    for request in _shown(found, transport):
        assert request.headers["x-case"] == "last"


# -- what belongs to the handshake


@pytest.mark.parametrize("name", OF_HANDSHAKE)
async def test_headers_of_the_handshake(make_client, transport, name):
    """Each is left out, with one warning that names it, however it is written."""
    lines = Lines()
    sio = make_client(logger=lines.logger, engineio_logger=lines.logger)
    given = name.lower() if transport.name == "websocket" else name
    value = OF_HANDSHAKE[name]
    found = await asked(sio, transport, headers={given: value, "X-Text": "yes"})
    for request in _shown(found, transport):
        assert request.headers.get(name.lower()) != value
        assert request.headers["x-text"] == "yes"
    assert len(lines.warnings) == 1, lines.warnings
    assert given in lines.warnings[0]


async def test_a_warning_is_given_once(make_client, transport):
    """Reconnections do not repeat it."""
    lines = Lines()
    sio = make_client(logger=lines.logger, engineio_logger=lines.logger)
    for _ in range(2):
        await asked(sio, transport, headers={"Upgrade": "websocket", "Connection": "Upgrade"})
    assert len(lines.warnings) == 1, lines.warnings
    assert "Upgrade" in lines.warnings[0]
    assert "Connection" in lines.warnings[0]


@pytest.mark.parametrize("name", [name for name in OF_HANDSHAKE if not name.startswith(":")])
async def test_headers_of_the_handshake_in_a_session(make_client, make_session, transport, name):
    """A session may have them too."""
    lines = Lines()
    session = make_session({name: OF_HANDSHAKE[name], "X-Text": "yes"})
    sio = make_client(http_session=session, logger=lines.logger, engineio_logger=lines.logger)
    found = await asked(sio, transport)
    for request in _shown(found, transport):
        assert request.headers.get(name.lower()) != OF_HANDSHAKE[name]
        assert request.headers["x-text"] == "yes"
    assert len(lines.warnings) == 1, lines.warnings
    assert name in lines.warnings[0]


@pytest.mark.transports("polling", "websocket")
async def test_a_session_that_closes_each_connection(make_client, make_session, transport):
    """What a session says of its connections otherwise is not touched."""
    lines = Lines()
    session = make_session({"Connection": "close"})
    sio = make_client(http_session=session, engineio_logger=lines.logger)
    found = await asked(sio, transport)
    if transport.name == "polling":
        assert {request.headers["connection"] for request in found.all} == {"close"}
    assert lines.warnings == []
    assert session.headers["Connection"] == "close"


@pytest.mark.parametrize("name", ["Upgrade", "Connection", "Sec-WebSocket-Extensions", "Sec-WebSocket-Key"])
@pytest.mark.transports("websocket", "upgrade")
async def test_headers_of_the_handshake_in_the_extra_options(make_client, flavour, transport, name):
    """So may websocket_extra_options."""
    lines = Lines()
    options = {"headers" if flavour.is_asyncio else "header": {name: OF_HANDSHAKE[name]}}
    sio = make_client(websocket_extra_options=options, engineio_logger=lines.logger)
    found = await asked(sio, transport)
    assert found.websocket.headers.get(name.lower()) != OF_HANDSHAKE[name]
    assert len(lines.warnings) == 1, lines.warnings


async def test_headers_as_they_are_copied_from_a_browser(make_client, transport):
    """All at once, they neither break the handshake nor promise what the client cannot do."""
    found = await asked(make_client(), transport, headers=FROM_A_BROWSER)
    for request in _shown(found, transport):
        assert request.headers["host"] == "app.test"
        assert request.headers["origin"] == "https://app.test"
        assert request.headers["user-agent"] == "Mozilla/5.0"
        assert request.headers["accept-encoding"] == "gzip, deflate"
        assert "sec-websocket-extensions" not in request.headers


@pytest.mark.servers("node", "python")
async def test_headers_of_a_browser_and_a_real_server(make_client, server, transport, key):
    """Real servers take them, and compress as they are asked to."""
    sio = make_client()
    headers = {name: value for name, value in FROM_A_BROWSER.items() if name not in ("Origin", "Host")}
    await sio.connect(server.url, headers=headers, transports=transport.argument)
    assert sio.transport() == transport.final
    assert await sio.call("echo", "x" * 100_000) == "x" * 100_000


async def test_a_host_header(make_client, transport):
    """Host is honoured over both transports: what it names is behind the address."""
    found = await asked(make_client(), transport, headers={"host": "app.test"})
    assert {request.headers["host"] for request in found.all} == {"app.test"}


@pytest.mark.transports("websocket", "upgrade")
async def test_no_origin_but_the_programs(make_client, transport):
    """The websocket brings no Origin that polling has not: a server that allows one origin only would refuse it."""
    found = await asked(make_client(), transport)
    assert "origin" not in found.websocket.headers


@pytest.mark.transports("websocket")
async def test_an_extension_that_was_not_asked_for(make_client, transport):
    """A server that answers with one all the same breaks the protocol: an error of the library's, not aiohttp's."""
    peer = UpgradingPeer()

    async def script(request):
        accept = request.accept_websocket
        request.accept_websocket = lambda *headers: accept("Sec-WebSocket-Extensions: permessage-deflate", *headers)
        request.send = lambda *packets: request.write(b"\xc1\x05\xaaV\xcaH\xcd")
        await peer(request)
        return True

    with pytest.raises(exceptions.ConnectionError):
        await within(CEILING, asked(make_client(), transport, script=script))
