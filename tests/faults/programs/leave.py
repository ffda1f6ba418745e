"""Ends without disconnect(): ``leave.py flavour state url``. Prints ``connected`` when it is."""

from __future__ import annotations

import asyncio
import sys
import threading

import socketio


def main(state: str, url: str) -> None:
    sio = socketio.Client(request_timeout=1)
    lost = threading.Event()
    sio.on("disconnect", lambda reason: lost.set())
    sio.connect(url)
    print("connected", flush=True)
    if state == "reconnecting":
        lost.wait()
    else:
        sys.stdin.readline()
    sio.start_background_task(sio.wait).join(0.01)


async def async_main(state: str, url: str) -> None:
    sio = socketio.AsyncClient(request_timeout=1)
    lost = asyncio.Event()
    sio.on("disconnect", lambda reason: lost.set())
    await sio.connect(url)
    print("connected", flush=True)
    if state == "reconnecting":
        await lost.wait()
    else:
        await asyncio.to_thread(sys.stdin.readline)


if sys.argv[1] == "threads":
    main(*sys.argv[2:])
else:
    asyncio.run(async_main(*sys.argv[2:]))
