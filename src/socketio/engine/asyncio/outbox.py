"""What waits to be sent over one connection: a queue that callers fill and one task empties.

All packets of one call stay together. Nothing here knows a transport, and nothing limits what is put in: who can wait
does so before, in :meth:`AsyncOutbox.wait_for_room`.
"""

from __future__ import annotations

from collections import deque

from engineio.exceptions import ConnectionError

from ...runtime.async_condition import AsyncCondition
from ..base_outbox import BaseOutbox
from ..frames import Outgoing


class AsyncOutbox(BaseOutbox):
    """The packets of one connection, first in, first out.

    :param high_water_mark: the size above which there is no room.
    """

    def __init__(self, high_water_mark: int) -> None:
        super().__init__(high_water_mark)
        self._changed = AsyncCondition()
        self._sent = AsyncCondition()

    def put(self, packets: list[Outgoing], wake: bool = True, accepts: bool = False) -> bool:
        """Add packets, with nothing in between; return ``False`` when the outbox is closed.

        :param wake: ``False`` where the sending task shall not be woken yet.
        :param accepts: whether the application has put them in, having waited for room.
        """
        if self._closed:
            return False
        self._add(packets, accepts)
        if wake:
            self.wake()
        return True

    def wake(self) -> None:
        """Have the sending task look for packets."""
        self._changed.notify_all()

    async def take(self) -> deque[Outgoing]:
        """Wait for packets and take the first of them, a mebibyte or a few more; none means that the outbox is closed.

        Whoever takes them removes each one from the result when it is sent. Those taken before count as sent now.
        """
        self._taken.clear()
        self._settle()
        self._sent.notify_all()
        await self._changed.wait_for(lambda: self._waiting or self._closed)
        if not self._closed:
            self._take()
        return self._taken

    def try_take(self) -> deque[Outgoing] | None:
        """Take the first packets, if none is being sent; else they are left. Ends with :meth:`give_back`, at once."""
        if self._taken or self._closed:
            return None
        self._take()
        return self._taken

    def give_back(self) -> None:
        """Leave what was taken and not sent to the sending task."""
        self._put_back()
        if self._waiting:
            self.wake()
        self._sent.notify_all()

    async def wait_for_room(self, timeout: float | None) -> bool:
        """Wait until there is room; return whether there is, in ``timeout`` seconds.

        Raises ``ConnectionError`` when the outbox is closed before.
        """
        await self._sent.wait_for(self.has_room, timeout)
        if self._closed:
            raise ConnectionError("the connection ended before the server had read enough")
        return self.has_room()

    async def flush(self, timeout: float) -> bool:
        """Wait until the packets that are queued now are sent, but not those that are queued meanwhile.

        Return whether it was sent, in ``timeout`` seconds and before the outbox was closed.
        """
        end = self._added
        await self._sent.wait_for(lambda: self._closed or self.is_sent(end), timeout)
        return self.is_sent(end)

    def close(self) -> int:
        """Take no more packets; return how many were not sent."""
        self._closed = True
        self._changed.notify_all()
        self._sent.notify_all()
        return self.unsent()

    def rest(self) -> deque[Outgoing]:
        """Return all that was not sent, when the outbox is closed; it is removed from the result when it is."""
        self._taken.extend(self._waiting)
        self._waiting.clear()
        return self._taken
