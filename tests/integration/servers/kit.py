"""The kit of events in Python: what the test servers answer, whatever Socket.IO server they are made of.

In: calls of event handlers. Out: calls of the few methods that a server must supply. The same kit in JavaScript is
``node/server.js``. Run as part of ``python_server.py`` too, so nothing but the standard library is imported here.
"""

from __future__ import annotations

import asyncio
import ssl
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable
from typing import Any

NAMESPACES = ["/", "/chat", "/news", "/räume (1)/été-ü:!~&"]
"""Namespaces that behave alike."""


class Refused(Exception):
    """A connect handler refuses the client; ``args`` are the message and the data."""


class Notes:
    """Lists of values by key, that clients write and wait for."""

    def __init__(self) -> None:
        self._values: dict[str, list[Any]] = defaultdict(list)
        self._changed = asyncio.Condition()

    async def add(self, key: str, value: Any) -> None:
        """Append a value."""
        self._values[key].append(value)
        async with self._changed:
            self._changed.notify_all()

    def get(self, key: str) -> list[Any]:
        """Return the values of a key."""
        return list(self._values[key])

    async def wait_for(self, key: str, count: int) -> list[Any]:
        """Return the values of a key once there are ``count``."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self._values[key]) >= count)
        return self.get(key)


class Kit(ABC):
    """The event handlers, for a server that supplies the abstract methods. All of it runs on one event loop."""

    def __init__(self) -> None:
        self.notes = Notes()
        self._background: set[asyncio.Task[None]] = set()
        self._never = asyncio.Event()

    @abstractmethod
    async def emit(
        self,
        event: str,
        args: tuple[Any, ...],
        sid: str,
        namespace: str,
        callback: Callable[..., Any] | None = None,
    ) -> None:
        """Emit an event to one client."""

    @abstractmethod
    async def disconnect(self, sid: str, namespace: str) -> None:
        """Send a DISCONNECT to one client."""

    @abstractmethod
    async def close_transport(self, sid: str, namespace: str) -> None:
        """Close the Engine.IO connection of one client."""

    @abstractmethod
    def handshake(self, sid: str, namespace: str) -> dict[str, Any]:
        """Describe the handshake of one client."""

    @abstractmethod
    def requests(self, sid: str, namespace: str) -> list[dict[str, Any]]:
        """Return the HTTP requests of one client."""

    # -- the life of a client

    async def connected(self, namespace: str, sid: str, auth: Any) -> None:
        """Accept or refuse a client; raise :class:`Refused`."""
        if namespace == "/refuse":
            raise Refused("not welcome", {"code": 7, "reason": "closed"})
        if namespace == "/auth" and auth != {"token": "secret"}:
            raise Refused("unauthorized", {"got": auth})
        if namespace == "/kick-at-once":
            task = asyncio.create_task(self.disconnect(sid, namespace))
            self._background.add(task)
            task.add_done_callback(self._background.discard)

    async def disconnected(self, namespace: str, sid: str, reason: str) -> None:
        """Note why a client has gone."""
        await self.notes.add(f"disconnect:{sid}", reason)

    # -- the events

    def handlers(self, namespace: str) -> dict[str, Callable[..., Any]]:
        """Return the handlers of a namespace by event; each takes the sid and the arguments."""

        async def echo(sid: str, *args: Any) -> tuple[Any, ...]:
            await self.emit("echo", args, sid, namespace)
            return args

        async def emit_back(sid: str, event: str, *args: Any) -> None:
            await self.emit(event, args, sid, namespace)

        async def ask(sid: str, event: str, *args: Any) -> None:
            async def answered(*values: Any) -> None:
                await self.emit("answer", (list(values),), sid, namespace)

            await self.emit(event, args, sid, namespace, callback=answered)

        async def burst(sid: str, n: int, size: int) -> None:
            for i in range(n):
                await self.emit("item", (i, "x" * size), sid, namespace)
            await self.emit("done", (n,), sid, namespace)

        async def burst_binary(sid: str, n: int, size: int) -> None:
            for i in range(n):
                await self.emit("item", (i, bytes([i % 256]) * size), sid, namespace)
            await self.emit("done", (n,), sid, namespace)

        async def burst_and_kick(sid: str, n: int) -> None:
            for i in range(n):
                await self.emit("item", (i, ""), sid, namespace)
            await self.disconnect(sid, namespace)

        async def note(sid: str, key: str, value: Any) -> None:
            await self.notes.add(key, value)

        async def notes(sid: str, key: str) -> list[Any]:
            return self.notes.get(key)

        async def wait_notes(sid: str, key: str, count: int) -> list[Any]:
            return await self.notes.wait_for(key, count)

        async def slow_ack(sid: str, seconds: float, value: Any) -> Any:
            await asyncio.sleep(seconds)
            return value

        async def no_ack(sid: str) -> None:
            await self._never.wait()

        async def kick(sid: str) -> None:
            await self.disconnect(sid, namespace)

        async def close_transport(sid: str) -> None:
            await self.close_transport(sid, namespace)

        async def handshake(sid: str) -> dict[str, Any]:
            return self.handshake(sid, namespace)

        async def requests(sid: str) -> list[dict[str, Any]]:
            return self.requests(sid, namespace)

        events = (echo, emit_back, ask, burst, burst_binary, burst_and_kick, note, notes, wait_notes, slow_ack, no_ack)
        return {each.__name__: each for each in (*events, kick, close_transport, handshake, requests)}


def ssl_context(tls: dict[str, Any] | None) -> ssl.SSLContext | None:
    """Return the server's side of TLS, asking for a client certificate where ``client_ca`` is given."""
    if tls is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=tls.get("client_ca"))
    context.load_cert_chain(tls["cert"], tls["key"])
    if tls.get("client_ca"):
        context.verify_mode = ssl.CERT_REQUIRED
    return context
