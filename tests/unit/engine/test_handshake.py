"""What a server says first, checked before it is believed."""

from __future__ import annotations

import contextlib
import json

import pytest
from engineio.exceptions import ConnectionError
from hypothesis import given
from hypothesis import strategies as st

from socketio.engine import handshake

FIELDS = {"sid": "abc", "upgrades": ["websocket"], "pingInterval": 25000, "pingTimeout": 20000, "maxPayload": 1000000}


def opened(**changes):
    """Return an OPEN packet; a field that is changed to ... is left out."""
    fields = {**FIELDS, **changes}
    return "0" + json.dumps({name: value for name, value in fields.items() if value is not ...})


# -- the OPEN packet


def test_the_fields_are_read():
    """An OPEN packet gives sid, upgrades, the intervals in seconds and maxPayload in bytes. (M1, N8)"""
    shaken = handshake.read_open_frame(opened())
    assert shaken == handshake.Handshake("abc", ("websocket",), 25.0, 20.0, 1000000)
    assert shaken.heartbeat_timeout == 45.0


def test_unknown_fields_and_missing_options_do_no_harm():
    """upgrades and maxPayload may be missing, and there may be more than is known. (M2, N8)"""
    shaken = handshake.read_open_frame(opened(upgrades=..., maxPayload=..., more={"a": 1}))
    assert (shaken.upgrades, shaken.max_payload) == ((), None)


def test_a_handshake_cannot_be_changed():
    """A handshake is frozen. (M1)"""
    with pytest.raises(AttributeError):
        handshake.read_open_frame(opened()).sid = "other"


@pytest.mark.parametrize("value", [..., None, "", 5, [], {}, True])
def test_a_sid_that_is_none_ends_the_connection(value):
    """Without a text as sid there is no session: a ConnectionError that says so. (C6)"""
    with pytest.raises(ConnectionError, match="no valid sid"):
        handshake.read_open_frame(opened(sid=value))


@pytest.mark.parametrize("name", ["pingInterval", "pingTimeout"])
@pytest.mark.parametrize(
    "value", [..., None, "25000", -1, True, [], {}, 1e300, 10**400, float("inf"), float("nan"), 86_400_001]
)
def test_an_absurd_interval_ends_the_connection(name, value):
    """An interval that is missing, no number, negative or over a day is a ConnectionError that names it. (C6, M7)"""
    with pytest.raises(ConnectionError, match=f"no valid {name}"):
        handshake.read_open_frame(opened(**{name: value}))


def test_intervals_may_be_fractions():
    """Intervals are milliseconds, whole or not. (M7)"""
    shaken = handshake.read_open_frame(opened(pingInterval=0.5, pingTimeout=86_400_000))
    assert (shaken.ping_interval, shaken.ping_timeout) == (0.0005, 86400.0)


@pytest.mark.parametrize("value", [None, "websocket", {}, 5, False])
def test_upgrades_that_are_no_list_end_the_connection(value):
    """upgrades is a list. (C6, M2)"""
    with pytest.raises(ConnectionError, match="no valid upgrades"):
        handshake.read_open_frame(opened(upgrades=value))


def test_upgrades_that_are_no_names_are_ignored():
    """Only texts are names of transports. (M2)"""
    shaken = handshake.read_open_frame(opened(upgrades=[5, None, "webtransport", ["websocket"], "websocket"]))
    assert shaken.upgrades == ("webtransport", "websocket")


@pytest.mark.parametrize("value", [..., None, 0, -5, "1000", 1000.0, True, []])
def test_a_max_payload_that_is_none_is_no_limit(value):
    """maxPayload counts where it is a positive integer. (N8)"""
    assert handshake.read_open_frame(opened(maxPayload=value)).max_payload is None


def test_a_long_absurd_value_is_cut_in_the_message():
    """A message has no more of a field than an excerpt. (C6)"""
    with pytest.raises(ConnectionError) as caught:
        handshake.read_open_frame(opened(sid=["x" * 100_000]))
    assert len(str(caught.value)) < 400


NO_OPEN = [
    "",
    "0",
    "0[]",
    "0null",
    "0{",
    "1",
    "40",
    "4{}",
    b"0{}",
    b"",
    "0" + "[" * 100_000,
    "\ud800",
    "0" + "9" * 5000,
]


