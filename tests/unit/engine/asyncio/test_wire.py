"""What carries the frames of a websocket for asyncio, over a pair of sockets instead of a server."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections import deque
from types import SimpleNamespace

import pytest
from engineio.exceptions import ConnectionError

from socketio.engine import compat
from socketio.engine.asyncio import wire as async_wire
from socketio.engine.asyncio.wire import Wire
from socketio.engine.frames import CLOSE, NORMAL_CLOSURE, PONG, ControlFrame

CEILING = 10.0


def frame(payload, opcode=1):
    """Return a frame as a server sends it."""
    size = len(payload)
    header = bytes([0x80 | opcode, size]) if size < 126 else bytes([0x80 | opcode, 126]) + size.to_bytes(2, "big")
    return header + payload


class Predecessor(asyncio.Protocol):
    """What aiohttp's protocol does that matters here: it hands over what came before, once."""

    def __init__(self, tail=b""):
        self.tail, self.lost = tail, []

    def set_parser(self, parser, payload):
        if self.tail:
            assert parser.feed_data(self.tail) == (False, b"")
        assert not payload.is_eof()
        self.parser = parser

    def connection_lost(self, exc):
        self.lost.append(exc)
        self.parser.feed_eof()


class Peer:
    """The server's end, and the wire at the client's."""

    async def open(self, tail=b"", max_size=100_000):
        ours, self.socket = socket.socketpair()
        for each in (ours, self.socket):
            each.setblocking(False)
            each.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        loop = asyncio.get_running_loop()
        self.transport, self.predecessor = await loop.create_connection(lambda: Predecessor(tail), sock=ours)
        connection = SimpleNamespace(transport=self.transport, protocol=self.predecessor)
        response = SimpleNamespace(connection=connection, close=self.transport.close)
        self.wire = Wire(response, compat.connection_of(response), max_size)
        return self.wire

    async def send(self, data):
        await asyncio.get_running_loop().sock_sendall(self.socket, data)

    async def receive(self, size):
        data = b""
        while len(data) < size:
            data += await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self.socket, size - len(data)), CEILING)
        return data


@pytest.fixture
async def peer():
    peer = Peer()
    yield peer
    peer.socket.close()
    await asyncio.wait_for(peer.wire.release(), CEILING)


async def read(wire):
    return await asyncio.wait_for(wire.read(), CEILING)


async def test_frames_are_read_as_they_came(peer):
    """read() gives all that has come, texts, bytes and control frames. (M8, N5)"""
    wire = await peer.open()
    await peer.send(frame(b"one") + frame(b"\x00", 2) + frame(b"x", PONG) + frame("zwö".encode()))
    assert await read(wire) == ["one", b"\x00", ControlFrame(PONG, b"x"), "zwö"]


async def test_what_came_before_the_takeover_is_read_first(peer):
    """A frame that came along with the answer, and the beginning of another, are not lost. (E1)"""
    whole = frame(b"second")
    wire = await peer.open(tail=frame(b"first") + whole[:3])
    assert await read(wire) == ["first"]
    await peer.send(whole[3:])
    assert await read(wire) == ["second"]


async def test_wires_of_one_loop_share_a_buffer_and_nothing_else(peer):
    """What comes over one connection is not seen by another, though both are read into the same memory. (N16)"""
    other = Peer()
    wire, second = await peer.open(), await other.open()
    assert wire._buffer is second._buffer
    for number in range(50):
        await peer.send(frame(b"a%d" % number))
        await other.send(frame(b"b%d" % number))
        assert await read(wire) == [f"a{number}"]
        assert await read(second) == [f"b{number}"]
    other.socket.close()
    await second.release()


def test_each_loop_has_a_buffer_of_its_own():
    """Loops of different threads never read into the same memory, and it ends with its loop. (N16, N39)"""
    buffers = []

    async def main():
        peer = Peer()
        await peer.open()
        buffers.append(peer.wire._buffer)
        peer.socket.close()
        await peer.wire.release()

    for _ in range(2):
        asyncio.run(main())
    assert buffers[0] is not buffers[1]
    gc.collect()
    assert not {id(buffer) for buffer in buffers} & {id(buffer) for buffer in async_wire._buffers.values()}


