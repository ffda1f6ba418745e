"""Connects again in a disconnect handler: ``reconnecting_handler.py flavour url transports way``. Ends while connected.

``way`` is how the handler does it: ``once``, ``loop`` (again and again, with a pause), ``pause`` (after a pause),
``task`` (in a task, or thread, that it starts).
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from typing import Any

import socketio

flavour, url, transports, way = sys.argv[1:]
options: dict[str, Any] = {"transports": json.loads(transports)}
kept: list[Any] = []


def main() -> None:
    sio = socketio.Client(reconnection=False)

    def reconnect() -> None:
        while True:
            if way == "pause":
                sio.sleep(0.2)
            try:
                sio.connect(url, **options)
            except socketio.exceptions.ConnectionError:
                if way == "once":
                    raise
                sio.sleep(0.1)
            else:
                return

    @sio.event
    def disconnect(reason: str) -> None:
        if way == "task":
            threading.Thread(target=reconnect, daemon=True).start()
        else:
            reconnect()

    sio.connect(url, **options)


async def async_main() -> None:
    sio = socketio.AsyncClient(reconnection=False)

    async def reconnect() -> None:
        while True:
            if way == "pause":
                await asyncio.sleep(0.2)
            try:
                await sio.connect(url, **options)
            except socketio.exceptions.ConnectionError:
                if way == "once":
                    raise
                await asyncio.sleep(0.1)
            else:
                return

    @sio.event
    async def disconnect(reason: str) -> None:
        if way == "task":
            kept.append(asyncio.create_task(reconnect()))
        else:
            await reconnect()

    await sio.connect(url, **options)


began = time.monotonic()
if flavour == "threads":
    main()
else:
    asyncio.run(async_main())
