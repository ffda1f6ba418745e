"""Connects, emits, and ends without disconnecting."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import socketio


async def main(url: str, options: dict[str, Any]) -> None:
    sio = socketio.AsyncClient(**options)
    await sio.connect(url)
    print("connected", sio.get_sid(), flush=True)
    await sio.emit("echo", "last words")


asyncio.run(main(sys.argv[1], json.loads(sys.argv[2])))
