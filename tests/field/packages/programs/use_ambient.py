"""Subscribes to the data of a weather station with aioambient, and ends."""

import asyncio
import sys

from aioambient import websocket
from aioambient.errors import WebsocketError


async def main(url):
    client = websocket.Websocket("application key", "key of ada")
    received = asyncio.Queue()
    client.on_connect(lambda: received.put_nowait("connected"))
    client.on_data(received.put_nowait)
    client.on_subscribed(received.put_nowait)
    client.on_disconnect(lambda: received.put_nowait("disconnected"))
    websocket.WEBSOCKET_API_BASE = url
    await client.connect()
    for _ in range(3):
        print(await asyncio.wait_for(received.get(), 5))
    await client.disconnect()
    print(await asyncio.wait_for(received.get(), 5))

    websocket.WEBSOCKET_API_BASE = "http://127.0.0.1:9"
    try:
        await client.connect()
    except WebsocketError:
        print("WebsocketError")


asyncio.run(main(sys.argv[1]))
