"""The atexit functions of a program can emit and call; the clients are disconnected after the last of them.

Source: issue 10, A3.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from faults.running import printed, running
from integration.waiting import CEILING, within

PROGRAMS = Path(__file__).parent / "programs"
WHEN = ["after connect()", "before connect()", "before the import"]


@pytest.mark.transports("polling", "websocket", "upgrade")
@pytest.mark.parametrize("name", ["threads", "asyncio"])
async def test_exit_functions_emit_and_call(server, transport, observer, key, name):
    """Wherever they are registered, what they emit arrives, what they call is answered, and the server is told."""
    arguments = (name, server.url, json.dumps(transport.argument), key)
    async with running("exit_functions", *arguments, programs=PROGRAMS) as process:
        _, sid = await printed(process)
        output, errors = await within(CEILING, process.communicate())
        assert errors == b""
        assert output.decode().splitlines() == [f"{when} {when}" for when in WHEN]
        assert process.returncode == 0
    assert await observer.notes(key, 4) == ["main", *WHEN]
    assert len(await observer.notes(f"disconnect:{sid}", 1)) == 1
