"""The delays before attempts to reconnect."""

from __future__ import annotations

import random
from collections.abc import Iterator

from ..runtime.timeouts import LONGEST

FLOOR = 0.05
"""Minimum seconds between two attempts."""


def delays(first: float, maximum: float, randomization: float) -> Iterator[float]:
    """Yield the seconds to wait before attempt 1, 2, 3 ... indefinitely.

    They start at ``first``, double each time, and stop growing at ``maximum``. Each is drawn at random:
    ``randomization=0.5`` allows up to 50 % less or more, but never more than ``maximum``. So near the maximum delays
    are drawn from the range below it, and clients that lost their server together still come back one by one.
    All but the first are at least ``FLOOR``.
    """
    delay, floor = first, 0.0
    while True:
        delay = min(delay, maximum, LONGEST)
        base = max(delay, floor)
        lowest = max(base * (1 - randomization), floor)
        yield random.uniform(lowest, max(lowest, min(base * (1 + randomization), maximum)))
        delay, floor = delay * 2, FLOOR
