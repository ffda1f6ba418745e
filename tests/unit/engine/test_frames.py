"""WebSocket frames in bulk: bytes become messages and messages bytes, whatever comes and wherever it is cut."""

from __future__ import annotations

import os
import struct
import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from websocket import ABNF

from socketio.engine.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, ControlFrame, FrameReader, FrameWriter

FIN = 0x80
SIZES = [0, 1, 125, 126, 127, 65535, 65536]
MEGABYTE = 1 << 20


def wire(opcode, payload=b"", fin=1, rsv1=0):
    """Return a frame as a server sends it, made by websocket-client."""
    return ABNF(fin, rsv1, 0, 0, opcode, 0, payload).format()


def wire_of(received):
    """Return the bytes of what a reader shall give back."""
    if isinstance(received, ControlFrame):
        return wire(received.opcode, received.payload)
    return wire(TEXT, received.encode()) if isinstance(received, str) else wire(BINARY, received)


def read(*chunks, max_size=MEGABYTE):
    """Return what a reader gives for these chunks, and its error."""
    reader = FrameReader(max_size)
    return [frame for chunk in chunks for frame in reader.feed(chunk)], reader.error


def cut(data, positions):
    """Return ``data`` cut at these positions."""
    bounds = [0, *sorted(position % (len(data) + 1) for position in positions), len(data)]
    return [data[start:stop] for start, stop in pairwise(bounds)]


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
controls = st.builds(ControlFrame, st.sampled_from([CLOSE, PING, PONG]), st.binary(max_size=125))
anything = texts | st.binary(max_size=200) | controls


# -- reading


@pytest.mark.parametrize("size", SIZES)
def test_messages_of_every_size_are_read(size):
    """Texts and bytes come back with each of the three forms of a length. (N12, M8)"""
    expected = ["x" * size, b"\xff" * size]
    assert read(wire(TEXT, b"x" * size) + wire(BINARY, b"\xff" * size)) == (expected, None)


@pytest.mark.parametrize("size", SIZES)
def test_a_frame_may_come_byte_by_byte(size):
    """The first bytes and the last may come one at a time; nothing is given before all are there. (N12)"""
    data = wire(BINARY, b"x" * size)
    *chunks, last = filter(None, cut(data, [*range(min(20, len(data))), len(data) - 1]))
    reader = FrameReader(MEGABYTE)
    assert [frame for chunk in chunks for frame in reader.feed(chunk)] == []
    assert reader.feed(last) == [b"x" * size]


@pytest.mark.parametrize("opcode", [CLOSE, PING, PONG])
@pytest.mark.parametrize("size", [0, 1, 125])
def test_control_frames_are_read(opcode, size):
    """CLOSE, PING and PONG come with their payload. (M7)"""
    assert read(wire(opcode, b"x" * size)) == ([ControlFrame(opcode, b"x" * size)], None)


@given(frames=st.lists(anything, max_size=8), positions=st.lists(st.integers(0, 5000), max_size=8))
def test_where_the_bytes_are_cut_makes_no_difference(frames, positions):
    """The same frames come out of the same bytes, in order, cut anywhere. (N12, N13)"""
    data = b"".join(map(wire_of, frames))
    assert read(*cut(data, positions)) == (frames, None)


@given(
    message=texts | st.binary(max_size=200),
    bounds=st.lists(st.integers(0, 1000), max_size=6),
    between=st.lists(controls, max_size=3),
    positions=st.lists(st.integers(0, 5000), max_size=8),
)
@example(message="", bounds=[0, 0], between=[], positions=[])
@example(message="ü", bounds=[1], between=[ControlFrame(PING, b"")], positions=[])
def test_fragments_are_put_together(message, bounds, between, positions):
    """A message in fragments is one, with control frames between them, and characters cut in two. (N12)"""
    payload = message.encode() if isinstance(message, str) else message
    parts = cut(payload, bounds)
    opcodes = [TEXT if isinstance(message, str) else BINARY, *[CONTINUATION] * (len(parts) - 1)]
    data = b""
    for index, (opcode, part) in enumerate(zip(opcodes, parts, strict=True)):
        if index == 1:
            data += b"".join(map(wire_of, between))
        data += wire(opcode, part, fin=int(index == len(parts) - 1))
    expected = [*(between if len(parts) > 1 else []), message, "next"]
    assert read(*cut(data + wire(TEXT, b"next"), positions)) == (expected, None)


