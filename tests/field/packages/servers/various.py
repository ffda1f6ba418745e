"""A server with the little that several packages need: Dockge, Cider, ShadowOB, Pine, and a message queue."""

import serving
from aiohttp import web

import socketio

sio = socketio.AsyncServer(async_mode="aiohttp")
pine = socketio.AsyncServer(async_mode="aiohttp")
application = web.Application()
sio.attach(application)
pine.attach(application, socketio_path="api/v2/socket.io")


@sio.event
async def connect(sid, environ, auth):
    await sio.emit("info", {"version": "1.4.2"}, to=sid)


@sio.event
async def login(sid, credentials):
    return {"ok": credentials["password"] == "secret", "token": "token-of-ada", "msg": "authIncorrectCreds"}


@sio.on("getSettings")
async def get_settings(sid):
    return {"ok": True, "data": {"primaryHostname": "here"}}


@sio.event
async def play(sid, data):
    await sio.emit("playback", {"song": data["song"]}, to=sid)
    return "playing"


@sio.on("channel:join")
async def join_channel(sid, data):
    await sio.emit("message:new", {"channel": data["channelId"]}, to=sid)
    return {"ok": True}


@sio.event
async def subscribe(sid, data):
    await sio.enter_room(sid, data["topic"])
    await sio.emit("subscribed", {"topic": data["topic"]}, to=sid)


@sio.event
async def publish(sid, data):
    await sio.emit(data["topic"], data, room=data["topic"])


@pine.on("connect")
async def connect_pine(sid, environ, auth):
    if auth != {"token": "token of ada"}:
        raise socketio.exceptions.ConnectionRefusedError({"code": "unauthorized"})
    await pine.emit("ready", to=sid)


@pine.on("session:join")
async def join_session(sid, envelope):
    await pine.emit("session:join", envelope, to=sid)


serving.run(application)
