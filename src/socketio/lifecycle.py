"""How the threaded client makes, repairs and ends its connection, and how handlers are called meanwhile.

Three kinds of thread meet here: the application's, which call; the reading thread of the engine, which brings frames;
the dispatcher's, which run handlers. The lock guards the session and the state; no application code and no socket is
called under it.
"""

from __future__ import annotations

import atexit
import contextlib
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from .base_client import State, attempt_failure, check_headers
from .base_lifecycle import Attempt, BaseLifecycle
from .dispatch import Dispatcher
from .engine import EngineError, EngineIOClient
from .exceptions import ConnectionError

GOODBYE = 1.0
"""Seconds for the goodbye after Ctrl-C."""
HANDLERS = 5.0
"""Seconds that disconnect() waits for the disconnect handlers to return."""


class Lifecycle(BaseLifecycle):
    """The part of :class:`Client` that makes, repairs and ends connections."""

    eio: EngineIOClient

    def _sio_set_up(self) -> None:
        # Re-entrant: a signal handler may call disconnect() on the main thread while that holds the lock.
        self._sio_lock = threading.RLock()
        self._sio_changed = threading.Condition(self._sio_lock)
        self._sio_dispatcher = Dispatcher("socketio-handlers", serial=not self.async_handlers)
        self._sio_stop = threading.Event()
        self._sio_ended = threading.Event()
        self._sio_ended.set()
        self._reconnect_task: threading.Thread | None = None
        self.eio.on("connect", self._sio_on_transport_open)
        self.eio.on("message", self._sio_on_messages)
        self.eio.on("disconnect", self._sio_on_transport_closed)

    def _engineio_client_class(self) -> type[EngineIOClient]:
        return EngineIOClient

    # -- making a connection

    def _sio_connect(self, retry: bool) -> None:
        stop = self._sio_stop
        try:
            self._sio_connect_once(stop)
        except Exception:
            if not retry or not self._sio_begin_retry(stop):
                self._sio_give_up(stop, [])
                raise
            if not self._sio_reconnect(stop):
                raise

    def _sio_connect_once(self, stop: threading.Event) -> None:
        """Make one attempt to connect; raise whatever stands in the way, with nothing left open."""
        attempt = self._sio_begin_attempt(stop)
        try:
            self._sio_carry_out(attempt, stop)
        finally:
            self._sio_end_attempt()

    def _sio_carry_out(self, attempt: Attempt, stop: threading.Event) -> None:
        try:
            self._sio_open_transport()
        except Exception as exc:
            self._sio_drop_session(stop)
            error, argument = attempt_failure(exc)
            attempt.calls = [self._sio_trigger("connect_error", name, argument) for name in attempt.requested]
            self._sio_call_all(attempt.calls)
            if error is exc:
                raise
            raise error from exc
        try:
            self._sio_await_namespaces(attempt, stop)
        except ConnectionError as exc:
            unanswered = [name for name in attempt.failed if name not in attempt.refusals]
            attempt.calls += [self._sio_trigger("connect_error", name, str(exc)) for name in unanswered]
            self._sio_call_all(attempt.calls)
            self._sio_drop_session(stop)
            raise
        if self._sio_wait_for_namespaces:
            self._sio_call_all(attempt.calls, self._sio_wait_timeout)

    def _sio_open_transport(self) -> None:
        url = self._sio_check_url(ask(self.connection_url))
        headers = check_headers(ask(self.connection_headers))
        self.eio.connect(url, headers=headers, transports=self.connection_transports, engineio_path=self.socketio_path)

    def _sio_await_namespaces(self, attempt: Attempt, stop: threading.Event) -> None:
        """Wait until the server has answered for all namespaces, and take the connection for made."""
        with self._sio_lock:
            protocol = self._sio_protocol
            if self._sio_wait_for_namespaces and protocol is not None:
                self._sio_changed.wait_for(
                    lambda: self._sio_protocol is not protocol or attempt.is_answered() or stop.is_set(),
                    self._sio_wait_timeout,
                )
            self._sio_take_for_made(protocol, attempt, stop)

    def _sio_on_transport_open(self) -> None:
        _leave_at_exit(self)
        self._sio_open_session(ask(self.connection_auth))

    # -- repairing it

    def _sio_reconnect(self, stop: threading.Event) -> bool:
        """Try to connect again until it works, it has been tried often enough, or the application ends it.

        Return whether it worked.
        """
        for attempt, delay in enumerate(self._sio_delays(), 1):
            self.logger.info("Connection failed, new attempt in %.2f seconds", delay)
            if stop.wait(delay):
                break
            try:
                self._sio_connect_once(stop)
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

    def _sio_on_transport_closed(self, reason: str) -> None:
        with self._sio_lock:
            if self._sio_protocol is None:
                return
            names = list(self.namespaces)
            over, again = self._sio_lose_session(reason)
            stop, ended = self._sio_stop, self._sio_ended
        self.logger.info("Connection lost: %s", reason)
        for name in names:
            self._sio_trigger("disconnect", name, reason)
        if over:
            for name in names:
                self._sio_trigger("__disconnect_final", name)
            self._sio_submit_end(ended)
        if again:
            self._reconnect_task = self.eio.start_background_task(self._sio_reconnect, stop)

    def _sio_hang_up(self, ended: threading.Event) -> None:
        self.eio.disconnect()
        self._sio_submit_end(ended)

    def _sio_drop_session(self, stop: threading.Event) -> None:
        """Close what an attempt that failed has left, unless its life is over."""
        with self._sio_lock:
            if stop.is_set():
                return
            names, frames = self._sio_take_leave()
        with contextlib.suppress(EngineError):
            self.eio.send_frames(frames)
        self.eio.disconnect()
        self._sio_call_all([self._sio_trigger("disconnect", name, self.reason.CLIENT_DISCONNECT) for name in names])

    def _sio_submit_end(self, ended: threading.Event) -> None:
        """Let the wait() of a life return, after the handlers before."""
        if self._sio_dispatcher.is_idle():
            ended.set()
        else:
            self._sio_dispatcher.submit(ended.set)
        self._sio_dispatcher.retire()

    def _sio_disconnect(self, timeout: float) -> None:
        with self._sio_lock:
            was = self._sio_state
            if was is not State.IDLE:
                self._sio_state = State.CLOSING
        self._sio_dispatcher.blocking()
        if was is State.IDLE:
            self.eio.disconnect()  # what the server has ended may still be closing
            return
        self._sio_call_all([self._sio_ended] if was is State.CLOSING else self._sio_close(timeout, was))

    def _sio_close(self, timeout: float, was: State) -> list[threading.Event]:
        """Send, say goodbye, close; return the calls of the disconnect handlers."""
        with self._sio_lock:
            self._sio_stop_attempts()
            ended = self._sio_ended
        try:
            names = self._sio_say_goodbye(timeout)
            task = self._reconnect_task
            if task is not None and task is not threading.current_thread():
                task.join(HANDLERS)
            self._sio_become_idle()
        except BaseException:  # Ctrl-C
            self.eio.disconnect(abort=True)
            self._sio_become_idle()
            self._sio_submit_end(ended)
            raise
        finals = self._sio_attempt.requested if was is State.RECONNECTING else names
        calls = [self._sio_trigger("disconnect", name, self.reason.CLIENT_DISCONNECT) for name in names]
        calls += [self._sio_trigger("__disconnect_final", name) for name in finals]
        self._sio_submit_end(ended)
        return calls

    def _sio_say_goodbye(self, timeout: float) -> list[str]:
        """Send what was emitted, leave the namespaces, close; return which these were."""
        connected = self.connected
        taken = connected and (not self._sio_emitted or self.eio.drain(timeout))
        names, frames = self._sio_take_leave()
        with contextlib.suppress(EngineError):
            self.eio.send_frames(frames, wake=False)
            self.eio.send_at_once()
        self.eio.disconnect(abort=connected and not taken)
        return names

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

    def _sio_trigger(self, event: str, namespace: str, *args: Any) -> threading.Event:
        """Have a lifecycle handler called, in its turn; return what tells that it has returned."""
        done = threading.Event()
        find = partial(self._sio_registry.find, event, namespace, args)
        # In this order: the handler that runs may be about to register the one that is looked for.
        if self._sio_dispatcher.is_idle() and find() is None:
            done.set()  # to start a thread for nobody takes longer than to answer
            return done

        def run() -> None:
            try:
                found = find()
                if found is not None:
                    found[0](*found[1])
            except BaseException:
                self.logger.exception("Handler of %s of namespace %s failed", event, namespace)
            finally:
                done.set()

        self._sio_run(event, namespace, run)
        return done

    def _sio_run(self, event: str, namespace: str, job: Callable[[], None]) -> None:
        """Run a job in its turn; at once where its handler is marked as inline."""
        if self._sio_registry.find_inline(event, namespace, ()) is not None:
            job()
        else:
            self._sio_dispatcher.submit(job, (event, namespace))

    def _sio_call_all(self, calls: list[threading.Event], timeout: float = HANDLERS) -> None:
        """Wait until handlers have returned, but no longer than so many seconds."""
        if self._sio_dispatcher.serial and self._sio_dispatcher.is_current():
            return  # their turn comes after the handler that waits here
        deadline = time.monotonic() + timeout
        self._sio_dispatcher.blocking()
        for done in calls:
            done.wait(max(0.0, deadline - time.monotonic()))


def ask(option: Any) -> Any:
    """Return an argument of connect() that may be a function to ask."""
    return option() if callable(option) else option


_clients: weakref.WeakSet[Lifecycle] = weakref.WeakSet()


def _leave_at_exit(client: Lifecycle) -> None:
    """Have a client say goodbye when the program ends: before urllib3 lets go of its connections, so the last to ask
    is the first to be called."""
    _clients.add(client)
    atexit.unregister(_leave_all)
    atexit.register(_leave_all)


def _leave_all() -> None:
    """Send what was emitted, and say goodbye, when the program ends while clients are connected."""
    interrupted = isinstance(getattr(sys, "last_value", None), KeyboardInterrupt)
    for client in list(_clients):
        with contextlib.suppress(Exception):
            client._sio_disconnect(GOODBYE if interrupted else client.eio.request_timeout)