NONSENSE = {
    "masked": bytes((FIN | TEXT, 0x80 | 1)) + b"keysx",
    "masked and long": bytes((FIN | TEXT, 0x80 | 126)) + b"keys",
    "reserved bit": bytes((FIN | 0x40 | TEXT, 0)),
    "compressed": wire(TEXT, b"x", rsv1=1),
    "unknown opcode": bytes((FIN | 0x3, 0)),
    "unknown control opcode": bytes((FIN | 0xB, 0)),
    "fragmented control": bytes((PING, 0)),
    "large control": bytes((FIN | PING, 126, 0, 126)) + b"x" * 126,
    "continuation of nothing": bytes((FIN | CONTINUATION, 0)),
    "first fragment of nothing": bytes((CONTINUATION, 0)),
    "text in a message": bytes((BINARY, 0, FIN | TEXT, 0)),
    "bytes in a message": bytes((TEXT, 0, FIN | BINARY, 0)),
    "no UTF-8": wire(TEXT, b"\xff"),
    "no UTF-8 in fragments": bytes((TEXT, 1, 0xC3, FIN | CONTINUATION, 0)),
    "a surrogate": wire(TEXT, b"\xed\xa0\x80"),
    "too large": bytes((FIN | TEXT, 127)) + struct.pack("!Q", MEGABYTE + 1),
    "sign bit": bytes((FIN | TEXT, 127)) + struct.pack("!Q", 1 << 63),
}


@pytest.mark.parametrize("nonsense", NONSENSE.values(), ids=NONSENSE)
@pytest.mark.parametrize("whole", [True, False])
def test_nonsense_ends_the_reading_after_what_came_before(nonsense, whole):
    """What came before is delivered, the error is kept, and nothing is raised. (N33)"""
    before = wire(TEXT, b"before") + wire(PING, b"1")
    received, error = read(before + nonsense) if whole else read(before, *cut(nonsense, range(len(nonsense))))
    assert received[:2] == ["before", ControlFrame(PING, b"1")]
    assert isinstance(error, ValueError)
    assert str(error)


@given(data=st.binary(max_size=300), positions=st.lists(st.integers(0, 300), max_size=5))
@example(data=b"\x81\x00" * 50 + b"\xff", positions=[1, 3])
def test_any_bytes_give_the_same_wherever_they_are_cut(data, positions):
    """Whatever comes, nothing is raised; the frames before the first nonsense are the same for every cut. (N33)"""
    whole, error = read(data)
    reader, received = FrameReader(MEGABYTE), []
    for chunk in cut(data, positions):
        received += reader.feed(chunk)
        if reader.error is not None:
            break
    assert received == whole
    assert (reader.error is None) == (error is None)


@pytest.mark.parametrize(
    "chunks",
    [
        [wire(TEXT, b"x" * 101)],
        [wire(BINARY, b"x" * 101)],
        [wire(TEXT, b"x" * 60, fin=0), wire(CONTINUATION, b"x" * 41)],
        [wire(BINARY, b"x" * 60, fin=0), wire(CONTINUATION, b"x" * 41, fin=0)],
        [wire(BINARY, b"", fin=0), *[wire(CONTINUATION, b"x", fin=0)] * 101],
    ],
)
def test_a_message_that_is_too_large_is_refused(chunks):
    """A message of more than max_size bytes is an error, whole or in fragments. (N12)"""
    received, error = read(*chunks, max_size=100)
    assert received == []
    assert "100" in str(error)


def test_a_message_of_just_that_size_is_read():
    """max_size itself is allowed, whole and in fragments, again and again. (N12)"""
    fragments = wire(BINARY, b"x" * 60, fin=0) + wire(CONTINUATION, b"x" * 40)
    data = (wire(TEXT, b"x" * 100) + fragments) * 3
    assert read(data, max_size=100) == (["x" * 100, b"x" * 100] * 3, None)


def test_a_large_header_costs_nothing():
    """The header of a gigabyte is refused at once; where it is allowed, no more is kept than came. (N12, N33)"""
    header = bytes((FIN | BINARY, 127)) + struct.pack("!Q", 1 << 30)
    tracemalloc.start()
    try:
        received, error = read(header)
        assert (received, type(error)) == ([], ValueError)
        reader = FrameReader(1 << 31)
        assert reader.feed(header) == []
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()
    assert reader.error is None


