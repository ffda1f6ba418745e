"""The websocket transport for threads: one thread reads, another one writes.

In: frames to send. Out: received frames, many at a time. Every failure is ``engineio.exceptions.ConnectionError``.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque

from ...packet import Frame
from ..frames import PING, ControlFrame, FrameReader, FrameWriter, Outgoing
from ..websocket import BaseWebSocketTransport, invalid, lost
from .wire import Wire

_WRITE_SIZE = 65536


class WebSocketTransport(BaseWebSocketTransport):
    """An open websocket.

    :param max_message_size: maximum size of a message, in bytes.
    """

    def __init__(self, wire: Wire, request_timeout: float, max_message_size: int) -> None:
        super().__init__()
        self._wire = wire
        self._read_timeout = request_timeout
        self._reader = FrameReader(max_message_size)
        self._writer = FrameWriter()
        self._unsent = memoryview(b"")
        self._covered = 0

    def set_heartbeat_timeout(self, seconds: float) -> None:
        """Set the maximum number of seconds to wait for bytes."""
        self._read_timeout = seconds

    def receive(self) -> list[Outgoing]:
        """Wait for frames and return them, with the answers to control frames."""
        if first := self._take_first():
            return first
        if self._reader.error is not None:
            raise invalid(self._reader.error) from self._reader.error
        try:
            received = self._reader.feed(self._wire.read(self._read_timeout))
        except OSError as exc:
            raise lost(exc) from exc
        return self._without_control_frames(received)

    def _answer_close(self) -> None:
        with contextlib.suppress(OSError):
            self._wire.try_write(memoryview(self._writer.encode(self.close_packets, 1)[0]), deque())

    def receive_within(self, timeout: float) -> Frame:
        """Return the next frame; raise ``NoResponseError`` when it takes longer than ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while True:
            self._read_timeout = deadline - time.monotonic()
            received = self.receive()
            if (message := self._next_message(received)) is not None:
                return message
            self.send(deque(received))

    def send(self, frames: deque[Outgoing]) -> None:
        """Send frames, in order; each is removed when it is sent."""
        try:
            while frames:
                if not self._covered:
                    self._encode(frames)
                self._wire.write(self._unsent)
                while self._covered:
                    frames.popleft()
                    self._covered -= 1
        except (OSError, ValueError) as exc:
            raise lost(exc) from exc

    def try_send(self, frames: deque[Outgoing]) -> None:
        """Send as many frames as possible without waiting. The rest must come first in the next :meth:`send`."""
        if not self._covered:
            self._encode(frames)
        if self._covered < len(frames):
            return
        sent: deque[int] = deque()
        try:
            self._wire.try_write(self._unsent, sent)
        except OSError:
            return  # the writing thread gets it too, and handles it
        finally:
            self._unsent = self._unsent[sum(sent) :]
        if not self._unsent:
            frames.clear()
            self._covered = 0

    def _encode(self, frames: deque[Outgoing]) -> None:
        """Encode the first of these frames; all of them if they are few."""
        data, self._covered = self._writer.encode(frames, _WRITE_SIZE)
        self._unsent = memoryview(data)

    def probe(self) -> list[Outgoing]:
        """Return a ping: the server answers it after it has read everything sent before."""
        self._pong = threading.Event()
        return [ControlFrame(PING)]

    def confirm(self, timeout: float) -> bool:
        """Wait for the answer to the probe; return whether it came."""
        return self._pong is None or self._pong.wait(timeout)

    def begin_close(self, timeout: float) -> bool:
        """Do nothing: reading continues until the server answers the CLOSE frame."""
        return True

    def close(self) -> None:
        """Record that our CLOSE frame was sent; reading ends when the server has answered it."""
        self._closing = True

    def detach(self) -> None:
        """Do nothing, in a child process: the socket is closed already."""

    def abort(self) -> None:
        """Cut the connection; a thread that reads, writes or waits for the answer to the probe sees it at once."""
        self._wire.abort()
        if self._pong is not None:
            self._pong.set()

    def release(self) -> None:
        self._wire.release()
