"""The web site around the Engine.IO server: starts it, records requests, stops it completely.

In: a listening socket. Everything runs on the loop's thread; the loop is a ``SelectorEventLoop``.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Handler

from .engine import EngineServer

_PATIENCE = 0.25
"""Seconds that clients have to end their connections when the site stops; aiohttp waits up to twice as long."""
_ROUNDS = 100
"""Maximum number of checks whether sockets are closed."""
_REFUSALS = 10
"""How often a task that is being stopped may refuse to end, a quarter of a second each."""


@dataclass(frozen=True, slots=True)
class Request:
    """A received HTTP request, which may be a websocket handshake.

    ``path_qs`` is its path with the query; the names of ``headers`` are in lower case.
    """

    method: str
    path_qs: str
    headers: Mapping[str, str]


class Site:
    """An Engine.IO server at a path.

    :param listener: handles the connections.
    :param record: called with each request, when its headers have arrived.
    """

    def __init__(
        self, engine: EngineServer, path: str, listener: socket.socket, record: Callable[[Request], None]
    ) -> None:
        self._listener = listener

        @web.middleware
        async def recorder(request: web.Request, handler: Handler) -> web.StreamResponse:
            headers = {name.lower(): ", ".join(request.headers.getall(name)) for name in request.headers}
            record(Request(request.method, request.path_qs, headers))
            return await handler(request)

        app = web.Application(middlewares=[recorder], client_max_size=engine.max_http_buffer_size + 1)
        app.router.add_route("*", f"/{path.strip('/')}/".replace("//", "/"), engine.handle_request)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=_PATIENCE)

    async def start(self, ssl_context: ssl.SSLContext | None) -> None:
        """Start, over TLS if there is a context."""
        await self._runner.setup()
        await web.SockSite(self._runner, self._listener, ssl_context=ssl_context).start()

    async def stop(self) -> None:
        """End all connections: idle ones at once, busy ones with their requests, or half a second later.

        Then all other tasks of this loop, in a bounded time.
        """
        await self._stop_accepting()
        server = self._runner.server
        transports = [connection.transport for connection in server.connections] if server else []
        sockets = [transport.get_extra_info("socket") for transport in transports if transport is not None]
        await self._runner.cleanup()
        await _cancel_tasks()
        await _close(sockets)

    async def _stop_accepting(self) -> None:
        """Add the connections that are being accepted to the runner, and accept no more.

        The loop accepts in several rounds, and loses a socket if its server is closed between the first two.
        """
        asyncio.get_running_loop().remove_reader(self._listener)
        for _ in range(3):
            await asyncio.sleep(0)


async def _cancel_tasks() -> None:
    for _ in range(_REFUSALS):
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        if not tasks:
            break
        for task in tasks:
            task.cancel()
        ended, _ = await asyncio.wait(tasks, timeout=_PATIENCE)
        for task in ended:
            if not task.cancelled():
                task.exception()  # retrieved, so that asyncio does not report it


async def _close(sockets: Collection[socket.socket]) -> None:
    """Close the connections of clients that do not read, or do not end TLS.

    ``transport.abort()`` would do nothing for a TLS transport that was closed twice, as aiohttp does.
    """
    for connection in sockets:
        with contextlib.suppress(OSError):  # it is closed
            connection.shutdown(socket.SHUT_RDWR)
    for _ in range(_ROUNDS):
        if all(connection.fileno() == -1 for connection in sockets):
            break
        await asyncio.sleep(_PATIENCE / _ROUNDS)