def test_a_large_frame_that_drips_in_is_kept_once():
    """Of a frame in many chunks no more is kept than came; it is joined when it is complete, and not before. (N12)"""
    size, step = 8 * MEGABYTE, 4096
    header = bytes((FIN | BINARY, 127)) + struct.pack("!Q", size)
    reader = FrameReader(size)
    tracemalloc.start()
    try:
        reader.feed(wire(TEXT, b"before") + header)
        for _ in range(size // step - 1):
            assert reader.feed(os.urandom(step)) == []
        assert tracemalloc.get_traced_memory()[1] < 1.2 * size
        (received,) = reader.feed(os.urandom(step))
        assert tracemalloc.get_traced_memory()[1] < 3.5 * size
        assert len(received) == size
        del received
        assert tracemalloc.get_traced_memory()[0] < 100_000  # nothing of it is kept
    finally:
        tracemalloc.stop()


# -- writing


def unmasked(data):
    """Return ``(fin, opcode, key, payload)`` of each frame in what a client sent, as RFC 6455 has it."""
    frames = []
    while data:
        assert data[1] & 0x80, "a client's frame is masked"
        size, start = data[1] & 0x7F, 2
        if size > 125:
            start = 4 if size == 126 else 10
            size = int.from_bytes(data[2:start], "big")
            assert size > (125 if start == 4 else 65535), "the length has its shortest form"
        key, payload = data[start : start + 4], data[start + 4 : start + 4 + size]
        frames.append((data[0] >> 7, data[0] & 0x7F, key, ABNF.mask(key, payload)))
        data = data[start + 4 + size :]
    return frames


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_what_is_written_is_what_websocket_client_writes(size, opcode):
    """A message is masked as the library masks it with the same key. (M8)"""
    payload = b"x" * size
    data, count = FrameWriter().encode([payload.decode() if opcode == TEXT else payload], 1)
    ((fin, got, key, plain),) = unmasked(data)
    assert (fin, got, plain, count) == (1, opcode, payload, 1)
    abnf = ABNF.create_frame(payload, opcode)
    abnf.get_mask_key = lambda size: key
    assert data == abnf.format()


@given(frames=st.lists(anything, max_size=10))
def test_what_is_written_comes_back(frames):
    """Frames keep their order, opcode and payload. (N5, N7)"""
    data, count = FrameWriter().encode(frames, MEGABYTE)
    assert count == len(frames)
    received = unmasked(data)
    assert all(fin == 1 for fin, _, _, _ in received)
    assert b"".join(wire(opcode, payload) for _, opcode, _, payload in received) == b"".join(map(wire_of, frames))


def test_text_is_sent_as_utf_8_and_its_size_is_that_of_the_bytes():
    """The length counts bytes, not characters. (M8)"""
    data, _ = FrameWriter().encode(["ü" * 100], 1)
    assert unmasked(data)[0][3] == "ü".encode() * 100


@given(sizes=st.lists(st.integers(0, 50), min_size=1, max_size=20), enough=st.integers(1, 200))
def test_no_more_is_encoded_than_is_enough(sizes, enough):
    """encode() ends with the frame that makes it enough; the others are left for the next call. (N12)"""
    frames = [b"x" * size for size in sizes]
    data, count = FrameWriter().encode(frames, enough)
    assert [len(payload) for _, _, _, payload in unmasked(data)] == sizes[:count]
    assert count == len(frames) or sum(sizes[:count]) >= enough
    assert sum(sizes[: count - 1]) < enough


def test_no_key_is_used_twice():
    """Each frame has a key of its own, drawn anew, also beyond those drawn at a time. (RFC 6455, 5.3)"""
    writer, keys = FrameWriter(), set()
    for _ in range(10):
        keys |= {key for _, _, key, _ in unmasked(writer.encode([b"x"] * 100, MEGABYTE)[0])}
    keys |= {unmasked(FrameWriter().encode(["x"], 1)[0])[0][2]}
    assert len(keys) > 990  # two of a thousand may be the same by chance
    assert all(len(key) == 4 for key in keys)


def test_nothing_to_write_is_nothing():
    """encode() of no frames gives no bytes. (N5)"""
    assert FrameWriter().encode([], 1) == (b"", 0)
