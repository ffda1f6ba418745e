"""A server of python-socketio that emits in its ``connect`` handlers.

Source: its documentation, "Connect and Disconnect Events". One argument, JSON: the arguments of the server. Prints its
port, and ends with its standard input.
"""

from __future__ import annotations

import json
import sys

from serving import run

import socketio

sio = socketio.AsyncServer(cors_allowed_origins="*", **json.loads(sys.argv[1]))


class Greeter(socketio.AsyncNamespace):
    async def on_connect(self, sid, environ, auth):
        auth = auth or {}
        await self.emit("first", 1, to=sid)
        await self.emit("binary", {"a": b"\x00\x01", "b": [b""]}, to=sid)
        await self.emit("ask", ("question", 2), to=sid, callback=lambda *args: self.answered(sid, *args))
        for number in range(auth.get("count", 0)):
            await self.emit("item", number, to=sid)
        if auth.get("refuse"):
            raise socketio.exceptions.ConnectionRefusedError("no")

    async def answered(self, sid, *args):
        await self.emit("answered", args, to=sid)

    async def on_echo(self, sid, *args):
        await self.emit("echo", args, to=sid)


sio.register_namespace(Greeter("/"))
sio.register_namespace(Greeter("/chat"))


run(sio)
