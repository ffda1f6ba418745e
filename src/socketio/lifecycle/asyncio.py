"""The lifecycle with asyncio: how it waits, how handlers are called, and which event loop is used.

Two kinds of code meet here, on one event loop: the application's tasks, which call, and the reading task of the engine,
which brings frames and starts handlers. The loop may be closed, belong to a parent process, run on another thread at
the end of the program, or not run at all.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import inspect
import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from ..base_client import Reason
from ..core.attempt import Lifetime
from ..core.lifecycle import Input, State
from ..dispatch.calls import Call
from ..engine.asyncio.client import AsyncEngineIOClient
from ..runtime import process_hooks
from ..runtime.async_condition import AsyncCondition, AsyncEvent, running_loop
from ..runtime.steps import Steps, Wait, call, run_async
from .base import DISCONNECT_HANDLERS_TIMEOUT, BaseLifecycle, Change

if TYPE_CHECKING:
    from ..async_client import AsyncClient

CLOSING = 1.0
"""Seconds that disconnect handlers have when the event loop ends."""


class AsyncLifecycle(BaseLifecycle):
    """The lifecycle of an :class:`AsyncClient`.

    :ivar loop: the event loop of the connection; ``None`` before the first one.
    :ivar thread: the thread that runs it.
    """

    client: AsyncClient
    engine: AsyncEngineIOClient
    new_event = AsyncEvent

    def renew(self) -> None:
        """Become idle, without an event loop."""
        self.loop: asyncio.AbstractEventLoop | None = None
        self.thread = 0
        self._line = ("sys", 1)
        self._disconnecting: asyncio.Task[Any] | None = None
        # The lock is never held while anything is awaited. Using it costs less than handling its absence.
        self.reset(threading.RLock(), AsyncCondition())

    # -- how to wait

    async def resolve_argument(self, option: Any) -> Any:
        """Return an argument of connect(); call it if it is a function or a coroutine function."""
        value = option() if callable(option) else option
        return await value if inspect.isawaitable(value) else value

    def joined(self, task: asyncio.Task[Any]) -> Steps[None]:
        """Wait for the end of a task, unless it waits for this one."""
        if task is not self._disconnecting and not task.done():
            yield Wait(lambda seconds: asyncio.wait([task], timeout=seconds), DISCONNECT_HANDLERS_TIMEOUT)

    def close_shielded(self, change: Change) -> Steps[Change]:
        """Close in a task, which continues if the task that calls disconnect() is cancelled."""
        self._disconnecting = asyncio.current_task()
        task = self.start(self._close_or_abort, change)
        last: Change = yield call(asyncio.shield, task)
        return last

    def _close_or_abort(self, change: Change) -> Steps[Change]:
        try:
            return (yield from self._execute(change))
        except BaseException:  # the event loop ends
            self.execute_nonblocking(self.transition(Input.ABORT))
            raise

    def execute_waiting(self, change: Change) -> None:
        """Execute actions that wait, in a task. The reading task does not wait for it."""
        self.start(self._execute, change)

    def start(self, function: Callable[..., Steps[Any]], *args: Any) -> Any:
        """Run steps as a task; return the task."""
        return self.engine.start_background_task(run_async, function(*args))

    # -- the end

    async def on_transport_open(self) -> None:
        """Send CONNECT packets."""
        await run_async(self.attempts.open_session())

    async def on_transport_closed(self, reason: str) -> None:
        """End the session. If the event loop ends, wait for the handlers: later they could not run."""
        if self.channel.session is None:
            return
        loop_ends = reason == Reason.CLIENT_DISCONNECT
        calls = self.close_session(reason, list(self.attempts.current.requested) if loop_ends else None)
        if loop_ends:
            await run_async(self.wait_for_handlers(calls, CLOSING))
            await asyncio.sleep(0)  # for tasks that they have started, which may connect again
            await self.client._sio_dispatcher.end(CLOSING)

    def interrupted(self, lifetime: Lifetime) -> Steps[None]:
        """End a lifetime after connect() was cancelled."""
        return self.disconnect(0)

    def close_at_exit(self, timeout: float) -> Steps[None]:
        """Disconnect at the end of the program, on the thread of the event loop."""
        self._abandon_closed_loop()
        loop = self.loop
        if loop is None or self.state is State.IDLE:
            return
        if loop.is_running():
            leaving = asyncio.run_coroutine_threadsafe(run_async(self.disconnect(timeout)), loop)
            yield Wait(lambda seconds: bool(concurrent.futures.wait([leaving], seconds).done), timeout)
            return
        if self.channel.session is not None:
            process_hooks.warn_unclosed("a Socket.IO client was connected when the program ended", self._line)
        task = loop.create_task(run_async(self.disconnect(timeout)))

        def until(seconds: float) -> bool:
            loop.run_until_complete(asyncio.wait([task], timeout=seconds))
            return task.done()

        yield Wait(until, timeout)

    def is_ending(self) -> bool:
        """Return whether the event loop or the program is ending. New work is then cancelled."""
        return self.engine.loop_ends or process_hooks.is_ending()

    async def block_during_shutdown(self) -> None:
        """While the program ends, do not return to tasks of daemon threads. Handlers continue.

        At any other time, let other tasks run: a program that tries again at once must not block the event loop.
        """
        await asyncio.sleep(0)
        if process_hooks.is_ending() and not self.is_in_handler():
            await asyncio.get_running_loop().create_future()

    # -- the event loop

    def is_in_loop(self) -> bool:
        """Return whether the client's event loop is running on this thread; it is the running loop then.

        Up to Python 3.11, asking for the running loop costs a system call.
        """
        loop = self.loop
        return loop is not None and threading.get_ident() == self.thread and loop.is_running()

    def check_loop(self) -> None:
        """Raise ``RuntimeError`` if this is not the client's event loop, or no event loop is running."""
        loop = running_loop()
        if self.loop is None:
            return
        if loop is self.loop:
            self.thread = threading.get_ident()
            return
        self._abandon_closed_loop()
        if self.is_in_use():
            raise RuntimeError(
                "the client is in use in another event loop: call its methods there, with"
                " asyncio.run_coroutine_threadsafe() for example, or disconnect() it there first"
            )

    def is_in_use(self) -> bool:
        """Return whether the client is connected, connecting or disconnecting."""
        return self.state is not State.IDLE or self.attempts.is_running or self.engine.state != "disconnected"

    def use_loop(self) -> None:
        """Use the running event loop, from connect() on."""
        self.check_loop()
        process_hooks.abandon_clients_of_closed_loops()
        if self.is_ending():
            raise asyncio.CancelledError("the event loop ends")
        self.loop = asyncio.get_running_loop()
        process_hooks.keep_alive(self)
        self._line = process_hooks.calling_line()

    def is_connected(self) -> bool:
        """Return whether a namespace is connected, over an event loop that is not closed."""
        self._abandon_closed_loop()
        return self.channel.is_connected()

    def _abandon_closed_loop(self) -> None:
        """Become idle if the event loop of the connection was closed."""
        if self.loop is not None and self.loop.is_closed():
            process_hooks.keep_alive(self)
            process_hooks.abandon_clients_of_closed_loops()

    def abandon(self) -> None:
        """Become idle without the event loop, which is closed."""
        process_hooks.drop(self)
        is_open, line = self.channel.session is not None, self._line
        self.client._sio_renew()
        self.engine.close_without_loop()
        if is_open:
            process_hooks.warn_unclosed("a Socket.IO client was connected when its event loop was closed", line)

    # -- calling handlers

    def is_in_handler(self) -> bool:
        """Return whether the running task is a handler."""
        return bool(self.client._sio_dispatcher.is_current())

    def submit_end(self, lifetime: Lifetime) -> None:
        """Let wait() return after the earlier handlers."""
        if self.state is State.IDLE:
            process_hooks.drop(self)
        self.client._sio_dispatcher.add(Call(lifetime.end))

    def is_idle(self) -> bool:
        """Return whether a missing handler can be skipped: with asyncio, scheduling it costs nothing."""
        return False

    def submit(
        self, function: Callable[[], Any], handler: tuple[str, str] | None, ended: Callable[[], None], *failed: Any
    ) -> None:
        """Schedule a function of the program; if it raises, log ``failed``, a text and its arguments."""
        client = self.client
        failure = partial(client._sio_logger.exception, *failed)
        client._sio_dispatcher.add(Call(function, failure, ended))
