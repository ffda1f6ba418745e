"""The end of a program with many clients, or while its threads emit; disconnect() while others emit.

Source: issue 10, B4.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import time
from pathlib import Path

import pytest

from faults.running import printed, running
from integration.proxy import Proxy
from integration.waiting import CEILING, within
from socketio import exceptions

PROGRAMS = Path(__file__).parent / "programs"
LIMIT = 3.0
"""Seconds that the clients may take at the end of a program."""
FLAVOURS = pytest.mark.parametrize("name", ["threads", "asyncio"])
TRANSPORTS = pytest.mark.transports("polling", "websocket", "upgrade")


async def _end(process):
    """Have a program go on to its end; return what it printed, and the seconds that this took."""
    began = time.monotonic()
    output, errors = await within(CEILING, process.communicate(b"\n"))
    assert process.returncode == 0
    return output.decode(), errors.decode(), time.monotonic() - began


async def test_the_end_with_many_clients_of_a_hung_server(server, observer, key):
    """Twenty clients, every other one of a server that hangs, end within one limit: the others' events arrive.

    It takes those 3 s, since the server that hangs might read on until then: for all programs at the same time.
    """
    ways = list(itertools.product(["threads", "asyncio"], ["polling", "websocket"]))
    async with contextlib.AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(Proxy(server.port))
        processes = []
        for way in ways:
            name, transport = way
            arguments = (name, json.dumps([server.url, proxy.url]), json.dumps([transport]), f"{key} {way}", "20")
            processes.append(await stack.enter_async_context(running("exit_many", *arguments, programs=PROGRAMS)))
        for process in processes:
            assert await printed(process) == ["ready"]
        proxy.pause()
        for _, errors, seconds in await asyncio.gather(*map(_end, processes)):
            assert seconds < LIMIT + 1
            assert "Traceback" not in errors
    for way in ways:
        assert sorted(await observer.notes(f"{key} {way}", 10)) == list(range(0, 20, 2))


@FLAVOURS
async def test_the_end_with_many_clients(server, transport, observer, key, name):
    """Where the server reads, all events arrive, and nothing is waited for."""
    arguments = (name, json.dumps([server.url]), json.dumps(transport.argument), key, "20")
    async with running("exit_many", *arguments, programs=PROGRAMS) as process:
        assert await printed(process) == ["ready"]
        _, errors, seconds = await _end(process)
        assert errors == ""
        assert seconds < 2
    assert sorted(await observer.notes(key, 20)) == list(range(20))


@TRANSPORTS
@FLAVOURS
async def test_the_end_while_daemon_threads_emit(server, transport, observer, key, name):
    """The end of the program is the last moment whose events are sent; no thread complains, and the end is soon."""
    arguments = (name, server.url, json.dumps(transport.argument), key)
    async with running("exit_emitting", *arguments, programs=PROGRAMS) as process:
        (emitted,) = map(int, await printed(process))
        output, errors, seconds = await _end(process)
        assert (output, errors) == ("", "")
        assert seconds < LIMIT
    notes = await observer.notes(key, emitted)
    assert notes == list(range(len(notes)))


@TRANSPORTS
async def test_disconnect_while_others_emit(make_client, flavour, server, transport, observer, key):
    """What was emitted before disconnect() is sent, what comes after is refused, and nothing delays it."""
    sio = make_client()
    await sio.connect(server.url, transports=transport.argument)
    emitted: list[int] = []
    refused: list[type[Exception]] = []
    enough, running_on = asyncio.Event(), True
    loop = asyncio.get_running_loop()

    async def emit():
        number = 0
        while running_on:
            try:
                await sio.emit("note", (key, number))
            except exceptions.SocketIOError as exc:
                refused.append(type(exc))
                return
            emitted.append(number)
            number += 1
            if number == 100:
                loop.call_soon_threadsafe(enough.set)
            if flavour.is_asyncio:
                await asyncio.sleep(0)

    emitting = sio.start_background_task(emit)
    await within(CEILING, enough.wait())
    before = len(emitted)
    began = time.monotonic()
    await within(CEILING, sio.disconnect())
    seconds = time.monotonic() - began
    try:
        await within(CEILING, flavour.join(emitting))  # which its next emit ends
    finally:
        running_on = False
    assert refused == [exceptions.BadNamespaceError]
    assert seconds < 1.5
    notes = await observer.notes(key, len(emitted))
    assert notes == emitted
    assert len(notes) >= before


@TRANSPORTS
async def test_many_disconnect_from_a_hung_server(make_client, server, transport):
    """Twenty clients of a server that hangs disconnect at the same time, each within request_timeout.

    Takes the second of that, and one for the answer to the close.
    """
    async with Proxy(server.port) as proxy:
        clients = [make_client(request_timeout=1) for _ in range(20)]
        await asyncio.gather(*(sio.connect(proxy.url, transports=transport.argument) for sio in clients))
        proxy.pause()
        for sio in clients:
            await sio.emit("echo")
        began = time.monotonic()
        await within(CEILING, asyncio.gather(*(sio.disconnect() for sio in clients)))
        assert time.monotonic() - began < 2.5
        assert not any(sio.connected for sio in clients)


@FLAVOURS
async def test_a_short_request_timeout_ends_sooner(server, observer, key, name):
    """Of a server that hangs, clients take no longer than request_timeout at the end of the program."""
    async with Proxy(server.port) as proxy:
        async with running("leave", name, "connected", proxy.url) as process:
            assert await printed(process) == ["connected"]
            proxy.pause()
            _, _, seconds = await _end(process)
            assert seconds < 2
