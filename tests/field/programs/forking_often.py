"""Forks again and again while events flow: ``forking_often.py url transports``. Prints how the children ended.

Each child looks at the client, every fourth connects anew.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import warnings

import socketio

warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)  # Python 3.12 and newer
url, transports = sys.argv[1], json.loads(sys.argv[2])
sio = socketio.Client()
stop = threading.Event()
wrong: list[object] = []


def call() -> None:
    number = 0
    while not stop.is_set():
        sio.emit("note", ("nobody", number))
        if sio.call("echo", number) != number:
            wrong.append(number)
        number += 1


def child(number: int) -> int:
    signal.alarm(10)
    if sio.connected:
        return 1
    sio.disconnect()
    if number % 4 == 0:
        sio.connect(url, transports=transports)
        if sio.call("echo", "child") != "child":
            return 2
        sio.disconnect()
    return 0


sio.on("disconnect", wrong.append)
sio.connect(url, transports=transports)
callers = [threading.Thread(target=call) for _ in range(3)]
for caller in callers:
    caller.start()
ends = []
for number in range(24):
    pid = os.fork()
    if pid == 0:
        os._exit(child(number))
    ends.append(os.waitpid(pid, 0)[1])
stop.set()
for caller in callers:
    caller.join()
sio.handlers["/"].clear()
sio.disconnect()
print(ends, wrong)
