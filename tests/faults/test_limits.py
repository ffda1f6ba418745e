"""Limits: what a server announces or sends beyond max_message_size ends the connection, not the program."""

from __future__ import annotations

import asyncio
import base64
import gzip
import logging
import zlib

import pytest

from integration.waiting import CEILING, within
from socketio import exceptions

from .hostile import BINARY, CONTINUATION, TEXT, RawServer, frame, hostile
from .watching import MEGABYTE, Lines, at_most, in_time

LIMIT = MEGABYTE
BLOCK = bytes(65536)


@pytest.fixture
def lines():
    return Lines(logging.WARNING)  # each of a hundred thousand packets is a line at INFO


@pytest.fixture
def make_limited(make_client, lines, recorder):
    """Return a function that makes a client with a limit of one megabyte, whose ends are recorded."""

    def make(**options):
        options = {"reconnection": False, "max_message_size": LIMIT, **options}
        sio = make_client(logger=lines.logger, engineio_logger=lines.logger, **options)
        sio.on("disconnect", recorder.handler("disconnect"))
        sio.on("*", lambda event, *args: recorder.record(event, *(len(arg) for arg in args)))
        return sio

    return make


async def _ends(sio, lines, recorder):
    """The connection is lost, and one line says so."""
    assert await recorder.wait_for("disconnect") == [("transport error",)]
    assert not sio.connected
    assert len(lines.warnings) == 1, lines.warnings


async def _flood(request, data):
    """Send the same without end."""
    while True:
        await request.write(data)


@pytest.mark.parametrize("size", [LIMIT + 1, 10**9, 2**62, 2**64 - 1])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
async def test_a_frame_that_announces_too_much(make_limited, lines, recorder, size, opcode):
    """A websocket frame above the limit ends the connection by its header; none of it is stored."""

    async def announce(request):
        await request.write(frame(opcode, b"", announced=size))
        await request.until_closed()

    sio = make_limited()
    async with hostile(sio, "websocket", announce):
        await _ends(sio, lines, recorder)


async def test_a_frame_that_keeps_what_it_announces(make_limited, lines, recorder):
    """A frame of a gigabyte takes no memory, however much of it is sent."""

    async def announce(request):
        await request.write(frame(BINARY, b"", announced=10**9))
        await _flood(request, BLOCK)

    sio = make_limited()
    with at_most(megabytes=10):
        async with hostile(sio, "websocket", announce):
            await _ends(sio, lines, recorder)


async def test_fragments_without_end(make_limited, lines, recorder):
    """The fragments of a message count together."""

    async def fragments(request):
        await request.write(frame(TEXT, b'42["x","', fin=False))
        await _flood(request, frame(CONTINUATION, BLOCK, fin=False))

    sio = make_limited()
    with at_most(megabytes=10):
        async with hostile(sio, "websocket", fragments):
            await _ends(sio, lines, recorder)


async def test_many_small_fragments(make_limited, recorder):
    """A message of a hundred thousand fragments takes time that grows with its size, not with the square of it."""

    async def fragments(request):
        await request.write(frame(TEXT, b'42["x","', fin=False))
        for _ in range(100):
            await request.write(frame(CONTINUATION, b"12345678", fin=False) * 1000)
        await request.write(frame(CONTINUATION, b'"]'))
        await request.until_closed()

    sio = make_limited()
    async with hostile(sio, "websocket", fragments):
        assert await within(CEILING, recorder.wait_for("x")) == [(800_000,)]


