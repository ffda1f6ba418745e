"""Ctrl-C: KeyboardInterrupt at once, wherever the program waits, and nothing else is touched."""

from __future__ import annotations

import contextlib
import signal
import time

import pytest

from integration.proxy import Proxy
from integration.scripted import ScriptedServer
from integration.waiting import CEILING, until, within

from .running import printed, running

FLAVOURS = pytest.mark.parametrize("name", ["threads", "asyncio"])
CONNECTED = ["wait", "receive", "call", "sleep"]


async def _interrupt(process):
    """Press Ctrl-C; return what the program printed, and how it ended."""
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    output, errors = await within(CEILING, process.communicate())
    assert time.monotonic() - started < 2.5
    assert errors.decode().rstrip().endswith("KeyboardInterrupt"), errors.decode()
    assert b"never retrieved" not in errors
    assert b"ResourceWarning" not in errors
    assert process.returncode == -signal.SIGINT  # what a shell reports as 130
    return output.decode().splitlines()


@FLAVOURS
@pytest.mark.parametrize("where", CONNECTED)
async def test_ctrl_c_while_connected(server, observer, name, where):
    """In wait(), receive(), call() and sleep() it ends the program, and the server is told."""
    async with running("interrupted", name, where, server.url) as process:
        _, sid = await printed(process)
        lines = await _interrupt(process)
    assert lines == (["other task cleaned up"] if name == "asyncio" else [])
    assert await observer.notes(f"disconnect:{sid}", 1) == ["client namespace disconnect"]


@FLAVOURS
async def test_ctrl_c_in_connect(name):
    """In connect() to a server that never answers it ends the program."""
    async with ScriptedServer(handshake="hang") as silent:
        async with running("interrupted", name, "connect", silent.url) as process:
            assert await printed(process) == ["ready"]
            await until(lambda: silent.requests)
            await _interrupt(process)


@FLAVOURS
@pytest.mark.parametrize("network", ["refuses", "is dead"])
async def test_ctrl_c_between_attempts(server, name, network):
    """In wait(), while the client tries to reconnect, it ends the program."""
    async with Proxy(server.port) as proxy:
        async with running("interrupted", name, "reconnecting", proxy.url) as process:
            assert await printed(process) == ["ready"]
            if network == "is dead":
                proxy.pause()
                proxy.cut()
            else:
                await proxy.drop()
            assert await printed(process) == ["lost"]
            if network == "is dead":
                await proxy.wait_accepted(proxy.accepted + 1)
            await _interrupt(process)


@FLAVOURS
async def test_ctrl_c_on_a_dead_network(server, name):
    """While connected to a server that takes nothing any more, the goodbye is given up after a second."""
    async with Proxy(server.port) as proxy:
        async with running("interrupted", name, "wait", proxy.url) as process:
            assert (await printed(process))[0] == "ready"
            proxy.pause()
            await _interrupt(process)


@FLAVOURS
async def test_a_signal_handler_of_the_program(server, observer, name):
    """A handler of the program's own is called, and the connection goes on."""
    async with running("own_handler", name, server.url) as process:
        _, sid = await printed(process)
        process.send_signal(signal.SIGINT)
        assert await printed(process) == ["goes", "on"]
        _, errors = await within(CEILING, process.communicate())
        assert errors == b""
        assert process.returncode == 0
    assert await observer.notes(f"disconnect:{sid}", 1) == ["client namespace disconnect"]


@FLAVOURS
@pytest.mark.parametrize("state", ["connected", "dead network", "reconnecting"])
async def test_a_program_that_ends_without_disconnect(server, name, state):
    """A program that ends normally without disconnect() ends soon in any state, and complains of nothing but a loss."""
    async with Proxy(server.port) as proxy, running("leave", name, state, proxy.url) as process:
        assert await printed(process) == ["connected"]
        if state == "dead network":
            proxy.pause()
        elif state == "reconnecting":
            await proxy.drop()
        started = time.monotonic()
        with contextlib.suppress(ConnectionError):
            process.stdin.write(b"\n")
        output, errors = await within(CEILING, process.communicate())
        assert time.monotonic() - started < 4
        losses = [line for line in errors.splitlines() if line.startswith(b"Connection lost: ")]
        assert (output, errors.splitlines()) == (b"", losses)
        assert (len(losses) == 1) == (state == "reconnecting")
        assert process.returncode == 0
