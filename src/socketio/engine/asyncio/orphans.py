"""Closes connections whose event loop is closed or belongs to the parent process.

In: what was open. Out: it is closed, without an event loop and in silence. Most of it is done with the public methods
of aiohttp and asyncio. Where a private name is used and is missing one day, there is a ``ResourceWarning`` more, which
Python does not show by default.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from .. import descriptors

_PACKAGE = __name__.partition(".")[0]
_of_parents: list[asyncio.Task[Any]] = []
"""In a child process, the tasks of its parent: kept, since aiohttp warns of open connections when they are deleted."""


def transports_of(http: Any) -> list[Any]:
    """Return the transports of the connections that a session keeps open, in use or not."""
    connector = getattr(http, "connector", None)
    idle = [protocol for kept in getattr(connector, "_conns", {}).values() for protocol, _ in kept]
    found = [protocol.transport for protocol in (*idle, *getattr(connector, "_acquired", ()))]
    return [transport for transport in found if transport is not None]


def close_copies(transports: Iterable[Any]) -> None:
    """Close the copies that a child process has of the sockets of these transports."""
    for transport in transports:
        sock = transport.get_extra_info("socket")
        if sock is not None:
            descriptors.close_copy(sock.fileno())


def close_transports(transports: Iterable[Any]) -> None:
    """Close transports whose event loop is closed."""
    for transport in transports:
        with contextlib.suppress(Exception):  # RuntimeError where the loop is closed
            transport.abort()
        below: Any = getattr(getattr(transport, "_ssl_protocol", None), "_transport", None)
        for each in (transport, below):
            with contextlib.suppress(Exception):
                each._call_connection_lost(None)  # what the loop would do next


def close_response(response: Any) -> None:
    """Close an answer, and its connection."""
    connection = response.connection
    for each in (connection, connection, response):  # where the loop is closed, the first attempt ends half-way
        if each is not None:
            with contextlib.suppress(Exception):
                each.close()


def close_session(http: Any) -> None:
    """Close a session whose event loop does not run."""
    begin(http.close())


def begin(coroutine: Coroutine[Any, Any, Any]) -> None:
    """Run a coroutine until it waits for something, and end it there."""
    with contextlib.suppress(Exception, StopIteration):
        coroutine.send(None)
    with contextlib.suppress(Exception):
        coroutine.close()


def keep_silent(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Keep asyncio from logging pending tasks when they are deleted."""
    for task in tasks:
        with contextlib.suppress(AttributeError):
            task._log_destroy_pending = False  # type: ignore[attr-defined]


def discard_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """End the tasks of this package on a closed event loop."""
    for task in asyncio.all_tasks(loop):
        coroutine: Any = task.get_coro()
        frame = getattr(coroutine, "cr_frame", None)
        if frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] == _PACKAGE:
            keep_silent([task])
            with contextlib.suppress(Exception):
                coroutine.close()


class AsyncAbandoning:
    """The part of :class:`AsyncEngineIOClient` that ends connections without an event loop."""

    http: Any
    external_http: bool
    reason: Any
    _link: Any
    _opening: asyncio.Task[Any] | None
    _tasks: set[asyncio.Task[Any]]
    _set_up: Callable[[], None]
    _mark_disconnected: Callable[[], None]

    def abandon(self) -> None:
        """Close the open connections without the event loop, which is closed, and become disconnected.

        Afterwards, when all clients of the loop have done so, :meth:`discard_tasks` ends what is left.
        """
        self._orphan()
        transports = self._transports()
        self._close_orphans()
        close_transports(transports)

    def discard_tasks(self, loop: asyncio.AbstractEventLoop) -> None:
        """End the tasks of all clients on a closed event loop. They give their connections back to their session."""
        discard_tasks(loop)

    def after_fork(self) -> None:
        """Become disconnected in a child process. The parent's connection continues."""
        tasks = self._orphan()
        close_copies(self._transports())
        self._close_orphans()
        _of_parents.extend(tasks)
        for task in tasks:  # should the child go on with the event loop
            with contextlib.suppress(Exception):
                task.cancel()

    def _orphan(self) -> list[asyncio.Task[Any]]:
        """Silence the connection; return its tasks."""
        link = self._link
        tasks = {self._opening, *self._tasks}
        if link is not None:
            link.is_orphan = True
            link.reason = self.reason.CLIENT_DISCONNECT
            tasks |= {link.reader, link.writer}
        found = [task for task in tasks if task is not None and not task.done()]
        keep_silent(found)
        return found

    def _transports(self) -> list[Any]:
        own = [] if self._link is None else self._link.transport.transports()
        return [*own, *transports_of(self.http)]

    def _close_orphans(self) -> None:
        link, http = self._link, self.http
        if http is not None and not self.external_http:
            close_session(http)
            self.http = None
        if link is not None:
            link.transport.abandon()
        self._set_up()
        self._mark_disconnected()
