"""Attributes of python-socketio's clients that public programs read. (issue 10, D6 and D8)

``programs/attributes.py`` lists them, each with the kind of program where it was seen, and evaluates them in each state
of a client. ``programs/attributes.json`` holds what it printed with python-socketio 5.18.1; a test in ``packages/``
compares that with the newest one.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from integration.installation import run_command

PROGRAM = Path(__file__).parent / "programs" / "attributes.py"
RECORD = PROGRAM.with_suffix(".json")

# After a disconnection python-socketio keeps these of the last connection. Here they are those of no connection.
CLEARED = {
    "sio.transport()",
    "sio.eio.transport()",
    "sio.eio.current_transport",
    "sio.eio.base_url is None",
    "sio.eio.http is None",
    "sio.eio.ws is None",
    "sio.eio.ws is not None and sio.eio.ws.closed",
    "sio.eio.read_loop_task is None",
    "sio.eio.write_loop_task is None",
}
# The threaded client writes on the calling thread, and has a thread for it only while the server reads too slowly.
NO_THREAD = "sio.eio.write_loop_task is None"
# A connection that begins with a websocket has a session, too: there, only one that began with polling has.
SESSION = "sio.eio.http is None"


@pytest.mark.servers("python")
@pytest.mark.server_options(ping_interval=2)
@pytest.mark.parametrize("flavour_name", ["threads", "asyncio"])
def test_programs_find_what_python_socketio_has(server: Any, flavour_name: str) -> None:
    """Each expression gives the same in each state, or an error that names what to use instead."""
    ours = json.loads(run_command([sys.executable, str(PROGRAM), server.url, flavour_name], PROGRAM.parent))
    differences = [
        f"{state}: {expression}: {ours[state][expression]!r}, not {expected!r}"
        for state, expressions in json.loads(RECORD.read_text())[flavour_name].items()
        for expression, expected in expressions.items()
        if ours[state][expression] != expected
        if "AttributeError" not in str(expected) and " instead" not in str(ours[state][expression])
        if not (state == "disconnected" and expression in CLEARED)
        if not (flavour_name == "threads" and expression == NO_THREAD)
        if not (expression == SESSION and state == "websocket" and ours[state][expression] is False)
    ]
    assert differences == []
