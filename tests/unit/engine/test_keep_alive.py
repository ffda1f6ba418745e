"""How long an idle connection may be used again, by what the server says of it."""

from __future__ import annotations

import math

import pytest

from socketio.engine.keep_alive import is_quick, may_be_closed, reuse_window


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, math.inf),
        ("", math.inf),
        ("max=100", math.inf),
        ("timeout=nonsense", math.inf),
        ("timeout=5", 4),
        ("timeout=5, max=1000", 4),
        ("max=1000, Timeout = 72", 71),
        ('timeout="20"', 19),
        ("timeout=1", 0.5),
        ("timeout=0", 0),
    ],
)
def test_the_window(header, seconds):
    """It is the server's timeout less a second, or half of it; without one, there is no limit."""
    assert reuse_window(header) == seconds


def test_what_was_in_use_a_moment_ago():
    """Such a connection is not reset for being idle: an answer may have been lost with it."""
    assert not may_be_closed(0.01, is_reset=True)
    assert may_be_closed(0.01, is_reset=False)
    assert may_be_closed(1.0, is_reset=True)


def test_quick():
    """A request fails quickly within a second, or two openings of a slow network."""
    assert is_quick(0.9, 0.1)
    assert not is_quick(1.1, 0.1)
    assert is_quick(3.9, 2.0)
