"""Passes ``None`` for one parameter of the API after the other, and prints what came of it, as JSON.

Usage: ``nones.py threads|asyncio URL``. Runs with the ``socketio`` that comes first on the path.
Each case ends in a word: what the program sees, or the type of the exception.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import functools
import inspect
import json
import logging
import sys

import socketio

LIMIT = 8.0
CLIENT_OPTIONS = [
    "reconnection", "reconnection_attempts", "logger", "json", "handle_sigint", "request_timeout", "http_session",
    "ssl_verify", "websocket_extra_options", "timestamp_requests", "engineio_logger", "reconnection_delay",
    "reconnection_delay_max", "randomization_factor", "serializer",
]  # fmt: skip
CONNECT_ARGUMENTS = [
    "headers", "auth", "transports", "namespaces", "socketio_path", "wait", "wait_timeout", "retry",
]  # fmt: skip
RECONNECTING = [
    "reconnection", "reconnection_attempts", "reconnection_delay", "reconnection_delay_max", "randomization_factor",
]  # fmt: skip
SIMPLE_ARGUMENTS = ["headers", "auth", "transports", "namespace", "socketio_path", "wait_timeout"]


class Flavour:
    """The classes of one flavour; :meth:`do` awaits what needs it."""

    def __init__(self, name: str) -> None:
        self.is_asyncio = name == "asyncio"
        prefix = "Async" if self.is_asyncio else ""
        self.client = getattr(socketio, f"{prefix}Client")
        self.simple = getattr(socketio, f"{prefix}SimpleClient")
        self.namespace = getattr(socketio, f"{prefix}ClientNamespace")

    async def do(self, function, *args, **kwargs):
        """Call a method of a client, on another thread where it blocks."""
        if not self.is_asyncio:
            call = functools.partial(function, *args, **kwargs)
            return await asyncio.get_running_loop().run_in_executor(threads, call)
        result = function(*args, **kwargs)
        return await result if inspect.isawaitable(result) else result


async def talk(flavour, sio, **connect):
    """Connect, call, disconnect; return what the program has seen."""
    await flavour.do(sio.connect, URL, **connect)
    seen = [sorted(sio.namespaces), sio.transport() in ("polling", "websocket")]
    if sio.namespaces:
        seen.append(await flavour.do(sio.call, "echo", 1))
    await flavour.do(sio.disconnect)
    return seen


async def option(flavour, name):
    """Give ``None`` for an option of the client."""
    return await talk(flavour, flavour.client(**{"reconnection": False, name: None}))


async def reconnect(flavour, name):
    """Give ``None`` for an option of the client, and have it reconnect."""
    sio = flavour.client(**{"reconnection_delay": 0.1, "randomization_factor": 0, name: None})
    connected, lost = asyncio.Semaphore(0), asyncio.Event()
    loop = asyncio.get_running_loop()
    sio.on("connect", lambda: loop.call_soon_threadsafe(connected.release))
    sio.on("disconnect", lambda *args: loop.call_soon_threadsafe(lost.set))
    await flavour.do(sio.connect, URL, transports="websocket")
    await connected.acquire()
    await flavour.do(sio.emit, "drop")
    await lost.wait()
    try:
        await asyncio.wait_for(connected.acquire(), 3)
    except asyncio.TimeoutError:
        return "does not reconnect"
    await flavour.do(sio.disconnect)
    return "reconnects"


async def argument(flavour, name):
    """Give ``None`` for an argument of connect()."""
    sio = flavour.client(reconnection=False)
    if name == "wait":
        await flavour.do(sio.connect, URL, wait=None)
        await flavour.do(sio.disconnect)
        return "connects"
    return await talk(flavour, sio, **{name: None})


async def simple_argument(flavour, name):
    """Give ``None`` for an argument of the simple client's connect()."""
    sio = flavour.simple(reconnection=False)
    await flavour.do(sio.connect, URL, **{name: None})
    seen = [await flavour.do(sio.call, "echo", 1), sio.transport in ("polling", "websocket"), bool(sio.sid)]
    await flavour.do(sio.disconnect)
    return seen


async def methods(flavour, _):
    """Give ``None`` to the methods of a connected client."""
    sio, seen = flavour.client(reconnection=False), []
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    sio.on("nones", lambda *args: loop.call_soon_threadsafe(lambda: (seen.append(list(args)), done.set())), None)
    sio.event(namespace=None)(message)
    await flavour.do(sio.connect, URL)
    seen.append(await flavour.do(sio.call, "count", None))
    seen.append(await flavour.do(sio.call, "count", (None, None)))
    seen.append(await flavour.do(sio.call, "count", [None]))
    seen.append(await flavour.do(sio.call, "count", 1, namespace=None, timeout=None))
    await flavour.do(sio.emit, "count", None, None, None)
    await flavour.do(sio.send, None, None, None)
    await flavour.do(sio.emit, "send_nones", namespace=None, callback=None)
    await done.wait()
    seen.append(sio.get_sid(None) == sio.get_sid("/"))
    await flavour.do(sio.disconnect)
    return seen


def message(*args):
    """Take the event ``message``."""


async def namespaces(flavour, _):
    """Give ``None`` to a namespace object and its methods."""
    room, sio = flavour.namespace(None), flavour.client(reconnection=False)
    sio.register_namespace(room)
    await flavour.do(sio.connect, URL)
    seen = [room.namespace, await flavour.do(room.call, "count", None, namespace=None, timeout=None)]
    await flavour.do(room.emit, "count", None, namespace=None, callback=None)
    await flavour.do(room.send, None, namespace=None, callback=None)
    await flavour.do(room.disconnect)
    return seen


async def simple_methods(flavour, _):
    """Give ``None`` to the methods of a simple client."""
    sio = flavour.simple(reconnection=False)
    await flavour.do(sio.connect, URL)
    seen = [await flavour.do(sio.call, "count", None, timeout=None)]
    await flavour.do(sio.emit, "send_nones", None)
    seen.append(await flavour.do(sio.receive, None))
    await flavour.do(sio.disconnect)
    return seen


async def case(flavour, function, name):
    """Return what came of a case, in words."""
    try:
        return await asyncio.wait_for(function(flavour, name), LIMIT)
    except asyncio.TimeoutError:
        return "hangs"
    except Exception as exc:
        return f"{type(exc).__name__}"


async def main(name):
    """Print what came of all cases."""
    flavour = Flavour(name)
    cases = [
        *((option, each) for each in CLIENT_OPTIONS),
        *((argument, each) for each in CONNECT_ARGUMENTS),
        *((simple_argument, each) for each in SIMPLE_ARGUMENTS),
        *((reconnect, each) for each in RECONNECTING),
        (methods, ""),
        (namespaces, ""),
        (simple_methods, ""),
    ]
    outcomes = await asyncio.gather(*(case(flavour, function, each) for function, each in cases))
    names = [f"{function.__name__} {each}".strip() for function, each in cases]
    print(json.dumps(dict(zip(names, outcomes, strict=True))), flush=True)


threads = concurrent.futures.ThreadPoolExecutor(100)
logging.disable(logging.CRITICAL)
URL = sys.argv[2]
asyncio.run(main(sys.argv[1]))
