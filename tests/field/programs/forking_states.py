"""Forks while a client is not simply connected: ``forking_states.py flavour url silent_url transports state``.

``state`` is ``connecting``, ``reconnecting``, ``connect handler``, or ``auth`` (a function that connect() calls). The
child connects elsewhere. Prints what the child and then the parent see.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
import warnings
from typing import Any

import socketio

warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)  # Python 3.12 and newer
flavour, url, other_url, transports, state = sys.argv[1:]
options: dict[str, Any] = {"transports": json.loads(transports)}
forked = threading.Event()


def fork(sio: Any) -> None:
    """Fork once, and have the child check the client."""
    if forked.is_set():
        return
    pid = os.fork()
    if pid:
        print("parent", os.waitpid(pid, 0)[1], flush=True)
        forked.set()
        return
    signal.alarm(15)
    print("child", sio.connected, flush=True)
    if flavour == "threads":
        work(sio)
    else:
        asyncio.run(async_work(sio))
    os._exit(0)


def work(sio: Any) -> None:
    forked.set()
    sio.connect(url, **options)
    print("child", sio.call("echo", 1), flush=True)
    sio.disconnect()


async def async_work(sio: Any) -> None:
    forked.set()
    await sio.connect(url, **options)
    print("child", await sio.call("echo", 1), flush=True)
    await sio.disconnect()


def ready(word: str) -> None:
    print(word, flush=True)
    sys.stdin.readline()


def main() -> None:
    sio = socketio.Client(reconnection_delay=0.2, reconnection_delay_max=0.2, request_timeout=2)
    if state == "connect handler":
        sio.on("connect", lambda: fork(sio))
    if state == "connecting":
        connecting = threading.Thread(target=attempt, args=(sio,))
        connecting.start()
        ready("connecting")
        fork(sio)
        sio.disconnect()
        connecting.join()
        return
    auth = (lambda: fork(sio)) if state == "auth" else None
    lost = threading.Event()
    sio.on("disconnect", lambda reason: lost.set())
    sio.connect(other_url if state == "reconnecting" else url, auth=auth, **options)
    if state == "reconnecting":
        ready("connected")
        lost.wait()
        fork(sio)
        sio.disconnect()
        return
    forked.wait()
    print("parent", sio.call("echo", 2), flush=True)
    sio.disconnect()


def attempt(sio: Any) -> None:
    try:
        sio.connect(other_url, **options)
    except socketio.exceptions.ConnectionError:
        print("parent ended", flush=True)


async def async_main() -> None:
    sio = socketio.AsyncClient(reconnection_delay=0.2, reconnection_delay_max=0.2, request_timeout=2)
    if state == "connect handler":
        sio.on("connect", lambda: fork(sio))
    if state == "connecting":
        connecting = asyncio.ensure_future(async_attempt(sio))
        await asyncio.to_thread(ready, "connecting")
        fork(sio)
        await sio.disconnect()
        await connecting
        return
    auth = (lambda: fork(sio)) if state == "auth" else None
    lost = asyncio.Event()
    sio.on("disconnect", lambda reason: lost.set())
    await sio.connect(other_url if state == "reconnecting" else url, auth=auth, **options)
    if state == "reconnecting":
        await asyncio.to_thread(ready, "connected")
        await lost.wait()
        fork(sio)
        await sio.disconnect()
        return
    print("parent", await sio.call("echo", 2), flush=True)
    await sio.disconnect()


async def async_attempt(sio: Any) -> None:
    try:
        await sio.connect(other_url, **options)
    except socketio.exceptions.ConnectionError:
        print("parent ended", flush=True)


if flavour == "threads":
    main()
else:
    asyncio.run(async_main())
