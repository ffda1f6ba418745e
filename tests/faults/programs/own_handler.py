"""Has a handler of its own for SIGINT, and goes on: ``own_handler.py flavour url``. Prints what happens."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading

import socketio


def main(url: str) -> None:
    interrupted = threading.Event()
    signal.signal(signal.SIGINT, lambda *args: interrupted.set())
    sio = socketio.Client()
    sio.connect(url)
    print("ready", sio.get_sid(), flush=True)
    while not interrupted.is_set():
        sio.sleep(0.01)
    print(sio.call("echo", "goes on"), flush=True)
    sio.disconnect()


async def async_main(url: str) -> None:
    interrupted = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, interrupted.set)
    sio = socketio.AsyncClient()
    await sio.connect(url)
    print("ready", sio.get_sid(), flush=True)
    await interrupted.wait()
    print(await sio.call("echo", "goes on"), flush=True)
    await sio.disconnect()


if sys.argv[1] == "threads":
    main(sys.argv[2])
else:
    asyncio.run(async_main(sys.argv[2]))
