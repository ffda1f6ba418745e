"""Ends a connection with its event loop: the last packets are sent although all tasks are cancelled.

In: the cancellation of the reading task, in which the event loop still runs. Out: what was queued is sent, then the
messages of ``farewell``, and the connection is closed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from ...packet import Frame
from ...runtime.process_hooks import EXIT_TIMEOUT
from ..base import message
from .wire import CLOSING


class AsyncLeaving:
    """The part of :class:`AsyncEngineIOClient` that ends connections with the event loop."""

    reason: Any
    request_timeout: float
    farewell: Callable[[], list[Frame]]
    _logged: Callable[..., deque[Any]]
    _receive_all: Callable[[Any], Coroutine[Any, Any, None]]

    async def _leave_in_time(self, link: Any) -> None:
        """Disconnect; give up when the server reads nothing for a second, or after 3 s or ``request_timeout``."""
        loop = asyncio.get_running_loop()
        leaving = asyncio.ensure_future(self._leave(link))
        deadline = loop.time() + min(EXIT_TIMEOUT, self.request_timeout)
        left = -1
        while not leaving.done() and left != link.outbox.unsent() and (rest := deadline - loop.time()) > 0:
            left = link.outbox.unsent()
            await asyncio.wait([leaving], timeout=min(CLOSING, rest))
        if not leaving.done():
            leaving.cancel()
            await asyncio.wait([leaving])
        if not leaving.cancelled():
            leaving.result()

    async def _leave(self, link: Any) -> None:
        """Send the last packets while the event loop ends. It has ended the writing task, too."""
        if link.reason is not None:
            return
        link.reason = self.reason.CLIENT_DISCONNECT
        if link.writer is not None:
            await asyncio.wait([link.writer])
        link.outbox.close()
        reading = asyncio.ensure_future(self._receive_all(link))
        try:
            await link.transport.send(link.outbox.rest())
            await link.transport.send(deque(link.transport.probe()))
            await link.transport.confirm(CLOSING)
            await link.transport.send(self._logged(map(message, self.farewell())))
            await link.transport.send(deque(link.transport.goodbye))
            await link.transport.close()
        finally:
            reading.cancel()
            await asyncio.wait([reading])
            if not reading.cancelled():
                reading.exception()  # retrieved here: the server may have ended the connection at the same time
