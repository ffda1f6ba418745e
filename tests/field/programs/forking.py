"""Forks while connected: ``forking.py flavour url child_url transports key way``. Prints what child and parent see.

``way`` is how the child is made, and how it ends: ``_exit``, ``return`` (the end of the program), ``multiprocessing``,
``handler`` (a fork in a handler, which returns in the child), ``subprocess``. Waits for a line before it forks, and one
after. With asyncio no child returns: to close a copy of the event loop takes the parent's loop its means to be woken.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import socketio

warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)  # Python 3.12 and newer
flavour, url, child_url, transports, key, way = sys.argv[1:]
options: dict[str, Any] = {"transports": json.loads(transports)}
ended: list[str] = []


def child(sio: Any, simple: Any) -> None:
    """Check that the clients are idle and can connect anew."""
    signal.alarm(20)
    print("child", sio.connected, simple.connected, sio.sid, sio.transport(), open_connections(), flush=True)
    if flavour == "threads":
        work(sio, simple)
    else:
        asyncio.run(async_work(sio, simple))
    print("child", ended, flush=True)


def work(sio: Any, simple: Any) -> None:
    sio.disconnect()
    sio.wait()
    sio.connect(child_url, **options)
    simple.connect(child_url, **options)
    print("child", sio.call("echo", 1), simple.call("echo", 2), flush=True)
    sio.emit("note", (key, "child"))
    sio.disconnect()
    simple.disconnect()


async def async_work(sio: Any, simple: Any) -> None:
    await sio.disconnect()
    await sio.wait()
    await sio.connect(child_url, **options)
    await simple.connect(child_url, **options)
    print("child", await sio.call("echo", 1), await simple.call("echo", 2), flush=True)
    await sio.emit("note", (key, "child"))
    await sio.disconnect()
    await simple.disconnect()


def open_connections() -> int:
    """Return how many TCP sockets this process has."""
    tcp = {line.split()[9] for line in Path("/proc/self/net/tcp").read_text().splitlines()[1:]}
    found = 0
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except FileNotFoundError:  # that of listdir()
            continue
        found += target.removeprefix("socket:[").rstrip("]") in tcp
    return found


def fork(sio: Any, simple: Any) -> bool:
    """Fork; return whether this is the child, that is to go on."""
    if way == "multiprocessing":
        process = multiprocessing.get_context("fork").Process(target=child, args=(sio, simple))
        process.start()
        process.join()
        print("parent", process.exitcode, flush=True)
        return False
    if way == "subprocess":
        codes = [subprocess.run([sys.executable, "-c", ""], preexec_fn=each).returncode for each in (None, int)]
        print("parent", sum(codes), flush=True)
        return False
    pid = os.fork()
    if pid:
        print("parent", os.waitpid(pid, 0)[1], flush=True)
        return False
    if way == "_exit":
        child(sio, simple)
        os._exit(0)
    return True


def main() -> None:
    sio, simple = socketio.Client(), socketio.SimpleClient()
    sio.on("disconnect", ended.append)
    sio.connect(url, **options)
    simple.connect(url, **options)
    sio.emit("note", (key, "before"))
    sio.call("echo")
    if not ready():
        return
    if way == "handler":
        forked = threading.Event()

        @sio.on("now")
        def now() -> str:
            fork(sio, simple)
            forked.set()
            return "ok"

        sio.emit("emit_back", "now")
        forked.wait()
    elif fork(sio, simple):
        return
    sys.stdin.readline()
    print("parent", sio.call("echo", 3), simple.call("echo", 4), ended, flush=True)
    sio.emit("note", (key, "after"))
    simple.disconnect()
    sio.disconnect()


async def async_main() -> None:
    sio, simple = socketio.AsyncClient(), socketio.AsyncSimpleClient()
    sio.on("disconnect", ended.append)
    await sio.connect(url, **options)
    await simple.connect(url, **options)
    await sio.emit("note", (key, "before"))
    await sio.call("echo")
    if not ready():
        return
    if way == "handler":
        forked = asyncio.Event()

        @sio.on("now")
        def now() -> None:
            if fork(sio, simple):
                os._exit(0)
            forked.set()

        await sio.emit("emit_back", "now")
        await forked.wait()
    elif fork(sio, simple):
        return
    await asyncio.to_thread(sys.stdin.readline)
    print("parent", await sio.call("echo", 3), await simple.call("echo", 4), ended, flush=True)
    await sio.emit("note", (key, "after"))
    await simple.disconnect()
    await sio.disconnect()


def ready() -> bool:
    print("ready", flush=True)
    return bool(sys.stdin.readline())


if flavour == "threads":
    main()
else:
    asyncio.run(async_main())
