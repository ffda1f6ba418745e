"""Delivers received packets in time slices, and reads ahead of slow handlers.

In: packets, as a transport receives them. Out: the same packets, delivered in order; but pings, and other packets that
the connection depends on, as soon as they are read. While handlers are slow, reading continues, up to a number of
bytes, so that pings behind other packets are answered in time. No handler is called here directly.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from ..frames import ControlFrame, Outgoing

_LARGEST_PORTION = 256
"""Maximum number of packets that are delivered between two checks of the clock."""
_TURN = 0.001
"""Seconds after which other tasks run while there is more to deliver."""
_LATE = 0.25
"""Seconds behind the server after which reading ahead begins."""
_SLOW = 0.02
"""Seconds to deliver one batch, from which on handlers count as slow. Otherwise the data that the operating system
buffers is delivered within a second, and reading ahead would only use memory."""


class AsyncReading:
    """Reads one connection.

    :param source: its transport.
    :param deliver: takes packets; raises ``ConnectionError`` when the connection has to end.
    :param is_urgent: whether a packet is delivered before those that came before it.
    :param is_busy: whether delivered packets are still being handled, in time slices.
    :param most: maximum bytes to read ahead.
    """

    def __init__(
        self,
        source: Any,
        deliver: Callable[[Sequence[Outgoing]], None],
        is_urgent: Callable[[Outgoing], bool],
        is_busy: Callable[[], bool],
        most: int,
    ) -> None:
        self._source = source
        self._deliver = deliver
        self._is_urgent = is_urgent
        self._is_busy = is_busy
        self._most = most
        self._waiting: list[Outgoing] = []
        self._size = 0
        self._ahead: asyncio.Future[Sequence[Outgoing]] | None = None
        self._loop = asyncio.get_running_loop()
        self._caught_up = self._loop.time()
        self._portion = 1

    async def deliver_next(self) -> None:
        """Wait for packets and deliver them, and let other tasks run."""
        loop = self._loop
        waits = self._waiting or self._ahead is not None
        packets = await (self._next() if waits else self._source.receive())
        began = turn = loop.time()
        start, portion = 0, self._portion
        if not self._source.is_behind and self._ahead is None:
            self._caught_up = began
        while start < len(packets):
            self._deliver(packets[start : start + portion])
            start += portion
            if loop.time() - turn <= _TURN and not self._is_busy():
                portion = min(2 * portion, _LARGEST_PORTION)
                continue
            portion = max(portion // 2, 1)
            while True:
                await asyncio.sleep(0)
                turn = loop.time()
                if turn - self._caught_up >= _LATE and turn - began >= _SLOW:
                    self._read_ahead()
                if not self._is_busy():
                    break
        self._portion = portion

    def close(self) -> None:
        """Stop reading ahead."""
        if self._ahead is not None:
            self._ahead.cancel()

    async def _next(self) -> Sequence[Outgoing]:
        if self._waiting:
            packets, self._waiting, self._size = self._waiting, [], 0
            return packets
        while self._ahead is not None:
            ahead = self._ahead
            await asyncio.wait([ahead])
            self._ahead = None
            if not ahead.cancelled():  # by the end of the event loop, during which the last packets are read
                return ahead.result()
        received: Sequence[Outgoing] = await self._source.receive()
        return received

    def _read_ahead(self) -> None:
        """Keep the packets that were read ahead, and continue. Urgent packets are delivered at once."""
        if self._ahead is not None and self._ahead.done():
            if self._ahead.cancelled() or self._ahead.exception() is not None:
                return  # it is raised after all earlier packets were delivered
            for packet in self._ahead.result():
                if self._is_urgent(packet):
                    self._deliver([packet])
                else:
                    self._waiting.append(packet)
                    self._size += len(packet)
            self._ahead = None
        if self._ahead is None and self._size < self._most:
            self._ahead = asyncio.ensure_future(self._source.receive())
            # Retrieves its exception, so that asyncio does not log it.
            self._ahead.add_done_callback(lambda task: task.cancelled() or task.exception())


def is_own(packet: Outgoing) -> bool:
    """Return whether a packet is one that the connection itself depends on: a ping, or an answer to a control frame."""
    return isinstance(packet, ControlFrame) or (isinstance(packet, str) and packet[:1] in ("2", "6"))
