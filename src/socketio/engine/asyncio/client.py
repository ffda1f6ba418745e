"""The Engine.IO client for asyncio: one connection after the other.

In: packets to send, all frames of one queued together. Out: the events of ``engineio.AsyncClient``, called one after
the other: ``connect`` once the transport is open, ``message`` (a plain function) with a list of messages, in the
reading task, ``disconnect`` with the reason, once, when the reading task has delivered all that came before it.

python-engineio provides the options, the URL rules and the base class. The rest is replaced: there, each message has a
separate task, ``disconnect()`` closes a websocket before it sends the queue and waits for the pending GET, headers go
with the first request only, the handshake waits for a websocket message without a limit, and sessions stay open when it
fails.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from engineio.exceptions import ConnectionError

from ...packet import Frame
from ...runtime.async_condition import AsyncCondition, AsyncEvent
from ...runtime.steps import Steps, Wait, call, run_async
from .. import compat
from ..base import CANCELLED, EngineBase
from ..connection import Connection
from ..frames import Outgoing
from ..opening import Opened
from . import loop_end
from .opening import AsyncOpening
from .reading import AsyncReading, is_own

_AsyncClient: Any = compat.engineio_class("async_client", "AsyncClient")


class AsyncEngineIOClient(EngineBase, _AsyncClient):
    """An Engine.IO client whose messages come in order. Takes the options of ``engineio.AsyncClient``, and two more.

    :ivar is_busy: returns whether delivered packets are still being handled, in time slices.
    :ivar is_awaited: returns whether a message is an answer that a task waits for; it is delivered ahead of others.
    :ivar last_messages: returns the messages to send when the event loop ends while this is connected.
    """

    http: Any
    is_busy: Callable[[], bool] = staticmethod(bool)
    is_awaited: Callable[[str], bool] = staticmethod(lambda message: False)
    last_messages: Callable[[], list[Frame]] = staticmethod(list)
    _opening: asyncio.Task[Opened] | None
    _event = AsyncEvent
    _current = staticmethod(asyncio.current_task)
    _run = staticmethod(run_async)
    close_without_loop, after_fork = loop_end.close_without_loop, loop_end.after_fork
    discard_tasks = staticmethod(loop_end.discard_tasks)

    def _set_up(self) -> None:
        super()._set_up()
        self._tasks: set[asyncio.Task[Any]] = set()

    def __del__(self) -> None:
        """Do nothing. python-engineio closes an open session on an event loop that may not be that of the session."""

    async def connect(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        transports: str | list[str] | None = None,
        engineio_path: str = "engine.io",
    ) -> None:
        """Connect, upgrade if both sides support it, and call the ``connect`` handler; raise its exceptions.

        Raises ``ValueError`` for unknown transports, ``ConnectionError`` if the connection fails.
        """
        await run_async(self._connect_steps(url, headers, transports, engineio_path))

    async def send(self, data: Frame) -> None:
        """Queue a message. Raises ``ConnectionError`` if there is no connection."""
        self.send_frames([data])

    async def disconnect(self, abort: bool = False, reason: str | None = None) -> None:
        """Send queued packets and the close packets, and close.

        Stops sending if the server does not read for ``request_timeout`` seconds. From the reading task it returns
        before the reading has ended.

        :param abort: close at once, without sending anything.
        :param reason: for the ``disconnect`` handler; ``reason.CLIENT_DISCONNECT`` by default.
        """
        await run_async(self.disconnect_steps(abort, reason))

    def start_background_task(
        self, target: Callable[..., Coroutine[Any, Any, Any]], *args: Any, **kwargs: Any
    ) -> asyncio.Task[Any]:
        """Start a coroutine function as a task, which is kept alive until it ends. Returns the task."""
        task = asyncio.ensure_future(target(*args, **kwargs))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # -- the end of the event loop

    @property
    def loop_ends(self) -> bool:
        """Whether the event loop ends while this is connected, and it is being closed."""
        return self._connection is not None and self._connection.loop_ends

    def _interrupted(self, connection: Connection, exc: BaseException) -> Steps[None]:
        """End with the event loop, which has cancelled the reading task; after it is closed, nothing can wait."""
        if isinstance(exc, GeneratorExit):
            connection.is_detached = True
        elif not connection.is_detached:
            connection.loop_ends = True
            with contextlib.suppress(ConnectionError):
                yield call(loop_end.close_in_time, connection, self.last_messages)

    # -- the driver

    def _condition(self, lock: Any) -> AsyncCondition:
        return AsyncCondition()

    async def _open_transport(self, url: str, headers: dict[str, str], path: str) -> Opened:
        """Open a transport in a separate task, so that disconnect() can cancel it without the caller."""
        opening = self._opening = asyncio.ensure_future(AsyncOpening(self, url, headers, path).run())
        try:
            return await opening
        except GeneratorExit:  # the event loop is closed
            raise
        except BaseException as exc:
            is_cancelled = self._opening is not opening  # by disconnect(), and not with the caller
            self._opening = None
            await asyncio.shield(asyncio.ensure_future(_discard(opening)))
            if isinstance(exc, asyncio.CancelledError) and is_cancelled and opening.cancelled():
                raise ConnectionError(CANCELLED) from None
            raise

    def _cancel_opening(self) -> Steps[None]:
        opening, self._opening = self._opening, None
        if opening is not None:
            opening.cancel()
            yield call(asyncio.wait, [opening])

    async def _run_shielded(self, steps: Steps[None]) -> None:
        """Run steps in a separate task: they continue if the caller is cancelled again."""
        await asyncio.shield(asyncio.ensure_future(run_async(steps)))

    def _start_worker(self, name: str, steps: Steps[None]) -> asyncio.Task[None]:
        return asyncio.ensure_future(run_async(steps))

    def _start_writer(self, connection: Connection) -> None:
        """Do nothing: the writer runs from the beginning."""

    def _joined(self, task: asyncio.Task[None], limit: float | None) -> Wait:
        return Wait(lambda timeout: asyncio.wait([task], timeout=timeout), limit)

    def _prepare(self, connection: Connection) -> None:
        connection.writer = self.write_loop_task = self._start_worker("socketio-writer", connection.writing_steps())
        connection.reading = AsyncReading(
            connection.transport, connection.receive, self._is_urgent, self.is_busy, self.high_water_mark
        )

    def _is_urgent(self, packet: Outgoing) -> bool:
        """Return whether a packet does not wait for the handlers of those before it."""
        if isinstance(packet, str) and packet.startswith("43"):
            return self.is_awaited(packet[1:])
        return is_own(packet)

    def _receive_next(self, connection: Connection) -> Coroutine[Any, Any, None]:
        reading: AsyncReading = connection.reading
        return reading.deliver_next()

    def _end(self, connection: Connection) -> Steps[None]:
        if not connection.is_detached:
            connection.reading.close()
        return super()._end(connection)

    async def _close_http(self) -> None:
        # python-engineio closes the session, but keeps one that was closed already.
        self._mark_disconnected()
        if self.http is not None and not self.external_http:
            http, self.http = self.http, None
            await http.close()


async def _discard(opening: asyncio.Task[Opened]) -> None:
    """End an attempt, and close what it has opened."""
    opening.cancel()
    await asyncio.wait([opening])
    if not opening.cancelled() and opening.exception() is None:
        opening.result().transport.abort()
        await opening.result().transport.release()
