"""Does one thing that waits until Ctrl-C: ``interrupted.py flavour where url``. Prints ``ready`` before it waits."""

from __future__ import annotations

import asyncio
import sys
import threading
from typing import Any

import socketio

QUICK: dict[str, Any] = {"reconnection_delay": 0.2, "reconnection_delay_max": 0.2, "request_timeout": 30}


def ready(sid: str | None = None) -> None:
    print("ready", sid or "", flush=True)


def main(where: str, url: str) -> None:
    sio = socketio.Client(**QUICK)
    lost = threading.Event()
    sio.on("disconnect", lambda reason: lost.set())
    if where == "connect":
        ready()
        sio.connect(url)
    if where == "receive":
        simple = socketio.SimpleClient(**QUICK)
        simple.connect(url)
        ready(simple.sid)
        simple.receive()
    sio.connect(url)
    if where == "reconnecting":
        ready()
        lost.wait()
        print("lost", flush=True)
        sio.wait()
    ready(sio.get_sid())
    if where == "call":
        sio.call("no_ack")
    elif where == "sleep":
        sio.sleep(60)
    sio.wait()


async def async_main(where: str, url: str) -> None:
    other = asyncio.ensure_future(other_task())
    try:
        sio = socketio.AsyncClient(**QUICK)
        lost = asyncio.Event()
        sio.on("disconnect", lambda reason: lost.set())
        if where == "connect":
            ready()
            await sio.connect(url)
        if where == "receive":
            simple = socketio.AsyncSimpleClient(**QUICK)
            await simple.connect(url)
            ready(simple.sid)
            await simple.receive()
        await sio.connect(url)
        if where == "reconnecting":
            ready()
            await lost.wait()
            print("lost", flush=True)
            await sio.wait()
        ready(sio.get_sid())
        if where == "call":
            await sio.call("no_ack")
        elif where == "sleep":
            await sio.sleep(60)
        await sio.wait()
    finally:
        assert not other.done()


async def other_task() -> None:
    try:
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(0.01)
        print("other task cleaned up", flush=True)


if sys.argv[1] == "threads":
    main(*sys.argv[2:])
else:
    asyncio.run(async_main(*sys.argv[2:]))
