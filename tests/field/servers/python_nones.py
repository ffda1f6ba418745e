"""A server of python-socketio as its documentation shows it, for ``programs/nones.py``.

One argument, JSON: the arguments of the server. Prints its port, and ends with its standard input.
"""

from __future__ import annotations

import json
import sys

from serving import run

import socketio

sio = socketio.AsyncServer(async_mode="aiohttp", cors_allowed_origins="*", **json.loads(sys.argv[1]))


@sio.event
async def echo(sid, value):
    return value


@sio.event
async def count(sid, *args):
    return len(args)


@sio.event
async def message(sid, *args):
    pass


@sio.event
async def send_nones(sid, *args):
    await sio.emit("nones", (None, None), to=sid)


@sio.event
async def drop(sid):
    sio.get_environ(sid)["aiohttp.request"].transport.abort()


run(sio)
