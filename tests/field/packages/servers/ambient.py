"""A server with the real-time API of Ambient Weather: it sends the data of the devices after a subscription."""

import serving
from aiohttp import web

import socketio

sio = socketio.AsyncServer(async_mode="aiohttp")
application = web.Application()
sio.attach(application)


@sio.event
async def subscribe(sid, data):
    await sio.emit("subscribed", {"devices": data["apiKeys"]}, to=sid)
    await sio.emit("data", {"tempf": 68.4}, to=sid)


serving.run(application)
