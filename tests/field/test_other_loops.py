"""Programs that use an asyncio client in several event loops: on another thread, one after the other, under trio.

Source: issue 10, B14.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import queue
import threading
import warnings

import pytest
import trio
from aiohttp import web

import socketio
from integration.flavours import run_blocking
from integration.scripted import ScriptedServer
from integration.waiting import CEILING, within

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


def test_a_poll_that_is_cut_as_the_event_loop_ends(caplog):
    """The reading that ends with an error, since its pending GET is cut, is not reported: it has no other reader."""
    urls, done = queue.Queue(), threading.Event()

    async def never(request):
        await asyncio.to_thread(done.wait, CEILING)
        return web.Response()

    async def serve():
        async with ScriptedServer() as server:
            urls.put(server.url)
            connection = await server.accept()
            await connection.wait_polled()
            connection.spoiled = never
            await connection.accept_namespace()
            await asyncio.to_thread(done.wait, CEILING)

    async def live(url):
        await socketio.AsyncClient().connect(url, transports="polling")

    serving = threading.Thread(target=asyncio.run, args=(serve(),))
    serving.start()
    with caplog.at_level(logging.ERROR, "asyncio"):
        asyncio.run(live(urls.get(timeout=CEILING)))
        gc.collect()
    done.set()
    serving.join()
    assert caplog.messages == []


def test_under_trio(server):
    """There is one error, which says what is wrong."""
    with pytest.raises(RuntimeError, match="trio"):
        trio.run(socketio.AsyncClient().connect, server.url)
    with pytest.raises(RuntimeError, match="trio"):
        trio.run(socketio.AsyncSimpleClient().connect, server.url)
