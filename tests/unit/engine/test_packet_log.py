"""How packets look in the log: in one line, shortened, and without secrets. (issue 10, D2)"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socketio.engine import packet_log
from socketio.engine.frames import CLOSE, PING, PONG, ControlFrame

BOTH = pytest.mark.parametrize("shown", [packet_log.sent, packet_log.received])


@BOTH
@pytest.mark.parametrize(
    ("packet", "line"),
    [
        ("2", "PING"),
        ("2probe", "PING probe"),
        ("3", "PONG"),
        ("1", "CLOSE"),
        ("5", "UPGRADE"),
        ("6", "NOOP"),
        ('42["chat",{"a":1}]', 'MESSAGE 2["chat",{"a":1}]'),
        ('42/news,7["é"]', 'MESSAGE 2/news,7["é"]'),
        ('4512-["x",{"_placeholder":true,"num":0}]', 'MESSAGE 512-["x",{"_placeholder":true,"num":0}]'),
        ("41/chat,", "MESSAGE 1/chat,"),
        ("43/chat,12[]", "MESSAGE 3/chat,12[]"),
        ('44{"message":"no"}', 'MESSAGE 4{"message":"no"}'),
        ("40", "MESSAGE 0"),
        ("40/chat,", "MESSAGE 0/chat,"),
        ("40{}", "MESSAGE 0{}"),
        (b"12345", "MESSAGE <binary, 5 bytes>"),
        (ControlFrame(PING), "WebSocket PING"),
        (ControlFrame(PONG, b"x"), "WebSocket PONG"),
        (ControlFrame(CLOSE), "WebSocket CLOSE"),
        (ControlFrame(CLOSE, b"\x03\xf1too large"), "WebSocket CLOSE 1009"),
        ("", "unknown packet"),
        ("9x", "unknown packet x"),
    ],
)
def test_a_packet(shown, packet, line):
    """Each packet has its kind; texts are shown, bytes are counted."""
    assert shown(packet, True) == line


@BOTH
@pytest.mark.parametrize(
    "content",
    [
        '0{"token":"S3CRET"}',
        '0/chat,{"anything":"S3CRET"}',
        '0/chat?key=S3CRET,{"a":"S3CRET"}',
        "0/chat?key=S3CRET",
        '0"S3CRET"',
        '0["S3CRET","S3CRET"]',
        '0/chat,{"sid":"abc","pid":"S3CRET"}',
        '2["x",{"token":"S3CRET"}]',
        '2["x",{"accessToken" : "S3CRET", "b": 1}]',
        '2["x",{"user":{"Password":"S3CRET\\"S3CRET"}}]',
        '2["x",{"auth":{"deep":["S3CRET"]},"b":["S3CRET"]}]',
        '2["x",{"Authorization":"Bearer S3CRET"}]',
        '2["x","Bearer S3CRET"]',
        '2["x","{\\"token\\":\\"S3CRET\\"}"]',
        '2["x","eyJhbGciOiJIUzI1NiJ9.eyJS3CRET.S3CRET"]',
        '2["x",{"Set-Cookie":"a=S3CRET"}]',
        '2["x",{"api_key":"S3CRET","apikey":"S3CRET","API-Key":"S3CRET"}]',
        '2["x",{"access_token":12345678}]'.replace("12345678", '"S3CRET"'),
        '2["login","ada","S3CRET"]',
        '2/chat,3["authenticate","S3CRET"]',
        '51-["signIn","S3CRET",{"_placeholder":true,"num":0}]',
        '31[{"ok":true,"token":"S3CRET"}]',
        '2["x",{"a":"' + "y" * 150 + '","token":"S3CRET"}]',
        '2["x",{"token":"S3CRET' + "S3CRET" * 1000,
    ],
)
def test_secrets_are_hidden(shown, content):
    """Authentication, the queries of namespaces, and what is named like a secret are not shown."""
    assert "S3CRET" not in shown(f"4{content}", True)


def test_a_sid_that_authenticates_is_hidden():
    """The sid that a server gives is shown, but not one that a client authenticates with."""
    connect = '40{"sid":"abc"}'
    assert packet_log.received(connect, True) == 'MESSAGE 0{"sid":"abc"}'
    assert packet_log.received('40/a,{"sid":"abc","pid":"x"}', True) == 'MESSAGE 0/a,{"sid":"abc", ***}'
    assert packet_log.sent(connect, True) == "MESSAGE 0***"


def test_what_only_looks_like_a_secret_is_shown():
    """An author is no authentication."""
    packet = '42["author",{"author":"Ada","n":1}]'
    assert packet_log.sent(packet, True) == f"MESSAGE {packet[1:]}"


@BOTH
def test_other_formats_are_counted(shown):
    """Texts of other packet classes may have secrets anywhere: their size is shown."""
    assert shown('4{"type":0,"data":"S3CRET"}', False) == "MESSAGE <26 characters>"


@BOTH
def test_long_packets_are_shortened(shown):
    """Of a long packet the beginning and the size are shown."""
    line = shown("42" + '["x","' + "z" * 1_000_000 + '"]', True)
    assert len(line) < 250
    assert line.endswith("... (1000009 characters)")


@BOTH
@given(packet=st.text() | st.text().map("4{}".format) | st.binary(), is_text=st.booleans())
def test_any_packet_is_one_short_line(shown, packet, is_text):
    """Whatever a server sends is one short line of printable characters."""
    line = shown(packet, is_text)
    assert line.isprintable()
    assert len(line) < 10 * 250
