"""Emits and calls in atexit functions: ``exit_functions.py flavour url transports key``. Prints what they return.

They are registered before socketio is imported, before ``connect()`` and after it. With asyncio the event loop runs on
a daemon thread.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import sys
import threading
from collections.abc import Callable
from typing import Any

do: Callable[..., Any]


def report(when: str) -> None:
    do("emit", "note", (key, when))
    print(when, do("call", "echo", when), flush=True)


atexit.register(report, "before the import")

import socketio  # noqa: E402

atexit.register(report, "before connect()")
flavour, url, transports, key = sys.argv[1:]
sio: Any
if flavour == "threads":
    sio = socketio.Client()

    def do(name: str, *args: Any, **kwargs: Any) -> Any:
        return getattr(sio, name)(*args, **kwargs)

else:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    sio = socketio.AsyncClient()

    def do(name: str, *args: Any, **kwargs: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(getattr(sio, name)(*args, **kwargs), loop).result(10)


do("connect", url, transports=json.loads(transports))
atexit.register(report, "after connect()")
do("emit", "note", (key, "main"))
print("connected", sio.get_sid(), flush=True)
