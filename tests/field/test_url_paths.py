"""A path in the URL: that of the server is no reason to warn, any other warns where everybody sees it.

Source: issue 10, D10. Programs pass ``http://host/socket.io/``, as they do to python-socketio.
"""

from __future__ import annotations

import asyncio
import sys

import pytest

from faults.hostile import RawServer
from faults.watching import Lines
from integration.waiting import CEILING, within

from .recording import UpgradingPeer

pytestmark = pytest.mark.servers("node")
PROGRAM = """\
import asyncio, socketio
if {name!r}.startswith("Async"):
    async def main():
        sio = socketio.{name}()
        await sio.connect({url!r})
        await sio.disconnect()
    asyncio.run(main())
else:
    sio = socketio.{name}()
    sio.connect({url!r})
    sio.disconnect()
"""


@pytest.mark.parametrize("path", ["", "/", "/socket.io", "/socket.io/", "/socket.io/?a=b", "//socket.io//"])
async def test_the_path_of_the_server(make_client, server, transport, path):
    """It may stand in the URL."""
    lines = Lines()
    sio = make_client(logger=lines.logger, engineio_logger=lines.logger)
    await sio.connect(server.url + path, transports=transport.argument)
    assert await sio.call("echo", 1) == 1
    assert lines.warnings == []


@pytest.mark.server_options(path="deep/path")
@pytest.mark.parametrize("path", ["/deep/path", "/deep/path/"])
async def test_a_path_that_was_changed(make_client, server, transport, path):
    """The same holds for the path that socketio_path names."""
    lines = Lines()
    sio = make_client(logger=lines.logger, engineio_logger=lines.logger)
    await sio.connect(server.url + path, socketio_path="/deep/path/", transports=transport.argument)
    assert lines.warnings == []


@pytest.mark.parametrize("path", ["/chat", "/socket.io/chat", "/api/socket.io", "/socket.iox"])
async def test_any_other_path(make_client, server, transport, path):
    """Any other is warned of, once, and the line names it and what to use."""
    lines = Lines()
    sio = make_client(logger=lines.logger, engineio_logger=lines.logger)
    for _ in range(2):
        await sio.connect(server.url + path, transports=transport.argument)
        await sio.disconnect()
    assert len(lines.warnings) == 1, lines.warnings
    for part in (path.strip("/"), "socketio_path", "namespaces"):
        assert part in lines.warnings[0]


@pytest.mark.parametrize("name", ["Client", "SimpleClient", "AsyncClient", "AsyncSimpleClient"])
@pytest.mark.parametrize(("path", "warns"), [("/socket.io/", False), ("/chat", True)])
async def test_a_program_without_logging(name, path, warns):
    """A program that has not set up logging sees the warning on its standard error, and nothing else."""
    peer = UpgradingPeer()
    peer.connected.set()
    async with RawServer(peer) as server:
        program = PROGRAM.format(name=name, url=server.url + path)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        output, _ = await within(2 * CEILING, process.communicate())
    assert process.returncode == 0, output
    assert (b"chat" in output) is warns, output
    assert bool(output) is warns, output
