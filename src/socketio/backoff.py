"""How long to wait before each attempt to reconnect. No state but the generator's own, no waiting."""

from __future__ import annotations

import random
from collections.abc import Iterator


def delays(first: float, maximum: float, randomization: float) -> Iterator[float]:
    """Yield the seconds to wait before attempt 1, 2, 3 ... without end.

    They start at ``first``, double each time, and stop growing at ``maximum``; then each is changed by a random
    part of itself: ``randomization=0.5`` means up to 50 % less or more. Never below 0.
    """
    delay = min(first, maximum)
    while True:
        yield max(0.0, delay * (1 + randomization * random.uniform(-1, 1)))
        delay = min(delay * 2, maximum)
