"""Connects, emits, and ends without disconnecting."""

from __future__ import annotations

import json
import sys

import socketio

sio = socketio.Client(**json.loads(sys.argv[2]))
sio.connect(sys.argv[1])
print("connected", sio.get_sid(), flush=True)
sio.emit("echo", "last words")
