"""The simple clients of both flavours."""

from __future__ import annotations

from typing import Any

import socketio


def with_threads() -> None:
    with socketio.SimpleClient(reconnection=False) as sio:
        sio.connect("http://localhost:5000", auth={"token": "x"}, namespace="/chat", transports=["polling"])
        sio.emit("hello", ("a", 1))
        answer: Any = sio.call("question", timeout=5)
        event: list[Any] = sio.receive(timeout=1.0)
        sid: str | None = sio.sid
        transport: str = sio.transport
        connected: bool = sio.connected
        print(answer, event[0], event[1:], sid, transport, connected)


async def with_asyncio() -> None:
    async with socketio.AsyncSimpleClient(logger=True) as sio:
        await sio.connect("http://localhost:5000", headers={"X": "1"}, socketio_path="path", wait_timeout=3)
        await sio.emit("hello")
        answer: Any = await sio.call("question", {"a": 1})
        name, *args = await sio.receive()
        print(answer, name, args, sio.sid, sio.transport, sio.namespace)
        await sio.disconnect()


class OwnClient(socketio.Client):
    pass


class OwnSimpleClient(socketio.SimpleClient):
    client_class = OwnClient
