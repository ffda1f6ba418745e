"""The connections of urllib3 as the threaded client uses them: what waits for an answer can be cut, and ends in time.

In: a session whose connections are to be tracked. Out: the socket that a thread waits on, told to what waits for it.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import io
import socket
import threading
import time
from typing import Any, Protocol

import requests
from requests.adapters import HTTPAdapter

from . import adapters


class Waiting(Protocol):
    """What waits for an answer."""

    def wait_on(self, pending: socket.socket | None) -> None:
        """Note the socket on which this thread awaits an answer, ``None`` when it is there."""


waiting: dict[int, tuple[Waiting, float]] = {}
"""What a thread waits for, and until when, by thread id."""


def cut(pending: socket.socket) -> None:
    with contextlib.suppress(OSError):
        # Below TLS: a session that another thread is in must not be entered.
        socket.socket.shutdown(pending, socket.SHUT_RDWR)


def track_sockets(http: requests.Session, url: str, verify: bool | str | None) -> None:
    """Make the session note which socket a thread waits on, so that another thread can end the wait.

    Neither requests nor urllib3 has a way to abort a request in flight. The connection class is a documented
    attribute of urllib3's pools; with an adapter that has none, the wait ends with its timeout.
    """
    if not isinstance(http.get_adapter(url), HTTPAdapter):
        return
    pool, _ = adapters.pool_of(http, url, verify)
    if issubclass(pool.ConnectionCls, _Tracked):
        return
    pool.ConnectionCls = _tracked(pool.ConnectionCls)
    # Connections of the class before, kept alive, would be used again.
    for _ in range(pool.pool.qsize() if pool.num_connections else 0):
        idle = pool.pool.get_nowait()
        if idle is not None:
            idle.close()
        pool.pool.put_nowait(None)


class _Tracked:
    """Mixed into urllib3's connection classes: tells the transport which socket its thread waits on."""

    sock: Any
    response_class: Any

    def getresponse(self, *args: Any, **kwargs: Any) -> Any:
        awaited = waiting.get(threading.get_ident())
        if awaited is None:
            return super().getresponse(*args, **kwargs)  # type: ignore[misc]
        transport, deadline = awaited
        transport.wait_on(self.sock)
        self.response_class = functools.partial(_TimedResponse, deadline=deadline)
        try:
            return super().getresponse(*args, **kwargs)  # type: ignore[misc]
        finally:
            del self.response_class  # that of the class is back


@functools.cache
def _tracked(connection_class: type) -> type:
    """Return the class that goes with one of urllib3's; to make it takes as long as a request."""
    return type("TrackedConnection", (_Tracked, connection_class), {})


class _TimedResponse(http.client.HTTPResponse):
    """An answer that has to be complete in time: timeouts of requests are those of one byte, however many come."""

    def __init__(self, sock: Any, *args: Any, deadline: float, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_TimedReader(sock, self.fp.detach(), deadline))


class _TimedReader(io.RawIOBase):
    """Reads from a socket until a point in time."""

    def __init__(self, sock: Any, raw: Any, deadline: float) -> None:
        self._sock, self._raw, self._deadline = sock, raw, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> Any:
        rest = self._deadline - time.monotonic()
        if rest <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(rest)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
