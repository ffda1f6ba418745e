"""A conversation with everything in it, logged to stderr: ``conversation.py flavour transports url``.

Prints ``connected``, and ``lost`` and ``back`` when the connection is cut in between. Runs with python-socketio, too.
"""

from __future__ import annotations

import asyncio
import sys
import threading

import socketio

SECRET = "S3CRET"
ARGUMENTS = {
    "headers": {"Authorization": f"Bearer {SECRET}", "Cookie": f"session={SECRET}"},
    "auth": {"token": SECRET, "any": [SECRET]},
    "wait_timeout": 10,
}
OPTIONS = {"logger": True, "engineio_logger": True, "reconnection_delay": 0.05, "reconnection_delay_max": 0.1}
EVENTS = [("echo", ("text", {"a": 1}, b"\x00\x01")), ("echo", "z" * 1000), ("note", ("key", {"password": SECRET}))]


def answer(*args):
    return "yes", b"bytes"


def main(transports: list[str], url: str) -> None:
    sio = socketio.Client(**OPTIONS)
    connected, lost, kicked, answered = (threading.Event() for _ in range(4))
    sio.on("connect", connected.set)
    sio.on("disconnect", lambda reason: lost.set())
    sio.on("disconnect", lambda reason: kicked.set(), namespace="/chat")
    sio.on("question", answer)
    sio.on("answer", lambda values: answered.set())
    sio.connect(f"{url}/?token={SECRET}", transports=transports, namespaces=["/", "/chat"], **ARGUMENTS)
    for event, data in EVENTS:
        sio.call(event, data)
    sio.emit("ask", "question")
    answered.wait()
    sio.emit("kick", namespace="/chat")
    kicked.wait()
    connected.clear()
    print("connected", flush=True)
    lost.wait()
    print("lost", flush=True)
    connected.wait()
    print("back", flush=True)
    sio.call("echo", "again")
    sio.disconnect()
    try:
        sio.connect(f"{url}/?token={SECRET}", transports=transports, namespaces=["/refuse"], **ARGUMENTS)
    except socketio.exceptions.ConnectionError:
        sio.disconnect()


async def async_main(transports: list[str], url: str) -> None:
    sio = socketio.AsyncClient(**OPTIONS)
    connected, lost, kicked, answered = (asyncio.Event() for _ in range(4))
    sio.on("connect", connected.set)
    sio.on("disconnect", lambda reason: lost.set())
    sio.on("disconnect", lambda reason: kicked.set(), namespace="/chat")
    sio.on("question", answer)
    sio.on("answer", lambda values: answered.set())
    await sio.connect(f"{url}/?token={SECRET}", transports=transports, namespaces=["/", "/chat"], **ARGUMENTS)
    for event, data in EVENTS:
        await sio.call(event, data)
    await sio.emit("ask", "question")
    await answered.wait()
    await sio.emit("kick", namespace="/chat")
    await kicked.wait()
    connected.clear()
    print("connected", flush=True)
    await lost.wait()
    print("lost", flush=True)
    await connected.wait()
    print("back", flush=True)
    await sio.call("echo", "again")
    await sio.disconnect()
    try:
        await sio.connect(f"{url}/?token={SECRET}", transports=transports, namespaces=["/refuse"], **ARGUMENTS)
    except socketio.exceptions.ConnectionError:
        await sio.disconnect()


if sys.argv[1] == "threads":
    main(sys.argv[2].split(","), sys.argv[3])
else:
    asyncio.run(async_main(sys.argv[2].split(","), sys.argv[3]))
