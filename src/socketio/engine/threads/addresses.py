"""TCP connections for threads to a host with several addresses, some of which may not respond.

In: host, port and a point in time. Out: a connected socket, or the ``OSError`` of the first address. The addresses are
tried 250 ms apart, or at once after one that refuses, and the first to answer is taken: RFC 8305, section 5.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import selectors
import socket
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from urllib3.util import connection

_STAGGER = 0.25
"""Seconds after which the next address is tried in parallel."""
_GLANCE = 0.1
"""Maximum seconds until an ended connection attempt stops."""

_Address = tuple[int, int, int, str, Any]


def connect(
    host: str,
    port: int,
    deadline: float,
    is_ended: Callable[[], bool],
    source_address: tuple[str, int] | None = None,
    socket_options: Iterable[Sequence[Any]] = (),
) -> socket.socket:
    """Return a socket that is connected to one of the host's addresses.

    :param deadline: when the last address is given up, by ``time.monotonic()``.
    :param is_ended: whether the attempt was ended meanwhile, which raises ``OSError`` too.
    """
    found: list[Any] = socket.getaddrinfo(host, port, connection.allowed_gai_family(), socket.SOCK_STREAM)
    attempts = _Attempts(source_address, list(socket_options))
    waiting = _interleaved(found)
    try:
        following = time.monotonic()
        while not is_ended():
            now = time.monotonic()
            if waiting and (following <= now or not attempts.count):
                if (connected := attempts.begin(waiting.pop(0))) is not None:
                    return connected
                following = now + _STAGGER
                continue
            if not attempts.count:
                break
            if now >= deadline:
                raise TimeoutError("timed out")
            until = min(deadline, following) if waiting else deadline
            if (connected := attempts.wait(min(until - now, _GLANCE))) is not None:
                return connected
    finally:
        attempts.close()
    raise attempts.error or OSError("the connection attempt was ended")


class _Attempts:
    """Connection attempts in progress.

    :ivar count: how many of them go on.
    :ivar error: of the first address that has failed.
    """

    def __init__(self, source_address: tuple[str, int] | None, options: list[Sequence[Any]]) -> None:
        self._source_address = source_address
        self._options = options
        self._selector: selectors.BaseSelector | None = None
        self.count = 0
        self.error: OSError | None = None

    def begin(self, address: _Address) -> socket.socket | None:
        """Start to connect to an address; return the socket if it connects at once."""
        family, kind, protocol, _, place = address
        sock = None
        try:
            sock = socket.socket(family, kind, protocol)
            for option in self._options:
                sock.setsockopt(*option)
            sock.setblocking(False)
            if self._source_address is not None:
                sock.bind(self._source_address)
            with contextlib.suppress(BlockingIOError, InterruptedError):
                sock.connect(place)
                return sock
            with contextlib.suppress(OSError):
                sock.getpeername()  # a host on this machine has answered already
                return sock
        except OSError as exc:
            self._fail(exc, sock)
            return None
        if self._selector is None:
            self._selector = selectors.DefaultSelector()
        self._selector.register(sock, selectors.EVENT_WRITE)
        self.count += 1
        return None

    def wait(self, timeout: float) -> socket.socket | None:
        """Return the first socket that connects in time; drop failed ones."""
        if self._selector is None:
            return None
        for key, _ in self._selector.select(max(0.0, timeout)):
            sock: Any = key.fileobj
            self._selector.unregister(sock)
            self.count -= 1
            number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if not number:
                return sock  # type: ignore[no-any-return]
            self._fail(OSError(number, os.strerror(number)), sock)
        return None

    def _fail(self, error: OSError, sock: socket.socket | None) -> None:
        self.error = self.error or error
        if sock is not None:
            sock.close()

    def close(self) -> None:
        """Close the remaining sockets."""
        if self._selector is None:
            return
        for key in list(self._selector.get_map().values()):
            unused: Any = key.fileobj
            unused.close()
        self._selector.close()


def _interleaved(addresses: Sequence[_Address]) -> list[_Address]:
    """Return addresses in the order of the attempts: families alternate, the preferred one first."""
    families: dict[int, list[_Address]] = {}
    for address in addresses:
        families.setdefault(address[0], []).append(address)
    rounds = itertools.zip_longest(*families.values())
    return [address for turn in rounds for address in turn if address is not None]
