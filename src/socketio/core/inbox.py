"""The events that a simple client has received, and whether it is connected."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable
from typing import Any

from .events import EventReceived, Events, Unread
from .handlers import Read


class Inbox:
    """The :class:`~socketio.core.handlers.Sink` of a simple client, for one ``connect()``.

    :param changed: called on the reading side when events have come, or the connection has changed.
    :ivar events: the events that wait, with the functions that decode them.
    :ivar is_open: whether there is a connection, or one is being restored.
    :ivar connection: the number of the current connection; 0 if there is none.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self.events: deque[tuple[Unread | EventReceived, Read]] = deque()
        self.is_open = False
        self.connection = 0
        self._connections = itertools.count(1)
        self._changed = changed

    def notify(self, event: str) -> None:
        """Note that the client has connected, has lost the connection, or does not reconnect."""
        if event == "connect":
            self.connection, self.is_open = next(self._connections), True
        elif event == "disconnect":
            self.connection = 0
        elif event == "__disconnect_final":
            self.connection, self.is_open = 0, False
        self._changed()

    def close(self) -> None:
        """Note the end. The events that wait can still be received."""
        self.connection, self.is_open = 0, False
        self._changed()

    def take(self, events: Events, read: Read) -> None:
        """Add events."""
        self.events.extend(zip(events, itertools.repeat(read)))
        self._changed()

    def next(self) -> list[Any] | None:
        """Remove the next event and return its name and arguments; ``None`` if there is no event."""
        while True:
            try:
                unread, read = self.events.popleft()
            except IndexError:
                return None
            event = read(unread)
            if isinstance(event, tuple):
                return [event[1], *event[2]]

    def is_ready(self, failed: int) -> bool:
        """Return whether there is another connection than the one that failed, or no further one will follow."""
        return not self.is_open or self.connection not in (0, failed)
