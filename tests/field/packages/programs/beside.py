"""python-socketio's server and the clients of ``socketio_client`` in one process; prints what works."""

import asyncio
import contextlib
import importlib.metadata
import logging
import queue

import socketio_client
import socketio_client.testing
from aiohttp import web

import socketio

assert not hasattr(socketio_client, "Server")
assert socketio.Client is not socketio_client.Client
assert not issubclass(socketio_client.exceptions.SocketIOError, socketio.exceptions.SocketIOError)
logging.getLogger("socketio.client").setLevel(logging.CRITICAL)
assert socketio_client.Client().logger.name == "socketio_client.client"

server = socketio.AsyncServer(async_mode="aiohttp", serializer="msgpack")
refused = socketio.exceptions.ConnectionRefusedError("not you")


@server.event
async def connect(sid, environ, auth):
    await server.emit("hello", {"auth": auth}, to=sid)


@server.event
async def add(sid, a, b):
    return a + b


@server.on("connect", namespace="/closed")
async def connect_closed(sid, environ, auth):
    raise refused


def talk(url):
    """Use the threaded clients, each over each transport."""
    for transports in (["polling"], ["websocket"], ["polling", "websocket"]):
        sio = socketio_client.Client(serializer="msgpack")
        greetings = queue.Queue()
        sio.on("hello", greetings.put)
        sio.connect(url, auth="Ada", transports=transports)
        assert greetings.get(timeout=5) == {"auth": "Ada"}
        assert sio.call("add", (2, 3)) == 5
        sio.disconnect()
    with socketio_client.SimpleClient(serializer="msgpack") as simple:
        simple.connect(url, auth="Ada")
        assert simple.receive(timeout=5) == ["hello", {"auth": "Ada"}]
    with contextlib.suppress(socketio_client.exceptions.ConnectionError):
        socketio_client.Client(serializer="msgpack").connect(url, namespaces=["/closed"])
        raise AssertionError("the server refused nothing")


async def main():
    application = web.Application()
    server.attach(application)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    await asyncio.to_thread(talk, url)
    for transports in (["polling"], ["websocket"], ["polling", "websocket"]):
        async with socketio_client.AsyncSimpleClient(serializer="msgpack") as sio:
            await sio.connect(url, auth="Ada", transports=transports)
            assert await sio.receive(timeout=5) == ["hello", {"auth": "Ada"}]
            assert await sio.call("add", (2, 3)) == 5
    await runner.cleanup()


asyncio.run(main())
with socketio_client.testing.Server() as server, socketio_client.SimpleClient() as sio:
    sio.connect(server.url)
print(importlib.metadata.version("python-socketio"), "and", socketio_client.__version__)
