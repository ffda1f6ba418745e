"""How the asyncio client makes, repairs and ends its connection, and how handlers are called meanwhile.

Two kinds of code meet here, on one event loop: the application's tasks, which call, and the reading task of the engine,
which brings frames and starts handlers. The session's methods are no coroutines, so nothing needs a lock.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import Callable
from typing import Any

from . import backoff
from .async_condition import AsyncCondition
from .async_dispatch import AsyncDispatcher
from .base_client import State, attempt_failure, check_headers
from .base_lifecycle import BaseLifecycle
from .engine import AsyncEngineIOClient, EngineError
from .exceptions import ConnectionError

HANDLERS = 5.0
"""Seconds that disconnect() waits for the disconnect handlers to return."""


class AsyncLifecycle(BaseLifecycle):
    """The part of :class:`AsyncClient` that makes, repairs and ends connections."""

    eio: AsyncEngineIOClient

    def _set_up(self) -> None:
        self._dispatcher = AsyncDispatcher(serial=not self.async_handlers)
        self._lock = contextlib.nullcontext()
        self._changed = AsyncCondition()
        self._stop = asyncio.Event()
        self._ended = asyncio.Event()
        self._ended.set()
        self._connect_calls = []
        self._closing: asyncio.Task[list[asyncio.Event]] | None = None
        self._reconnect_task: asyncio.Task[Any] | None = None
        self.eio.on("connect", self._on_transport_open)
        self.eio.on("message", self._on_message)
        self.eio.on("disconnect", self._on_transport_closed)
        self.eio.farewell = self._farewell

    def _engineio_client_class(self) -> type[AsyncEngineIOClient]:
        return AsyncEngineIOClient

    def is_asyncio_based(self) -> bool:
        """Return whether this is the asyncio client."""
        return True

    # -- making a connection

    async def _connect(self, retry: bool) -> None:
        try:
            await self._attempt()
        except Exception:
            if not retry or not self._begin_retry():
                self._give_up([])
                raise
            if not await self._reconnect():
                raise

    async def _attempt(self) -> None:
        """Connect once; raise whatever stands in the way, with nothing left open."""
        self._begin_attempt()
        try:
            url = self._check_url(await ask(self.connection_url))
            headers = check_headers(await ask(self.connection_headers))
            await self.eio.connect(
                url, headers=headers, transports=self.connection_transports, engineio_path=self.socketio_path
            )
        except Exception as exc:
            await self._drop_session()
            error, argument = attempt_failure(exc)
            self._connect_calls = [self._trigger("connect_error", name, argument) for name in self._requested()]
            await self._call_all(self._connect_calls)
            if error is exc:
                raise
            raise error from exc
        try:
            await self._await_namespaces()
        except ConnectionError as exc:
            unanswered = [name for name in self.failed_namespaces if name not in self._refusals]
            self._connect_calls += [self._trigger("connect_error", name, str(exc)) for name in unanswered]
            await self._call_all(self._connect_calls)
            await self._drop_session()
            raise
        if self._wait_for_namespaces:
            await self._call_all(self._connect_calls, self._wait_timeout)

    async def _await_namespaces(self) -> None:
        """Wait until the server has answered for all namespaces, and take the connection for made."""
        protocol = self._protocol
        if self._wait_for_namespaces and protocol is not None:
            await self._changed.wait_for(
                lambda: self._protocol is not protocol or self._is_answered() or self._stop.is_set(),
                self._wait_timeout,
            )
        self._take_for_made(protocol)

    async def _on_transport_open(self) -> None:
        self._open_session(await ask(self.connection_auth))

    # -- repairing it

    async def _reconnect(self) -> bool:
        """Try to connect again until it works, it has been tried often enough, or the application ends it.

        Return whether it worked.
        """
        stop = self._stop
        waits = backoff.delays(self.reconnection_delay, self.reconnection_delay_max, self.randomization_factor)
        for attempt, delay in enumerate(waits, 1):
            self.logger.info("Connection failed, new attempt in %.2f seconds", delay)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(stop.wait(), delay)
            if stop.is_set():
                break
            try:
                await self._attempt()
            except Exception as exc:
                self.logger.warning("Attempt %d to reconnect failed: %s", attempt, exc)
                if attempt == self.reconnection_attempts:
                    self.logger.info("Maximum reconnection attempts reached, giving up")
                    break
            else:
                return True
        self._give_up(self._requested())
        return False

    # -- its end

    async def _on_transport_closed(self, reason: str) -> None:
        if self._protocol is None:
            return
        names = self._requested() if reason == self.reason.CLIENT_DISCONNECT else list(self.namespaces)
        self._close_session()
        was_connected = self._state is State.CONNECTED
        again = was_connected and self.reconnection and reason != self.reason.CLIENT_DISCONNECT
        if was_connected:
            self._state = State.RECONNECTING if again else State.IDLE
        self.logger.info("Connection lost: %s", reason)
        calls = []
        for name in names:
            calls.append(self._trigger("disconnect", name, reason))
            if was_connected and not again:
                calls.append(self._trigger("__disconnect_final", name))
        if again:
            self._reconnect_task = self.eio.start_background_task(self._reconnect)
        elif was_connected:
            self._submit_end()
        if reason == self.reason.CLIENT_DISCONNECT:
            # The event loop ends; what is not awaited here is not run any more.
            await self._call_all(calls)

    def _hang_up(self) -> None:
        async def hang_up() -> None:
            await self.eio.disconnect()
            self._submit_end()

        self.eio.start_background_task(hang_up)

    async def _drop_session(self) -> None:
        """Close what an attempt that failed has left."""
        names, frames = self._take_leave()
        with contextlib.suppress(EngineError):
            self.eio.send_frames(frames)
        await self.eio.disconnect()
        await self._call_all([self._trigger("disconnect", name, self.reason.CLIENT_DISCONNECT) for name in names])

    def _submit_end(self) -> None:
        """Let wait() return, after the handlers before."""

        def end() -> None:
            if self._state is State.IDLE:
                self._ended.set()

        self._dispatcher.submit(end, ignore, _nothing)

    async def _disconnect(self, timeout: float) -> None:
        if self._state is State.IDLE:
            await self.eio.disconnect()  # what the server has ended may still be closing
            return
        if self._state is not State.CLOSING:
            # A task of its own, so that it goes on when whoever waits for it is cancelled.
            self._closing = asyncio.ensure_future(self._close(timeout, self._state, asyncio.current_task()))
            self._state = State.CLOSING
        assert self._closing is not None
        await self._call_all(await asyncio.shield(self._closing))

    async def _close(self, timeout: float, was: State, caller: asyncio.Task[Any] | None) -> list[asyncio.Event]:
        """Send, say goodbye, close; return the calls of the disconnect handlers."""
        self._stop_attempts()
        try:
            names = await self._say_goodbye(timeout)
            task = self._reconnect_task
            if task is not None and task is not caller and not task.done():
                await asyncio.wait([task], timeout=HANDLERS)
            self._become_idle()
        except BaseException:  # the event loop ends
            self._become_idle()
            self._submit_end()
            raise
        calls = [self._trigger("disconnect", name, self.reason.CLIENT_DISCONNECT) for name in names]
        finals = self._requested() if was is State.RECONNECTING else names
        calls += [self._trigger("__disconnect_final", name) for name in finals]
        self._submit_end()
        return calls

    async def _say_goodbye(self, timeout: float) -> list[str]:
        """Send what was emitted, leave the namespaces, close; return which these were."""
        connected = self.connected
        taken = connected and await self.eio.drain(timeout)
        names, frames = self._take_leave()
        with contextlib.suppress(EngineError):
            self.eio.send_frames(frames)
        await self.eio.disconnect(abort=connected and not taken)
        return names

    # -- calling handlers

    def _trigger(self, event: str, namespace: str, *args: Any) -> asyncio.Event:
        """Have a lifecycle handler called, in its turn; return what tells that it has returned."""
        done = asyncio.Event()

        def call() -> Any:
            found = self._registry.find(event, namespace, args)
            return found[0](*found[1]) if found is not None else None

        def returned(_: Any) -> None:
            done.set()

        def failed() -> None:
            done.set()
            self.logger.exception("Handler of %s of namespace %s failed", event, namespace)

        self._run(event, namespace, call, returned, failed)
        return done

    def _run(
        self,
        event: str,
        namespace: str,
        call: Callable[[], Any],
        returned: Callable[[Any], None],
        failed: Callable[[], None],
    ) -> None:
        """Run a handler in its turn; at once where it is marked as inline."""
        if self._registry.runs_inline(event, namespace):
            try:
                returned(call())
            except Exception:
                failed()
        else:
            self._dispatcher.submit(call, returned, failed)

    async def _call_all(self, calls: list[asyncio.Event], timeout: float = HANDLERS) -> None:
        """Wait until handlers have returned, but no longer than so many seconds."""
        if not calls or (self._dispatcher.serial and self._dispatcher.is_current()):
            return  # their turn comes after the handler that waits here

        async def all_done() -> None:
            for done in calls:
                await done.wait()

        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(all_done(), timeout)


async def ask(option: Any) -> Any:
    """Return an argument of connect() that may be a function, or a coroutine function, to ask."""
    value = option() if callable(option) else option
    return await value if inspect.isawaitable(value) else value


def ignore(_: Any) -> None:
    """Do nothing with what a call returned."""


def _nothing() -> None:
    pass
