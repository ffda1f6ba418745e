"""How the asyncio client makes, repairs and ends its connection, and how handlers are called meanwhile.

Two kinds of code meet here, on one event loop: the application's tasks, which call, and the reading task of the engine,
which brings frames and starts handlers. The session's methods are no coroutines, so nothing needs a lock.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from ..base_client import Reason, State, attempt_failure, check_headers, error_text, first_cause
from ..core.attempt import Attempt, Life
from ..dispatch.asyncio import AsyncDispatcher, Call
from ..engine import EngineError, origin_of
from ..engine.asyncio.client import AsyncEngineIOClient
from ..overrides import replaceable
from ..runtime import process_hooks
from ..runtime.async_condition import AsyncCondition, AsyncEvent
from .async_loop import AsyncLoop
from .base import CONNECT_HANDLERS

HANDLERS = 5.0
"""Seconds that disconnect() waits for the disconnect handlers to return."""
CLOSING = 1.0
"""Seconds that they have when the event loop ends."""
IN_A_ROW = 1000
"""Calls of emit() after which other tasks get a turn. Without it, a loop of calls over a fast websocket never waits."""


def ignore(_: Any) -> None:
    """Do nothing with what a call returned."""


def nothing() -> None:
    """Do nothing."""


class AsyncLifecycle(AsyncLoop):
    """The part of :class:`AsyncClient` that makes, repairs and ends connections."""

    eio: AsyncEngineIOClient
    _sio_is_awaited: Callable[[str], bool]
    _sio_is_asyncio_based = True
    _sio_emits_left = IN_A_ROW

    def _sio_set_up(self) -> None:
        self._sio_renew()
        self.eio.on("connect", self._sio_on_transport_open)
        self.eio.on("message", self._sio_on_messages)
        self.eio.on("disconnect", self._sio_on_transport_closed)
        self.eio.is_shared = True
        self.eio.last_messages = self._sio_farewell
        self.eio.is_busy = self._sio_dispatcher.is_draining
        self.eio.is_awaited = self._sio_is_awaited

    def _sio_renew(self) -> None:
        self._sio_loop: asyncio.AbstractEventLoop | None = None
        self._sio_thread = 0
        self._sio_line = ("sys", 1)
        self._sio_dispatcher = AsyncDispatcher(serial=not self.async_handlers)
        self._sio_lock = threading.RLock()  # never held while anything is awaited: it costs less than none would
        self._sio_changed = AsyncCondition()
        self._sio_life = Life(AsyncEvent, self._sio_lock)
        self._sio_life.cut()
        self._sio_closing: asyncio.Task[list[AsyncEvent]] | None = None
        self._sio_reconnect_task: asyncio.Task[Any] | None = None

    def _engineio_client_class(self) -> type[AsyncEngineIOClient]:
        return AsyncEngineIOClient

    # -- making a connection

    async def _sio_connect(self, life: Life, retry: bool) -> None:
        self._sio_retries = retry
        try:
            await self._sio_connect_once(life)
        except Exception:
            if not retry or not self._sio_begin_retry(life):
                self._sio_give_up(life, [])
                raise
            if not await self._sio_reconnect(life):
                raise
        if self._sio_wait_for_namespaces:  # no part of the attempt: a connect handler may go on for ever
            await self._sio_call_all(self._sio_attempt.calls, CONNECT_HANDLERS)
        self._sio_forget_calls()

    async def _sio_connect_once(self, life: Life) -> None:
        """Make one attempt to connect; raise whatever stands in the way, with nothing left open."""
        attempt = self._sio_begin_attempt(life)
        try:
            await self._sio_carry_out(attempt, life)
        finally:
            self._sio_end_attempt(attempt)

    async def _sio_carry_out(self, attempt: Attempt, life: Life) -> None:
        try:
            await self._sio_open_transport()
        except Exception as exc:
            await self._sio_drop_session(life)
            error, argument = attempt_failure(exc)
            attempt.calls = [self._sio_trigger("connect_error", name, argument) for name in attempt.requested]
            await self._sio_call_all(attempt.calls, CONNECT_HANDLERS)
            if error is exc:
                raise
            raise error from first_cause(exc)
        try:
            await self._sio_await_namespaces(attempt, life)
        except Exception as exc:
            unanswered = [name for name in attempt.failed if name not in attempt.refusals]
            attempt.calls += [self._sio_trigger("connect_error", name, error_text(exc)) for name in unanswered]
            await self._sio_call_all(attempt.calls, CONNECT_HANDLERS)
            await self._sio_drop_session(life)
            raise

    async def _sio_open_transport(self) -> None:
        url = self._sio_check_url(await ask(self.connection_url))
        self._sio_log.connecting(origin_of(url), self.connection_namespaces)
        headers = check_headers(await ask(self.connection_headers))
        await self.eio.connect(
            url, headers=headers, transports=self.connection_transports, engineio_path=self.socketio_path
        )

    async def _sio_await_namespaces(self, attempt: Attempt, life: Life) -> None:
        """Wait until the server has answered for all namespaces, and take the connection for made."""
        protocol = self._sio_protocol
        if self._sio_wait_for_namespaces and protocol is not None:
            await self._sio_changed.wait_for(
                lambda: self._sio_protocol is not protocol or attempt.is_answered() or life.stop.is_set(),
                self._sio_wait_timeout,
            )
        self._sio_take_for_made(protocol, attempt, life)

    async def _sio_on_transport_open(self) -> None:
        self._sio_open_session(await ask(self.connection_auth))

    # -- repairing it

    async def _sio_reconnect(self, life: Life) -> bool:
        """Try to connect again until it works, it has been tried often enough, or the application ends it.

        Return whether it worked.
        """
        try:
            with self._sio_listed():
                return await self._sio_try_again(life)
        except BaseException:  # the task was cancelled
            self._sio_give_up(life, self._sio_attempt.requested)
            raise

    async def _sio_try_again(self, life: Life) -> bool:
        for attempt, delay in enumerate(self._sio_delays(), 1):
            self._sio_log.attempt(delay)
            if await self._sio_pause(life, delay) or self._sio_has_ended(life):
                self._sio_log.aborted()
                break
            try:
                await self._sio_connect_once(life)
            except Exception as exc:
                self._sio_log.attempt_failed(attempt, error_text(exc))
                if attempt == self.reconnection_attempts:
                    self._sio_log.gave_up()
                    break
            else:
                self._sio_log.reconnected(attempt)
                return True
        self._sio_give_up(life, self._sio_attempt.requested)
        return False

    async def _sio_pause(self, life: Life, delay: float) -> bool:
        """Wait before an attempt; return whether the application has ended the reconnection meanwhile."""
        for seconds in self._sio_pauses(delay):
            if await life.stop.wait(seconds):
                return True
        return self._sio_is_aborted()

    def _sio_abort(self) -> None:
        """Begin to end a reconnection, or connect(retry=True), without waiting for the end."""
        with self._sio_lock:
            if not self._sio_is_trying():
                return
            was, self._sio_state = self._sio_state, State.CLOSING
        self._sio_closing = asyncio.ensure_future(self._sio_close(self.eio.request_timeout, was, None))

    # -- its end

    async def _sio_on_transport_closed(self, reason: str) -> None:
        if self._sio_protocol is None:
            return
        ends = reason == Reason.CLIENT_DISCONNECT  # with the event loop, after which no handler would be run
        names = self._sio_attempt.requested if ends else self._sio_namespaces()
        life = self._sio_life
        over, again = self._sio_lose_session(reason)
        self._sio_log.write("Connection ended: %s", reason)
        calls = [self._sio_trigger("disconnect", name, reason, life=life) for name in names]
        if over:
            calls += [self._sio_trigger("__disconnect_final", name, life=life) for name in names]
            self._sio_submit_end(life)
        if again:
            self._sio_reconnect_task = self.eio.start_background_task(self._sio_reconnect, life)
        if ends:
            await self._sio_call_all(calls, CLOSING)
            await asyncio.sleep(0)  # for tasks that they have started, should these connect again
            await self._sio_dispatcher.end(CLOSING)

    def _sio_hang_up(self, life: Life) -> None:
        async def hang_up() -> None:
            await self.eio.disconnect()
            self._sio_submit_end(life)

        self.eio.start_background_task(hang_up)

    async def _sio_drop_session(self, life: Life) -> None:
        """Close what an attempt that failed has left, unless its life is over."""
        with self._sio_lock:
            if life.stop.is_set():
                return
            names, frames = self._sio_take_leave()
        with contextlib.suppress(EngineError):
            self.eio.send_frames(frames)
        await self.eio.disconnect()
        reason = Reason.CLIENT_DISCONNECT
        calls = [self._sio_trigger("disconnect", name, reason, life=life) for name in names]
        await self._sio_call_all(calls, CONNECT_HANDLERS)

    def _sio_submit_end(self, life: Life) -> None:
        """Let wait() return, after the handlers before."""
        if self._sio_state is State.IDLE:
            process_hooks.release(self)
        self._sio_dispatcher.submit(life.end, ignore, nothing)

    async def _sio_disconnect(self, timeout: float) -> None:
        if self._sio_state is State.IDLE:
            await self.eio.disconnect()  # what the server has ended may still be closing
            return
        if self._sio_state is not State.CLOSING:
            was, self._sio_state = self._sio_state, State.CLOSING  # before the task, which may be an eager one
            # A task of its own, so that it goes on when whoever waits for it is cancelled.
            self._sio_refuse_events()
            self._sio_closing = asyncio.ensure_future(self._sio_close(timeout, was, asyncio.current_task()))
        assert self._sio_closing is not None
        await self._sio_call_all(await asyncio.shield(self._sio_closing))

    async def _sio_close(self, timeout: float, was: State, caller: asyncio.Task[Any] | None) -> list[AsyncEvent]:
        """Send the queue and DISCONNECT, close; return the calls of the disconnect handlers."""
        life = self._sio_life
        self._sio_stop_attempts()
        try:
            names = await self._sio_say_goodbye(timeout)
            task = self._sio_reconnect_task
            if task is not None and task is not caller and not task.done():
                await asyncio.wait([task], timeout=HANDLERS)
            requested = self._sio_attempt.requested
            self._sio_become_idle()
        except BaseException:  # the event loop ends
            self._sio_become_idle()
            self._sio_submit_end(life)
            raise
        reason = Reason.CLIENT_DISCONNECT
        calls = [self._sio_trigger("disconnect", name, reason, life=life) for name in names]
        finals = requested if was is State.RECONNECTING else names
        calls += [self._sio_trigger("__disconnect_final", name, life=life) for name in finals]
        self._sio_submit_end(life)
        return calls

    async def _sio_say_goodbye(self, timeout: float) -> list[str]:
        """Send what was emitted, leave the namespaces, close; return which these were."""
        connected = self._sio_is_connected()
        taken = connected and (not self._sio_has_sent() or await self.eio.drain(timeout))
        names, frames = self._sio_take_leave()
        with contextlib.suppress(EngineError):
            self.eio.send_frames(frames)
        await self.eio.disconnect(abort=connected and not taken)
        return names

    # -- calling handlers

    @replaceable
    async def _trigger_event(self, event: str, namespace: str, *args: Any) -> Any:
        """Call the handler of an event and return its result. An override is called for every event."""
        found = self._sio_registry.find_registered(event, namespace or "/", args)
        result = found[0](*found[1]) if found is not None else None
        return await result if inspect.isawaitable(result) else result

    @replaceable
    async def _handle_disconnect(self, namespace: str) -> None:
        """End a namespace as after a DISCONNECT packet. An override is called for each DISCONNECT packet."""
        await self._sio_call_all(self._sio_end_namespace(namespace or "/"))

    def _sio_submit_disconnect(self, namespace: str) -> None:
        def failed() -> None:
            self._sio_logger.exception("_handle_disconnect() of namespace %s failed", namespace)

        self._sio_dispatcher.submit(lambda: self._handle_disconnect(namespace), ignore, failed)

    def _sio_trigger(self, event: str, namespace: str, *args: Any, life: Life | None = None) -> AsyncEvent:
        """Schedule a lifecycle handler; return an event that is set when it has returned.

        :param life: the life that ends when the handler has returned.
        """
        self._sio_notify(event, namespace, args)
        done = AsyncEvent()
        if life is not None:
            life.handler_begins()

        def call() -> Any:
            found = self._sio_registry.find(event, namespace, args)
            return found[0](*found[1]) if found is not None else None

        def failed() -> None:
            self._sio_logger.exception("Handler of %s of namespace %s failed", event, namespace)

        def ended() -> None:
            done.set()
            if life is not None:
                life.handler_returned()

        is_coroutine = partial(self._sio_registry.is_coroutine, event, namespace)
        self._sio_dispatcher.add(Call(call, ignore, failed, ended, is_coroutine))
        return done

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