@pytest.mark.parametrize("frame", NO_OPEN, ids=range(len(NO_OPEN)))
def test_a_frame_that_is_no_open_packet_ends_the_connection(frame):
    """Anything but an OPEN packet first is a ConnectionError that shows what came. (C6)"""
    with pytest.raises(ConnectionError, match=r"not an Engine\.IO server: it sent"):
        handshake.read_open_frame(frame)


@given(
    frame=st.text()
    | st.binary()
    | st.text().map("0{}".format)
    | st.dictionaries(
        st.sampled_from(list(FIELDS)), st.none() | st.floats() | st.integers() | st.text() | st.lists(st.text())
    ).map(lambda fields: "0" + json.dumps({**FIELDS, **fields}))
)
def test_whatever_comes_is_a_handshake_or_a_connection_error(frame):
    """No frame raises anything but ConnectionError, and what is believed is sane. (C6, N33)"""
    with contextlib.suppress(ConnectionError):
        shaken = handshake.read_open_frame(frame)
        assert shaken.sid
        assert 0 < shaken.heartbeat_timeout <= 2 * 86400


# -- over polling


def test_the_first_body_may_carry_more_packets():
    """What follows the OPEN packet in the first body is handed over. (M1)"""
    shaken, packets = handshake.read_open_body(opened().encode() + b'\x1e40{"sid":"x"}\x1ebAAE=')
    assert (shaken.sid, packets) == ("abc", ['40{"sid":"x"}', b"\x00\x01"])


@pytest.mark.parametrize(
    ("body", "content_type", "shown"),
    [
        (b"<!DOCTYPE html><html>", "text/html; charset=utf-8", "text/html '<!DOCTYPE html><html>'"),
        (b"", "", "nothing"),
        (b"", "text/html", "nothing"),
        (b"\xff\xfe", "image/png", "image/png"),
        (b"4hello", "", "'4hello'"),
        (b"b!!!", "", "'b!!!'"),
        (b'{"a":1}', "application/json", "application/json '{\"a\":1}'"),
    ],
)
def test_a_body_of_somebody_else_ends_the_connection(body, content_type, shown):
    """A page or whatever else another server answers is a ConnectionError that shows its type and beginning. (C6)"""
    with pytest.raises(ConnectionError, match=r"not an Engine\.IO server") as caught:
        handshake.read_open_body(body, content_type)
    assert shown in str(caught.value)


@pytest.mark.parametrize(
    "body", [b'97:0{"sid":"abc","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":5000}2:40']
)
def test_a_server_of_the_older_protocol_is_called_so(body):
    """A body of Engine.IO 3 gives an error that says which versions there are, and which is needed. (C6)"""
    with pytest.raises(ConnectionError, match=r"Engine.IO 3 .*needs Engine.IO 4"):
        handshake.read_open_body(body)


def test_the_greeting_of_the_older_protocol_is_known():
    """Socket.IO 2 sends a CONNECT unasked right after OPEN; other frames are none. (C6)"""
    assert "Engine.IO 3" in str(handshake.version_3_error())


# -- transports


@pytest.mark.parametrize(
    ("option", "chosen"),
    [
        (None, ["polling", "websocket"]),
        ("polling", ["polling"]),
        ("websocket", ["websocket"]),
        (["websocket", "polling"], ["websocket", "polling"]),
        (("polling",), ["polling"]),
        (["webtransport", "websocket", 5, None], ["websocket"]),
    ],
)
def test_transports_are_those_that_exist(option, chosen):
    """A name or a list, in its order; unknown names are left out; both by default. (M1)"""
    assert handshake.choose_transports(option) == chosen


@pytest.mark.parametrize("option", [[], "", "webtransport", ["flash", "jsonp"], [None]])
def test_no_transport_left_is_a_value_error(option):
    """Where no name is valid, a ValueError says which are. (M1)"""
    with pytest.raises(ValueError, match="polling, websocket"):
        handshake.choose_transports(option)


# -- messages


