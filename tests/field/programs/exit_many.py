"""Ends with many clients connected: ``exit_many.py flavour urls transports key count``.

Each client emits its number and one more event when a line has come. With asyncio the event loop runs on a daemon
thread.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from typing import Any

import socketio

flavour, urls, transports, key, count = sys.argv[1:]
options: dict[str, Any] = {"transports": json.loads(transports)}
places = json.loads(urls)


def main() -> None:
    clients = [socketio.Client() for _ in range(int(count))]
    threads = []
    for number, sio in enumerate(clients):
        threads.append(threading.Thread(target=sio.connect, args=(places[number % len(places)],), kwargs=options))
        threads[-1].start()
    for thread in threads:
        thread.join()
    ready()
    for number, sio in enumerate(clients):
        sio.emit("note", (key, number))


async def async_connect() -> list[Any]:
    clients = [socketio.AsyncClient() for _ in range(int(count))]
    await asyncio.gather(*(sio.connect(places[n % len(places)], **options) for n, sio in enumerate(clients)))
    return clients


async def async_emit(clients: list[Any]) -> None:
    for number, sio in enumerate(clients):
        await sio.emit("note", (key, number))


def async_main() -> None:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    clients = asyncio.run_coroutine_threadsafe(async_connect(), loop).result()
    ready()
    asyncio.run_coroutine_threadsafe(async_emit(clients), loop).result()


def ready() -> None:
    print("ready", flush=True)
    sys.stdin.readline()


main() if flavour == "threads" else async_main()
