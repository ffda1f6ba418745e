"""Ends while daemon threads emit and call: ``exit_emitting.py flavour url transports key``.

Prints how many numbered notes were emitted at the end.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from typing import Any

import socketio

flavour, url, transports, key = sys.argv[1:]
options: dict[str, Any] = {"transports": json.loads(transports)}
emitted = 0
enough = threading.Event()


def main() -> None:
    sio, simple = socketio.Client(), socketio.SimpleClient()
    sio.connect(url, **options)
    simple.connect(url, **options)

    def emit() -> None:
        global emitted
        while True:
            sio.emit("note", (key, emitted))
            emitted += 1
            if emitted == 200:
                enough.set()

    def call() -> None:
        while True:
            sio.call("echo", "x")

    def receive() -> None:
        while True:
            simple.emit("echo", 1)
            simple.receive()

    for target in (emit, call, receive):
        threading.Thread(target=target, daemon=True).start()


async def async_main() -> None:
    global emitted
    sio, simple = socketio.AsyncClient(), socketio.AsyncSimpleClient()
    await sio.connect(url, **options)
    await simple.connect(url, **options)

    async def call() -> None:
        while True:
            await sio.call("echo", "x")

    async def receive() -> None:
        while True:
            await simple.emit("emit_back", "x")
            await simple.receive()

    tasks = [asyncio.ensure_future(call()), asyncio.ensure_future(receive())]
    while True:
        await sio.emit("note", (key, emitted))
        emitted += 1
        if emitted == 200:
            enough.set()
        await asyncio.sleep(0)
        assert not any(task.done() for task in tasks)


if flavour == "threads":
    main()
else:
    threading.Thread(target=asyncio.run, args=(async_main(),), daemon=True).start()
enough.wait()
print(emitted, flush=True)
