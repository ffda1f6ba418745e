"""How often to poll a server that answers at once without packets.

In: the packets of each answer. Out: seconds to wait before the next request, and the time by which the server must have
sent something. Never reads a clock.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..packet import Frame

_FIRST_DELAY = 0.1
_LONGEST_DELAY = 1.0


class Pacing:
    """The polls of one session.

    :ivar silence: seconds within which the server must send a message or a ping.
    """

    def __init__(self, silence: float) -> None:
        self.silence = silence
        self._since = 0.0
        self._empty_answers = 0

    def begin(self, now: float) -> float:
        """Begin a poll; return how long it may take, at most 0 when the server has been silent for too long.

        The time before the first poll does not count: without a request, a server cannot send anything.
        """
        if not self._empty_answers:
            self._since = now
        return self._since + self.silence - now

    def end(self, packets: Sequence[Frame], took: float) -> float:
        """Note that a poll took ``took`` seconds; return the seconds to wait before the next one."""
        if any(map(_is_news, packets)):
            self._empty_answers = 0
            return 0.0
        self._empty_answers += 1
        if self._empty_answers == 1:  # a NOOP during an upgrade, for example
            return 0.0
        delay = min(_FIRST_DELAY * 2.0 ** min(self._empty_answers - 2, 10), _LONGEST_DELAY)
        return max(0.0, delay - took)


def _is_news(packet: Frame) -> bool:
    """Return whether a packet is a message, a ping or a CLOSE: what shows that a server holds the session."""
    return isinstance(packet, bytes) or packet.startswith("4") or packet in ("1", "2")
