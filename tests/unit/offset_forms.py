"""The offsets of servers with connection state recovery, made as socket.io's adapters make them."""

from __future__ import annotations

import time

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"


def base_64(number: int) -> str:
    """Return a number as the package ``yeast`` writes it."""
    text = ""
    while True:
        text = _DIGITS[number % 64] + text
        number //= 64
        if not number:
            return text


def yeast(seconds: float | None = None, counter: int | None = None) -> str:
    """Return an offset of the in-memory adapter, of a time, now by default."""
    text = base_64(_milliseconds(seconds))
    return text if counter is None else f"{text}.{base_64(counter)}"


def redis(seconds: float | None = None, counter: int = 0) -> str:
    """Return an offset of the Redis streams adapter."""
    return f"{_milliseconds(seconds)}-{counter}"


def mongo(seconds: float | None = None, rest: int = 0xC3D4E5F6A7B8C9D0) -> str:
    """Return an offset of the MongoDB adapter."""
    return f"{_milliseconds(seconds) // 1000:08x}{rest:016x}"


def _milliseconds(seconds: float | None) -> int:
    return int((time.time() if seconds is None else seconds) * 1000)
