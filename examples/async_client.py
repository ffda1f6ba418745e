"""The event-driven client for asyncio: handlers are functions or coroutines.

Usage: python async_client.py [URL]
"""

import asyncio
import sys

import socketio

sio = socketio.AsyncClient()


@sio.event
async def connect():
    print("connected over", sio.transport())
    await sio.emit("greet", "Ada")


@sio.event
async def welcome(name):
    print("welcome,", name)
    await sio.disconnect()


@sio.event
def disconnect(reason):
    print("disconnected:", reason)


async def main():
    await sio.connect(sys.argv[1] if len(sys.argv) > 1 else "http://localhost:5000")
    await sio.wait()


asyncio.run(main())
