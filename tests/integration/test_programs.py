"""Whole programs: Ctrl-C, and ends that nobody prepared."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import socketio

from .flavours import run_blocking
from .waiting import CEILING, within

PROGRAMS = Path(__file__).parent / "programs"


@contextlib.asynccontextmanager
async def _running(name: str, *args: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a program, with warnings as errors; kill it if it is still there at the end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-W",
        "error",
        str(PROGRAMS / f"{name}.py"),
        *args,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def _sid(process: asyncio.subprocess.Process) -> str:
    """Return the sid that a program prints when it is connected."""
    assert process.stdout is not None
    line = (await within(CEILING, process.stdout.readline())).decode().split()
    if line[:1] != ["connected"]:
        raise AssertionError((await process.communicate())[1].decode())
    return str(line[1])


@pytest.mark.servers("node")
@pytest.mark.parametrize("program", ["wait_threads", "wait_asyncio"])
async def test_ctrl_c_says_goodbye(server, observer, program):
    """Ctrl-C is KeyboardInterrupt; the disconnect handlers are called and the server is told, soon. (M19)"""
    async with _running(program, server.url, "{}") as process:
        sid = await _sid(process)
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        output, errors = await within(CEILING, process.communicate())
        assert time.monotonic() - started < 2.5
        assert sorted(output.decode().splitlines()) == ["disconnect client disconnect", "interrupted"]
        assert errors == b""
        assert process.returncode == 0
    assert await observer.notes(f"disconnect:{sid}", 1) == ["client namespace disconnect"]


@pytest.mark.servers("node")
async def test_ctrl_c_in_the_application(server, observer):
    """Ctrl-C outside of the client ends the program, as without a client, and the server is told. (M19)"""
    async with _running("busy_threads", server.url) as process:
        sid = await _sid(process)
        process.send_signal(signal.SIGINT)
        _, errors = await within(CEILING, process.communicate())
        assert b"KeyboardInterrupt" in errors
        assert process.returncode in (1, -signal.SIGINT)
    assert await observer.notes(f"disconnect:{sid}", 1) == ["client namespace disconnect"]


@pytest.mark.servers("node")
async def test_ctrl_c_that_is_not_handled(server):
    """With handle_sigint=False Ctrl-C is KeyboardInterrupt all the same, at once. (M19)"""
    async with _running("wait_threads", server.url, json.dumps({"handle_sigint": False})) as process:
        await _sid(process)
        process.send_signal(signal.SIGINT)
        output, _ = await within(CEILING, process.communicate())
        assert "interrupted" in output.decode().splitlines()
        assert process.returncode == 0


@pytest.mark.servers("node")
@pytest.mark.parametrize("program", ["leave_threads", "leave_asyncio"])
async def test_a_program_that_ends_without_disconnecting(server, observer, program):
    """It does not hang, prints no complaint, and the server is told. (M20)"""
    async with _running(program, server.url, "{}") as process:
        sid = await _sid(process)
        _, errors = await within(CEILING, process.communicate())
        assert errors == b""
        assert process.returncode == 0
    assert len(await observer.notes(f"disconnect:{sid}", 1)) == 1


@pytest.mark.servers("node")
def test_no_signal_handler_is_left(servers):
    """Neither constructing a client, nor connecting and disconnecting it, leaves another handler for SIGINT. (M19)"""
    before = signal.getsignal(signal.SIGINT)
    for handle_sigint in (True, False):
        sio = socketio.Client(handle_sigint=handle_sigint)
        assert signal.getsignal(signal.SIGINT) is before
        sio.connect(servers("node").url, transports="websocket")
        sio.disconnect()
        assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.servers("node")
async def test_clients_outside_the_main_thread(servers):
    """A client may be constructed and used in any thread, with handle_sigint=True too. (M21)"""

    def use():
        sio = socketio.Client(handle_sigint=True)
        sio.connect(servers("node").url)
        answer = sio.call("echo", 1)
        sio.disconnect()
        return answer

    def use_asyncio():
        async def main():
            sio = socketio.AsyncClient(handle_sigint=True)
            await sio.connect(servers("node").url)
            answer = await sio.call("echo", 1)
            await sio.disconnect()
            return answer

        return asyncio.run(main())

    assert await within(CEILING, run_blocking(use)) == 1
    assert await within(CEILING, run_blocking(use_asyncio)) == 1
