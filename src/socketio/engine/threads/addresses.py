"""Connects to a host, whose addresses it tries in parallel.

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
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from urllib3.util import connection

_STAGGER = 0.25
"""Seconds after which the next address is tried in parallel."""
_POLL_INTERVAL = 0.1
"""Maximum seconds until an ended attempt stops."""


def connect(
    host: str,
    port: int,
    deadline: float,
    is_ended: Callable[[], bool],
    source_address: tuple[str, int] | None = None,
    options: Iterable[Sequence[Any]] = (),
) -> socket.socket:
    """Return a socket that is connected to one of the host's addresses.

    :param deadline: when the last address is given up, by ``time.monotonic()``.
    :param is_ended: returns whether the attempt was ended, which raises ``OSError`` too.
    :param options: arguments for ``setsockopt()``.
    """
    waiting = _interleaved(socket.getaddrinfo(host, port, connection.allowed_gai_family(), socket.SOCK_STREAM))
    failed: list[OSError] = []
    following = 0.0
    with _selector() as selector:
        while not is_ended() and (waiting or selector.get_map()):
            now = time.monotonic()
            if waiting and (now >= following or not selector.get_map()):
                try:
                    _begin(selector, waiting.pop(0), source_address, options)
                except OSError as exc:
                    failed.append(exc)
                    continue
                following = now + _STAGGER
            if now >= deadline:
                raise TimeoutError("timed out")
            until = min(deadline, following) if waiting else deadline
            for sock in _completed(selector, max(0.0, min(until - now, _POLL_INTERVAL))):
                if not (number := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)):
                    return sock
                failed.append(OSError(number, os.strerror(number)))
                sock.close()
    raise failed[0] if failed else OSError("the connection attempt was ended")


@contextlib.contextmanager
def _selector() -> Iterator[selectors.BaseSelector]:
    """Yield a selector for connecting sockets; close those that are left in it."""
    with selectors.DefaultSelector() as selector:
        try:
            yield selector
        finally:
            for key in list(selector.get_map().values()):
                key.fileobj.close()  # type: ignore[union-attr]


def _begin(
    selector: selectors.BaseSelector,
    address: tuple[int, int, int, str, Any],
    source_address: tuple[str, int] | None,
    options: Iterable[Sequence[Any]],
) -> None:
    """Start to connect to an address."""
    sock = socket.socket(*address[:3])
    try:
        for option in options:
            sock.setsockopt(*option)
        sock.setblocking(False)
        if source_address is not None:
            sock.bind(source_address)
        with contextlib.suppress(BlockingIOError, InterruptedError):
            sock.connect(address[4])
        selector.register(sock, selectors.EVENT_WRITE)
    except BaseException:
        sock.close()
        raise


def _completed(selector: selectors.BaseSelector, timeout: float) -> Iterator[socket.socket]:
    """Wait for sockets that have connected or failed, and remove them from the selector."""
    for key, _ in selector.select(timeout):
        sock: Any = key.fileobj
        selector.unregister(sock)
        yield sock


def _interleaved(addresses: Sequence[Any]) -> list[Any]:
    """Return addresses in the order of the attempts: families alternate, the preferred one first."""
    families: dict[int, list[Any]] = {}
    for address in addresses:
        families.setdefault(address[0], []).append(address)
    rounds = itertools.zip_longest(*families.values())
    return [address for turn in rounds for address in turn if address is not None]
