"""Connects, and waits until Ctrl-C. Prints what happens."""

from __future__ import annotations

import json
import sys

import socketio

sio = socketio.Client(**json.loads(sys.argv[2]))


@sio.event
def disconnect(reason: str) -> None:
    print("disconnect", reason, flush=True)


try:
    sio.connect(sys.argv[1])
    print("connected", sio.get_sid(), flush=True)
    sio.wait()
except KeyboardInterrupt:
    print("interrupted", flush=True)
