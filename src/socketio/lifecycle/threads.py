"""How the threaded client makes, repairs and ends its connection, and how handlers are called meanwhile.

Three kinds of thread meet here: the application's, which call; the reading thread of the engine, which brings frames;
the dispatcher's, which run handlers. The lock guards the session and the state; no application code and no socket is
called under it.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

from ..base_client import Reason, State, attempt_failure, check_headers, error_text, first_cause
from ..core.attempt import Attempt, Life
from ..dispatch.threads import Dispatcher
from ..engine import EngineError, origin_of
from ..engine.threads.client import EngineIOClient
from ..overrides import replaceable
from ..runtime import process_hooks
from ..runtime.steps import Steps, Wait, joined, run
from .base import CONNECT_HANDLERS, BaseLifecycle

GOODBYE = 1.0
"""Seconds for the goodbye after Ctrl-C."""
HANDLERS = 5.0
"""Seconds that disconnect() waits for the disconnect handlers to return."""
CLOSING = 0.5
"""Seconds to close a connection at the end of the program, when the server has not read in time."""


class Lifecycle(BaseLifecycle):
    """The part of :class:`Client` that makes, repairs and ends connections."""

    eio: EngineIOClient

    def _sio_set_up(self) -> None:
        self._sio_renew()
        self.eio.on("connect", self._sio_on_transport_open)
        self.eio.on("message", self._sio_on_messages)
        self.eio.on("disconnect", self._sio_on_transport_closed)
        self.eio.is_shared = True

    def _sio_renew(self) -> None:
        # Re-entrant: a signal handler may call disconnect() on the main thread while that holds the lock.
        self._sio_lock = threading.RLock()
        self._sio_changed = threading.Condition(self._sio_lock)
        self._sio_dispatcher = Dispatcher("socketio-handlers", serial=not self.async_handlers)
        self._sio_life = Life(threading.Event, self._sio_lock)
        self._sio_life.cut()
        self._sio_reconnect_task: threading.Thread | None = None

    def _engineio_client_class(self) -> type[EngineIOClient]:
        return EngineIOClient

    # -- making a connection

    def _sio_connect(self, life: Life, retry: bool) -> None:
        self._sio_retries = retry
        try:
            self._sio_connect_once(life)
        except Exception:
            if not retry or not self._sio_begin_retry(life):
                self._sio_give_up(life, [])
                raise
            if not self._sio_reconnect(life):
                raise
        if self._sio_wait_for_namespaces:  # no part of the attempt: a connect handler may go on for ever
            self._sio_call_all(self._sio_attempt.calls, CONNECT_HANDLERS)
        self._sio_forget_calls()

    def _sio_connect_once(self, life: Life) -> None:
        """Make one attempt to connect; raise whatever stands in the way, with nothing left open."""
        attempt = self._sio_begin_attempt(life)
        try:
            self._sio_carry_out(attempt, life)
        finally:
            self._sio_end_attempt(attempt)

    def _sio_carry_out(self, attempt: Attempt, life: Life) -> None:
        try:
            self._sio_open_transport()
        except Exception as exc:
            self._sio_drop_session(life)
            error, argument = attempt_failure(exc)
            attempt.calls = [self._sio_trigger("connect_error", name, argument) for name in attempt.requested]
            self._sio_call_all(attempt.calls, CONNECT_HANDLERS)
            if error is exc:
                raise
            raise error from first_cause(exc)
        try:
            self._sio_await_namespaces(attempt, life)
        except Exception as exc:
            unanswered = [name for name in attempt.failed if name not in attempt.refusals]
            attempt.calls += [self._sio_trigger("connect_error", name, error_text(exc)) for name in unanswered]
            self._sio_call_all(attempt.calls, CONNECT_HANDLERS)
            self._sio_drop_session(life)
            raise

    def _sio_open_transport(self) -> None:
        url = self._sio_check_url(ask(self.connection_url))
        self._sio_log.connecting(origin_of(url), self.connection_namespaces)
        headers = check_headers(ask(self.connection_headers))
        self.eio.connect(url, headers=headers, transports=self.connection_transports, engineio_path=self.socketio_path)

    def _sio_await_namespaces(self, attempt: Attempt, life: Life) -> None:
        """Wait until the server has answered for all namespaces, and take the connection for made."""
        with self._sio_lock:
            protocol = self._sio_protocol
            if self._sio_wait_for_namespaces and protocol is not None:
                self._sio_changed.wait_for(
                    lambda: self._sio_protocol is not protocol or attempt.is_answered() or life.stop.is_set(),
                    self._sio_wait_timeout,
                )
            self._sio_take_for_made(protocol, attempt, life)

    def _sio_on_transport_open(self) -> None:
        self._sio_open_session(ask(self.connection_auth))

    # -- repairing it

    def _sio_reconnect(self, life: Life) -> bool:
        """Try to connect again until it works, it has been tried often enough, or the application ends it.

        Return whether it worked.
        """
        try:
            with self._sio_listed():
                return self._sio_try_again(life)
        except BaseException:  # SystemExit of a function that was asked for the URL, for one
            self._sio_give_up(life, self._sio_attempt.requested)
            raise

    def _sio_try_again(self, life: Life) -> bool:
        for attempt, delay in enumerate(self._sio_delays(), 1):
            self._sio_log.attempt(delay)
            if self._sio_pause(life, delay) or self._sio_has_ended(life):
                self._sio_log.aborted()
                break
            try:
                self._sio_connect_once(life)
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

    def _sio_pause(self, life: Life, delay: float) -> bool:
        """Wait before an attempt; return whether the application has ended the reconnection meanwhile."""
        for seconds in self._sio_pauses(delay):
            if life.stop.wait(seconds):
                return True
        return self._sio_is_aborted()

    def _sio_abort(self) -> None:
        """Begin to end a reconnection, or connect(retry=True), without waiting for the end."""
        with self._sio_lock:
            if not self._sio_is_trying():
                return
            was, self._sio_state = self._sio_state, State.CLOSING
        self.eio.start_background_task(lambda: run(self._sio_close(self.eio.request_timeout, was)))

    # -- its end

    def _sio_on_transport_closed(self, reason: str) -> None:
        with self._sio_lock:
            if self._sio_protocol is None:
                return
            names = self._sio_namespaces()
            over, again = self._sio_lose_session(reason)
            life = self._sio_life
        self._sio_log.write("Connection ended: %s", reason)
        for name in names:
            self._sio_trigger("disconnect", name, reason, life=life)
        if over:
            for name in names:
                self._sio_trigger("__disconnect_final", name, life=life)
            self._sio_submit_end(life)
        if again:
            self._sio_reconnect_task = self.eio.start_background_task(self._sio_reconnect, life)

    def _sio_hang_up(self, life: Life) -> None:
        self.eio.disconnect()
        self._sio_submit_end(life)

    def _sio_drop_session(self, life: Life) -> None:
        """Close what an attempt that failed has left, unless its life is over."""
        with self._sio_lock:
            if life.stop.is_set():
                return
            names, frames = self._sio_take_leave()
        with contextlib.suppress(EngineError):
            self.eio.send_frames(frames)
        self.eio.disconnect()
        reason = Reason.CLIENT_DISCONNECT
        calls = [self._sio_trigger("disconnect", name, reason, life=life) for name in names]
        self._sio_call_all(calls, CONNECT_HANDLERS)

    def _sio_submit_end(self, life: Life) -> None:
        """Let wait() return, after the handlers before."""
        if self._sio_dispatcher.is_idle():
            life.end()
        else:
            self._sio_dispatcher.submit(life.end)
        self._sio_dispatcher.retire()

    def _sio_disconnect(self, timeout: float) -> None:
        run(self._sio_disconnect_steps(timeout))

    def _sio_disconnect_steps(self, timeout: float) -> Steps[None]:
        self._sio_dispatcher.blocking()
        life, was = self._sio_life, State.IDLE
        try:
            with self._sio_lock:
                life, was = self._sio_life, self._sio_state
                if was is not State.IDLE:
                    self._sio_state = State.CLOSING
                    self._sio_refuse_events()
            if was is State.IDLE:
                yield from self.eio.disconnect_steps()  # what the server has ended may still be closing
            elif was is State.CLOSING:
                yield from self._sio_await_close()
            else:
                calls = yield from self._sio_close(timeout, was)
                yield from self._sio_returned(calls, HANDLERS)
        except BaseException:  # Ctrl-C
            if was not in (State.IDLE, State.CLOSING):
                self._sio_cut_short(life)
            raise

    def _sio_cut_short(self, life: Life) -> None:
        """End a life at once after its closing was interrupted."""
        try:
            if self._sio_is_closing(life):
                self.eio.disconnect(abort=True)
        finally:
            with self._sio_lock:
                if self._sio_is_closing(life):
                    self._sio_become_idle()
            if self._sio_life is not life or self._sio_state is State.IDLE:
                life.cut()

    def _sio_is_closing(self, life: Life) -> bool:
        return self._sio_life is life and self._sio_state is State.CLOSING

    def _sio_await_close(self) -> Steps[None]:
        """Wait for another disconnect(), but not for its handlers if this runs in a handler."""
        life = self._sio_life

        def until(seconds: float) -> bool:
            with self._sio_lock:
                return bool(self._sio_changed.wait_for(lambda: self._sio_state is not State.CLOSING, seconds))

        yield Wait(until, HANDLERS)
        if not self._sio_dispatcher.is_current():
            yield from self._sio_returned([life.ended], HANDLERS)

    def _sio_close(self, timeout: float, was: State) -> Steps[list[threading.Event]]:
        """Send the queue and DISCONNECT, close; return the calls of the disconnect handlers."""
        with self._sio_lock:
            life = self._sio_life
            self._sio_stop_attempts()
        names = yield from self._sio_say_goodbye(timeout)
        task = self._sio_reconnect_task
        if task is not None and task is not threading.current_thread():
            yield joined(task, HANDLERS)
        requested = self._sio_attempt.requested
        self._sio_become_idle()
        reason = Reason.CLIENT_DISCONNECT
        calls = [self._sio_trigger("disconnect", name, reason, life=life) for name in names]
        finals = requested if was is State.RECONNECTING else names
        calls += [self._sio_trigger("__disconnect_final", name, life=life) for name in finals]
        self._sio_submit_end(life)
        return calls

    def _sio_say_goodbye(self, timeout: float) -> Steps[list[str]]:
        """Send what was emitted, leave the namespaces, close; return which these were."""
        connected = self._sio_is_connected()
        taken = connected and (not self._sio_has_sent() or (yield from self.eio.drain_steps(timeout)))
        names, frames = self._sio_take_leave()
        with contextlib.suppress(EngineError):
            self.eio.send_frames(frames, wake=False)
            self.eio.send_at_once()
        yield from self.eio.disconnect_steps(abort=connected and not taken)
        return names

    def _sio_leave_process(self, timeout: float) -> Steps[None]:
        """Disconnect at the end of the program; part of the time is reserved for closing."""
        return self._sio_disconnect_steps(timeout - min(CLOSING, timeout / 4))

    def _sio_after_fork(self) -> None:
        self._sio_dispatcher.abandon()
        self._sio_renew()
        self._sio_forget_session()
        self.eio.after_fork()

    def _sio_hold_at_exit(self) -> None:
        """While the program ends, do not return to daemon threads. Handlers continue."""
        if process_hooks.is_ending() and not self._sio_dispatcher.is_current():
            process_hooks.hold_daemon_thread()

    @contextlib.contextmanager
    def _sio_leaving_on_interrupt(self) -> Iterator[None]:
        try:
            yield
        except KeyboardInterrupt:
            self._sio_leave_after_interrupt()
            raise

    def _sio_leave_after_interrupt(self) -> None:
        if self.handle_sigint:
            self._sio_disconnect(GOODBYE)

    # -- calling handlers

    @replaceable
    def _trigger_event(self, event: str, namespace: str, *args: Any) -> Any:
        """Call the handler of an event and return its result. An override is called for every event."""
        found = self._sio_registry.find_registered(event, namespace or "/", args)
        return found[0](*found[1]) if found is not None else None

    @replaceable
    def _handle_disconnect(self, namespace: str) -> None:
        """End a namespace as after a DISCONNECT packet. An override is called for each DISCONNECT packet."""
        self._sio_call_all(self._sio_end_namespace(namespace or "/"))

    def _sio_submit_disconnect(self, namespace: str) -> None:
        def run() -> None:
            try:
                self._handle_disconnect(namespace)
            except BaseException:
                self._sio_logger.exception("_handle_disconnect() of namespace %s failed", namespace)

        self._sio_dispatcher.submit(run)

    def _sio_trigger(self, event: str, namespace: str, *args: Any, life: Life | None = None) -> threading.Event:
        """Schedule a lifecycle handler; return an event that is set when it has returned.

        :param life: the life that ends when the handler has returned.
        """
        self._sio_notify(event, namespace, args)
        done = threading.Event()
        find = partial(self._sio_registry.find, event, namespace, args)
        # In this order: the handler that runs may be about to register the one that is looked for.
        if self._sio_dispatcher.is_idle() and find() is None:
            done.set()  # to start a thread for nobody takes longer than to answer
            return done
        if life is not None:
            life.handler_begins()

        def run() -> None:
            try:
                found = find()
                if found is not None:
                    found[0](*found[1])
            except BaseException as exc:
                if not process_hooks.is_due_to_end(exc):
                    self._sio_logger.exception("Handler of %s of namespace %s failed", event, namespace)
            finally:
                done.set()
                if life is not None:
                    life.handler_returned()

        self._sio_dispatcher.submit(run, (event, namespace))
        return done

    def _sio_call_all(self, calls: list[threading.Event], timeout: float = HANDLERS) -> None:
        """Wait until handlers have returned, but no longer than so many seconds."""
        run(self._sio_returned(calls, timeout))

    def _sio_returned(self, calls: list[threading.Event], timeout: float) -> Steps[None]:
        if self._sio_dispatcher.serial and self._sio_dispatcher.is_current():
            return  # their turn comes after the handler that waits here
        deadline = time.monotonic() + timeout
        self._sio_dispatcher.blocking()
        for done in calls:
            yield Wait(done.wait, max(0.0, deadline - time.monotonic()))


def ask(option: Any) -> Any:
    """Return an argument of connect() that may be a function to ask."""
    return option() if callable(option) else option
