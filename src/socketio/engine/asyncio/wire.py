"""Writes and reads the bytes of an open websocket with asyncio.

In: frames to write. Out: all received frames, including control frames. ``ConnectionError`` when the connection has
ended; the transport translates the errors of aiohttp.

:class:`Wire` reads and writes by itself: aiohttp wakes up its reader for each frame, and asyncio allocates 256 KiB for
    each read by a protocol without a buffer. :class:`AiohttpWire` leaves both to aiohttp.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import weakref
from collections import deque
from typing import Any

import aiohttp
from aiohttp import WSMsgType
from engineio.exceptions import ConnectionError

from ...runtime.async_condition import AsyncCondition, wait_for
from ..connection import CLOSING
from ..errors import ClosedError
from ..frames import CLOSE, PING, PONG, ControlFrame, FrameReader, FrameWriter, Outgoing
from . import loop_end

_READ_SIZE = 65536
_WRITE_SIZE = 65536
_TURN = 16
"""Frames of aiohttp after which other tasks run: frames that have arrived are received without waiting."""
_AT_ONCE = 0.001
"""Seconds: a frame of aiohttp that is received in less time had arrived before."""
# One for each event loop: its data is used before the next read.
_buffers: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, memoryview] = weakref.WeakKeyDictionary()


class Wire(asyncio.BufferedProtocol):
    """The connection of a websocket, taken over from aiohttp.

    :param response: the answer to the request for a websocket, with the status 101.
    :param connection: its connection, as ``compat.connection_of()`` returns it.
    :param max_message_size: maximum size of a message, in bytes.
    :ivar is_behind: whether more frames had already arrived when the last ones were taken.
    :ivar heard: when data last arrived, also a part of a frame, in the event loop's time.
    """

    def __init__(self, response: aiohttp.ClientResponse, connection: Any, max_message_size: int) -> None:
        self._response = response
        self._transport: asyncio.Transport
        self._transport, self._predecessor, set_parser = connection
        self._loop = asyncio.get_running_loop()
        self._buffer = _buffers.setdefault(self._loop, memoryview(bytearray(_READ_SIZE)))
        self._reader = FrameReader(max_message_size)
        self._writer = FrameWriter()
        self._received: list[Outgoing] = []
        self._changed = AsyncCondition()
        self._reading_paused = self._writing_paused = self.is_behind = False
        self.heard = self._loop.time()
        self._lost = self._is_closed = False
        self._cause: BaseException | None = None
        set_parser(self, self)  # which passes on data that arrived with the answer
        self._transport.set_protocol(self)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return information of the event loop's transport, such as ``'socket'``."""
        return self._transport.get_extra_info(name, default)

    @property
    def closed(self) -> bool:
        """Whether the connection is closed, or is being closed."""
        return self._lost or self._transport.is_closing()

    async def close(self, *, code: int = 1000, message: bytes = b"") -> bool:
        """Close the connection. To the client, this is a lost connection. Return whether it was open."""
        was_open = not self.closed
        self._is_closed = True
        self.abort()
        return was_open

    # -- called by aiohttp, as a parser

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        self._take(data)
        return False, b""

    def feed_eof(self) -> None:
        pass  # the connection is lost then, too

    def is_eof(self) -> bool:
        return False

    # -- called by the event loop

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Take received data. At most two reads are buffered: then the server has to wait."""
        self.heard = self._loop.time()
        if self._received:
            self._reading_paused = True
            self._transport.pause_reading()
        self._take(bytes(self._buffer[:nbytes]))

    def _take(self, data: bytes) -> None:
        frames = self._reader.feed(data)
        if frames or self._reader.error is not None:
            self._received += frames
            self._changed.notify_all()

    def pause_writing(self) -> None:
        self._writing_paused = True

    def resume_writing(self) -> None:
        self._writing_paused = False
        self._changed.notify_all()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._lost, self._cause = True, exc
        self._changed.notify_all()
        self._predecessor.connection_lost(exc if isinstance(exc, Exception) else None)

    # -- called by the websocket transport

    async def read(self) -> list[Outgoing]:
        """Wait for frames and return all that have arrived."""
        await self._changed.wait_for(lambda: self._received or self._lost or self._reader.error is not None)
        if not self._received:
            if self._reader.error is not None:
                raise self._reader.error
            by = "program" if self._is_closed else "server"
            raise self._cause or ConnectionError(f"the {by} closed the connection")
        received, self._received = self._received, []
        self.is_behind = self._reading_paused
        if self._reading_paused and not self._lost:
            self._reading_paused = False
            self._transport.resume_reading()
        return received

    async def write(self, frames: deque[Outgoing]) -> None:
        """Send the first of these frames, and remove each; wait while the server reads too slowly."""
        self._pass_to_transport(frames)
        if self._writing_paused:
            await self._changed.wait_for(lambda: self._lost or not self._writing_paused)

    def try_write(self, frames: deque[Outgoing]) -> None:
        """Send frames until the server reads too slowly."""
        while frames and not self._writing_paused:
            self._pass_to_transport(frames)

    def _pass_to_transport(self, frames: deque[Outgoing]) -> None:
        if self._lost or self._transport.is_closing():
            raise ConnectionError("the websocket is closed")
        data, count = self._writer.encode(frames, _WRITE_SIZE)
        self._transport.write(data)
        for _ in range(count):
            frames.popleft()

    def abort(self) -> None:
        self._transport.abort()

    def transports(self) -> list[Any]:
        return [self._transport]

    def detach(self) -> None:
        loop_end.close_response(self._response)

    async def release(self) -> None:
        self._response.close()
        if not await self._changed.wait_for(lambda: self._lost, CLOSING):
            self.abort()
            await self._changed.wait_for(lambda: self._lost, CLOSING)


class AiohttpWire:
    """The connection of a websocket that aiohttp reads and writes.

    :ivar ws: the websocket; opened without ``autoping``.
    """

    heard = 0.0  # unknown before a message is complete
    is_behind = False

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws
        self._count = 0

    async def read(self) -> list[Outgoing]:
        """Wait for a frame and return it."""
        self._count += 1
        if self._count % _TURN == 0:
            await asyncio.sleep(0)
        loop = asyncio.get_running_loop()
        asked = loop.time()
        message = await self.ws.receive()
        self.is_behind = loop.time() - asked < _AT_ONCE
        if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
            return [message.data]
        if message.type in (WSMsgType.PING, WSMsgType.PONG):
            return [ControlFrame(PING if message.type is WSMsgType.PING else PONG, bytes(message.data))]
        if message.type is WSMsgType.CLOSE:
            raise ClosedError(message.data or None, str(message.extra or ""))
        raise message.data if message.type is WSMsgType.ERROR else ConnectionError("the server closed the connection")

    async def write(self, frames: deque[Outgoing]) -> None:
        """Send the first of these frames. If cancelled while waiting, the frame was passed on."""
        frame = frames.popleft()
        if isinstance(frame, str):
            await self.ws.send_str(frame)
        elif isinstance(frame, bytes):
            await self.ws.send_bytes(frame)
        elif frame.opcode == CLOSE:
            await self.ws.close()
        elif frame.opcode == PING:
            await self.ws.ping(frame.payload)
        else:
            await self.ws.pong(frame.payload)

    def try_write(self, frames: deque[Outgoing]) -> None:
        pass  # sending takes a coroutine

    def abort(self) -> None:
        with contextlib.suppress(OSError, AttributeError):
            self.ws.get_extra_info("socket").shutdown(socket.SHUT_RDWR)

    def transports(self) -> list[Any]:
        return []  # it is one of those of the session

    def detach(self) -> None:
        loop_end.begin(self.ws.close())

    async def release(self) -> None:
        with contextlib.suppress(asyncio.TimeoutError):
            await wait_for(self.ws.close(), CLOSING)
