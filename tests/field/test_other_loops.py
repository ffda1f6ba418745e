"""Programs that use an asyncio client in several event loops: on another thread, one after the other, under trio.

Source: issue 10, B14.
"""

from __future__ import annotations

import asyncio
import gc
import warnings

import pytest
import trio

import socketio
from integration.flavours import run_blocking
from integration.waiting import within

pytestmark = pytest.mark.servers("python", "node")


async def test_a_thread_with_an_event_loop_of_its_own(server, transport):
    """asyncio.run() on another thread gets an error at once; run_coroutine_threadsafe() is the way."""
    sio = socketio.AsyncClient()
    simple = socketio.AsyncSimpleClient()
    loop = asyncio.get_running_loop()
    for client in (sio, simple):
        await client.connect(server.url, transports=transport.argument)

    def on_another_thread():
        for client in (sio, simple):
            for method, *args in (("emit", "echo"), ("call", "echo", 1), ("disconnect",), ("connect", server.url)):
                with pytest.raises(RuntimeError, match="another event loop"):
                    asyncio.run(within(1, getattr(client, method)(*args)))
            assert asyncio.run_coroutine_threadsafe(client.call("echo", 1), loop).result(5) == 1

    await within(10, run_blocking(on_another_thread))
    for client in (sio, simple):
        assert await client.call("echo", 2) == 2
        await client.disconnect()


@pytest.mark.parametrize("end", ["disconnect", "run", "close"])
def test_one_event_loop_after_the_other(server, transport, end):
    """An idle client connects in a new event loop, also when the last one was closed underneath it."""
    sio, simple = socketio.AsyncClient(), socketio.AsyncSimpleClient()

    async def live():
        for client in (sio, simple):
            await client.connect(server.url, transports=transport.argument)
            assert await client.call("echo", 1) == 1
            if end == "disconnect":
                await client.disconnect()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # that the program did not disconnect
        for _ in range(3):
            if end == "close":
                loop = asyncio.new_event_loop()
                loop.run_until_complete(live())
                loop.close()
            else:
                asyncio.run(live())
        end = "disconnect"
        asyncio.run(live())
        gc.collect()


def test_under_trio(server):
    """There is one error, which says what is wrong."""
    with pytest.raises(RuntimeError, match="trio"):
        trio.run(socketio.AsyncClient().connect, server.url)
    with pytest.raises(RuntimeError, match="trio"):
        trio.run(socketio.AsyncSimpleClient().connect, server.url)
