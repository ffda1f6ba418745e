"""Closes idle connections of an aiohttp session that the server is about to close.

aiohttp ignores the server's ``Keep-Alive`` header, and has no public access to its idle connections. If they are not
accessible, nothing is closed here, and no request is repeated.
"""

from __future__ import annotations

import contextlib
import math
import time
from typing import Any

import aiohttp
from yarl import URL

from .. import compat
from ..keep_alive import may_be_closed, reuse_window

_BROKEN = (ConnectionResetError, BrokenPipeError, ConnectionAbortedError)


class KeptConnections:
    """The idle connections of a session to the server of a URL."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http = http
        self._place: tuple[str | None, int | None] = None, None
        with contextlib.suppress(ValueError):  # an invalid host name: the request raises an error
            parsed = URL(url)
            self._place = parsed.raw_host, parsed.port
        self._window = math.inf

    def note(self, keep_alive: str | None) -> None:
        """Record the limits for idle connections from a response."""
        if keep_alive:
            self._window = min(self._window, reuse_window(keep_alive))

    def close_old(self) -> None:
        """Close the connections that the server is about to close."""
        if self._window < math.inf:
            self._close(self._window)

    def close_all(self) -> None:
        """Close all idle connections."""
        self._close(0.0)

    def idle(self) -> float | None:
        """Return for how long the next request's connection has been idle, at least; ``None`` if it is a new one."""
        used = [since for protocol, since in self._idle() if protocol.is_connected()]
        return time.monotonic() - max(used) if used else None

    def _close(self, longest: float) -> None:
        now = time.monotonic()
        for protocol, since in self._idle():
            if now - since >= longest:
                protocol.close()

    def _idle(self) -> list[tuple[Any, float]]:
        """Return the idle connections, each with the time since when it is idle."""
        host, port = self._place
        idle = compat.idle_connections(getattr(self._http, "connector", None))
        return [
            (protocol, since)
            for key, protocol, since in idle
            if (getattr(key, "host", None), getattr(key, "port", None)) == (host, port)
        ]


def is_unanswered(exc: BaseException, idle: float) -> bool:
    """Return whether a connection ended, because it was idle, before a byte of the answer arrived."""
    if isinstance(exc, aiohttp.ServerDisconnectedError):
        return isinstance(exc.message, str)  # otherwise it is the beginning of an answer
    if isinstance(exc, aiohttp.ClientConnectorError) or not may_be_closed(idle, is_reset=True):
        return False
    return isinstance(exc, _BROKEN) or (isinstance(exc, aiohttp.ClientOSError) and _is_broken(exc))


def _is_broken(exc: aiohttp.ClientOSError) -> bool:
    return isinstance(OSError(*exc.args[:2]), _BROKEN)
