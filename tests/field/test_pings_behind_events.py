"""A heartbeat behind many events whose handlers take long: it is answered while they have their turn.

Source: issue 10, B13: 20,000 events for a plain handler of 0.5 ms each hide the server's ping from the asyncio client,
and the connection is lost after 3 s, with a heartbeat of 1 + 2 s. The same is tried here with fewer events and a
quicker heartbeat: a test takes as long as its handlers, 1.5 s.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from integration.waiting import CEILING, Recorder, until, within

EVENTS = 3000
COST = 0.0005
HEARTBEAT = {"ping_interval": 0.3, "ping_timeout": 0.7}
pytestmark = [
    pytest.mark.flavours("asyncio"),
    pytest.mark.servers("node"),
    pytest.mark.server_options(**HEARTBEAT),
]


def compute() -> None:
    """Keep the event loop busy, as a handler does that computes."""
    end = time.perf_counter() + COST
    while time.perf_counter() < end:
        pass


async def flood(sio: Any, recorder: Recorder, server: Any, transports: Any) -> list[int]:
    """Have the server send events for a handler that takes long; return the numbers of those that came."""
    numbers: list[int] = []

    def item(number: int, data: str) -> None:
        compute()
        numbers.append(number)

    sio.on("item", item)
    sio.on("done", recorder.handler("done"))
    sio.on("disconnect", recorder.handler("disconnect"))
    await sio.connect(server.url, transports=transports)
    await sio.emit("burst", (EVENTS, 10))
    await recorder.wait_for("done", timeout=3 * CEILING)
    return numbers


async def test_a_ping_behind_events(
    make_client: Callable[..., Any], recorder: Recorder, server: Any, transport: Any
) -> None:
    """The connection goes on, and the handlers run in order.

    Meanwhile other tasks have their turn, and a call() gets its answer long before the handlers have ended.
    """
    sio = make_client(reconnection=False)
    longest = 0.0
    goes_on = True

    async def tick() -> None:
        nonlocal longest
        while goes_on:
            began = time.monotonic()
            await asyncio.sleep(0.001)
            longest = max(longest, time.monotonic() - began)

    ticking = asyncio.ensure_future(tick())
    flooding = asyncio.ensure_future(flood(sio, recorder, server, transport.argument))
    await until(lambda: sio.connected)
    await asyncio.sleep(0.5)  # events are being handled, with more than a second to go
    assert await sio.call("echo", 1) == 1
    assert recorder.names == []
    assert await within(3 * CEILING, flooding) == list(range(EVENTS))
    goes_on = False
    await ticking
    assert longest < 1
    assert await within(CEILING, sio.call("echo", 1)) == 1
    assert recorder.names == ["done"]


@pytest.mark.transports("websocket")
@pytest.mark.parametrize(
    "options", [{"async_handlers": False}, {"websocket_extra_options": {"heartbeat": 60}}], ids=["serial", "aiohttp"]
)
async def test_in_other_ways(
    make_client: Callable[..., Any], recorder: Recorder, server: Any, transport: Any, options: dict[str, Any]
) -> None:
    """It is the same with one handler at a time, and with a websocket that is left to aiohttp."""
    sio = make_client(reconnection=False, **options)
    assert await flood(sio, recorder, server, transport.argument) == list(range(EVENTS))
    assert recorder.names == ["done"]


@pytest.mark.transports("websocket")
async def test_behind_a_coroutine(
    make_client: Callable[..., Any], recorder: Recorder, server: Any, transport: Any
) -> None:
    """Plain handlers that were held back by a coroutine, one at a time, give other tasks their turn as well."""
    sio = make_client(reconnection=False, async_handlers=False)
    go_on = asyncio.Event()
    sio.on("echo", lambda: go_on.wait())  # while it waits, all others do
    flooding = asyncio.ensure_future(flood(sio, recorder, server, transport.argument))
    await until(lambda: sio.connected)
    await sio.emit("echo")
    await sio.call("notes", "that all has come")
    go_on.set()
    assert await within(3 * CEILING, flooding) == list(range(EVENTS))
    assert recorder.names == ["done"]
