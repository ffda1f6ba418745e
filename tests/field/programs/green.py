"""Uses the threaded clients on green threads: ``green.py library url transports key``. Prints what they see.

``library`` is ``eventlet`` or ``gevent``, which patches the standard library before anything else is imported. After
``ready`` the connection is to be cut.
"""

from __future__ import annotations

import sys

if sys.argv[1] == "eventlet":
    import eventlet

    eventlet.monkey_patch()
else:
    from gevent import monkey

    monkey.patch_all()

import json
import os
import threading
import time
from typing import Any

import socketio

_, url, transports, key = sys.argv[1:]
options: dict[str, Any] = {"transports": json.loads(transports)}
restored = threading.Event()
sio = socketio.Client(reconnection_delay=0.05, request_timeout=2)
simple = socketio.SimpleClient()
calls: list[Any] = []


@sio.event
def connect() -> None:
    calls.append("connect")
    if calls.count("connect") == 2:
        restored.set()


@sio.event
def disconnect(reason: str) -> None:
    calls.append(reason)
    if len(calls) == 2:
        print("lost", flush=True)


@sio.on("ask")
def ask(number: int) -> Any:
    return sio.call("echo", number)


sio.connect(url, **options)
simple.connect(url, **options)
print("connected", sio.transport(), flush=True)
print(sio.call("echo", b"bytes"), simple.call("echo", "x" * 100_000) == "x" * 100_000, flush=True)
ticks = 0
done = threading.Event()


def tick() -> None:
    global ticks
    while not done.is_set():
        ticks += 1
        time.sleep(0.001)


ticking = threading.Thread(target=tick)
ticking.start()
answers: list[int] = []
callers = [threading.Thread(target=lambda n=n: answers.append(sio.call("echo", n))) for n in range(20)]
for caller in callers:
    caller.start()
for caller in callers:
    caller.join()
for number in range(100):
    sio.emit("note", (key, number))
simple.emit("emit_back", ("event", 1))
while (received := simple.receive(timeout=5))[0] == "echo":  # the server's echo is an event, too
    pass
print(sorted(answers) == list(range(20)), received, flush=True)
try:
    sio.call("no_ack", timeout=0.2)
except socketio.exceptions.TimeoutError:
    print("timeout", ticks > 5, flush=True)
done.set()
ticking.join()
if sys.argv[1] == "gevent":  # a child of eventlet's shares the selector with its parent
    pid = os.fork()
    if pid == 0:
        time.sleep(0.05)  # the copies of the other green threads have their turn
        seen = sio.connected, simple.connected
        sio.connect(url, **options)
        seen += (sio.call("echo", "child"),)
        sio.disconnect()
        os._exit(0 if seen[:3] == (False, False, "child") and len(calls) == 3 else 1)
    assert os.waitpid(pid, 0)[1] == 0
print("ready", flush=True)
restored.wait(10)
print(sio.call("echo", "again"), simple.call("echo", "again"), calls, flush=True)
waiting = threading.Thread(target=sio.wait)
waiting.start()
began = time.monotonic()
sio.disconnect()
simple.disconnect()
waiting.join()
print(time.monotonic() - began < 2, sio.connected, calls[3:], flush=True)
sio.connect(url, **options)
print(sio.call("echo", "new"), flush=True)
sio.emit("note", (key, "last"))
