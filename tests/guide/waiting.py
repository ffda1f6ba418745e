"""Waiting for what happens elsewhere, and making it happen; no sleep."""

from __future__ import annotations

import asyncio
import queue
from typing import Any, Generic, TypeVar

import socketio

T = TypeVar("T")

CEILING = 10.0
"""Seconds that anything may take at most."""


class Inbox(Generic[T]):
    """Takes what handlers note, on any thread; the test takes it out in that order."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[T] = queue.SimpleQueue()

    def put(self, item: T) -> None:
        """Note something."""
        self._queue.put(item)

    def put_arguments(self, *args: Any) -> None:
        """Note the arguments of an event: this is a handler."""
        self._queue.put(args)  # type: ignore[arg-type]

    def take(self) -> T:
        """Wait for the next note."""
        return self._queue.get(timeout=CEILING)

    async def take_soon(self) -> T:
        """Wait for the next note, while the event loop goes on."""
        return await asyncio.to_thread(self.take)

    def is_empty(self) -> bool:
        """Return whether there is nothing more."""
        return self._queue.empty()


def cut(sio: socketio.Client | socketio.AsyncClient) -> None:
    """Cut the websocket of a client, as a broken network does."""
    how = 2  # both directions
    if isinstance(sio, socketio.AsyncClient):
        sio.eio.ws.get_extra_info("socket").shutdown(how)
    else:
        sio.eio.ws.sock.shutdown(how)
