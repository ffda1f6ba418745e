"""A server with the part of Uptime Kuma that its Python package needs to log in and to list monitors."""

import serving
from aiohttp import web

import socketio

sio = socketio.AsyncServer(async_mode="aiohttp")
application = web.Application()
sio.attach(application)


@sio.event
async def connect(sid, environ):
    await sio.emit("info", {"primaryBaseURL": None}, to=sid)
    await sio.emit("loginRequired", to=sid)


@sio.event
async def login(sid, credentials):
    if (credentials["username"], credentials["password"]) != ("ada", "secret"):
        return {"ok": False, "msg": "Incorrect username or password."}
    await sio.emit("info", {"version": "1.23.2"}, to=sid)
    await sio.emit("monitorList", {"1": {"id": 1, "name": "Google", "notificationIDList": {}}}, to=sid)
    return {"ok": True, "token": "token-of-ada"}


serving.run(application)
