"""The websocket transport for threads: one connection, read by one thread, written by another.

In: frames to send. Out: frames as they came, in bulk. Every failure is ``engineio.exceptions.ConnectionError``.
"""

from __future__ import annotations

import contextlib
import select
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

import websocket
from engineio.exceptions import ConnectionError
from urllib3.util.wait import wait_for_read, wait_for_write

from ...packet import Frame
from .. import descriptors
from ..base_websocket import BaseWebSocketTransport, invalid, lost
from ..errors import SilenceError
from ..frames import PING, ControlFrame, FrameReader, FrameWriter, Outgoing
from .websocket_handshake import Answer

_READ_SIZE = 65536
_WRITE_SIZE = 65536


class RawWebSocket(websocket.WebSocket):
    """websocket-client's connection, once it is open: bytes in bulk, never entered by two threads at once.

    The library makes three system calls for each frame and copies it several times. A TLS session must not be read and
    written at the same time (OpenSSL: SSL objects are not thread-safe), so one lock guards both, and the waiting is
    done outside of it: the socket does not block.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._sock: Any = None
        self._aborted = self._is_closed = False
        descriptors.note(self)
        super().__init__(*args, **kwargs)
        self._session = threading.Lock()
        self._writing = threading.Lock()
        self._ahead = b""
        self._drained = False  # by the last read, so that there is nothing to be had without waiting
        self._poll: Any = None

    def adopt(self, answer: Answer) -> None:
        """Take over a connection that the server has accepted as a websocket."""
        self._ahead = answer.ahead
        self.handshake_response = answer  # type: ignore[assignment]
        self.connected = True
        self.sock = answer.sock

    @property
    def sock(self) -> Any:
        """The socket; one that comes after :meth:`abort` is cut at once."""
        return self._sock

    @sock.setter
    def sock(self, sock: Any) -> None:
        self._sock = sock
        if self._aborted:
            self.abort()

    @property
    def closed(self) -> bool:
        """Whether the connection is closed, or is being closed."""
        return self._aborted or not self.connected

    def close(self, status: int = 1000, reason: str | bytes = b"", timeout: float | None = 3) -> None:
        """Close the connection. To the client, this is a lost connection."""
        self._is_closed = True
        self.abort()

    def abort(self) -> None:
        """Cut the connection, whatever is being done with it, the handshake too."""
        self._aborted = True
        if self.sock is not None:
            descriptors.shut_down(self.sock)

    def read(self, silence: float) -> bytes:
        """Wait for bytes and return what is there; raise ``SilenceError`` after so many seconds."""
        if self._ahead:
            ahead, self._ahead = self._ahead, b""
            return ahead
        deadline = time.monotonic() + silence
        while True:
            wait: Callable[[float], bool] = self._wait_for_read
            if not self._drained:
                with self._session:
                    try:
                        data: bytes = self.sock.recv(_READ_SIZE)
                    except ssl.SSLWantWriteError:
                        wait = partial(wait_for_write, self.sock)
                    except (BlockingIOError, ssl.SSLWantReadError):
                        pass
                    else:
                        if not data:
                            by = "program" if self._is_closed else "server"
                            raise ConnectionError(f"the {by} closed the connection")
                        self._drained = len(data) < _READ_SIZE and not isinstance(self.sock, ssl.SSLSocket)
                        return data
            self._drained = False
            if not wait(max(0.0, deadline - time.monotonic())):
                raise SilenceError(f"the server is silent: nothing came for {silence:g} s")

    def _wait_for_read(self, timeout: float) -> bool:
        """Do what urllib3 does, with an object that is made once: for the reading thread only."""
        if not hasattr(select, "poll"):
            return wait_for_read(self.sock, timeout)
        if self._poll is None:
            self._poll = select.poll()
            self._poll.register(self.sock, select.POLLIN)
        return bool(self._poll.poll(1000 * timeout))

    def write(self, rest: memoryview) -> None:
        """Send all bytes, however long it takes: that a server reads slowly is no lost connection."""
        with self._writing:
            while rest:
                wait = wait_for_write
                with self._session:
                    try:
                        rest = rest[self.sock.send(rest) :]
                        continue
                    except ssl.SSLWantReadError:
                        wait = wait_for_read
                    except (BlockingIOError, ssl.SSLWantWriteError):
                        pass
                wait(self.sock)

    def try_write(self, data: memoryview, sent: deque[int]) -> None:
        """Send what can be sent at once, if nobody else is sending; append to ``sent`` how many bytes that was."""
        if not self._writing.acquire(blocking=False):
            return
        try:
            with self._session, contextlib.suppress(BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                if self.sock is not None:  # else it was released meanwhile
                    # In one step: no signal handler can run between the sending and the noting of it.
                    sent.extend(map(self.sock.send, (data,)))
        except KeyboardInterrupt:
            if isinstance(self.sock, ssl.SSLSocket):  # where it takes several steps, and may have been half done
                self.abort()
            raise
        finally:
            self._writing.release()


class WebSocketTransport(BaseWebSocketTransport):
    """An open websocket.

    :param max_message_size: the largest message that may come, in bytes.
    """

    def __init__(self, ws: RawWebSocket, request_timeout: float, max_message_size: int) -> None:
        super().__init__()
        self.ws = ws
        self._silence = request_timeout
        self._reader = FrameReader(max_message_size)
        self._writer = FrameWriter()
        self._unsent = memoryview(b"")
        self._covered = 0
        ws.sock.setblocking(False)  # eventlet's TLS sockets do not take settimeout(0) for that

    def set_silence(self, seconds: float) -> None:
        """From now on the server must send something within each span of so many seconds."""
        self._silence = seconds

    def receive(self) -> list[Outgoing]:
        """Wait for frames and return them, with what is to be sent in answer to control frames."""
        if self._first:
            first, self._first = self._first, []
            return first
        if self._closed is not None:
            raise self._closed
        if self._reader.error is not None:
            raise invalid(self._reader.error) from self._reader.error
        try:
            received = self._reader.feed(self.ws.read(self._silence))
        except OSError as exc:
            raise lost(exc) from exc
        return self._without_control_frames(received)

    def _answer_close(self) -> None:
        with contextlib.suppress(OSError):
            self.ws.try_write(memoryview(self._writer.encode(self.close_packets, 1)[0]), deque())

    def receive_within(self, timeout: float) -> Frame:
        """Return the next frame; raise ``SilenceError`` when it takes longer than ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while True:
            self._silence = deadline - time.monotonic()
            for frame in (received := self.receive()):
                if not isinstance(frame, ControlFrame):
                    self._first = received[received.index(frame) + 1 :]
                    return frame
                self.send(deque([frame]))

    def send(self, frames: deque[Outgoing]) -> None:
        """Send frames, in order; each is removed when it is sent."""
        try:
            while frames:
                if not self._covered:
                    self._encode(frames)
                self.ws.write(self._unsent)
                while self._covered:
                    frames.popleft()
                    self._covered -= 1
        except (OSError, ValueError) as exc:
            raise lost(exc) from exc

    def try_send(self, frames: deque[Outgoing]) -> None:
        """Send frames as far as that can be done at once. What is left must be the first of the next :meth:`send`."""
        if not self._covered:
            self._encode(frames)
        if self._covered < len(frames):
            return
        sent: deque[int] = deque()
        try:
            self.ws.try_write(self._unsent, sent)
        except OSError:
            return  # the writing thread will see it too, and knows what to do
        finally:
            self._unsent = self._unsent[sum(sent) :]
        if not self._unsent:
            frames.clear()
            self._covered = 0

    def _encode(self, frames: deque[Outgoing]) -> None:
        """Encode the first of these frames; all of them where they are few."""
        data, self._covered = self._writer.encode(frames, _WRITE_SIZE)
        self._unsent = memoryview(data)

    def probe(self) -> list[Outgoing]:
        """Return what the server answers when it has read all that was sent before: a ping."""
        self._pong = threading.Event()
        return [ControlFrame(PING)]

    def confirm(self, timeout: float) -> bool:
        """Wait for the answer to the probe; return whether it came."""
        return self._pong is None or self._pong.wait(timeout)

    def begin_close(self, timeout: float) -> bool:
        """Do nothing: reading goes on until the server answers the CLOSE frame."""
        return True

    def close(self) -> None:
        """Note that our CLOSE frame was sent; reading ends when the server has answered it."""
        self._closing = True

    def detach(self) -> None:
        """Do nothing, in a child process: the socket is closed already."""

    def abort(self) -> None:
        """Cut the connection; whoever reads, writes or waits for the answer to the probe sees it at once."""
        self.ws.abort()
        if self._pong is not None:
            self._pong.set()

    def release(self) -> None:
        """Close what is open. The last call, when nobody reads or writes any more."""
        self.ws.shutdown()  # type: ignore[no-untyped-call]
