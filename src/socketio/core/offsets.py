"""Removes the offsets of connection state recovery from events, and no other argument.

In: the events of one namespace, in their order. Out: the same events without offsets. Only an argument in the form of
an offset, with a plausible time, is removed. Source: the adapters of socket.io, whose forms ``_FORMS`` lists.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any, NamedTuple

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}


class _Form(NamedTuple):
    """What offsets of one kind look like.

    :ivar start: how many characters at the beginning contain the time to a few seconds.
    """

    pattern: re.Pattern[str]
    start: int
    seconds: Callable[[str], float]


def _number(text: str) -> int:
    """Return the value of a number in base 64."""
    number = 0
    for digit in text:
        number = number * 64 + _VALUES[digit]
    return number


_FORMS = (
    # The in-memory adapter: milliseconds in base 64 ("yeast"), and a counter within the same millisecond.
    _Form(
        re.compile(r"[0-9A-Za-z_-]{7}(?:\.(?:0|[1-9A-Za-z_-][0-9A-Za-z_-]{0,5}))?", re.ASCII),
        5,
        lambda text: _number(text[:7]) / 1000,
    ),
    # Redis streams: milliseconds and a counter.
    _Form(re.compile(r"\d{13}-(?:0|[1-9]\d{0,19})", re.ASCII), 10, lambda text: int(text[:13]) / 1000),
    # MongoDB: an ObjectId, which begins with the seconds.
    _Form(re.compile(r"[0-9a-f]{24}", re.ASCII), 8, lambda text: float(int(text[:8], 16))),
)

_LAST = re.compile(r',[ \t\n\r]*(?:"([^"\\]{0,40})"|null)[ \t\n\r]*\][ \t\n\r]*\Z')
"""The last argument of an event in JSON text, if it is a short text without escapes, or ``null``."""

MAX_SKEW = 2 * 24 * 60 * 60.0
"""Seconds that the clocks of server and client may differ, and an event may be old."""
MAX_STEP_BACK = 10.0
"""Seconds that the clocks of several servers may differ."""

_NO_ARGUMENT = object()
_NOTHING = object()


class Offsets:
    """Removes the offsets from the events of one namespace that request no acknowledgement.

    The first offset seen fixes the form of all others, and their times do not decrease. Adapters that keep no
    events append ``""`` or ``null`` to every event: these count as offsets until an event ends with another value.

    :param now: returns the time, in seconds since 1970.
    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._form: _Form | None = None
        self._start = ""
        self._latest = 0.0
        self._filler: Any = _NO_ARGUMENT
        """The last argument of every event so far: ``""``, ``None``, or ``_NOTHING`` if they differ."""

    def strip(self, data: list[Any]) -> None:
        """Remove the offset from the name and the arguments of an event, if there is one."""
        if self._is_offset(data[-1] if len(data) > 1 else _NO_ARGUMENT):
            data.pop()

    def cut(self, frame: str) -> str:
        """Return the frame of an event without the offset, if there is one."""
        start = frame.rfind(",")
        last = _LAST.match(frame, start) if start > 0 else None
        is_offset = self._is_offset(_NO_ARGUMENT if last is None else last[1])
        return frame[:start] + "]" if is_offset else frame

    def _is_offset(self, last: Any) -> bool:
        """Return whether the last argument of the next event is an offset."""
        if last is None or last == "":
            if self._filler is _NO_ARGUMENT:
                self._filler = last
            elif self._filler != last:
                self._filler = _NOTHING
            return self._filler is not _NOTHING
        self._filler = _NOTHING
        return isinstance(last, str) and self._is_dated(last)

    def _is_dated(self, text: str) -> bool:
        form = self._form or next((each for each in _FORMS if each.pattern.fullmatch(text)), None)
        if form is None or not form.pattern.fullmatch(text):
            return False
        if self._start and text.startswith(self._start):
            return True
        seconds = form.seconds(text)
        if seconds < self._latest - MAX_STEP_BACK or abs(seconds - self._now()) > MAX_SKEW:
            return False
        self._form, self._start, self._latest = form, text[: form.start], max(seconds, self._latest)
        return True
