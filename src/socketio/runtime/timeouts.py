"""Checks timeouts: seconds, or ``None`` or infinity for no limit."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from typing import Any

LONGEST = 2_000_000.0
"""Maximum timeout that all operating systems accept, in seconds: milliseconds in 31 bits."""
_MAX = 0.9 * threading.TIMEOUT_MAX  # with room for rounding


def limit(value: Any, name: str = "timeout") -> float | None:
    """Return a limit in seconds, ``None`` for no limit: infinity, and times beyond ``threading.TIMEOUT_MAX``, are none.

    Raises ``TypeError`` if it is not a number, and ``ValueError`` if it is negative, with the name of the argument.
    """
    if value is None:
        return None
    if (type(value) is float or type(value) is int) and 0 <= value <= _MAX:
        return value
    seconds = duration(value, name)
    return seconds if seconds <= _MAX else None


def bounded(value: Any, name: str) -> float:
    """Return a timeout for calls of the operating system: ``LONGEST``, about three weeks, for no limit."""
    seconds = limit(value, name)
    return LONGEST if seconds is None else min(seconds, LONGEST)


def duration(value: Any, name: str) -> float:
    """Return a number of seconds, which may be infinite. Raises as :func:`limit` does, also for ``None``."""
    if not hasattr(type(value), "__float__") and not hasattr(type(value), "__index__"):
        raise TypeError(f"{name} must be a number of seconds, not {value!r}")
    try:
        seconds = float(value)
    except OverflowError:  # an integer that is too large
        seconds = math.inf if value > 0 else -math.inf
    if not seconds >= 0:  # nan is not, either
        raise ValueError(f"{name} must not be negative: {value!r}")
    return seconds


def sleep_chunks(seconds: Any) -> Iterator[float]:
    """Yield the seconds of a sleep in parts that every operating system accepts."""
    rest = duration(seconds, "seconds")
    while rest > LONGEST:
        yield LONGEST
        rest -= LONGEST
    yield rest
