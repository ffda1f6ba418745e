"""How a connection is opened, decided without I/O: transports, the upgrade, and what is done when a step fails."""

from __future__ import annotations

import logging
import re
from collections import deque
from types import SimpleNamespace

import pytest
from engineio.exceptions import ConnectionError

from socketio.engine import opening
from socketio.engine.errors import NoResponseError
from socketio.engine.handshake import Handshake
from socketio.runtime.steps import run

OPEN = '0{"sid":"abc","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}'
OLD = '0{"sid":"abc","upgrades":[],"pingInterval":25000,"pingTimeout":20000}'


class WebSocket:
    """A websocket that receives what it is given; an exception is raised, and silence follows."""

    def __init__(self, *frames):
        self.frames, self.sent, self.ended = deque(frames), [], []

    def send(self, frames):
        self.sent += frames

    def receive_within(self, timeout):
        if not self.frames:
            raise NoResponseError("silent")
        frame = self.frames.popleft()
        if isinstance(frame, BaseException):
            raise frame
        return frame

    def abort(self):
        self.ended.append("abort")

    def release(self):
        self.ended.append("release")


class Opening(opening.BaseOpening):
    """An attempt with transports that are there already."""

    def __init__(self, transports, websocket, upgrades=("websocket",), allows_two=True):
        self.lines, self.asked = [], []
        engine = SimpleNamespace(transports=transports, request_timeout=5, timestamp_requests=False, base_url=None)
        engine.logger = logging.getLogger("tests.opening")
        engine._log = lambda *args: self.lines.append(args)
        engine._log_received = engine._log_sending = lambda packets: None
        super().__init__(engine, "https://a.test?b=c", {}, "socket.io")
        self.websocket = websocket
        handshake = Handshake("abc", upgrades, 25, 20, 1000)
        self.polling = SimpleNamespace(open=lambda: (handshake, ["40"]), allows_two=allows_two)

    def _connect_to_polling(self, url):
        self.asked.append(url)
        return self.polling

    def _connect_to_websocket(self, url, upgrades):
        self.asked.append((url, upgrades))
        if isinstance(self.websocket, Exception):
            raise self.websocket
        return self.websocket

    def run(self):
        return run(self._steps())


BOTH = ["polling", "websocket"]
POLLING_URL = "https://a.test/socket.io/?b=c&transport=polling&EIO=4"
WEBSOCKET_URL = "wss://a.test/socket.io/?b=c&transport=websocket&EIO=4"


def test_websocket_alone():
    """The first frame is the handshake. (M1)"""
    attempt = Opening(["websocket"], WebSocket(OPEN))
    opened = attempt.run()
    assert (opened.transport, opened.handshake.sid, opened.first) == (attempt.websocket, "abc", [])
    assert attempt.asked == [(WEBSOCKET_URL, False)]
    assert attempt.websocket.ended == []


@pytest.mark.parametrize(("frames", "first"), [([], []), (["2"], ["2"]), (["40{}"], ["40{}"]), ([b"40"], [b"40"])])
def test_a_server_that_may_be_an_old_one_is_listened_to_for_a_moment(frames, first):
    """Without maxPayload, what comes unasked is kept, and silence is well. (M2)"""
    assert Opening(["websocket"], WebSocket(OLD, *frames)).run().first == first


@pytest.mark.parametrize(
    ("frames", "text"), [([OLD, "40"], "Engine.IO 3"), (["hello"], "not an Engine.IO server"), ([], "silent")]
)
def test_a_websocket_whose_handshake_fails_is_released(frames, text):
    """The error says what is wrong, and nothing is left open. (N39)"""
    attempt = Opening(["websocket"], WebSocket(*frames))
    with pytest.raises(ConnectionError, match=re.escape(text)):
        attempt.run()
    assert attempt.websocket.ended == ["abort", "release"]


def test_an_upgrade():
    """The server answers the probe, and the client says UPGRADE. (M2)"""
    attempt = Opening(BOTH, WebSocket("3probe"))
    opened = attempt.run()
    assert (opened.transport, opened.first) == (attempt.websocket, ["40"])
    assert attempt.websocket.sent == ["2probe", "5"]
    assert attempt.asked == [POLLING_URL, (f"{WEBSOCKET_URL}&sid=abc", True)]


@pytest.mark.parametrize(
    ("websocket", "warning"),
    [
        (WebSocket("3no"), "answered the probe with '3no'"),
        (WebSocket(), "silent"),
        (ConnectionError("refused"), "refused"),
    ],
)
def test_an_upgrade_that_fails_leaves_polling(websocket, warning, caplog):
    """A warning says why. (M2, N3)"""
    attempt = Opening(BOTH, websocket)
    assert attempt.run().transport is attempt.polling
    assert warning in caplog.text
    assert isinstance(websocket, Exception) or websocket.ended == ["abort", "release"]


@pytest.mark.parametrize(("transports", "upgrades"), [(["polling"], ("websocket",)), (BOTH, ())])
def test_no_upgrade_that_one_side_does_not_want(transports, upgrades):
    """Both the client's transports and the server's upgrades have to name websocket. (M1)"""
    attempt = Opening(transports, WebSocket(), upgrades)
    assert attempt.run().transport is attempt.polling
    assert attempt.asked == [POLLING_URL]


def test_polling_needs_two_connections():
    """A session that allows one at a time can only upgrade. (M5)"""
    with pytest.raises(ConnectionError, match="two connections"):
        Opening(["polling"], WebSocket(), allows_two=False).run()
    assert Opening(BOTH, WebSocket("3probe"), allows_two=False).run().transport.ended == []


@pytest.mark.parametrize(
    ("url", "path", "polling"),
    [
        ("http://a", "socket.io", "http://a/socket.io/?transport=polling&EIO=4"),
        ("https://a:5000", "socket.io", "https://a:5000/socket.io/?transport=polling&EIO=4"),
        ("ws://a", "socket.io", "http://a/socket.io/?transport=polling&EIO=4"),
        ("wss://a", "/socket.io/", "https://a/socket.io/?transport=polling&EIO=4"),
        ("http://a/ignored?b=c&d=e", "x/y", "http://a/x/y/?b=c&d=e&transport=polling&EIO=4"),
        ("http://u:p@[::1]:80", "socket.io", "http://u:p@[::1]:80/socket.io/?transport=polling&EIO=4"),
    ],
)
def test_the_url_of_a_transport(url, path, polling):
    """The URL's path is ignored, its query kept, the path's slashes are stripped, the scheme follows. (M3)"""
    assert opening.engine_url(url, path, "polling") == polling
    websocket = polling.replace("http", "ws", 1).replace("polling", "websocket")
    assert opening.engine_url(url, path, "websocket") == websocket
