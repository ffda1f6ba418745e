"""The websocket transport for asyncio: one connection, read by one task, written by another.

In: frames to send. Out: frames as they came. Every failure is ``engineio.exceptions.ConnectionError``.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections import deque
from typing import ClassVar

import aiohttp
from engineio.exceptions import ConnectionError

from ..packet import Frame
from .handshake import SilenceError, cause_text

CLOSING = 1.0
"""Seconds for the server to answer our close frame."""


class AsyncWebSocketTransport:
    """An open websocket."""

    name = "websocket"
    goodbye: ClassVar[list[Frame]] = []  # the websocket's own close frame says it

    def __init__(self, ws: aiohttp.ClientWebSocketResponse, request_timeout: float) -> None:
        self.ws = ws
        self._silence = request_timeout
        self._pong = asyncio.Event()

    def set_silence(self, seconds: float) -> None:
        """From now on the server must send something within each span of so many seconds."""
        self._silence = seconds

    async def receive(self) -> list[Frame]:
        """Wait for frames and return them; none where only the websocket itself had something to say."""
        try:
            message = await self.ws.receive(timeout=self._silence)
            if message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                return [message.data]
            if message.type is aiohttp.WSMsgType.PING:
                await self.ws.pong(message.data)
                return []
        except asyncio.TimeoutError as exc:
            raise SilenceError(f"the server is silent: nothing came for {self._silence:g} s") from exc
        except (OSError, ValueError, RuntimeError, aiohttp.ClientError) as exc:
            raise _lost(exc) from exc
        if message.type is aiohttp.WSMsgType.PONG:
            self._pong.set()
            return []
        if message.type is aiohttp.WSMsgType.ERROR:
            raise _lost(message.data)
        raise ConnectionError("the server closed the websocket")

    async def receive_within(self, timeout: float) -> Frame:
        """Return the next frame; raise ``SilenceError`` when it takes longer than ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        frames: list[Frame] = []
        while not frames:
            self._silence = max(0.001, deadline - time.monotonic())
            frames = await self.receive()
        return frames[0]

    async def send(self, frames: deque[Frame]) -> None:
        """Send frames, in order; each is removed when it is sent."""
        try:
            while frames:
                frame = frames.popleft()  # what is cancelled while it waits has been handed over
                if isinstance(frame, str):
                    await self.ws.send_str(frame)
                else:
                    await self.ws.send_bytes(frame)
        except (OSError, ValueError, RuntimeError, aiohttp.ClientError) as exc:
            raise _lost(exc) from exc

    async def confirm(self, timeout: float) -> None:
        """Wait until the server has read all that was sent: a ping, and its pong."""
        self._pong.clear()
        try:
            await self.ws.ping()
        except (OSError, RuntimeError, aiohttp.ClientError) as exc:
            raise _lost(exc) from exc
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._pong.wait(), timeout)

    async def close(self) -> None:
        """Say goodbye and wait until the server has answered, a second at the most."""
        await self.ws.close()

    def abort(self) -> None:
        """Cut the connection; whoever reads or writes sees it at once."""
        connection = self.ws.get_extra_info("socket")
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    async def release(self) -> None:
        """Close what is open. The last call, when nobody reads or writes any more."""
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self.ws.close(), CLOSING)


def _lost(exc: BaseException) -> ConnectionError:
    return ConnectionError(f"the websocket connection was lost: {cause_text(exc)}")
