"""Controls Cider with both transports of cider-py: a catch-all handler, a callback, and a handler that is removed."""

import asyncio
import queue
import sys

from cider.transport_ws import AsyncWS, SyncWS


def threads(url):
    results = queue.Queue()
    ws = SyncWS(url, "the token")
    ws.connect()
    ws.on("playback", results.put)
    ws.emit("play", {"song": "one"}, callback=results.put)
    print(sorted(map(str, (results.get(timeout=5), results.get(timeout=5)))))
    ws.disconnect()


async def in_asyncio(url):
    results = asyncio.Queue()
    ws = AsyncWS(url, None)
    await ws.connect()
    ws.on("playback", results.put_nowait)
    await ws.emit("play", {"song": "two"}, callback=results.put_nowait)
    print(sorted(map(str, [await asyncio.wait_for(results.get(), 5) for _ in range(2)])))
    ws.off("playback")
    await ws.emit("play", {"song": "three"}, callback=results.put_nowait)
    print(await asyncio.wait_for(results.get(), 5), results.qsize())
    await ws.disconnect()


threads(sys.argv[1])
asyncio.run(in_asyncio(sys.argv[1]))
