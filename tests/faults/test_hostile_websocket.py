"""WebSocket frames that break RFC 6455: the connection ends with one line in the log, and comes back."""

from __future__ import annotations

import struct

import pytest

from .hostile import BINARY, CLOSE, CONTINUATION, PING, TEXT, Peer, RawServer, frame
from .watching import Lines

FRAMES = {
    "a reserved bit": frame(TEXT, b'42["x"]', reserved=1),
    "compressed, unasked": frame(TEXT, b'42["x"]', reserved=4),
    "an unknown opcode": frame(0x3, b"x"),
    "an unknown control frame": frame(0xB, b"x"),
    "a ping in fragments": frame(PING, b"x", fin=False),
    "a ping that is too large": frame(PING, bytes(126)),
    "a close that is too large": frame(CLOSE, struct.pack("!H", 1000) + bytes(200)),
    "a continuation of nothing": frame(CONTINUATION, b'42["x"]'),
    "a message inside of another": frame(TEXT, b"42", fin=False) + frame(TEXT, b'42["x"]'),
    "text that is no UTF-8": frame(TEXT, b'42["x\xff"]'),
    "a surrogate": frame(TEXT, b'42["x\xed\xa0\x80"]'),
    "UTF-8 cut at the end": frame(TEXT, b'42["x"]\xe2\x82'),
    "a close with half a code": frame(CLOSE, b"\x03"),
    "HTTP": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "zeros": bytes(1000),
    "ones": b"\xff" * 1000,
    "half a frame, then the end": frame(BINARY, b"x" * 10, announced=1000),
    "half a message, then the end": frame(TEXT, b'42["x"', fin=False),
}


@pytest.mark.parametrize("kind", FRAMES)
async def test_a_frame_that_breaks_the_protocol(make_client, recorder, kind):
    """No handler is called for it, the loss is told once, and the client connects again."""
    lines = Lines()
    sio = make_client(reconnection_delay=0.02, logger=lines.logger, engineio_logger=lines.logger)
    for event in ("disconnect", "works"):
        sio.on(event, recorder.handler(event))
    sio.on("*", recorder.handler("other"))
    broken = []

    async def stream(request):
        if not broken:
            broken.append(kind)
            await request.write(FRAMES[kind])
            if "the end" not in kind:
                await request.until_closed()
            return
        await request.send('42["works"]')
        await request.until_closed()

    peer = Peer(stream)
    async with RawServer(peer) as server:
        await sio.connect(server.url, transports="websocket")
        peer.connected.set()
        await recorder.wait_for("works")
        assert recorder.names == ["disconnect", "works"]
        assert recorder.of("disconnect") == [("transport error",)]
        assert len(lines.warnings) == 1, lines.warnings
        await sio.disconnect()


ANSWERS = {
    "another key": (b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAA\r\n", "websocket"),
    "no key": (b"Upgrade: websocket\r\nConnection: Upgrade\r\n", "websocket"),
    "no upgrade": (b"Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n", "websocket"),
    "another upgrade": (b"Upgrade: h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n", "websocket"),
}


@pytest.mark.parametrize("kind", ANSWERS)
async def test_an_answer_that_only_looks_like_one(make_client, kind):
    """A 101 that is no answer to this request is a ConnectionError."""
    from socketio import exceptions

    async def answer(request):
        await request.write(b"HTTP/1.1 101 Switching Protocols\r\n" + ANSWERS[kind][0] + b"\r\n")
        await request.until_closed()

    sio = make_client(request_timeout=1)
    async with RawServer(answer) as server:
        with pytest.raises(exceptions.ConnectionError) as caught:
            await sio.connect(f"{server.url}?token=s3cr3t", transports="websocket")
        assert "s3cr3t" not in f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__cause__.__cause__}"


async def test_frames_right_behind_the_answer(make_client, recorder):
    """What comes in one piece with the answer to the handshake is not lost."""
    sio = make_client()
    sio.on("early", recorder.handler("early"))

    class Hasty(Peer):
        async def __call__(self, request):
            pieces = []
            write = request.write

            async def keep(data):
                pieces.append(data)

            request.write = keep
            await request.accept_websocket()
            await request.send('0{"sid":"s","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000}')
            await request.send('40{"sid":"x"}', '42["early"]')
            request.write = write
            await request.write(b"".join(pieces[:2]))
            await request.receive()
            await request.write(b"".join(pieces[2:]))
            await request.until_closed()

    async with RawServer(Hasty(None)) as server:
        await sio.connect(server.url, transports="websocket")
        await recorder.wait_for("early")
        await sio.disconnect()
