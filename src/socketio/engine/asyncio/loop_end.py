"""Ends connections whose event loop ends, is closed, or belongs to the parent process.

In: open connections. Out: while the loop ends and cancels all tasks, the last packets are sent; without a loop,
everything is closed without sending or logging.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Coroutine
from typing import Any

from ...runtime.process_hooks import EXIT_TIMEOUT
from ...runtime.steps import run_async
from .. import compat, descriptors
from ..connection import CLOSING, Connection
from ..frames import Outgoing

_PACKAGE = __name__.partition(".")[0]
_copies: list[asyncio.Task[Any]] = []
"""In a child process, the tasks of its parent: kept, since aiohttp warns of open connections when they are deleted."""


# -- the loop ends


async def close_in_time(connection: Connection, messages: Any) -> None:
    """Close a connection whose tasks were cancelled.

    Gives up if the server does not read for a second, or after 3 s or ``request_timeout``.

    :param messages: returns the last messages.
    """
    loop = asyncio.get_running_loop()
    closing = asyncio.ensure_future(_close(connection, messages))
    deadline = loop.time() + min(EXIT_TIMEOUT, connection.engine.request_timeout)
    left = -1
    while not closing.done() and left != connection.queue.unsent() and (rest := deadline - loop.time()) > 0:
        left = connection.queue.unsent()
        await asyncio.wait([closing], timeout=min(CLOSING, rest))
    if not closing.done():
        closing.cancel()
        await asyncio.wait([closing])
    if not closing.cancelled():
        closing.result()


async def _close(connection: Connection, messages: Any) -> None:
    if connection.reason is not None:
        return
    transport, queue = connection.transport, connection.queue
    connection.reason = connection.engine.reason.CLIENT_DISCONNECT
    if connection.writer is not None:
        await asyncio.wait([connection.writer])  # it was cancelled, too
    queue.close()
    reading = asyncio.ensure_future(run_async(connection.receiving_steps()))
    try:
        await transport.send(queue.rest())
        await transport.send(deque(transport.probe()))
        await transport.confirm(CLOSING)
        last: deque[Outgoing] = deque("4" + each if isinstance(each, str) else each for each in messages())
        connection.engine._log_sending(last)
        await transport.send(last)
        await transport.send(deque(transport.close_packets))
        await transport.close()
    finally:
        reading.cancel()
        await asyncio.wait([reading])
        if not reading.cancelled():
            reading.exception()  # retrieved here: the server may have ended the connection at the same time


# -- the loop is closed, or belongs to the parent process


def close_without_loop(engine: Any) -> None:
    """Close the open connections of a client without the event loop, which is closed; it is then disconnected.

    Afterwards, when all clients of the loop have done so, :func:`discard_tasks` ends what is left.
    """
    _, transports = _detach(engine)
    for transport in transports:
        compat.close_transport(transport)


def after_fork(engine: Any) -> None:
    """Make a client disconnected in a child process. The parent's connection continues."""
    sockets = [transport.get_extra_info("socket") for transport in _transports(engine)]
    for sock in sockets:
        if sock is not None:
            descriptors.close_copy(sock.fileno())
    tasks, _ = _detach(engine)
    _copies.extend(tasks)
    for task in tasks:  # if the child continues with the event loop
        with contextlib.suppress(Exception):
            task.cancel()


def _detach(engine: Any) -> tuple[list[asyncio.Task[Any]], list[Any]]:
    """Close session and connection of a client, without logging; return its tasks, and asyncio's transports."""
    connection: Connection | None = engine._connection
    transports, http = _transports(engine), engine.http
    tasks = {engine._opening, *engine._tasks}
    if connection is not None:
        connection.is_detached = True
        connection.reason = engine.reason.CLIENT_DISCONNECT
        tasks |= {connection.reader, connection.writer}
    found = [task for task in tasks if task is not None and not task.done()]
    compat.keep_silent(found)
    if http is not None and not engine.external_http:
        begin(http.close())
        engine.http = None
    if connection is not None:
        connection.transport.detach()
    engine._set_up()
    engine._mark_disconnected()
    return found, transports


def _transports(engine: Any) -> list[Any]:
    """Return asyncio's transports of all open connections of a client."""
    own = [] if engine._connection is None else engine._connection.transport.transports()
    return [*own, *compat.transports_of(getattr(engine.http, "connector", None))]


def close_response(response: Any) -> None:
    """Close an answer, and its connection."""
    connection = response.connection
    for each in (connection, connection, response):  # with a closed loop, the first attempt stops half-way
        if each is not None:
            with contextlib.suppress(Exception):
                each.close()


def begin(coroutine: Coroutine[Any, Any, Any]) -> None:
    """Run a coroutine until it waits for something, and end it there."""
    with contextlib.suppress(Exception, StopIteration):
        coroutine.send(None)
    with contextlib.suppress(Exception):
        coroutine.close()


def discard_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """End the tasks of all clients on a closed event loop. They return their connections to their session."""
    for task in asyncio.all_tasks(loop):
        coroutine: Any = task.get_coro()
        frame = getattr(coroutine, "cr_frame", None)
        if frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] == _PACKAGE:
            compat.keep_silent([task])
            with contextlib.suppress(Exception):
                coroutine.close()