def _chunk(data):
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def _bomb(compressor, megabytes):
    """Return so many megabytes of zeros without their end: a second one is what every other one is."""
    first, second = (compressor.compress(bytes(MEGABYTE)) + compressor.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    return first + second * (megabytes - 1)


BOMB = _bomb(zlib.compressobj(9, wbits=31), 300)
TWICE = gzip.compress(BOMB)
BODIES = {
    "announced": [b"Content-Length: 1000000000\r\n\r\n"],
    "chunked": [b"Transfer-Encoding: chunked\r\n\r\n"],
    "until the end": [b"Connection: close\r\n\r\n"],
    "gzip": [b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB), BOMB],
    "deflate": [b"Content-Encoding: deflate\r\nConnection: close\r\n\r\n", _bomb(zlib.compressobj(9), 300)],
    "gzip twice": [b"Content-Encoding: gzip, gzip\r\nContent-Length: %d\r\n\r\n" % len(TWICE), TWICE],
}


@pytest.mark.parametrize("kind", BODIES)
async def test_a_body_without_end(make_limited, lines, recorder, kind):
    """A polling body above the limit, as it comes or once it is unpacked, ends the connection."""
    head, *rest = BODIES[kind]

    async def answer(request):
        await request.write(b"HTTP/1.1 200 OK\r\n" + head)
        for part in rest:
            await request.write(part)
        if not rest:
            await _flood(request, _chunk(BLOCK) if kind == "chunked" else BLOCK)
        await request.until_closed()

    sio = make_limited()
    with at_most(megabytes=40):
        async with hostile(sio, "polling", answer):
            await _ends(sio, lines, recorder)


async def test_a_dripping_body(make_limited, lines, recorder):
    """A body that comes byte by byte is no sign of life: the answer has to be there in time."""

    async def drip(request):
        await request.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while True:
            await request.write(b"4")
            await asyncio.sleep(0.01)

    sio = make_limited()
    async with hostile(sio, "polling", drip, pingInterval=300, pingTimeout=200):
        with in_time(3):
            await _ends(sio, lines, recorder)


@pytest.mark.flavours("asyncio")
@pytest.mark.parametrize("kind", ["one frame", "fragments"])
async def test_a_compressed_bomb_over_websocket(make_limited, lines, recorder, kind):
    """With permessage-deflate the limit holds for what a message is when it is unpacked."""
    bomb = _bomb(zlib.compressobj(9, wbits=-15), 300)
    middle = len(bomb) // 2

    async def answer(request):
        if kind == "one frame":
            await request.write(frame(TEXT, bomb, reserved=4))
        else:
            await request.write(frame(TEXT, bomb[:middle], reserved=4, fin=False))
            await request.write(frame(CONTINUATION, bomb[middle:]))
        await request.until_closed()

    extension = "Sec-WebSocket-Extensions: permessage-deflate"
    sio = make_limited(websocket_extra_options={"compress": 15})
    with at_most(megabytes=40):
        async with hostile(sio, "websocket", answer, extension):
            await _ends(sio, lines, recorder)


@pytest.mark.transports("websocket", "polling")
@pytest.mark.parametrize("binary", [False, True])
async def test_the_limit_is_exact(make_limited, lines, recorder, transport, binary):
    """A message of max_message_size bytes is delivered, one of a byte more ends the connection."""

    def messages(size):
        if binary:
            return ['451-["x",{"_placeholder":true,"num":0}]', bytes(size)]
        return ['42["x","' + "x" * (size - 10) + '"]']

    sizes = iter([LIMIT, LIMIT + 1])

    async def poll(request):
        await request.answer("\x1e".join(map(_encoded, messages(next(sizes)))))

    async def stream(request):
        for size in sizes:
            await request.send(*messages(size))
        await request.until_closed()

    sio = make_limited()
    async with hostile(sio, transport.name, poll if transport.name == "polling" else stream):
        await recorder.wait_for("disconnect")
        assert recorder.of("x") == [(LIMIT if binary else LIMIT - 10,)]
        assert len(lines.warnings) == 1, lines.warnings
        assert "essage" in lines.warnings[0]


def _encoded(packet):
    return packet if isinstance(packet, str) else "b" + base64.b64encode(packet).decode()


