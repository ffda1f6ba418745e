"""The websocket transport for asyncio: one task reads, another writes, and a timer detects heartbeat timeouts.

In: frames to send. Out: frames as they came. Every failure is ``engineio.exceptions.ConnectionError``.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import Any

import aiohttp
from engineio.exceptions import ConnectionError

from ...packet import Frame
from ...runtime.async_condition import AsyncEvent, wait_for
from ...runtime.async_time_limit import TimeLimit
from ..connection import CLOSING
from ..errors import ClosedError, InvalidDataError, NoResponseError
from ..frames import PING, ControlFrame, Outgoing
from ..websocket import BaseWebSocketTransport, invalid, lost
from .wire import AiohttpWire, Wire

_BUSY = 1.0
"""Seconds until the next check of the heartbeat while received packets are still being handled."""


class AsyncWebSocketTransport(BaseWebSocketTransport):
    """An open websocket."""

    def __init__(self, wire: Wire | AiohttpWire) -> None:
        super().__init__()
        self._wire = wire
        self._loop = asyncio.get_running_loop()
        self._heartbeat_timeout = 0.0
        self._last = 0.0
        self._reads = False
        self._has_timed_out = False
        self._watch: TimeLimit | None = None
        self._over = AsyncEvent()

    @property
    def is_behind(self) -> bool:
        """Whether more frames had already arrived when the last ones were taken."""
        return self._wire.is_behind

    def set_heartbeat_timeout(self, seconds: float) -> None:
        """Start to check that the server sends something at least every ``seconds`` seconds."""
        self._heartbeat_timeout = seconds
        self._last = self._loop.time()
        self._watch = TimeLimit(seconds, self._check)

    def _check(self) -> None:
        """Detect a heartbeat timeout. A timer for each frame would cost more than to receive it."""
        rest = max(self._last, self._wire.heard) + self._heartbeat_timeout - self._loop.time()
        if rest > 0 or not self._reads:
            self._watch = TimeLimit(max(rest, min(self._heartbeat_timeout, _BUSY)), self._check)
        else:
            self._has_timed_out = True
            self.abort()

    async def receive(self) -> list[Outgoing]:
        """Wait for frames and return them, with the answers to control frames."""
        if first := self._take_first():
            return first
        self._last = self._loop.time()
        self._reads = True
        try:
            received = await self._wire.read()
        except (OSError, ValueError, RuntimeError, aiohttp.ClientError, aiohttp.WebSocketError, ConnectionError) as exc:
            self._over.set()
            if self._has_timed_out:
                raise NoResponseError(f"the server is silent: nothing for {self._heartbeat_timeout:g} s") from exc
            if isinstance(exc, (ClosedError, InvalidDataError)):
                raise
            if isinstance(exc, (ValueError, aiohttp.WebSocketError)):
                raise invalid(exc) from exc
            raise lost(exc) from exc
        finally:
            self._reads = False
        self._last = self._loop.time()
        frames = self._without_control_frames(received)
        if self._closed is not None:
            self._over.set()
        return frames

    def _answer_close(self) -> None:
        self.try_send(deque(self.close_packets))

    async def receive_within(self, timeout: float) -> Frame:
        """Return the next frame; raise ``NoResponseError`` when it takes longer than ``timeout`` seconds."""
        try:
            return await wait_for(self._next_frame(), timeout)
        except asyncio.TimeoutError as exc:
            raise NoResponseError(f"the server is silent: nothing for {timeout:g} s") from exc

    async def _next_frame(self) -> Frame:
        while True:
            received = await self.receive()
            if (message := self._next_message(received)) is not None:
                return message
            await self.send(deque(received))

    async def send(self, frames: deque[Outgoing]) -> None:
        """Send frames, in order; each is removed when it is sent."""
        try:
            while frames:
                await self._wire.write(frames)
        except (OSError, ValueError, RuntimeError, aiohttp.ClientError) as exc:
            raise lost(exc) from exc

    def try_send(self, frames: deque[Outgoing]) -> None:
        """Send as many frames as possible without waiting."""
        with contextlib.suppress(ConnectionError):  # the writing task gets it too, and handles it
            self._wire.try_write(frames)

    def probe(self) -> list[Outgoing]:
        """Return a ping: the server answers it after it has read everything sent before."""
        self._pong = AsyncEvent()
        return [ControlFrame(PING)]

    async def confirm(self, timeout: float) -> None:
        """Wait for the answer to the probe."""
        if self._pong is not None:
            await self._pong.wait(timeout)

    async def begin_close(self, timeout: float) -> bool:
        """Do nothing: reading continues until the server answers the CLOSE frame."""
        return True

    async def close(self) -> None:
        """Wait until the server has answered our CLOSE frame, for at most a second."""
        self._closing = True
        if not await self._over.wait(CLOSING):
            self.abort()

    def abort(self) -> None:
        """Cut the connection; a task that reads, writes or waits for the answer to the probe sees it at once."""
        if self._pong is not None:
            self._pong.set()
        self._wire.abort()

    def transports(self) -> list[Any]:
        return self._wire.transports()

    def detach(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
        self._wire.detach()

    async def release(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
        await self._wire.release()
