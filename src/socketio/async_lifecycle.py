"""How the asyncio client makes, repairs and ends its connection, and how handlers are called meanwhile.

Two kinds of code meet here, on one event loop: the application's tasks, which call, and the reading task of the engine,
which brings frames and starts handlers. The session's methods are no coroutines, so nothing needs a lock.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import threading
from functools import partial
from typing import Any

from .async_condition import AsyncCondition, AsyncEvent
from .async_dispatch import AsyncDispatcher, Call, Calls
from .base_client import State, attempt_failure, check_headers
from .base_lifecycle import Attempt, BaseLifecycle
from .engine import AsyncEngineIOClient, EngineError
from .exceptions import ConnectionError

HANDLERS = 5.0
"""Seconds that disconnect() waits for the disconnect handlers to return."""


def ignore(_: Any) -> None:
    """Do nothing with what a call returned."""


def nothing() -> None:
    """Do nothing."""


class AsyncLifecycle(BaseLifecycle):
    """The part of :class:`AsyncClient` that makes, repairs and ends connections."""

    eio: AsyncEngineIOClient

    def _sio_set_up(self) -> None:
        self._sio_dispatcher = AsyncDispatcher(serial=not self.async_handlers)
        self._sio_lock = threading.RLock()  # never held while anything is awaited: it costs less than none would
        self._sio_changed = AsyncCondition()
        self._sio_stop = AsyncEvent()
        self._sio_ended = AsyncEvent()
        self._sio_ended.set()
        self._sio_closing: asyncio.Task[list[AsyncEvent]] | None = None
        self._reconnect_task: asyncio.Task[Any] | None = None
        self.eio.on("connect", self._sio_on_transport_open)
        self.eio.on("message", self._sio_on_messages)
        self.eio.on("disconnect", self._sio_on_transport_closed)
        self.eio.farewell = self._sio_farewell

    def _engineio_client_class(self) -> type[AsyncEngineIOClient]:
        return AsyncEngineIOClient

    def is_asyncio_based(self) -> bool:
        """Return whether this is the asyncio client."""
        return True

    # -- making a connection

    async def _sio_connect(self, retry: bool) -> None:
        stop = self._sio_stop
        try:
            await self._sio_connect_once(stop)
        except Exception:
            if not retry or not self._sio_begin_retry(stop):
                self._sio_give_up(stop, [])
                raise
            if not await self._sio_reconnect(stop):
                raise

    async def _sio_connect_once(self, stop: AsyncEvent) -> None:
        """Make one attempt to connect; raise whatever stands in the way, with nothing left open."""
        attempt = self._sio_begin_attempt(stop)
        try:
            await self._sio_carry_out(attempt, stop)
        finally:
            self._sio_end_attempt()

    async def _sio_carry_out(self, attempt: Attempt, stop: AsyncEvent) -> None:
        try:
            await self._sio_open_transport()
        except Exception as exc:
            await self._sio_drop_session(stop)
            error, argument = attempt_failure(exc)
            attempt.calls = [self._sio_trigger("connect_error", name, argument) for name in attempt.requested]
            await self._sio_call_all(attempt.calls)
            if error is exc:
                raise
            raise error from exc
        try:
            await self._sio_await_namespaces(attempt, stop)
        except ConnectionError as exc:
            unanswered = [name for name in attempt.failed if name not in attempt.refusals]
            attempt.calls += [self._sio_trigger("connect_error", name, str(exc)) for name in unanswered]
            await self._sio_call_all(attempt.calls)
            await self._sio_drop_session(stop)
            raise
        if self._sio_wait_for_namespaces:
            await self._sio_call_all(attempt.calls, self._sio_wait_timeout)

    async def _sio_open_transport(self) -> None:
        url = self._sio_check_url(await ask(self.connection_url))
        headers = check_headers(await ask(self.connection_headers))
        await self.eio.connect(
            url, headers=headers, transports=self.connection_transports, engineio_path=self.socketio_path
        )

    async def _sio_await_namespaces(self, attempt: Attempt, stop: AsyncEvent) -> None:
        """Wait until the server has answered for all namespaces, and take the connection for made."""
        protocol = self._sio_protocol
        if self._sio_wait_for_namespaces and protocol is not None:
            await self._sio_changed.wait_for(
                lambda: self._sio_protocol is not protocol or attempt.is_answered() or stop.is_set(),
                self._sio_wait_timeout,
            )
        self._sio_take_for_made(protocol, attempt, stop)

    async def _sio_on_transport_open(self) -> None:
        self._sio_open_session(await ask(self.connection_auth))

    # -- repairing it

    async def _sio_reconnect(self, stop: AsyncEvent) -> bool:
        """Try to connect again until it works, it has been tried often enough, or the application ends it.

        Return whether it worked.
        """
        for attempt, delay in enumerate(self._sio_delays(), 1):
            self.logger.info("Connection failed, new attempt in %.2f seconds", delay)
            if await stop.wait(delay):
                break
            try:
                await self._sio_connect_once(stop)
            except Exception as exc:
                self.logger.warning("Attempt %d to reconnect failed: %s", attempt, exc)
                if attempt == self.reconnection_attempts:
                    self.logger.info("Maximum reconnection attempts reached, giving up")
                    break
            else:
                return True
        self._sio_give_up(stop, self._sio_attempt.requested)
        return False

    # -- its end

    async def _sio_on_transport_closed(self, reason: str) -> None:
        if self._sio_protocol is None:
            return
        ends = reason == self.reason.CLIENT_DISCONNECT  # with the event loop, after which no handler would be run
        names = self._sio_attempt.requested if ends else list(self.namespaces)
        over, again = self._sio_lose_session(reason)
        stop, ended = self._sio_stop, self._sio_ended  # a handler may connect again, and so begin another life
        self.logger.info("Connection lost: %s", reason)
        calls = [self._sio_trigger("disconnect", name, reason) for name in names]
        if over:
            calls += [self._sio_trigger("__disconnect_final", name) for name in names]
            self._sio_submit_end(ended)
        if again:
            self._reconnect_task = self.eio.start_background_task(self._sio_reconnect, stop)
        if ends:
            await self._sio_call_all(calls)

    def _sio_hang_up(self, ended: AsyncEvent) -> None:
        async def hang_up() -> None:
            await self.eio.disconnect()
            self._sio_submit_end(ended)

        self.eio.start_background_task(hang_up)

    async def _sio_drop_session(self, stop: AsyncEvent) -> None:
        """Close what an attempt that failed has left, unless its life is over."""
        with self._sio_lock:
            if stop.is_set():
                return
            names, frames = self._sio_take_leave()
        with contextlib.suppress(EngineError):
            self.eio.send_frames(frames)
        await self.eio.disconnect()
        await self._sio_call_all(
            [self._sio_trigger("disconnect", name, self.reason.CLIENT_DISCONNECT) for name in names]
        )

    def _sio_submit_end(self, ended: AsyncEvent) -> None:
        """Let the wait() of a life return, after the handlers before."""
        self._sio_dispatcher.submit(ended.set, ignore, nothing)

    async def _sio_disconnect(self, timeout: float) -> None:
        if self._sio_state is State.IDLE:
            await self.eio.disconnect()  # what the server has ended may still be closing
            return
        if self._sio_state is not State.CLOSING:
            was, self._sio_state = self._sio_state, State.CLOSING  # before the task, which may be an eager one
            # A task of its own, so that it goes on when whoever waits for it is cancelled.
            self._sio_closing = asyncio.ensure_future(self._sio_close(timeout, was, asyncio.current_task()))
        assert self._sio_closing is not None
        await self._sio_call_all(await asyncio.shield(self._sio_closing))

    async def _sio_close(self, timeout: float, was: State, caller: asyncio.Task[Any] | None) -> list[AsyncEvent]:
        """Send, say goodbye, close; return the calls of the disconnect handlers."""
        ended = self._sio_ended
        self._sio_stop_attempts()
        try:
            names = await self._sio_say_goodbye(timeout)
            task = self._reconnect_task
            if task is not None and task is not caller and not task.done():
                await asyncio.wait([task], timeout=HANDLERS)
            self._sio_become_idle()
        except BaseException:  # the event loop ends
            self._sio_become_idle()
            self._sio_submit_end(ended)
            raise
        finals = self._sio_attempt.requested if was is State.RECONNECTING else names
        calls = [self._sio_trigger("disconnect", name, self.reason.CLIENT_DISCONNECT) for name in names]
        calls += [self._sio_trigger("__disconnect_final", name) for name in finals]
        self._sio_submit_end(ended)
        return calls

    async def _sio_say_goodbye(self, timeout: float) -> list[str]:
        """Send what was emitted, leave the namespaces, close; return which these were."""
        connected = self.connected
        taken = connected and (not self._sio_emitted or await self.eio.drain(timeout))
        names, frames = self._sio_take_leave()
        with contextlib.suppress(EngineError):
            self.eio.send_frames(frames)
        await self.eio.disconnect(abort=connected and not taken)
        return names

    # -- calling handlers

    def _sio_trigger(self, event: str, namespace: str, *args: Any) -> AsyncEvent:
        """Have a lifecycle handler called, in its turn; return what tells that it has returned."""
        done = AsyncEvent()

        def call() -> Any:
            found = self._sio_registry.find(event, namespace, args)
            return found[0](*found[1]) if found is not None else None

        def failed() -> None:
            self.logger.exception("Handler of %s of namespace %s failed", event, namespace)

        is_coroutine = partial(self._sio_registry.is_coroutine, event, namespace)
        self._sio_run(event, namespace, Call(call, ignore, failed, done.set, is_coroutine))
        return done

    def _sio_run(self, event: str, namespace: str, calls: Calls, subject: Any = None) -> None:
        """Run a handler in its turn; at once where it is marked as inline."""
        if self._sio_registry.find_inline(event, namespace, ()) is None:
            self._sio_dispatcher.add(calls, subject)
        else:
            calls.begin(subject)

    async def _sio_call_all(self, calls: list[AsyncEvent], timeout: float = HANDLERS) -> None:
        """Wait until handlers have returned, but no longer than so many seconds."""
        if not calls or (self._sio_dispatcher.serial and self._sio_dispatcher.is_current()):
            return  # their turn comes after the handler that waits here

        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        for done in calls:
            await done.wait(max(0.0, deadline - loop.time()))


async def ask(option: Any) -> Any:
    """Return an argument of connect() that may be a function, or a coroutine function, to ask."""
    value = option() if callable(option) else option
    return await value if inspect.isawaitable(value) else value
