"""The lifecycle with threads: how it waits, and how lifecycle handlers are called.

Three kinds of thread meet here: the application's, which call; the reading thread of the engine, which brings frames;
the dispatcher's, which run handlers. The lock guards the session and the state; no application code and no socket is
called under it.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from ..core.attempt import Lifetime
from ..core.lifecycle import Input, State
from ..engine.threads.client import Condition, EngineIOClient
from ..runtime import process_hooks
from ..runtime.steps import Steps, joined, run
from .base import DISCONNECT_HANDLERS_TIMEOUT, BaseLifecycle, Change

if TYPE_CHECKING:
    from ..client import Client

INTERRUPTED = 1.0
"""Seconds for closing after Ctrl-C."""
CLOSING = 0.5
"""Seconds to close a connection at the end of the program, when the server has not read in time."""


class Lifecycle(BaseLifecycle):
    """The lifecycle of a :class:`Client`."""

    client: Client
    engine: EngineIOClient
    new_event = threading.Event

    def renew(self) -> None:
        """Become idle, with new locks."""
        # Re-entrant: a signal handler may call disconnect() on the main thread while that holds the lock.
        lock = threading.RLock()
        self.reset(lock, Condition(lock))

    # -- how to wait

    def resolve_argument(self, option: Any) -> Any:
        """Return an argument of connect(); call it if it is a function."""
        return option() if callable(option) else option

    def joined(self, thread: threading.Thread) -> Steps[None]:
        """Wait for the end of a thread, unless it waits for this one."""
        if thread is not threading.current_thread():
            yield joined(thread, DISCONNECT_HANDLERS_TIMEOUT)

    def wait_for_handlers(self, calls: list[Any], timeout: float) -> Steps[None]:
        """Wait until handlers have returned, for at most ``timeout`` seconds."""
        self.client._sio_dispatcher.blocking()
        yield from super().wait_for_handlers(calls, timeout)

    def close_shielded(self, change: Change) -> Steps[Change]:
        """Close, on the thread that calls disconnect()."""
        return (yield from self._execute(change))

    def execute_waiting(self, change: Change) -> None:
        """Execute actions that wait, on the reading thread. The engine does not wait for it."""
        run(self._execute(change))

    def start(self, function: Callable[..., Steps[Any]], *args: Any) -> Any:
        """Run steps on a new thread; return the thread."""
        return self.engine.start_background_task(lambda: run(function(*args)))

    # -- the end

    def on_transport_open(self) -> None:
        """Send CONNECT packets."""
        run(self.attempts.open_session())

    def on_transport_closed(self, reason: str) -> None:
        """End the session."""
        self.close_session(reason)

    def disconnect(self, timeout: float) -> Steps[None]:
        """Send what was emitted, close, and wait for the disconnect handlers; or wait for another disconnect()."""
        self.client._sio_dispatcher.blocking()
        lifetime, was = self.lifetime, self.state
        try:
            yield from super().disconnect(timeout)
        except BaseException:  # Ctrl-C
            if was not in (State.IDLE, State.CLOSING):
                self._abort_closing(lifetime)
            raise

    def interrupted(self, lifetime: Lifetime) -> Steps[None]:
        """End a lifetime after Ctrl-C in connect()."""
        try:
            yield from self.disconnect(INTERRUPTED)
        finally:
            self.attempts.end(self.attempts.current)
            self._abort_closing(lifetime)

    def _abort_closing(self, lifetime: Lifetime) -> None:
        """End a lifetime at once after its closing was interrupted."""
        try:
            if self._is_closing(lifetime):
                self.engine.disconnect(abort=True)
        finally:
            with self.lock:
                if self._is_closing(lifetime):
                    self.transition(Input.ABORT)
            if self.lifetime is not lifetime or self.state is State.IDLE:
                lifetime.finish()

    def _is_closing(self, lifetime: Lifetime) -> bool:
        return self.lifetime is lifetime and self.state is State.CLOSING

    def close_at_exit(self, timeout: float) -> Steps[None]:
        """Disconnect at the end of the program; part of the time is reserved for closing."""
        return self.disconnect(timeout - min(CLOSING, timeout / 4))

    def close_after_interrupt(self) -> None:
        """Disconnect after Ctrl-C, unless the application does that itself."""
        if self.client.handle_sigint:
            run(self.disconnect(INTERRUPTED))

    @contextlib.contextmanager
    def closing_on_interrupt(self) -> Iterator[None]:
        """Disconnect if Ctrl-C is pressed in the block."""
        try:
            yield
        except KeyboardInterrupt:
            self.close_after_interrupt()
            raise

    def block_during_shutdown(self) -> None:
        """While the program ends, do not return to daemon threads. Handlers continue."""
        if process_hooks.is_ending() and not self.is_in_handler():
            process_hooks.block_daemon_thread()

    # -- calling handlers

    def is_in_handler(self) -> bool:
        """Return whether the calling thread runs a handler."""
        return bool(self.client._sio_dispatcher.is_current())

    def submit_end(self, lifetime: Lifetime) -> None:
        """Let wait() return after the earlier handlers."""
        dispatcher = self.client._sio_dispatcher
        if dispatcher.is_idle():
            lifetime.end()
        else:
            dispatcher.submit(lifetime.end)
        dispatcher.retire()

    def is_idle(self) -> bool:
        """Return whether a handler would run at once."""
        return bool(self.client._sio_dispatcher.is_idle())

    def submit(
        self, function: Callable[[], Any], handler: tuple[str, str] | None, ended: Callable[[], None], *failed: Any
    ) -> None:
        """Schedule a function of the program; if it raises, log ``failed``, a text and its arguments."""

        def run_it() -> None:
            try:
                function()
            except BaseException as exc:
                if not process_hooks.is_caused_by_exit(exc):
                    self.client._sio_logger.exception(*failed)
            finally:
                ended()

        self.client._sio_dispatcher.submit(run_it, handler)
