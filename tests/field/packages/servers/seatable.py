"""A server with the part of SeaTable that its Python package needs: access tokens, and a socket that it ends."""

import itertools

import serving
from aiohttp import web

import socketio

sio = socketio.AsyncServer(async_mode="aiohttp")
application = web.Application()
sio.attach(application, socketio_path="api-gateway/socket.io")
tokens = (f"token {number}" for number in itertools.count(1))


async def access_token(request):
    data = {"dtable_server": str(request.url.origin()), "dtable_uuid": "1234", "access_token": next(tokens)}
    return web.json_response(data)


application.router.add_get("/api/v2.1/dtable/app-access-token/", access_token)


@sio.on("join-room")
async def join_room(sid, uuid, token):
    await sio.emit("update-dtable", (f"{uuid} {token}", 0), to=sid)
    if token == "token 1":
        await sio.disconnect(sid)


serving.run(application)
