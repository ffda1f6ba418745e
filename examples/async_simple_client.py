"""The simple client for asyncio: no handlers, events wait until the program asks for them.

Usage: python async_simple_client.py [URL]
"""

import asyncio
import sys

import socketio


async def main():
    async with socketio.AsyncSimpleClient() as sio:
        await sio.connect(sys.argv[1] if len(sys.argv) > 1 else "http://localhost:5000")
        print("connected over", sio.transport)

        await sio.emit("greet", "Ada")
        event, name = await sio.receive(timeout=5)
        print(f"{event}, {name}")

        print("2 + 3 =", await sio.call("add", (2, 3)))

    print("disconnected")


asyncio.run(main())
