"""The websocket transport for threads: one connection, read by one thread, written by another.

In: frames to send. Out: frames as they came, in bulk. Every failure is ``engineio.exceptions.ConnectionError``.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections import deque
from typing import Any, ClassVar

import websocket
from engineio.exceptions import ConnectionError
from urllib3.util.wait import wait_for_read, wait_for_write
from websocket import ABNF

from ..packet import Frame
from .handshake import SilenceError, cause_text

_READ_SIZE = 65536
_CLOSING = 1.0
"""Seconds for the server to answer our close frame."""


class BufferedWebSocket(websocket.WebSocket):
    """websocket-client's frames over a socket that is read ahead, and never entered by two threads at once.

    The library makes three system calls for each frame; this reads what is there in one. A TLS session must not be
    read and written at the same time (OpenSSL: SSL objects are not thread-safe), so one lock guards both, and the
    waiting is done outside of it: the socket does not block.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._session = threading.Lock()
        self._ahead = b""
        self._position = 0
        self.silence = 0.0

    def abort(self) -> None:
        """Cut the connection, whatever is being done with it, the handshake too."""
        if self.sock is not None:
            with contextlib.suppress(OSError):
                # Below TLS: a session that another thread is in must not be entered.
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)

    def _recv(self, bufsize: int) -> bytes:
        if self._position >= len(self._ahead):
            self._ahead = self._read()
            self._position = 0
        chunk = self._ahead[self._position : self._position + bufsize]
        self._position += len(chunk)
        return chunk

    def _read(self) -> bytes:
        deadline = time.monotonic() + self.silence
        while True:
            wait = wait_for_read
            with self._session:
                if self.sock is None:
                    raise websocket.WebSocketConnectionClosedException("the connection is closed")
                try:
                    data: bytes = self.sock.recv(_READ_SIZE)
                except ssl.SSLWantWriteError:
                    wait = wait_for_write
                except (BlockingIOError, ssl.SSLWantReadError):
                    pass
                else:
                    if not data:
                        raise websocket.WebSocketConnectionClosedException("the server closed the connection")
                    return data
            if not wait(self.sock, max(0.0, deadline - time.monotonic())):
                raise websocket.WebSocketTimeoutException(f"nothing came for {self.silence:g} s")

    def _send(self, data: Any) -> int:
        rest = memoryview(data)
        while rest:
            wait = wait_for_write
            with self._session:
                if self.sock is None:
                    raise websocket.WebSocketConnectionClosedException("the connection is closed")
                try:
                    rest = rest[self.sock.send(rest) :]
                    continue
                except ssl.SSLWantReadError:
                    wait = wait_for_read
                except (BlockingIOError, ssl.SSLWantWriteError):
                    pass
            wait(self.sock)  # without an end of its own: that a server reads slowly is no lost connection
        return len(data)


class WebSocketTransport:
    """An open websocket."""

    name = "websocket"
    goodbye: ClassVar[list[Frame]] = []  # the websocket's own close frame says it

    def __init__(self, ws: BufferedWebSocket, request_timeout: float) -> None:
        self.ws = ws
        self._pong = threading.Event()
        ws.silence = request_timeout
        ws.settimeout(0)

    def set_silence(self, seconds: float) -> None:
        """From now on the server must send something within each span of so many seconds."""
        self.ws.silence = seconds

    def receive(self) -> list[Frame]:
        """Wait for frames and return them; none where only the websocket itself had something to say."""
        try:
            opcode, frame = self.ws.recv_data_frame(control_frame=True)
            if opcode == ABNF.OPCODE_TEXT:
                return [frame.data.decode("utf-8")]
        except (OSError, ValueError, websocket.WebSocketException) as exc:
            raise _lost(exc) from exc
        if opcode == ABNF.OPCODE_BINARY:
            return [bytes(frame.data)]
        if opcode == ABNF.OPCODE_CLOSE:
            raise ConnectionError("the server closed the websocket")
        if opcode == ABNF.OPCODE_PONG:
            self._pong.set()
        return []

    def receive_within(self, timeout: float) -> Frame:
        """Return the next frame; raise ``SilenceError`` when it takes longer than ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        frames: list[Frame] = []
        while not frames:
            self.ws.silence = deadline - time.monotonic()
            frames = self.receive()
        return frames[0]

    def send(self, frames: deque[Frame]) -> None:
        """Send frames, in order; each is removed when it is sent."""
        try:
            while frames:
                frame = frames[0]
                self.ws.send(frame, ABNF.OPCODE_TEXT if isinstance(frame, str) else ABNF.OPCODE_BINARY)
                frames.popleft()
        except (OSError, ValueError, websocket.WebSocketException) as exc:
            raise _lost(exc) from exc

    def confirm(self, timeout: float) -> None:
        """Wait until the server has read all that was sent: a ping, and its pong."""
        self._pong.clear()
        try:
            self.ws.ping()
        except (OSError, websocket.WebSocketException) as exc:
            raise _lost(exc) from exc
        self._pong.wait(timeout)

    def close(self) -> None:
        """Say goodbye; whoever reads sees the end when the server has answered, or after a second."""
        self.ws.silence = _CLOSING
        try:
            self.ws.send_close()
        except (OSError, websocket.WebSocketException):
            self.abort()

    def abort(self) -> None:
        """Cut the connection; whoever reads or writes sees it at once."""
        self.ws.abort()

    def release(self) -> None:
        """Close what is open. The last call, when nobody reads or writes any more."""
        self.ws.shutdown()  # type: ignore[no-untyped-call]


def _lost(exc: BaseException) -> ConnectionError:
    if isinstance(exc, websocket.WebSocketTimeoutException):
        return SilenceError(f"the server is silent: {exc}")
    return ConnectionError(f"the websocket connection was lost: {cause_text(exc)}")
