"""Connects, emits so many numbered notes, and ends without disconnecting."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import socketio


def main(url: str, transports: list[str], key: str, count: int) -> None:
    sio = socketio.Client()
    sio.connect(url, transports=transports)
    for i in range(count):
        sio.emit("note", (key, i))


async def async_main(url: str, transports: list[str], key: str, count: int) -> None:
    sio = socketio.AsyncClient()
    await sio.connect(url, transports=transports)
    for i in range(count):
        await sio.emit("note", (key, i))


arguments: dict[str, Any] = json.loads(sys.argv[2])
if sys.argv[1] == "threads":
    main(**arguments)
else:
    asyncio.run(async_main(**arguments))
