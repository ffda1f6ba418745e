"""A server with the log stream of Locust Cloud: it refuses other sessions than its own, and ends with a message."""

import serving
from aiohttp import web

import socketio

sio = socketio.AsyncServer(async_mode="aiohttp")
application = web.Application()
sio.attach(application)


@sio.event
async def connect(sid, environ, auth):
    if auth != "the session":
        raise socketio.exceptions.ConnectionRefusedError("Session mismatch")


@sio.event
async def subscribe(sid):
    await sio.emit("events", {"id": 1, "events": [{"type": "stdout", "message": "12 requests\n"}]}, to=sid)
    await sio.emit("events", {"id": 2, "events": [{"type": "shutdown", "message": "the test has ended"}]}, to=sid)


serving.run(application)
