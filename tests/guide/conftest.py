"""A server for each test, and clients that are disconnected after it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

import socketio
from socketio.testing import Server


@pytest.fixture
def server() -> Iterator[Server]:
    """A server on a port of its own; the test gives it its handlers."""
    with Server() as server:
        yield server


@pytest.fixture
def sio() -> Iterator[socketio.Client]:
    """An event-driven client for threads, which reconnects at once."""
    sio = socketio.Client(reconnection_delay=0)
    yield sio
    sio.disconnect()


@pytest.fixture
async def async_sio() -> AsyncIterator[socketio.AsyncClient]:
    """An event-driven client for asyncio, which reconnects at once."""
    sio = socketio.AsyncClient(reconnection_delay=0)
    yield sio
    await sio.disconnect()
