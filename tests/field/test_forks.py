"""A fork leaves the connections to the parent: in the child each client is idle, and connects anew.

Source: issue 10, A4.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from faults.running import printed, running
from integration.proxy import Proxy
from integration.scripted import ScriptedServer
from integration.waiting import CEILING, until, within

PROGRAMS = Path(__file__).parent / "programs"
pytestmark = pytest.mark.skipif(not hasattr(os, "register_at_fork"), reason="this system has no fork")
CHILD = ["child False False None None 0", "child 1 2", "child ['client disconnect']"]


async def _fork(server, transport, key, name, way, scheme="http"):
    """Run the program; check what child and parent see, and what goes over the connections meanwhile."""
    async with Proxy(server.port, scheme) as proxy:
        arguments = (name, proxy.url, server.url, json.dumps(transport.argument), key, way)
        async with running("forking", *arguments, programs=PROGRAMS) as process:
            assert await printed(process) == ["ready"]
            before = proxy.to_server.carried
            process.stdin.write(b"\n")
            lines = []
            while (line := " ".join(await printed(process))) != "parent 0":
                assert line, (await process.communicate())[1].decode()
                lines.append(line)
            if way != "handler" and transport.name == "websocket":
                assert proxy.to_server.carried == before
            assert lines == (CHILD if way in ("_exit", "multiprocessing") else [])
            output, errors = await within(CEILING, process.communicate(b"\n"))
            assert errors == b""
            assert output.decode().splitlines() == ["parent 3 4 []"]
            assert process.returncode == 0


@pytest.mark.parametrize(
    ("name", "way"),
    [("threads", way) for way in ("_exit", "return", "multiprocessing", "handler", "subprocess")]
    + [("asyncio", way) for way in ("_exit", "multiprocessing", "handler", "subprocess")],
)
async def test_a_child_leaves_the_connections_of_its_parent_alone(server, transport, observer, key, name, way):
    """The child has none of the connections, sends nothing over them, and connects anew; the parent goes on."""
    await _fork(server, transport, key, name, way)
    notes = ["before", "child", "after"] if way in ("_exit", "multiprocessing") else ["before", "after"]
    assert await observer.notes(key, len(notes)) == notes


@pytest.mark.parametrize("name", ["threads", "asyncio"])
async def test_a_child_leaves_tls_sessions_alone(servers, trusted, transport, key, name):
    """No close_notify and no shutdown goes over a TLS connection of the parent."""
    await _fork(servers("node", tls=trusted.server_options()), transport, key, name, "_exit", "https")


@pytest.mark.parametrize("name", ["threads", "asyncio"])
@pytest.mark.parametrize("state", ["connecting", "reconnecting", "connect handler", "auth"])
async def test_a_fork_in_each_state(server, transport, name, state):
    """Also while the client connects or reconnects, and in functions that it calls, the child connects anew."""
    async with ScriptedServer(handshake="silent") as silent, Proxy(server.port) as proxy:
        other = proxy.url if state == "reconnecting" else silent.url
        arguments = (name, server.url, other, json.dumps(transport.argument), state)
        async with running("forking_states", *arguments, programs=PROGRAMS) as process:
            if state == "connecting":
                await until(lambda: silent.requests)
            elif state == "reconnecting":
                assert await printed(process) == ["connected"]
                await proxy.drop()
            output, errors = await within(2 * CEILING, process.communicate(b"\n"))
            assert re.sub(rb"Connection lost: .*\n|Attempt .*\n", b"", errors) == b""
            lines = [line for line in output.decode().splitlines() if line != "connecting"]
            last = {"connecting": ["parent ended"], "reconnecting": []}.get(state, ["parent 2"])
            assert lines == ["child False", "child 1", "parent 0", *last]
            assert process.returncode == 0


@pytest.mark.timeout(60)
async def test_forks_while_events_flow(server, transport):
    """Whatever the other threads do at the moment of the fork, no child hangs, and the parent misses nothing."""
    arguments = (server.url, json.dumps(transport.argument))
    async with running("forking_often", *arguments, programs=PROGRAMS) as process:
        output, errors = await within(3 * CEILING, process.communicate())
        assert errors == b""
        assert output.decode().splitlines() == [f"{[0] * 24} []"]
        assert process.returncode == 0