@pytest.mark.transports("websocket", "polling")
async def test_attachments_without_end(make_limited, lines, recorder, transport):
    """The attachments of one event count together: an event above the limit is dropped, not collected."""
    count = 200
    places = ",".join(f'{{"_placeholder":true,"num":{number}}}' for number in range(count))
    packets = [f'45{count}-["x",{places}]', *[bytes(300_000)] * count, '42["works"]']
    waiting = iter(packets)

    async def poll(request):
        packet = next(waiting, None)
        await (request.until_closed() if packet is None else request.answer(_encoded(packet)))

    async def stream(request):
        await request.send(*packets)
        await request.until_closed()

    sio = make_limited()
    with at_most(megabytes=40):
        async with hostile(sio, transport.name, poll if transport.name == "polling" else stream):
            await recorder.wait_until(lambda: {"works", "disconnect"} & set(recorder.names))
            assert recorder.of("x") == []


@pytest.mark.parametrize("packet", ["", "x", "4x", "42[]", '42["x"]'])
async def test_a_payload_of_very_many_packets(make_limited, recorder, lines, packet):
    """A payload of a hundred thousand packets takes a second or two, and few lines in the log, whatever they are."""
    answers = ["\x1e".join([packet] * 100_000), '42["works"]']

    async def answer(request):
        if answers:
            await request.answer(answers.pop(0))
        else:
            await request.until_closed()

    sio = make_limited()
    sio.on("x", lambda: None)
    async with hostile(sio, "polling", answer):
        with in_time(10):
            await recorder.wait_until(lambda: {"works", "disconnect"} & set(recorder.names))
        assert len(lines.warnings) < 100


# -- answers to the handshake


ENDLESS = {
    "head": (b"HTTP/1.1 200 OK\r\nX: ", b"x" * 1000),
    "lines": (b"HTTP/1.1 200 OK\r\n", b"X: 1\r\n" * 100),
    "body": (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n", BLOCK),
    "refusal": (b"HTTP/1.1 403 No\r\nContent-Length: 1000000000\r\n\r\n", BLOCK),
    "chunked refusal": (b"HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n", _chunk(BLOCK)),
    "redirect": (b"HTTP/1.1 302 No\r\nLocation: /x\r\nContent-Length: 1000000000\r\n\r\n", BLOCK),
}


@pytest.mark.transports("websocket", "polling")
@pytest.mark.parametrize("kind", ENDLESS)
async def test_an_answer_to_the_handshake_without_end(make_limited, transport, kind):
    """However much comes in place of a handshake, connect() raises in time and keeps little of it."""
    first, more = ENDLESS[kind]

    async def answer(request):
        await request.write(first)
        await _flood(request, more)

    sio = make_limited(request_timeout=2)
    async with RawServer(answer) as server:
        with in_time(5), at_most(megabytes=20), pytest.raises(exceptions.ConnectionError):
            await within(CEILING, sio.connect(server.url, transports=transport.argument))


@pytest.mark.transports("websocket", "polling")
@pytest.mark.parametrize("kind", ENDLESS)
async def test_a_dripping_answer_to_the_handshake(make_limited, transport, kind):
    """An answer that comes byte by byte does not hold up connect() for longer than request_timeout."""
    first, more = ENDLESS[kind]

    async def answer(request):
        await request.write(first)
        while True:
            for byte in more[:50]:
                await request.write(bytes([byte]))
                await asyncio.sleep(0.01)

    sio = make_limited(request_timeout=0.5)
    async with RawServer(answer) as server:
        with in_time(3), pytest.raises(exceptions.ConnectionError):
            await within(CEILING, sio.connect(server.url, transports=transport.argument))


@pytest.mark.parametrize("size", [0, -1, 1.5, "1", None, True])
async def test_the_option_is_checked(make_client, size):
    """A limit that is no number of bytes is a ValueError."""
    with pytest.raises(ValueError, match="max_message_size"):
        make_client(max_message_size=size)
