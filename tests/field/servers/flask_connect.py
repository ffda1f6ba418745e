"""A Flask-SocketIO server that emits in its ``connect`` handlers.

Source: its documentation, "Connection Events". One argument, JSON: the arguments of the server. Prints its port, and
ends with its standard input.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading

from flask import Flask, request
from flask_socketio import ConnectionRefusedError, SocketIO, emit
from werkzeug.serving import make_server

logging.getLogger("werkzeug").setLevel(logging.ERROR)
app = Flask(__name__)
socketio = SocketIO(app, async_mode="threading", cors_allowed_origins="*", **json.loads(sys.argv[1]))


def register(namespace):
    @socketio.on("connect", namespace=namespace)
    def connect(auth=None):
        auth = auth or {}
        sid = request.sid

        def answered(*args):
            socketio.emit("answered", args, to=sid, namespace=namespace)

        emit("first", 1)
        emit("binary", {"a": b"\x00\x01", "b": [b""]})
        emit("ask", ("question", 2), callback=answered)
        for number in range(auth.get("count", 0)):
            emit("item", number)
        if auth.get("refuse"):
            raise ConnectionRefusedError("no")

    @socketio.on("echo", namespace=namespace)
    def echo(*args):
        emit("echo", args)


register("/")
register("/chat")

server = make_server("127.0.0.1", 0, app, threaded=True)
print(json.dumps({"port": server.server_port}), flush=True)
threading.Thread(target=lambda: os._exit(bool(sys.stdin.read())), daemon=True).start()
server.serve_forever()
