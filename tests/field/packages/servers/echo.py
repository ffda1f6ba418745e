"""A server that answers messages, calls, and the event "greet"."""

import serving
from aiohttp import web

import socketio

sio = socketio.AsyncServer(async_mode="aiohttp", namespaces="*", ping_interval=2)
application = web.Application()
sio.attach(application)


@sio.event
async def connect(sid, environ, auth=None):
    await sio.emit("hello", {"you": "are here"}, to=sid)


@sio.event
async def message(sid, data):
    await sio.send(data, to=sid)


@sio.event
async def greet(sid, name):
    await sio.emit("welcome", name, to=sid)


@sio.event
async def add(sid, a, b):
    return a + b


serving.run(application)
