"""Writes and reads the bytes of an open websocket with threads, and detects heartbeat timeouts.

In and out: bytes. A TLS session must not be read and written at the same time (OpenSSL: SSL objects are not
thread-safe), so one lock guards both, and threads wait outside of it: the socket does not block.
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

from engineio.exceptions import ConnectionError
from urllib3.util.wait import wait_for_read, wait_for_write

from .. import descriptors
from ..errors import NoResponseError

_READ_SIZE = 65536


class Wire:
    """The connection of an open websocket.

    :param ahead: bytes that arrived together with the answer of the server.
    :ivar sock: the socket; ``None`` once it is released.
    """

    def __init__(self, sock: Any, ahead: bytes = b"") -> None:
        self.sock = sock
        self._ahead = ahead
        self._is_aborted = self._is_closed = False
        self._session = threading.Lock()
        self._writing = threading.Lock()
        self._drained = False  # by the last read, so that there is nothing to read without waiting
        self._poll: Any = None
        sock.setblocking(False)  # eventlet's TLS sockets do not take settimeout(0) for that
        descriptors.register(self)

    @property
    def closed(self) -> bool:
        """Whether the connection is closed, or is being closed."""
        return self._is_aborted or self.sock is None

    def close(self) -> None:
        """Close the connection. To the client, this is a lost connection."""
        self._is_closed = True
        self.abort()

    def abort(self) -> None:
        """Cut the connection; a thread that reads or writes sees it at once."""
        self._is_aborted = True
        if self.sock is not None:
            descriptors.shut_down(self.sock)

    def release(self) -> None:
        """Close the socket, after all reading and writing has ended."""
        sock, self.sock = self.sock, None
        if sock is not None:
            sock.close()

    def read(self, timeout: float) -> bytes:
        """Wait for bytes and return them; raise ``NoResponseError`` after ``timeout`` seconds (the heartbeat)."""
        if self._ahead:
            ahead, self._ahead = self._ahead, b""
            return ahead
        deadline = time.monotonic() + timeout
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
                raise NoResponseError(f"the server is silent: nothing for {timeout:g} s")

    def _wait_for_read(self, timeout: float) -> bool:
        """Wait as urllib3 does, but with one object for all calls. For the reading thread only."""
        if not hasattr(select, "poll"):
            return wait_for_read(self.sock, timeout)
        if self._poll is None:
            self._poll = select.poll()
            self._poll.register(self.sock, select.POLLIN)
        return bool(self._poll.poll(1000 * timeout))

    def write(self, rest: memoryview) -> None:
        """Send all bytes without a time limit: a server that reads slowly is not a lost connection."""
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
        """Send what can be sent at once, if no other thread is sending; append the number of bytes to ``sent``."""
        if not self._writing.acquire(blocking=False):
            return
        try:
            with self._session, contextlib.suppress(BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                if self.sock is not None:  # otherwise it was released
                    # In one step: no signal handler can run between sending and recording it.
                    sent.extend(map(self.sock.send, (data,)))
        except KeyboardInterrupt:
            if isinstance(self.sock, ssl.SSLSocket):  # there it takes several steps, and may be half done
                self.abort()
            raise
        finally:
            self._writing.release()
