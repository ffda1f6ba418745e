"""The websocket transport for asyncio: one connection, read by one task, written by another.

In: frames to send. Out: frames as they came. Every failure is ``engineio.exceptions.ConnectionError``.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import deque
from typing import Any, ClassVar

import aiohttp
from aiohttp import WSMsgType
from engineio.exceptions import ConnectionError

from ..async_condition import AsyncEvent, wait_for
from ..packet import Frame
from .frames import PING, PONG, ControlFrame, FrameWriter, Outgoing
from .handshake import SilenceError, cause_text

CLOSING = 1.0
"""Seconds for the server to answer our close frame."""
_WRITE_SIZE = 65536
_GRACE = 0.1
"""Seconds to read what came while the event loop was busy, before the server is taken for silent."""


class AsyncWebSocketTransport:
    """An open websocket."""

    name = "websocket"
    max_payload: ClassVar[int | None] = None  # which is about bodies of HTTP
    goodbye: ClassVar[list[Outgoing]] = []  # the websocket's own close frame says it

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws
        self._loop = asyncio.get_running_loop()
        self._silence = 0.0
        self._last = 0.0
        self._silent = False
        self._watch: asyncio.TimerHandle | None = None
        self._pong: AsyncEvent | None = None
        self._wire = _wire_of(ws)
        self._writer = FrameWriter()

    def set_silence(self, seconds: float) -> None:
        """From now on the server must send something within each span of so many seconds."""
        self._silence = seconds
        self._last = self._loop.time()
        self._watch = self._loop.call_later(seconds, self._check)

    def _check(self) -> None:
        """See whether something came in time. A timer for each frame would cost more than to receive it."""
        rest = self._last + self._silence - self._loop.time()
        if rest > 0:
            self._watch = self._loop.call_later(rest, self._check)
        else:
            self._watch = self._loop.call_later(_GRACE, self._judge, self._last)

    def _judge(self, last: float) -> None:
        if self._last == last:
            self._silent = True
            self.abort()
        else:
            self._check()

    async def receive(self) -> list[Outgoing]:
        """Wait for frames and return them, with what is to be sent in answer to control frames."""
        try:
            message = await self.ws.receive()
        except (OSError, ValueError, RuntimeError, aiohttp.ClientError) as exc:
            raise _lost(exc) from exc
        kind = message.type
        if kind is WSMsgType.TEXT or kind is WSMsgType.BINARY:
            self._last = self._loop.time()
            return [message.data]
        if self._silent:
            raise SilenceError(f"the server is silent: nothing came for {self._silence:g} s")
        self._last = self._loop.time()
        if kind is WSMsgType.PING:
            return [ControlFrame(PONG, bytes(message.data))]
        if kind is WSMsgType.PONG:
            if self._pong is not None:
                self._pong.set()
            return []
        if kind is WSMsgType.ERROR:
            raise _lost(message.data)
        raise ConnectionError("the server closed the websocket")

    async def receive_within(self, timeout: float) -> Frame:
        """Return the next frame; raise ``SilenceError`` when it takes longer than ``timeout`` seconds."""
        try:
            return await wait_for(self._next_frame(), timeout)
        except asyncio.TimeoutError as exc:
            raise SilenceError(f"the server is silent: nothing came for {timeout:g} s") from exc

    async def _next_frame(self) -> Frame:
        while True:
            for frame in await self.receive():
                if not isinstance(frame, ControlFrame):
                    return frame
                await self.send(deque([frame]))

    async def send(self, frames: deque[Outgoing]) -> None:
        """Send frames, in order; each is removed when it is sent."""
        try:
            while frames:
                # What is cancelled while it waits has been handed over.
                if self._wire is not None:
                    await self._send_many(self._wire, frames)
                else:
                    await self._send_one(frames.popleft())
        except (OSError, ValueError, RuntimeError, aiohttp.ClientError) as exc:
            raise _lost(exc) from exc

    async def _send_many(self, wire: Any, frames: deque[Outgoing]) -> None:
        """Send the first of these frames in one write: aiohttp makes a system call for each."""
        if self.ws.closed or wire.transport.is_closing():
            raise ConnectionError("the websocket is closed")
        data, count = self._writer.encode(frames, _WRITE_SIZE)
        wire.transport.write(data)
        for _ in range(count):
            frames.popleft()
        if wire.protocol._paused:
            await wire.protocol._drain_helper()

    async def _send_one(self, frame: Outgoing) -> None:
        if isinstance(frame, str):
            await self.ws.send_str(frame)
        elif isinstance(frame, bytes):
            await self.ws.send_bytes(frame)
        elif frame.opcode == PING:
            await self.ws.ping(frame.payload)
        else:
            await self.ws.pong(frame.payload)

    def probe(self) -> list[Outgoing]:
        """Return what the server answers when it has read all that was sent before: a ping."""
        self._pong = AsyncEvent()
        return [ControlFrame(PING)]

    async def confirm(self, timeout: float) -> None:
        """Wait for the answer to the probe."""
        if self._pong is not None:
            await self._pong.wait(timeout)

    async def close(self) -> None:
        """Say goodbye and wait until the server has answered, a second at the most."""
        await self.ws.close()

    def abort(self) -> None:
        """Cut the connection; whoever reads, writes or waits for the answer to the probe sees it at once."""
        if self._pong is not None:
            self._pong.set()
        connection = self.ws.get_extra_info("socket")
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    async def release(self) -> None:
        """Close what is open. The last call, when nobody reads or writes any more."""
        if self._watch is not None:
            self._watch.cancel()
        with contextlib.suppress(asyncio.TimeoutError):
            await wait_for(self.ws.close(), CLOSING)


def _wire_of(ws: aiohttp.ClientWebSocketResponse) -> Any:
    """Return what aiohttp writes to, its ``transport`` and its ``protocol``, which wait for each other.

    These are no documented names: ``None`` where they are missing, and where what is sent must be compressed first.
    """
    writer = getattr(ws, "_writer", None)
    known = hasattr(writer, "transport") and hasattr(getattr(writer, "protocol", None), "_drain_helper")
    return writer if known and not ws.compress else None


def _lost(exc: BaseException) -> ConnectionError:
    return ConnectionError(f"the websocket connection was lost: {cause_text(exc)}")