async def test_a_server_that_sends_more_than_is_read_has_to_wait(peer):
    """Without read() no more than a few reads are kept; what waits meanwhile comes later, whole and in order. (N12)"""
    wire = await peer.open()
    texts = [str(number) * 500 for number in range(10, 3000)]
    sending = asyncio.ensure_future(peer.send(b"".join(frame(text.encode()) for text in texts)))
    done, _ = await asyncio.wait([sending], timeout=0.2)
    assert not done
    assert sum(map(len, wire._received)) < 4 * 65536
    received = []
    while len(received) < len(texts):
        received += await read(wire)
    assert received == texts
    await asyncio.wait_for(sending, CEILING)


async def test_frames_are_written_in_their_order(peer):
    """write() and try_write() remove what they have handed over. (N5, N10)"""
    wire = await peer.open()
    frames = deque(["one", b"two", ControlFrame(PONG, b"x")])
    await wire.write(frames)
    assert not frames
    wire.try_write(deque([ControlFrame(CLOSE, NORMAL_CLOSURE)]))
    data = await peer.receive(9 + 9 + 7 + 8)
    assert [data[0], data[9], data[18], data[25]] == [0x81, 0x82, 0x8A, 0x88]


async def test_writing_waits_for_a_server_that_reads_slowly(peer):
    """write() returns when the server has read, try_write() stops at once and leaves the rest. (N12)"""
    wire = await peer.open()
    while not wire._writing_paused:
        await asyncio.wait([writing := asyncio.ensure_future(wire.write(deque([bytes(60_000)])))], timeout=0.05)
    assert not writing.done()
    rest = deque(["rest"])
    wire.try_write(rest)
    assert rest == deque(["rest"])
    while not writing.done():
        await peer.receive(10_000)
        await asyncio.sleep(0)
    wire.try_write(rest)
    assert not rest


async def test_the_end_of_the_connection_ends_the_waiting(peer):
    """Who reads gets what has come and then an error, who writes an error; aiohttp's protocol is told once. (M17)"""
    wire = await peer.open()
    await peer.send(frame(b"last"))
    peer.socket.close()
    assert await read(wire) == ["last"]
    with pytest.raises(ConnectionError):
        await read(wire)
    with pytest.raises(ConnectionError):
        await wire.write(deque(["late"]))
    with pytest.raises(ConnectionError):
        wire.try_write(deque(["late"]))
    await wire.release()
    assert peer.predecessor.lost == [None]


async def test_a_writer_that_waits_sees_the_end(peer):
    """abort() wakes up whoever waits for a server that does not read. (N26)"""
    wire = await peer.open()
    while not wire._writing_paused:
        await asyncio.wait([writing := asyncio.ensure_future(wire.write(deque([bytes(60_000)])))], timeout=0.05)
    wire.abort()
    await asyncio.wait([writing], timeout=CEILING)
    assert writing.done()
    with pytest.raises(ConnectionError):
        await wire.write(deque(["late"]))


@pytest.mark.parametrize("tail", [False, True])
async def test_nonsense_is_told_after_what_came_before_it(peer, tail):
    """A frame that cannot be ends the reading with a ValueError, when all before it was read. (N33)"""
    data = frame(b"good") + b"\xff\xff"
    wire = await peer.open(tail=data if tail else b"")
    if not tail:
        await peer.send(data)
    assert await read(wire) == ["good"]
    with pytest.raises(ValueError, match="masked"):
        await read(wire)


async def test_a_message_above_the_limit_is_refused(peer):
    """The limit is that of the client. (N12)"""
    wire = await peer.open(max_size=10)
    await peer.send(frame(bytes(11), 2))
    with pytest.raises(ValueError, match="more than the 10"):
        await read(wire)
