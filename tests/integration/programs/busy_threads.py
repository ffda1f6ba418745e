"""Connects, and then does something that is not the client's until Ctrl-C."""

from __future__ import annotations

import sys
import threading

import socketio

sio = socketio.Client()


@sio.event
def disconnect(reason: str) -> None:
    print("disconnect", reason, flush=True)


sio.connect(sys.argv[1])
print("connected", sio.get_sid(), flush=True)
threading.Event().wait()
