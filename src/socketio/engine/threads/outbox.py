"""What waits to be sent over one connection: a queue that callers fill and one thread at a time empties.

That is the writing thread, or a caller who would wait for it anyway. All packets of one call stay together. Nothing
here knows a transport, and nothing limits what is put in: who can wait does so before, in :meth:`wait_for_room`.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from engineio.exceptions import ConnectionError

from ..base_outbox import BaseOutbox
from ..frames import Outgoing


class Outbox(BaseOutbox):
    """The packets of one connection, first in, first out.

    :param start_writer: starts the writing thread; called once, when there is something to do for it.
    :param high_water_mark: the size above which there is no room.
    """

    def __init__(self, start_writer: Callable[[], None], high_water_mark: int) -> None:
        super().__init__(high_water_mark)
        self._start_writer: Callable[[], None] | None = start_writer
        # Entered itself, never by way of the condition: Ctrl-C can come between the lines of Condition.__enter__.
        # Re-entrant: a signal handler may call disconnect() on the thread that holds it.
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._sender: object = None

    def put(self, packets: list[Outgoing], wake: bool = True, accepts: bool = False) -> bool:
        """Add packets, with nothing in between; return ``False`` when the outbox is closed.

        :param wake: ``False`` where :meth:`try_take` comes next.
        :param accepts: whether the application has put them in, having waited for room.
        """
        with self._lock:
            if self._closed:
                return False
            self._add(packets, accepts)
            if wake:
                self._wake()
            return True

    def wake(self) -> None:
        """Leave what waits to the writing thread."""
        with self._lock:
            self._wake()

    def _wake(self) -> None:
        if not self._waiting or self._sender is not None:
            return
        start, self._start_writer = self._start_writer, None
        if start is not None:
            start()
        self._changed.notify_all()

    def take(self) -> deque[Outgoing]:
        """Wait for packets and take the first of them, a mebibyte or a few more; none means that the outbox is closed.

        Whoever takes them removes each one from the result when it is sent. Those taken before count as sent now.
        """
        with self._lock:
            if self._sender is self:  # else a caller is sending what it has taken
                self._taken.clear()
                self._sender = None
                self._settle()
                self._changed.notify_all()
            self._changed.wait_for(lambda: (self._waiting and self._sender is None) or self._closed)
            if self._closed:
                return deque()
            self._sender = self
            self._take()
            return self._taken

    def try_take(self, sender: object) -> deque[Outgoing] | None:
        """Take packets if nobody is sending any; else they are sent by whoever is. Ends with :meth:`give_back`.

        :param sender: stands for the caller; a signal handler on the same thread is another one.
        """
        with self._lock:
            if self._sender is not None or self._closed or not self._waiting:
                return None
            self._sender = sender
            self._take()
            return self._taken

    def give_back(self, sender: object) -> None:
        """Leave what was taken and not sent, and what came meanwhile, to the writing thread.

        Does nothing for a caller that has taken nothing.
        """
        with self._lock:
            if self._sender is not sender:
                return
            self._sender = None
            self._put_back()
            self._wake()
            self._changed.notify_all()

    def wait_for_room(self, timeout: float | None) -> bool:
        """Wait until there is room; return whether there is, in ``timeout`` seconds.

        Raises ``ConnectionError`` when the outbox is closed before.
        """
        with self._lock:
            self._changed.wait_for(self.has_room, timeout)
            if self._closed:
                raise ConnectionError("the connection ended before the server had read enough")
            return self.has_room()

    def flush(self, timeout: float, mark: int | None = None) -> bool:
        """Wait until all that is in now, or was in at a mark, is sent; what others put in meanwhile is not waited for.

        Return whether it was sent, in ``timeout`` seconds and before the outbox was closed.
        """
        with self._lock:
            self._wake()
            end = self._added if mark is None else mark
            self._changed.wait_for(lambda: self._closed or self.is_sent(end), timeout)
            return self.is_sent(end)

    def close(self) -> int:
        """Take no more packets; return how many were not sent."""
        with self._lock:
            self._closed = True
            self._changed.notify_all()
            return self.unsent()
