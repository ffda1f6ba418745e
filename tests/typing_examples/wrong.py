"""What a type checker must find: each line with a comment is an error of that kind, and no other line is one."""

from __future__ import annotations

import socketio


async def handler(value: int) -> int:
    return value


def use_threads(sio: socketio.Client) -> None:
    sio.connect(5)  # error: arg-type
    sio.connect("http://a", headers=["X: 1"])  # error: arg-type
    sio.connect("http://a", transports=5)  # error: arg-type
    sio.connect("http://a", unknown=1)  # error: call-arg
    sio.emit(5)  # error: arg-type
    sio.emit("a", 1, callback="callback")  # error: arg-type
    sio.call("a", timeout="5")  # error: arg-type
    value: int = sio.get_sid()  # error: assignment
    sio.on(b"a", print)  # error: call-overload
    sio.register_namespace("/chat")  # error: arg-type
    sio.nonsense()  # error: attr-defined
    socketio.Nonsense()  # error: attr-defined
    socketio.Server()  # error: attr-defined
    print(value)


async def use_asyncio(sio: socketio.AsyncClient) -> None:
    sio.connect("http://a")  # error: unused-coroutine
    sio.emit("a")  # error: unused-coroutine
    await sio.start_background_task(print)  # error: arg-type
    text: str = await sio.start_background_task(handler, 1)  # error: arg-type
    print(text)


def use_simple(sio: socketio.SimpleClient) -> None:
    name: str = sio.receive()  # error: assignment
    print(name, socketio.Client(reconnection="yes"))  # error: arg-type
