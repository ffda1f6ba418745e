"""The body of a polling request: many packets as one text, and back."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from socketio.engine import payload

packets = st.lists(
    st.text(st.characters(exclude_characters="\x1e", exclude_categories=["Cs"])).map("4{}".format) | st.binary()
)


def bodies(frames, max_payload=None):
    """Return all bodies that these packets take."""
    rest, made = list(frames), []
    while rest:
        body, count = payload.next_body(rest, max_payload)
        made.append(body)
        assert count > 0
        del rest[:count]
    return made


@pytest.mark.parametrize(
    ("packet", "encoded"),
    [("4hello", b"4hello"), ("2", b"2"), ("4ü€", "4ü€".encode()), (b"", b"b"), (b"\x00\x1e\xff", b"bAB7/")],
)
def test_a_packet_is_text_or_base64(packet, encoded):
    """A text is itself, as UTF-8; bytes are a b and base64. (M1)"""
    assert payload.encode(packet) == encoded
    assert payload.decode(encoded) == [packet]


def test_packets_are_parted_by_the_record_separator():
    """A body is the packets in their order, with the record separator in between. (N6)"""
    assert bodies(["4a", b"b", "2"]) == [b"4a\x1ebYg==\x1e2"]
    assert payload.decode(b"4a\x1ebYg==\x1e2") == ["4a", b"b", "2"]


@given(frames=packets, max_payload=st.none() | st.integers(1, 200))
def test_all_packets_arrive_in_their_order(frames, max_payload):
    """Whatever is divided, and however, comes back complete and in order. (N5, N6, N8)"""
    made = bodies(frames, max_payload)
    assert [packet for body in made for packet in payload.decode(body)] == frames
    for body in made:
        count = body.count(b"\x1e") + 1
        assert count <= 16
        assert max_payload is None or len(body) <= max_payload or count == 1


def test_a_body_has_at_most_16_packets():
    """More packets than 16 take more bodies: python-engineio's servers refuse larger ones. (N6)"""
    made = bodies([f"4{number}" for number in range(40)])
    assert [len(payload.decode(body)) for body in made] == [16, 16, 8]


def test_a_body_has_at_most_max_payload_bytes():
    """Bodies are filled up to maxPayload, separators counted, bytes as base64. (N8)"""
    assert bodies(["4aaaa"] * 4, 17) == [b"4aaaa\x1e4aaaa\x1e4aaaa", b"4aaaa"]
    assert bodies(["4aaaa"] * 4, 16) == [b"4aaaa\x1e4aaaa"] * 2
    assert bodies([b"aaa", "4"], 7) == [b"bYWFh\x1e4"]
    assert bodies([b"aaa", "4"], 6) == [b"bYWFh", b"4"]
    assert bodies(["4ü", "4ü"], 7) == [b"4\xc3\xbc\x1e4\xc3\xbc"]
    assert bodies(["4ü", "4ü"], 6) == [b"4\xc3\xbc"] * 2


def test_a_packet_that_is_too_large_goes_alone():
    """A packet beyond maxPayload is not dropped, and takes nobody along. (N8)"""
    assert bodies(["4a", "4" + "b" * 50, "4c"], 10) == [b"4a", b"4" + b"b" * 50, b"4c"]


def test_nothing_makes_an_empty_body():
    """Without packets there is nothing to send. (N8)"""
    assert payload.next_body([], None) == (b"", 0)


@pytest.mark.parametrize("body", [b"\xff", b"4a\x1e\xc3", b"b!!!", b"bYW", b"b\xc3\xbc", b"4a\x1ebY", b"bYg==Yg=="])
def test_what_is_no_body_is_refused(body):
    """A body that is no UTF-8, or has binary packets that are no base64, is a ValueError. (N33)"""
    with pytest.raises(ValueError):
        payload.decode(body)


@given(body=st.binary() | st.text().map(str.encode))
@example(body=b"")
@example(body=b"\x1e\x1e")
def test_whatever_comes_is_packets_or_a_value_error(body):
    """decode() raises ValueError for what is no body, and nothing else ever. (N33)"""
    with contextlib.suppress(ValueError):
        assert all(isinstance(packet, (str, bytes)) for packet in payload.decode(body))


@pytest.mark.parametrize("body", [b"\x1e" * 1_000_000, b"b" * 1_000_000, b"b=\x1e" * 300_000, b"4" * 1_000_000])
def test_a_hostile_megabyte_is_read_quickly(body):
    """A megabyte of separators or of bad base64 costs a fraction of a second. (N33)"""
    began = time.thread_time()
    with contextlib.suppress(ValueError):
        payload.decode(body)
    assert time.thread_time() - began < 3.0
