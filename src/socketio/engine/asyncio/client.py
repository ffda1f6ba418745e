"""The Engine.IO client for asyncio: one connection to a server, kept alive, in order.

In: packets to send, all frames of one queued together. Out: the events of ``engineio.AsyncClient``, called as they
come and one after the other: ``connect`` once the transport is open, ``message`` (a plain function) with a list of
messages, in the reading task, ``disconnect`` with the reason, once, when the reading task has delivered all that came
before it.

From python-engineio come the options, the URL rules and the base class. The rest is replaced, because it decides order
and safety: there, each message is handed to a task of its own, ``disconnect()`` closes a websocket before the queue is
written and waits for the pending GET of polling, headers go with the first request only, the handshake waits for a
websocket message without end, and sessions stay open when it fails.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any

from engineio.exceptions import ConnectionError

from ...packet import Frame
from ...runtime import logs
from ...runtime.async_condition import AsyncCondition, AsyncEvent
from .. import handshake
from ..base import HIGH_WATER_MARK, BaseLink
from ..frames import Outgoing
from .leaving import AsyncLeaving
from .opening import AsyncOpening, Opened
from .orphans import AsyncAbandoning
from .outbox import AsyncOutbox
from .reading import AsyncReading, is_own
from .websocket import AsyncWebSocketTransport
from .wire import CLOSING


class _Link(BaseLink):
    """One connection: its transport, its queue, its tasks.

    :ivar read: set when nothing more will be read; ``ended`` when it was told, too.
    :ivar is_orphan: whether its event loop is closed, or it belongs to the parent process.
    """

    def __init__(self, opened: Opened, high_water_mark: int) -> None:
        super().__init__(opened)
        self.outbox = AsyncOutbox(high_water_mark)
        self.read = AsyncEvent()
        self.ended = AsyncEvent()
        self.is_orphan = False
        self.reading: AsyncReading | None = None
        self.reader: asyncio.Task[None] | None = None
        self.writer: asyncio.Task[None] | None = None


class AsyncEngineIOClient(AsyncAbandoning, AsyncLeaving, AsyncOpening):
    """An Engine.IO client whose messages come in order.

    Takes the options of ``engineio.AsyncClient``, and ``max_message_size`` and ``high_water_mark``, in bytes.
    Constructing one changes nothing in the process: no signal handler, and no log level or handler unless
    ``logger=True``.

    :ivar is_busy: returns whether delivered packets are still being handled, in turns of the event loop.
    :ivar is_awaited: returns whether a message is an answer that a task waits for; it is delivered ahead of others.
    :ivar farewell: returns the messages to send when the event loop ends while this is connected.
    :ivar loop_ends: whether the event loop ends while this is connected, and it is being closed.
    """

    read_loop_task: asyncio.Task[None] | None
    write_loop_task: asyncio.Task[None] | None

    def __init__(
        self,
        logger: bool | logs.Logger | None = False,
        handle_sigint: bool = True,
        max_message_size: int = handshake.MAX_MESSAGE_SIZE,
        high_water_mark: int = HIGH_WATER_MARK,
        **kwargs: Any,
    ) -> None:
        super().__init__(logger=logs.resolve(logger, "engineio.client"), handle_sigint=False, **kwargs)
        self._take_options(handle_sigint, max_message_size, high_water_mark)
        self._choose_packet_level(logger)
        self.farewell: Callable[[], list[Frame]] = list
        self.is_busy: Callable[[], bool] = bool
        self.is_awaited: Callable[[str], bool] = lambda message: False
        self._set_up()

    def _set_up(self) -> None:
        self.loop_ends = False
        self._freed = AsyncCondition()
        self._busy = False
        self._ending = False
        self._link: _Link | None = None
        self._opening: asyncio.Task[Opened] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    def __del__(self) -> None:
        """Do nothing. There, a session that is still open is closed on a loop that may not be the session's."""

    # -- opening

    async def connect(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        transports: str | list[str] | None = None,
        engineio_path: str = "engine.io",
    ) -> None:
        """Connect, upgrade if both sides can, and call the ``connect`` handler.

        Returns when packets can be sent. Raises ``ValueError`` for transports that do not exist,
        ``engineio.exceptions.ConnectionError`` for a connection that fails, and what the ``connect`` handler raises.
        """
        self.transports = handshake.choose_transports(transports)
        is_open = self._link is not None and self._link.reason is None and not self._ending
        # What is about to end, be it a connection or an attempt, is waited for.
        if is_open or not await self._freed.wait_for(lambda: not self._busy, self.request_timeout):
            raise ValueError("Client is not in a disconnected state")
        self._busy = True
        self.state = "connecting"
        # A task of its own, so that disconnect() can end it without ending whoever waits for it.
        opening = self._opening = asyncio.ensure_future(self._open(url, dict(headers or {}), engineio_path))
        try:
            link = _Link(await opening, self.high_water_mark)
            await self._start(link)
        except BaseException as exc:
            ended = self._opening is not opening  # by disconnect(), not by whoever has cancelled this
            # A task of its own here too: it goes on, should this one be cancelled once more.
            await asyncio.shield(asyncio.ensure_future(self._abandon()))
            if isinstance(exc, asyncio.CancelledError) and ended and opening.cancelled():
                raise ConnectionError("the connection attempt was ended by disconnect()") from None
            raise

    async def _start(self, link: _Link) -> None:
        shaken = link.handshake
        self._link, self._opening = link, None
        self._take_over(shaken, link.transport.name)
        self._log_open(shaken, link.transport.name)
        link.transport.set_silence(shaken.silence)
        link.writer = self.write_loop_task = asyncio.ensure_future(self._write(link))
        if "connect" in self.handlers:
            await self.handlers["connect"]()
            self._tell("connect")
        link.reader = asyncio.ensure_future(self._read(link))

    async def _abandon(self) -> None:
        """Close what an attempt that failed has opened."""
        link, opening = self._link, self._opening
        self._opening = None
        if opening is not None and not opening.done():
            opening.cancel()
            await asyncio.wait([opening])
        if link is None and opening is not None and not opening.cancelled() and not opening.exception():
            link = _Link(opening.result(), self.high_water_mark)
        if link is not None:
            link.read.set()
            link.transport.abort()
            link.outbox.close()
            if link.writer is not None:
                await asyncio.wait([link.writer])
            await link.transport.release()
            link.ended.set()
        await self._forget(self._link)

    # -- sending

    async def send(self, data: Frame) -> None:
        """Queue a message. Raises ``ConnectionError`` when there is no connection."""
        self.send_frames([data])

    def send_at_once(self) -> None:
        """Send what is queued, as far as that can be done without waiting; the rest is left to the writing task.

        Saves a change of tasks where the caller would wait for it.
        """
        link = self._link
        if link is None:
            return
        if not isinstance(link.transport, AsyncWebSocketTransport) or (frames := link.outbox.try_take()) is None:
            link.outbox.wake()
            return
        self._log_sending(frames, link.logged)
        try:
            link.transport.try_send(frames)
        except ConnectionError:  # the writing task will see it too, and knows what to do
            self.logger.debug("Nothing can be sent any more")
        link.logged = len(frames)
        link.outbox.give_back()

    async def wait_for_room(self, timeout: float | None) -> bool:
        """Wait until less than ``high_water_mark`` waits to be sent; return whether it does, in ``timeout`` seconds.

        Raises ``ConnectionError`` when the connection ends before.
        """
        link = self._link
        if link is None:
            return True
        try:
            return await link.outbox.wait_for_room(timeout)
        except ConnectionError as exc:
            await link.read.wait(CLOSING)  # the reader learns the reason
            raise ConnectionError(str(link.failure or exc)) from exc

    async def drain(self, timeout: float) -> bool:
        """Wait until the server has read all that was sent; return whether it has, in ``timeout`` seconds."""
        link = self._link
        if link is None:
            return False
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        try:
            if not link.outbox.put(link.transport.probe()) or not await link.outbox.flush(timeout):
                return False
            await link.transport.confirm(max(0.0, deadline - loop.time()))
        except ConnectionError:
            return False
        return True

    async def _write(self, link: _Link) -> None:
        try:
            while frames := await link.outbox.take():
                self._log_sending(frames, link.logged)
                await link.transport.send(frames)
                link.logged = 0
        except ConnectionError as exc:
            if link.reason is None:
                self.logger.warning("Sending failed: %s", exc)
            failure: Exception = exc
        except Exception as exc:
            self.logger.exception("Sending failed: unexpected error")
            failure = exc
        else:
            return
        link.outbox.close()  # nobody shall wait for it to be emptied
        # A server that takes nothing more, of a session that it has closed say, may be telling why.
        await link.read.wait(CLOSING)
        link.fail(failure)
        link.transport.abort()

    # -- receiving

    def _answer(self, link: _Link, packet: Outgoing) -> None:
        link.outbox.put([packet])

    async def _read(self, link: _Link) -> None:
        link.reader = self.read_loop_task = asyncio.current_task()  # before the first handler, in an eager task too
        try:
            self._receive(link, link.first)
            await self._receive_all(link)
        except ConnectionError as exc:
            link.fail(exc)
            if link.reason is None:
                self.logger.warning("Connection lost: %s", link.failure)
        except asyncio.CancelledError:  # nobody but the end of the event loop cancels this task
            if not link.is_orphan:
                self.loop_ends = True
                with contextlib.suppress(ConnectionError):
                    await self._leave_in_time(link)
            raise
        except GeneratorExit:  # the event loop is closed: nothing can be awaited any more
            link.is_orphan = True
            raise
        except Exception as exc:
            link.fail(exc)
            self.logger.exception("Connection lost: unexpected error")
        finally:
            if not link.is_orphan:
                await self._end(link)
            self.loop_ends = False

    async def _receive_all(self, link: _Link) -> None:
        if link.reading is None:
            deliver = partial(self._receive_and_check, link)
            link.reading = AsyncReading(
                link.transport, deliver, self._is_urgent, lambda: self.is_busy(), self.high_water_mark
            )
        while link.reason != self.reason.SERVER_DISCONNECT:
            await link.reading.deliver_next()

    def _receive_and_check(self, link: _Link, packets: Sequence[Outgoing]) -> None:
        self._receive(link, packets)
        self._check_answers(link)

    def _is_urgent(self, packet: Outgoing) -> bool:
        """Return whether a packet does not wait for the handlers of those before it."""
        if isinstance(packet, str) and packet.startswith("43"):
            return self.is_awaited(packet[1:])
        return is_own(packet)

    # -- closing

    def announce_end(self) -> None:
        """Tell that a task will call :meth:`disconnect`: from now on, :meth:`connect` waits for it."""
        self._ending = self._link is not None

    async def disconnect(self, abort: bool = False, reason: str | None = None) -> None:
        """Send what was queued, say goodbye, close.

        :param abort: close at once, without sending anything.
        :param reason: for the ``disconnect`` handler; ``reason.CLIENT_DISCONNECT`` where none is given.

        Bounded: what the server does not take within ``request_timeout`` seconds is given up. From the reading task
        it returns before the reading has ended.
        """
        link = self._link
        if link is None:
            if self._opening is not None:
                opening, self._opening = self._opening, None
                opening.cancel()
                await asyncio.wait([opening])
            return
        if link.reason is None:
            link.reason = reason or self.reason.CLIENT_DISCONNECT
            self.state = "disconnecting"
            await self._say_goodbye(link, abort)
        if link.reader is not None and link.reader is not asyncio.current_task():
            done, _ = await asyncio.wait([link.reader], timeout=CLOSING)
            if not done:
                link.transport.abort()
                await asyncio.wait([link.reader], timeout=CLOSING)

    async def _say_goodbye(self, link: _Link, abort: bool) -> None:
        goodbye = not abort and await link.outbox.flush(self.request_timeout)
        if goodbye and link.transport.goodbye:  # apart from what comes before: that is handled first
            link.transport.begin_close()
            link.outbox.put(link.transport.goodbye)
            goodbye = await link.outbox.flush(self.request_timeout)
        link.outbox.close()
        if goodbye:
            await link.transport.close()
        else:
            link.transport.abort()

    async def _end(self, link: _Link) -> None:
        """Release a connection whose reading has ended, and tell. Each step is taken, even if the event loop ends in
        the one before."""
        self.details = link.details(self.reason)
        link.reason = self.details.reason
        link.read.set()
        self._log_end(link, link.outbox.close())
        link.transport.abort()
        if link.reading is not None:
            link.reading.close()
        async with contextlib.AsyncExitStack() as steps:
            steps.callback(link.ended.set)
            steps.push_async_callback(self._forget, link)  # from here on, another connection can be opened
            steps.push_async_callback(self._tell_end, link.reason)
            steps.push_async_callback(self._reset)
            steps.push_async_callback(link.transport.release)
            if link.writer is not None:
                await asyncio.wait([link.writer])

    async def _tell_end(self, reason: str) -> None:
        if "disconnect" in self.handlers:
            try:
                await self.handlers["disconnect"](reason)
                self._tell("disconnect", reason)
            except Exception:
                self.logger.exception("disconnect handler error")

    async def _forget(self, link: _Link | None) -> None:
        if self._link is link:
            self._link = None
            self._busy = self._ending = False
            try:
                await self._reset()
            finally:
                self._freed.notify_all()

    async def _reset(self) -> None:
        # There, the session is closed but kept when it was closed already.
        self._mark_disconnected()
        if self.http is not None and not self.external_http:
            http, self.http = self.http, None
            await http.close()

    # -- tasks

    def start_background_task(
        self, target: Callable[..., Coroutine[Any, Any, Any]], *args: Any, **kwargs: Any
    ) -> asyncio.Task[Any]:
        """Start a coroutine function as a task, which is kept alive until it ends. Returns the task."""
        task = asyncio.ensure_future(target(*args, **kwargs))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
