"""connect() that fails, or is cancelled, at every moment: nothing stays open, and it works again.

Source: issue 10, B9.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os

import pytest

import socketio
from integration.scripted import ScriptedServer
from integration.waiting import CEILING, until, within
from socketio import exceptions

pytestmark = [pytest.mark.servers("python", "node"), pytest.mark.transports("polling", "websocket", "upgrade")]


def nested(depth):
    """Return a value that is nested so many lists deep."""
    value = "inside"
    for _ in range(depth):
        value = [value]
    return value


@contextlib.asynccontextmanager
async def _nothing_is_left():
    """Check that the block leaves no task and no descriptor behind."""
    tasks, descriptors = asyncio.all_tasks(), len(os.listdir("/proc/self/fd"))
    yield
    await until(lambda: not asyncio.all_tasks() - tasks and len(os.listdir("/proc/self/fd")) <= descriptors)


async def _works(sio, server, transport):
    """Check that the client connects."""
    await within(CEILING, sio.connect(server.url, transports=transport.argument))
    assert await within(CEILING, sio.call("echo", 1)) == 1
    await within(CEILING, sio.disconnect())


@pytest.mark.parametrize("depth", [10, 300])
async def test_a_refusal_with_nested_data(make_client, server, transport, depth):
    """The server refuses with what it got, which is nested deeply."""
    sio = make_client()
    async with _nothing_is_left():
        with pytest.raises(exceptions.ConnectionError, match="/auth"):
            await sio.connect(
                server.url, transports=transport.argument, namespaces=["/", "/auth"], auth={"deep": nested(depth)}
            )
        assert sio.namespaces == {}
        await _works(sio, server, transport)


@pytest.mark.servers("node")
@pytest.mark.transports("polling", "websocket")
@pytest.mark.parametrize("depth", [900, 1000, 5000])
async def test_a_refusal_whose_message_is_nested(make_client, server, transport, depth):
    """A message that is not text, nested to any depth, is a refusal, or is dropped as invalid."""
    sio = make_client()
    async with ScriptedServer(upgrade="refuse") as hostile:
        connecting = asyncio.ensure_future(
            sio.connect(hostile.url, transports=[transport.final], wait_timeout=0.5, namespaces=["/"])
        )
        connection = await hostile.accept()
        assert str(await connection.receive()).startswith("40")
        await connection.send('44{"message":' + "[" * depth + "]" * depth + "}")
        with pytest.raises(exceptions.ConnectionError, match="failed to connect: /"):
            await within(CEILING, connecting)
        await within(CEILING, connection.rest())  # the connection has ended
    await _works(sio, server, transport)


@pytest.mark.parametrize("argument", ["url", "headers", "auth"])
async def test_a_function_that_fails_after_the_transport_is_open(make_client, server, transport, argument):
    """An error of url, headers or auth, SystemExit included, leaves nothing open."""
    sio = make_client()
    for error in (KeyError("token"), SystemExit(3)):

        def broken(error=error):
            raise error

        async with _nothing_is_left():
            with pytest.raises(type(error)):
                await sio.connect(**{"url": server.url, "transports": transport.argument, argument: broken})
    await _works(sio, server, transport)


@pytest.mark.servers("node")
@pytest.mark.parametrize("auth", [object(), b"bytes"])
async def test_auth_that_cannot_be_sent(make_client, server, transport, auth):
    """An auth that is no JSON raises."""
    sio = make_client()
    async with _nothing_is_left():
        with pytest.raises((TypeError, ValueError)):
            await sio.connect(server.url, transports=transport.argument, auth=auth)
    await _works(sio, server, transport)


@pytest.mark.servers("node")
async def test_a_json_module_that_fails(make_client, server, transport):
    """Nor does a json module that fails with whatever."""

    class Broken:
        broken = True

        @classmethod
        def dumps(cls, data):
            if cls.broken:
                raise ZeroDivisionError
            return json.dumps(data)

        loads = staticmethod(json.loads)

    sio = make_client(json=Broken)
    async with _nothing_is_left():
        with pytest.raises(ZeroDivisionError):
            await sio.connect(server.url, transports=transport.argument)
    Broken.broken = False
    await _works(sio, server, transport)


async def _cancel_at_each_step(coroutine_function, steps=400):
    """Cancel a coroutine before its first step, its second step, and so on, until it ends before it is cancelled."""
    for step in range(1, steps):
        task = asyncio.ensure_future(coroutine_function())
        for _ in range(step):
            await asyncio.sleep(0)
        was_done = task.done()
        task.cancel()
        await asyncio.wait([task], timeout=CEILING)
        assert task.done()
        yield step, task
        if was_done:
            return


@pytest.mark.flavours("asyncio")
async def test_a_connect_that_is_cancelled_at_each_step(server, transport):
    """Cancelled at whatever turn of the event loop, connect() leaves no task and no socket, and works again."""
    sio = socketio.AsyncClient(reconnection=False)

    async def connect():
        await sio.connect(server.url, transports=transport.argument)

    async with _nothing_is_left():
        steps = _cancel_at_each_step(connect)
        async for step, task in steps:
            if not task.cancelled():
                await task
                break
            assert not sio.connected
            if step % 20 == 0:
                await _works(sio, server, transport)
        assert sio.connected
        await sio.disconnect()
        await _works(sio, server, transport)


@pytest.mark.flavours("asyncio")
async def test_a_disconnect_that_is_cancelled_at_each_step(server, transport):
    """connect() at once after a disconnect() that was cancelled waits for the close, and is no error."""
    sio = socketio.AsyncClient(reconnection=False)

    async def disconnect():
        await sio.connect(server.url, transports=transport.argument)
        await sio.emit("echo", 1)
        began.append(True)
        await sio.disconnect()

    async with _nothing_is_left():
        for step in range(12):
            began = []
            task = asyncio.ensure_future(disconnect())
            await until(lambda began=began: began)
            for _ in range(step):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task], timeout=CEILING)
            await _works(sio, server, transport)
