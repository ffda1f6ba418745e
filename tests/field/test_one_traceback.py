"""One traceback with one cause for a connection that fails.

Source: issue 10, D9: where nothing listens, three chained tracebacks of 45 lines are printed, with the frames of the
HTTP library on top. The program prints what users see.
"""

from __future__ import annotations

import asyncio
import re
import socket
import sys

import pytest

from faults.hostile import RawServer
from integration.waiting import CEILING, within

PROGRAMS = {
    "Client": "import socketio\nsocketio.Client({o}).connect({url!r}, transports={transports!r})",
    "SimpleClient": "import socketio\nsocketio.SimpleClient({o}).connect({url!r}, transports={transports!r})",
    "AsyncClient": """\
import asyncio, socketio
async def main():
    await socketio.AsyncClient({o}).connect({url!r}, transports={transports!r})
asyncio.run(main())""",
    "AsyncSimpleClient": """\
import asyncio, socketio
async def main():
    await socketio.AsyncSimpleClient({o}).connect({url!r}, transports={transports!r})
asyncio.run(main())""",
}
programs = pytest.mark.parametrize("name", PROGRAMS)
transports = pytest.mark.parametrize("transports", ["polling", "websocket"])


async def _printed(name, url, transports, o="request_timeout=0.5"):
    """Return what a program prints that connects to a URL and does not catch the error."""
    program = PROGRAMS[name].format(url=url, transports=transports, o=o)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        output, _ = await within(2 * CEILING, process.communicate())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 1
    return output.decode()


def _check(text, lines):
    assert text.count("Traceback (most recent call last)") == 1, text
    assert text.count("direct cause") <= 1, text
    assert "During handling" not in text
    for library in ("urllib3", "requests/", "aiohttp/", "websocket/"):
        assert library not in text
    without_runner = re.sub(r'  File "[^"]*/python[\d.]+/asyncio/.*\n(?:    .*\n)*', "", text)
    assert len(without_runner.splitlines()) <= lines, text


@programs
@transports
async def test_nothing_listens(name, transports):
    """The cause is one line, and the traceback leads from the program's line to the error."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    text = await _printed(name, f"http://127.0.0.1:{port}", transports)
    _check(text, 24)
    first, *_, last = text.strip().splitlines()
    assert first.startswith("ConnectionRefusedError: ")
    assert last.startswith("socketio.exceptions.ConnectionError: ")
    assert f"127.0.0.1:{port}" in last
    assert "ConnectionRefusedError" in last


@pytest.mark.parametrize("kind", ["refuses", "closes", "is silent", "no server", "no name", "no TLS"])
@pytest.mark.parametrize(("name", "transports"), [("Client", "websocket"), ("AsyncClient", "polling")])
async def test_other_failures(name, kind, transports):
    """So it is where a server refuses, closes, is silent, speaks another protocol, or does not exist."""

    async def answer(request):
        if kind == "is silent":
            await request.until_closed()
        elif kind == "refuses":
            await request.answer('{"message": "no"}', 401, "Content-Type: application/json")
        elif kind == "no server":
            await request.answer("<html>")
        request.writer.close()

    async with RawServer(answer) as server:
        url = server.url
        if kind == "no name":
            url = "http://does-not-exist.invalid"
        elif kind == "no TLS":
            url = url.replace("http", "https")
        text = await _printed(name, url, transports)
    _check(text, 26)
    assert "socketio.exceptions.ConnectionError: " in text.strip().splitlines()[-1]


@pytest.mark.parametrize("name", ["Client", "AsyncClient"])
async def test_the_program_s_own_error(name):
    """An error of the program's own functions keeps its traceback."""
    program = PROGRAMS[name].replace("{url!r}", "lambda: 1 / 0").format(transports=None, o="")
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stderr=asyncio.subprocess.PIPE)
    _, output = await within(2 * CEILING, process.communicate())
    assert "ZeroDivisionError" in output.decode()
    assert "<lambda>" in output.decode()
    assert output.decode().count("Traceback") == 1
