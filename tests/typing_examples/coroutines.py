"""The same with asyncio, where handlers and arguments of connect() may be coroutine functions."""

from __future__ import annotations

import asyncio
from typing import Any

import socketio

sio = socketio.AsyncClient(handle_sigint=False, serializer="msgpack")


@sio.event
async def connect() -> None:
    await sio.emit("hello", "world")


@sio.event
def disconnect() -> None:
    print("disconnected")


@sio.on("question")
async def on_question(text: str) -> str:
    return text.upper()


async def url() -> str:
    return "https://example.com"


async def headers() -> dict[str, str]:
    return {"Authorization": "Bearer x"}


async def answered(value: int) -> None:
    print(value)


async def background(name: str, count: int = 1) -> int:
    await sio.sleep(count)
    return len(name)


async def main() -> None:
    await sio.connect(url, headers=headers, auth=lambda: {"token": "x"}, transports="websocket", namespaces="/")
    await sio.emit("order", [1, 2], callback=answered)
    await sio.send(b"bytes", namespace="/chat")
    answer: Any = await sio.call("question", ("a", "b"), namespace="/chat", timeout=1.5)
    task: asyncio.Task[int] = sio.start_background_task(background, "name", count=2)
    length: int = await task
    name: str | None = sio.transport()
    print(answer, length, name, await on_question("x"))
    await sio.wait()
    await sio.shutdown()
    await sio.disconnect()


if __name__ == "__main__":
    asyncio.run(main())
