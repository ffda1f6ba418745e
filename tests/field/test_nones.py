"""``None`` for any parameter means what it means in python-socketio, wherever that takes it.

Source: issue 10, D5. ``connect(url, headers=None)`` was a ``TypeError``, so that uptime-kuma-api could not connect.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

import socketio
from integration.installation import install_python_socketio

from .running import FieldServer

PROGRAM = Path(__file__).parent / "programs" / "nones.py"
LIMIT = 55.0

OURS = {
    "option logger": "the root logger decides",
    "option serializer": "the default",
    "argument socketio_path": "the default",
    "simple_argument socketio_path": "the default",
    "simple_argument namespace": "the default",
    "reconnect reconnection_delay": "the default",
    "reconnect reconnection_delay_max": "the default",
    "reconnect randomization_factor": "the default",
}
"""Where python-socketio fails with ``None``, then or at the first reconnection, and what it means here."""


@pytest.fixture(scope="module")
def peer_server():
    """A server of python-socketio."""
    install_python_socketio()
    running = FieldServer("python_nones.py")
    yield running
    running.close()


async def outcomes(flavour, url, environment):
    """Return what came of each case."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(PROGRAM), flavour, url, stdout=asyncio.subprocess.PIPE, env=environment
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), LIMIT)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return json.loads(output)


@pytest.mark.parametrize("flavour", ["threads", "asyncio"])
async def test_none_means_what_it_means_there(flavour, peer_server):
    """Every case ends as with python-socketio's client, or works where that fails.

    Takes some seconds: python-socketio's client waits for them in several cases.
    """
    peer = {**os.environ, "PYTHONPATH": str(install_python_socketio())}
    theirs, ours = await asyncio.gather(
        outcomes(flavour, peer_server.url, peer), outcomes(flavour, peer_server.url, dict(os.environ))
    )
    assert theirs.keys() == ours.keys()
    works = {"option": [["/"], True, 1], "argument": [["/"], True, 1], "simple_argument": [1, True, True]}
    for case, outcome in ours.items():
        expected = works.get(case.split()[0], "reconnects") if case in OURS else theirs[case]
        assert outcome == expected, case
    assert {case for case in OURS if isinstance(theirs[case], str)} == set(OURS), (
        "python-socketio has learned something"
    )


@pytest.mark.parametrize("client_class", [socketio.Client, socketio.AsyncClient])
def test_none_shows_as_the_default(client_class):
    """The attributes have the values that are used."""
    sio = client_class(
        reconnection_attempts=None,
        reconnection_delay=None,
        reconnection_delay_max=None,
        randomization_factor=None,
        serializer=None,
    )
    assert (sio.reconnection_attempts, sio.reconnection_delay, sio.reconnection_delay_max) == (0, 1, 5)
    assert sio.randomization_factor == 0.5
    assert sio.packet_class is socketio.packet.Packet
