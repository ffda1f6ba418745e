"""A server of python-socketio as its documentation shows it, for ``programs/nones.py``.

One argument, JSON: the arguments of the server. Prints its port, and ends with its standard input.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading

from aiohttp import web

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


async def main():
    app = web.Application()
    sio.attach(app)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(json.dumps({"port": runner.addresses[0][1]}), flush=True)
    threading.Thread(target=lambda: os._exit(bool(sys.stdin.read())), daemon=True).start()
    await asyncio.Event().wait()


asyncio.run(main())
