"""Asyncio without ``asyncio.run()``: ``unclosed_loop.py url transports key way``. Clients are connected at its end.

``way`` says what happens to the event loop: ``close``, ``leave`` (it is not closed), ``again`` (it is closed, and the
client connects in another one), ``disconnect`` (the same, and it only disconnects there).
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import socketio

url, transports, key, way = sys.argv[1:]
options: dict[str, Any] = {"transports": json.loads(transports)}
sio = socketio.AsyncClient()
simple = socketio.AsyncSimpleClient()
ended: list[str] = []
sio.on("disconnect", ended.append)


@sio.on("slow")
async def slow() -> None:
    await asyncio.sleep(60)


async def main() -> None:
    await sio.connect(url, **options)  # this line
    await simple.connect(url, **options)  # and this line
    await sio.emit("emit_back", "slow")
    await sio.call("echo", 1)
    await sio.emit("note", (key, "last"))
    print("connected", sio.get_sid(), flush=True)


async def again() -> None:
    print(sio.connected, sio.sid, sio.namespaces, flush=True)
    if way == "disconnect":
        await sio.disconnect()
        await simple.disconnect()
        await sio.wait()
        return
    await sio.connect(url, **options)
    await simple.connect(url, **options)
    print(await sio.call("echo", 2), await simple.call("echo", 3), ended, flush=True)
    await sio.disconnect()
    await simple.disconnect()


loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
loop.run_until_complete(main())
if way != "leave":
    loop.close()
if way in ("again", "disconnect"):
    asyncio.run(again())
