"""How long a connection to a server may be idle before it is used again.

A server closes idle connections. A request sent at that moment is lost, so a connection is not used when the server is
about to close it (RFC 9112, section 9.3), and a request that is lost nevertheless is repeated once.
"""

from __future__ import annotations

import math
import re

_TIMEOUT = re.compile(r"\btimeout\s*=\s*\"?(\d{1,9})\b", re.IGNORECASE)
_MARGIN = 1.0
_QUICK = 1.0
_SHORTEST_IDLE = 0.25


def reuse_window(header: str | None) -> float:
    """Return for how many seconds a connection may be used again, by the ``Keep-Alive`` header of an answer.

    The margin is for the round trip: the server counts from the time when it sent the answer.
    """
    match = _TIMEOUT.search(header or "")
    if match is None:
        return math.inf
    seconds = float(match[1])
    return seconds - min(_MARGIN, seconds / 2)


def may_be_closed(idle: float, is_reset: bool) -> bool:
    """Return whether a connection that ended without an answer may have been closed because it was idle.

    One that was in use a moment ago was not; if it was reset, an answer may have been thrown away with it.
    """
    return idle >= _SHORTEST_IDLE or not is_reset


def is_quick(took: float, opening_time: float) -> bool:
    """Return whether a request failed so soon that the server had closed the connection before it came.

    One that fails later may have been answered, and the answer, with the packets in it, is lost.
    """
    return took < max(_QUICK, 2 * opening_time)
