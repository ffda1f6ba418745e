"""wait_for(): what it waits for may fail in the very moment in which it is cancelled."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from socketio.runtime.async_condition import wait_for


async def fails_when_cancelled() -> None:
    """Fail in place of being cancelled, as an attempt to connect does whose refusal has come."""
    try:
        await asyncio.get_running_loop().create_future()
    except asyncio.CancelledError:
        raise OSError("refused") from None


async def fails() -> None:
    """Fail after one turn of the event loop."""
    await asyncio.sleep(0)
    raise OSError("refused")


@pytest.mark.parametrize(("function", "turns"), [(fails_when_cancelled, 3), (fails, 2), (fails, 3)])
async def test_a_failure_that_nobody_waits_for_any_more_is_not_reported(function: Any, turns: int) -> None:
    """A disconnect() while the client reconnects wrote 'Task exception was never retrieved' and 50 lines to stderr."""
    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: reported.append(context))
    waiting = asyncio.ensure_future(wait_for(function(), None))
    for _ in range(turns):
        await asyncio.sleep(0)
    was_done = waiting.done()  # an eager task is sooner
    waiting.cancel()
    await asyncio.wait([waiting])
    assert waiting.cancelled() or (was_done and isinstance(waiting.exception(), OSError))
    del waiting
    gc.collect()
    assert reported == []
