"""Keeps events that arrive before their namespace is connected.

Servers send events from connect handlers and namespace middleware, and recovered events, before they answer a CONNECT.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..packet import Frame

MAX_EVENTS = 10_000
"""Maximum number of events, of all namespaces together."""


class EarlyEvents:
    """The early events of all namespaces, limited in number and size.

    :param max_size: maximum bytes of all events together; ``None`` for no limit.
    """

    def __init__(self, max_size: int | None) -> None:
        self._max_size = max_size
        self._events: dict[str, list[list[Frame]]] = {}
        self._count = self._size = 0

    def add(self, namespace: str, frames: list[Frame]) -> str | None:
        """Keep the frames of an event; return ``None``, or which limit is exceeded."""
        self._count += 1
        self._size += _size(frames)
        if self._count > MAX_EVENTS:
            return f"more than {MAX_EVENTS} events"
        if self._max_size is not None and self._size > self._max_size:
            return f"events of more than {self._max_size} bytes"
        self._events.setdefault(namespace, []).append(frames)
        return None

    def take(self, namespace: str) -> list[Frame]:
        """Remove and return the frames of all events of a namespace."""
        events = self._events.pop(namespace, [])
        frames = [frame for event in events for frame in event]
        self._count -= len(events)
        self._size -= _size(frames)
        return frames

    def clear(self) -> None:
        """Remove all events."""
        self._events.clear()
        self._count = self._size = 0


def _size(frames: Iterable[Frame]) -> int:
    return sum(len(frame if isinstance(frame, bytes) else frame.encode("utf-8", "surrogatepass")) for frame in frames)
