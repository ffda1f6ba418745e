"""One stream, cut anywhere: however its bytes, frames, fragments and bodies are split, the events are the same."""

from __future__ import annotations

import asyncio
import base64

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integration.flavours import Flavour
from integration.waiting import CEILING, Recorder, within

from .hostile import BINARY, CONTINUATION, PING, TEXT, Peer, RawServer, frame

PLACES = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}'
PACKETS = [
    '42["a",1]',
    f'452-["b",{PLACES}]',
    b"\x00\x1e\xff",
    b"",
    '42["c","ü€\U0001f600"]',
    "2",
    "nonsense",
    '42["d","' + "x" * 70_000 + '"]',
    f'452-["e",{PLACES}]',
    b"y" * 300,
    b"z" * 70_000,
    '42["end"]',
]
EVENTS = [
    ("a", (1,)),
    ("b", (b"\x00\x1e\xff", b"")),
    ("c", ("ü€\U0001f600",)),
    ("d", ("x" * 70_000,)),
    ("e", (b"y" * 300, b"z" * 70_000)),
    ("end", ()),
]
SIZES = st.lists(st.integers(1, 30) | st.integers(1, 100_000), min_size=1, max_size=20)


def _pieces(data, sizes):
    """Cut something into pieces of these sizes, over and over; small ones only at its beginning and end."""
    pieces, position, turn = [], 0, 0
    while position < len(data):
        size = sizes[turn % len(sizes)] if turn < 60 or len(data) - position < 60 else max(*sizes, 5000)
        pieces.append(data[position : position + size])
        position, turn = position + size, turn + 1
    return pieces


def _frames(sizes):
    """Return the packets as frames, in fragments where they are larger than the next of these sizes."""
    made = []
    for number, packet in enumerate(PACKETS):
        data = packet.encode() if isinstance(packet, str) else packet
        opcode = TEXT if isinstance(packet, str) else BINARY
        parts = _pieces(data, [sizes[number % len(sizes)]])[:50]
        parts = [*parts, data[sum(map(len, parts)) :]]
        for index, part in enumerate(parts):
            last = index == len(parts) - 1
            made.append(frame(CONTINUATION if index else opcode, part, fin=last))
            if index == 1:
                made.append(frame(PING, b"between"))
    return b"".join(made)


async def _events(name, transport, script):
    """Return the events of a client of one flavour."""
    flavour, recorder = Flavour(name), Recorder()
    sio = flavour.client(reconnection=False)
    sio.on("*", lambda event, *args: recorder.record(event, *args))
    peer = Peer(script)
    async with RawServer(peer) as server:
        try:
            await within(CEILING, sio.connect(server.url, transports=transport))
            peer.connected.set()
            await recorder.wait_for("end")
        finally:
            await flavour.close()
    return recorder.calls


# A loop for each example: the fixtures of one test would be shared by all of its examples.
few = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("name", ["threads", "asyncio"])
@few
@given(cuts=SIZES, fragments=SIZES)
def test_over_websocket(name, cuts, fragments):
    """TCP segments end anywhere in frames and in characters, messages come in fragments with pings between them."""

    async def stream(request):
        for piece in _pieces(_frames(fragments), cuts):
            await request.write(piece)
            await asyncio.sleep(0)  # so that it is sent
        await request.until_closed()

    assert asyncio.run(_events(name, "websocket", stream)) == EVENTS


@pytest.mark.parametrize("name", ["threads", "asyncio"])
@few
@given(cuts=SIZES, counts=st.lists(st.integers(1, len(PACKETS)), min_size=1, max_size=8), chunked=st.booleans())
def test_over_polling(name, cuts, counts, chunked):
    """Packets come in any number of bodies, and bodies in pieces that end anywhere."""
    texts = [packet if isinstance(packet, str) else "b" + base64.b64encode(packet).decode() for packet in PACKETS]
    bodies = []
    while texts:
        count = counts[len(bodies) % len(counts)]
        count += texts[count : count + 1] == ["nonsense"]  # a body that begins so ends the connection
        bodies.append("\x1e".join(texts[:count]).encode())
        del texts[:count]

    async def poll(request):
        if not bodies:
            await request.until_closed()
            return
        body = bodies.pop(0)
        head = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body)}"
        await request.write(f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n".encode())
        for piece in _pieces(body, cuts):
            await request.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n" if chunked else piece)
            await asyncio.sleep(0)
        if chunked:
            await request.write(b"0\r\n\r\n")

    assert asyncio.run(_events(name, "polling", poll)) == EVENTS