def test_an_http_error_says_its_status_and_keeps_the_body():
    """The error for an HTTP answer begins with the status; its second argument is the decoded JSON body. (M13)"""
    error = handshake.status_error(403, b'{"message":"no"}', {"Content-Type": "application/json"})
    assert str(error.args[0]).startswith("Unexpected status code 403 in server response")
    assert error.args[1] == {"message": "no"}


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff", b"[" * 100_000])
def test_an_http_error_without_json_has_no_data(body):
    """Where the body is no JSON, or nests too deeply, the second argument is None. (M13)"""
    error = handshake.status_error(502, body, {"Content-Type": "text/html"})
    assert str(error.args[0]).startswith("Unexpected status code 502 in server response")
    assert error.args[1] is None
    assert len(str(error.args[0])) < 400


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        (b"abc", "", "'abc'"),
        (b"abc", "text/plain;x=y", "text/plain 'abc'"),
        (b"a\nb", "", r"'a\nb'"),
        (b"x" * 200, "", "'" + "x" * 200 + "'"),
        (b"x" * 201, "", "'" + "x" * 200 + "...'"),
        (b"x" * 10**6, "", "'" + "x" * 200 + "...'"),
        ("€".encode() * 1000, "", "'" + "€" * 200 + "...'"),
        (b"", "text/html", "nothing"),
    ],
)
def test_a_description_is_short_and_in_one_line(body, content_type, text):
    """describe() shows the content type and the first 200 characters. (M13)"""
    assert handshake.describe(body, content_type) == text


def chained(error, cause=None, context=None):
    error.__cause__, error.__context__ = cause, context
    return error


class WithReason(Exception):
    def __init__(self, reason):
        super().__init__("outer")
        self.reason = reason


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OSError("refused"), "OSError: refused"),
        (OSError(), "OSError"),
        (ValueError(OSError("inner")), "OSError: inner"),
        (chained(ValueError("outer"), cause=OSError("cause")), "OSError: cause"),
        (chained(ValueError("outer"), context=OSError("context")), "OSError: context"),
        (chained(ValueError("outer"), OSError("cause"), OSError("context")), "OSError: cause"),
        (WithReason(OSError("reason")), "OSError: reason"),
        (WithReason("a text"), "WithReason: outer"),
        (ValueError("a", chained(OSError("b"), cause=KeyError("c"))), "KeyError: 'c'"),
    ],
)
def test_the_cause_is_the_innermost_reason(error, text):
    """cause_text() goes from reason to argument to cause to context, as far as there is one. (M13)"""
    assert handshake.cause_text(error) == text


def test_causes_that_go_round_in_circles_end():
    """Errors that are each other's cause have an end. (M13)"""
    one, other = OSError("one"), OSError("other")
    one.__cause__, other.__cause__ = other, one
    assert handshake.cause_text(one) in {"OSError: one", "OSError: other"}
    alone = WithReason(None)
    alone.reason = alone
    assert handshake.cause_text(alone) == "WithReason: outer"


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://host:5000/path?token=secret", "http://host:5000"),
        ("wss://user:secret@host/path", "wss://host"),
        ("http://[::1]:80/", "http://[::1]:80"),
    ],
)
def test_messages_name_the_place_without_secrets(url, origin):
    """origin_of() leaves out credentials, path and query. (M13)"""
    assert handshake.origin_of(url) == origin


# -- headers


@pytest.mark.parametrize(
    ("header", "pairs"),
    [
        ("", []),
        ("a=1", [("a", "1")]),
        ("a=1; b=2;c = 3 ", [("a", "1"), ("b", "2"), ("c", "3")]),
        ("a=b=c; d", [("a", "b=c"), ("d", "")]),
        (" ; ;a=1;", [("a", "1")]),
    ],
)
def test_a_cookie_header_is_names_and_values(header, pairs):
    """cookie_pairs() reads a Cookie header as servers do. (M4, N28)"""
    assert handshake.cookie_pairs(header) == pairs


def test_a_header_is_taken_out_whatever_its_case():
    """pop_header() returns the value and leaves the others; None where there is none. (M4)"""
    headers = {"X-One": "1", "COOKIE": "a=1"}
    assert handshake.pop_header(headers, "cookie") == "a=1"
    assert handshake.pop_header(headers, "cookie") is None
    assert headers == {"X-One": "1"}
