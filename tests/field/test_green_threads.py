"""The threaded clients on the green threads of eventlet and gevent work as on threads.

Each program runs in a process of its own, since the libraries replace parts of the standard library.
Source: issue 10, B6.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from faults.running import printed, running
from integration.proxy import Proxy
from integration.waiting import CEILING, within

PROGRAMS = Path(__file__).parent / "programs"


LIBRARIES = pytest.mark.parametrize("library", ["eventlet", "gevent"])


async def _check(proxy, transport, key, library):
    """Run the program; cut its connections when it is ready."""
    arguments = (library, proxy.url, json.dumps(transport.argument), key)
    async with running("green", *arguments, programs=PROGRAMS, warnings="default") as process:
        lines = []
        while (line := " ".join(await printed(process))) != "ready":
            assert line, (await process.communicate())[1].decode()
            lines.append(line)
        assert lines == [f"connected {transport.final}", "b'bytes' True", "True ['event', 1]", "timeout True"]
        await proxy.drop()
        assert await printed(process) == ["lost"]
        await proxy.accept()
        output, errors = await within(2 * CEILING, process.communicate())
        assert output.decode().splitlines() == [
            "again again ['connect', 'transport error', 'connect']",
            "True False ['client disconnect']",
            "new",
        ]
        assert "Traceback" not in errors.decode()
        assert process.returncode == 0


@pytest.mark.transports("polling", "websocket", "upgrade")
@LIBRARIES
async def test_the_clients_on_green_threads(server, transport, observer, key, library):
    """They read, emit, call, reconnect, disconnect, connect anew, and end with the program.

    Takes 2 s: a program, some time limits that it waits for, and a reconnection.
    """
    async with Proxy(server.port) as proxy:
        await _check(proxy, transport, key, library)
    assert await observer.notes(key, 101) == [*range(100), "last"]


@LIBRARIES
async def test_the_clients_on_green_threads_with_tls(servers, trusted, transport, key, library):
    """The same, over TLS. Takes as long."""
    async with Proxy(servers("node", tls=trusted.server_options()).port, scheme="https") as proxy:
        await _check(proxy, transport, key, library)
