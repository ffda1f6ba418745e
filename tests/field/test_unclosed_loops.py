"""An event loop that ends, or is closed, under a connected client: no traceback, and the client connects anew.

Source: issue 10, B10.
"""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from faults.running import running
from integration.waiting import CEILING, within

PROGRAMS = Path(__file__).parent / "programs"
TRANSPORTS = pytest.mark.transports("polling", "websocket", "upgrade")
WARNING = re.compile(
    r"unclosed_loop\.py:\d+: ResourceWarning: a Socket\.IO client was connected when .*\n  await (.*)\n"
)


async def _run(server, transport, key, way):
    """Run the program; check its complaints, and return the lines that it prints."""
    arguments = (server.url, json.dumps(transport.argument), key, way)
    async with running("unclosed_loop", *arguments, programs=PROGRAMS, warnings="always") as process:
        output, errors = await within(CEILING, process.communicate())
        assert process.returncode == 0
    text = errors.decode()
    warnings = WARNING.findall(text)
    assert sorted(line.split("  #")[0] for line in warnings) == [
        "simple.connect(url, **options)",
        "sio.connect(url, **options)",
    ]
    assert "Traceback" not in text
    assert "never retrieved" not in text
    assert "pending" not in text
    assert text.count("ResourceWarning: ") == len(warnings), text
    return output.decode().splitlines()


@TRANSPORTS
@pytest.mark.parametrize("way", ["close", "leave", "again", "disconnect"])
async def test_a_loop_that_is_closed_underneath(server, transport, observer, key, way):
    """One ResourceWarning for each client names the line of its connect(), and the client is idle.

    Where the loop is not closed, what was emitted is sent at the end of the program, and the server is told.
    """
    connected, *lines = await _run(server, transport, key, way)
    assert lines == {"again": ["False None {}", "2 3 []"], "disconnect": ["False None {}"]}.get(way, [])
    if way == "leave":
        assert await observer.notes(key, 1) == ["last"]
        assert len(await observer.notes(f"disconnect:{connected.split()[-1]}", 1)) == 1


@pytest.mark.parametrize("way", ["close", "again"])
async def test_a_loop_that_is_closed_underneath_tls(servers, trusted, transport, key, way):
    """The same, over TLS."""
    lines = await _run(servers("node", tls=trusted.server_options()), transport, key, way)
    assert lines[1:] == (["False None {}", "2 3 []"] if way == "again" else [])


@pytest.mark.parametrize("name", ["threads", "asyncio"])
@pytest.mark.parametrize("way", ["once", "loop", "pause", "task"])
async def test_a_disconnect_handler_that_connects_again_at_the_end(server, transport, name, way):
    """The program ends at once and in silence, however the handler goes about it."""
    arguments = (name, server.url, json.dumps(transport.argument), way)
    async with running("reconnecting_handler", *arguments, programs=PROGRAMS, warnings="always") as process:
        began = time.monotonic()
        output, errors = await within(CEILING, process.communicate())
        assert (output, errors) == (b"", b"")
        assert process.returncode == 0
        assert time.monotonic() - began < 4.5  # it took 5 s more than the start of the interpreter
