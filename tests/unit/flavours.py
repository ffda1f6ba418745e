"""One way to write a test for both flavours: the threaded clients behind coroutines, all of them on fake engines.

A test gets an adapter. Methods that block run on a thread of their own while the test awaits them; all else is that of
the client itself, which is ``native``. Its engine is ``engine``. A handler that waits is written as a coroutine
function; for threads, :meth:`Flavour.function` makes a function of it that blocks.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import socketio

from .fake_engine import FakeAsyncEngine, FakeEngine, Peer
from .waiting import CEILING, blocking, run_blocking, within

URL = "http://server.test"
_BLOCKING = frozenset({"connect", "emit", "send", "call", "disconnect", "shutdown", "wait", "sleep", "receive"})


class Client(socketio.Client):
    """The client for threads, on a fake engine."""

    def _engineio_client_class(self) -> Any:
        return FakeEngine


class AsyncClient(socketio.AsyncClient):
    """The client for asyncio, on a fake engine."""

    def _engineio_client_class(self) -> Any:
        return FakeAsyncEngine


class SimpleClient(socketio.SimpleClient):
    """The simple client for threads, on a fake engine."""

    client_class = Client


class AsyncSimpleClient(socketio.AsyncSimpleClient):
    """The simple client for asyncio, on a fake engine."""

    client_class = AsyncClient


class Adapter:
    """A client of either flavour, with coroutines."""

    def __init__(self, native: Any) -> None:
        self.native = native

    @property
    def engine(self) -> Peer:
        """The engine in memory."""
        client = self.native.client if hasattr(self.native, "client_class") else self.native
        engine: Peer = client.eio
        return engine

    async def settled(self) -> None:
        """Wait until a reconnection that has succeeded is done with its work."""
        task = self.native._reconnect_task
        if isinstance(task, threading.Thread):
            await run_blocking(task.join, CEILING)
        elif task is not None:
            await within(task)

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self.native, name)
        if name not in _BLOCKING or isinstance(self.native, (AsyncClient, AsyncSimpleClient)):
            return attribute

        async def call(*args: Any, **kwargs: Any) -> Any:
            return await run_blocking(attribute, *args, **kwargs)

        return call


class Flavour:
    """Makes clients of one flavour, and disconnects them in the end."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._made: list[Adapter] = []

    @property
    def is_asyncio(self) -> bool:
        """Whether this is asyncio."""
        return self.name == "asyncio"

    @property
    def namespace_class(self) -> Any:
        """The base class of namespace objects."""
        return socketio.AsyncClientNamespace if self.is_asyncio else socketio.ClientNamespace

    def function(self, coroutine_function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a handler of this flavour that awaits, or blocks; it may await adapters and gates."""
        return coroutine_function if self.is_asyncio else blocking(coroutine_function)

    def client(self, **options: Any) -> Adapter:
        """Return a client that does not wait long before it reconnects."""
        return self._adapt(AsyncClient if self.is_asyncio else Client, options)

    def simple_client(self, **options: Any) -> Adapter:
        """Return a simple client that does not wait long before it reconnects."""
        return self._adapt(AsyncSimpleClient if self.is_asyncio else SimpleClient, options)

    def _adapt(self, native_class: Any, options: dict[str, Any]) -> Adapter:
        options = {"reconnection_delay": 0.01, "randomization_factor": 0, **options}
        adapter = Adapter(native_class(**options))
        self._made.append(adapter)
        return adapter

    async def close(self) -> None:
        """Disconnect all clients; fail if an engine had to catch what a client must not raise."""
        for made in self._made:
            engine = made.engine if getattr(made.native, "client", made) is not None else None
            await made.disconnect()
            assert engine is None or not engine.errors
