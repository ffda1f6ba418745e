"""One way to write a scenario for both flavours: the threaded clients behind coroutines.

For asyncio a scenario gets the client itself. For threads it gets an adapter: each method that blocks runs on a thread
of its own while the scenario awaits it. A handler may be a coroutine function in both: the adapter runs it on the
thread that calls it, and there ``await sio.emit(...)`` is the blocking call. Such a handler may await methods of the
client and a :class:`~.waiting.Gate`, nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import threading
from collections.abc import Callable
from typing import Any

import socketio

from .waiting import CEILING, within


async def run_blocking(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Return what a function returns that may block: run on another thread, or in place where no loop runs.

    The thread is a daemon of its own, so that a call that never returns fails its test only.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return function(*args, **kwargs)
    future: asyncio.Future[Any] = loop.create_future()

    def deliver(error: BaseException | None, result: Any) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    def run() -> None:
        error, result = None, None
        try:
            result = function(*args, **kwargs)
        except BaseException as exc:
            error = exc
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(deliver, error, result)
        del error

    threading.Thread(target=run, name="scenario", daemon=True).start()
    return await future


def plain(function: Any) -> Any:
    """Return a plain function that does what a coroutine function does; anything else is returned unchanged."""
    if not inspect.iscoroutinefunction(function):
        return function

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        coroutine = function(*args, **kwargs)
        try:
            coroutine.send(None)
        except StopIteration as done:
            return done.value
        coroutine.close()
        raise AssertionError("with threads, a handler may only await methods of the client and gates")

    return run


class ThreadsNamespace(socketio.ClientNamespace):
    """A :class:`socketio.ClientNamespace` whose methods may be coroutine functions."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name, attribute in list(vars(cls).items()):
            if name.startswith("on_") or name == "trigger_event":
                setattr(cls, name, plain(attribute))

    async def emit(self, *args: Any, **kwargs: Any) -> None:  # type: ignore[override]
        await run_blocking(super().emit, *args, **_plain_values(kwargs))

    async def send(self, *args: Any, **kwargs: Any) -> None:  # type: ignore[override]
        await run_blocking(super().send, *args, **_plain_values(kwargs))

    async def call(self, *args: Any, **kwargs: Any) -> Any:
        return await run_blocking(super().call, *args, **kwargs)

    async def disconnect(self) -> None:  # type: ignore[override]
        await run_blocking(super().disconnect)


class ThreadsClient:
    """A :class:`socketio.Client` with the coroutines of a :class:`socketio.AsyncClient`.

    :ivar native: the client.
    """

    _BLOCKING = frozenset({"connect", "emit", "send", "call", "disconnect", "shutdown", "wait", "sleep"})

    def __init__(self, native: Any) -> None:
        self.native = native

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self.native, name)
        if name not in self._BLOCKING:
            return attribute

        async def call(*args: Any, **kwargs: Any) -> Any:
            return await run_blocking(attribute, *map(plain, args), **_plain_values(kwargs))

        return call

    def on(self, event: str, handler: Any = None, namespace: str | None = None) -> Any:
        """Register a handler, as a call or as a decorator."""
        if handler is not None:
            return self.native.on(event, plain(handler), namespace=namespace)

        def register(function: Any) -> Any:
            self.native.on(event, plain(function), namespace=namespace)
            return function

        return register

    def event(self, *args: Any, **kwargs: Any) -> Any:
        """Register a handler under its own name."""
        if len(args) == 1 and not kwargs and callable(args[0]):
            self.native.event(plain(args[0]))
            return args[0]

        def register(function: Any) -> Any:
            self.native.event(*args, **kwargs)(plain(function))
            return function

        return register

    def start_background_task(self, target: Any, *args: Any, **kwargs: Any) -> Any:
        """Start a task."""
        return self.native.start_background_task(plain(target), *args, **kwargs)


class ThreadsSimpleClient:
    """A :class:`socketio.SimpleClient` with the coroutines of a :class:`socketio.AsyncSimpleClient`.

    :ivar native: the client.
    """

    _BLOCKING = frozenset({"connect", "emit", "call", "receive", "disconnect"})

    def __init__(self, native: Any) -> None:
        self.native = native

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self.native, name)
        return functools.partial(run_blocking, attribute) if name in self._BLOCKING else attribute

    async def __aenter__(self) -> ThreadsSimpleClient:
        await run_blocking(self.native.__enter__)
        return self

    async def __aexit__(self, *exc_info: Any) -> None:
        await run_blocking(self.native.__exit__, *exc_info)


def _plain_values(kwargs: dict[str, Any]) -> dict[str, Any]:
    return {name: plain(value) for name, value in kwargs.items()}


class Flavour:
    """Makes the clients of one flavour, and ends them.

    :ivar name: ``threads`` or ``asyncio``.
    :ivar namespace_class: the base class for class-based namespaces.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_asyncio = name == "asyncio"
        self.namespace_class: Any = socketio.AsyncClientNamespace if self.is_asyncio else ThreadsNamespace
        self.client_class: Any = socketio.AsyncClient if self.is_asyncio else socketio.Client
        self._clients: list[Any] = []

    def client(self, client_class: Any = None, **options: Any) -> Any:
        """Return a client."""
        native = (client_class or self.client_class)(**{"handle_sigint": False, **options})
        return self._keep(native if self.is_asyncio else ThreadsClient(native))

    def simple_client(self, **options: Any) -> Any:
        """Return a simple client."""
        native_class: Any = socketio.AsyncSimpleClient if self.is_asyncio else socketio.SimpleClient
        native = native_class(**{"handle_sigint": False, **options})
        return self._keep(native if self.is_asyncio else ThreadsSimpleClient(native))

    def native(self, client: Any) -> Any:
        """Return the client behind the adapter, if there is one."""
        return client if self.is_asyncio else client.native

    async def join(self, task: Any) -> Any:
        """Wait for what ``start_background_task()`` returned."""
        if self.is_asyncio:
            return await within(CEILING, task)
        await run_blocking(task.join, CEILING)
        assert not task.is_alive()
        return None

    async def close(self) -> None:
        """Disconnect all clients that were made."""
        for client in self._clients:
            await within(CEILING, client.disconnect())
        self._clients = []

    def _keep(self, client: Any) -> Any:
        self._clients.append(client)
        return client
