"""Connects, and waits until Ctrl-C. Prints what happens."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import socketio


async def main(url: str, options: dict[str, Any]) -> None:
    sio = socketio.AsyncClient(**options)

    @sio.event
    def disconnect(reason: str) -> None:
        print("disconnect", reason, flush=True)

    await sio.connect(url)
    print("connected", sio.get_sid(), flush=True)
    await sio.wait()


try:
    asyncio.run(main(sys.argv[1], json.loads(sys.argv[2])))
except KeyboardInterrupt:
    print("interrupted", flush=True)
