"""Executes the lifecycle table for both flavours: connects, reconnects and disconnects one client.

In: ``connect()``, ``disconnect()``, the end of the transport, and the answers of the server for namespaces. Out: calls
of the engine and of the lifecycle handlers. What waits is written once, as steps (``runtime/steps``), which a thread
or a task runs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ..base_client import BaseClient, Reason, set_reconnecting
from ..connect_arguments import store_connect_arguments
from ..core.attempt import Attempt, Lifetime
from ..core.lifecycle import IMMEDIATE, WAITING, Action, Input, State, step
from ..exceptions import ConnectionError
from ..runtime import process_hooks
from ..runtime.steps import Steps, Wait
from . import attempts
from .attempts import Attempts, attempt_delays, error_text, is_aborted, pauses
from .channel import Channel

DISCONNECT_HANDLERS_TIMEOUT = 5.0
"""Seconds that disconnect() waits for the disconnect handlers to return."""


@dataclass(slots=True)
class Change:
    """A change of state: the actions that it leads to, and what they need.

    :ivar reason: for the ``disconnect`` handlers of the namespaces ``names``.
    :ivar timeout: seconds for sending what was emitted before.
    :ivar calls: events that are set when the handlers that were called have returned.
    """

    lifetime: Lifetime
    actions: tuple[Action, ...] = ()
    reason: str = Reason.CLIENT_DISCONNECT
    names: list[str] = field(default_factory=list)
    timeout: float = 0
    calls: list[Any] = field(default_factory=list)


class BaseLifecycle:
    """The lifecycle of one client.

    :ivar state: what the client is doing; changed by :meth:`transition` only.
    :ivar lifetime: the current lifetime, from connect() to the end of its last reconnection, or the previous one.
    :ivar changed: wakes threads or tasks that wait for the state to change; notified under the lock.
    """

    new_event: Callable[[], Any]
    renew: Callable[[], None]
    close_at_exit: Callable[[float], Steps[None]]
    resolve_argument: Callable[[Any], Any]
    joined: Callable[[Any], Steps[None]]
    on_transport_open: Callable[[], Any]
    on_transport_closed: Callable[[str], Any]
    close_shielded: Callable[[Change], Steps[Change]]
    execute_waiting: Callable[[Change], Any]
    start: Callable[..., Any]
    interrupted: Callable[[Lifetime], Steps[None]]
    submit: Callable[..., None]
    is_idle: Callable[[], bool]
    submit_end: Callable[[Lifetime], None]
    is_in_handler: Callable[[], bool]

    def __init__(self, client: BaseClient, channel: Channel) -> None:
        self.client = client
        self.engine: Any = client.eio
        self.channel = channel
        self.log = client._sio_log
        self.reconnect_task: Any = None
        self.attempts = Attempts(self, channel)
        self.renew()

    def reset(self, lock: AbstractContextManager[Any], changed: Any) -> None:
        """Become idle with a new lock, without waking anything: waiting threads or tasks may not exist."""
        self.lock, self.changed = lock, changed
        self.channel.lock, self.channel.session = lock, None
        self.state = State.IDLE
        self.lifetime = Lifetime(self.new_event, lock)
        self.lifetime.finish()
        self.attempts.reset()
        self.reconnect_task = None
        set_reconnecting(self.client, False)

    # -- the table

    def transition(self, given: Input, lifetime: Lifetime | None = None, **details: Any) -> Change:
        """Change the state for an input; return the actions to execute, none for an earlier ``lifetime``."""
        with self.lock:
            if lifetime is not None and lifetime is not self.lifetime:
                return Change(lifetime)
            before = self.state
            following, actions = step(before, given)
            change = Change(self.lifetime, actions, **details)
            for action in actions:
                if action in IMMEDIATE:
                    self._run_action(action, change)
            self.state = following
            if following is not before:
                self._record_change(before)
            return change

    def _record_change(self, before: State) -> None:
        """Record what follows from a change of state."""
        if self.state is State.CONNECTED:
            self.lifetime.attempts, self.lifetime.delays, self.lifetime.finals = 0, None, []
        elif self.state is State.RECONNECTING:
            self.lifetime.finals = list(self.attempts.current.requested)
            set_reconnecting(self.client, True)
        if before is State.RECONNECTING:
            set_reconnecting(self.client, False)
        self.changed.notify_all()

    def _run_action(self, action: Action, change: Change) -> Any:
        return getattr(self, "_" + action.name.lower())(change)

    def has_ended(self, lifetime: Lifetime) -> bool:
        """Return whether a lifetime is over, or belongs to the parent process or to a closed event loop."""
        return lifetime is not self.lifetime or bool(lifetime.stop.is_set())

    def _execute(self, change: Change | None) -> Steps[Change]:
        """Execute the actions of a change, and those of the changes that they lead to. Return the last change."""
        while True:
            assert change is not None
            following = None
            for action in change.actions:
                if action in WAITING:
                    following = yield from self._run_action(action, change)
                elif action not in IMMEDIATE:
                    self._run_action(action, change)
            if following is None:
                return change
            change = following

    def execute_nonblocking(self, change: Change) -> list[Any]:
        """Execute the actions of a change on the reading side, which does not wait. Return the calls of handlers."""
        for index, action in enumerate(change.actions):
            if action in WAITING:
                self.execute_waiting(Change(change.lifetime, change.actions[index:]))
                break
            if action not in IMMEDIATE:
                self._run_action(action, change)
        return change.calls

    # -- the actions that are part of a change of state

    def _begin(self, change: Change) -> None:
        lifetime = Lifetime(self.new_event, self.lock, self.lifetime)
        # One statement, so that Ctrl-C cannot separate the assignments.
        self.attempts.current, self.lifetime, change.lifetime = Attempt([]), lifetime, lifetime

    def _stop_attempts(self, change: Change) -> None:
        change.lifetime.stop.set()
        self.changed.notify_all()
        for call in self.attempts.current.calls:  # connect() must not wait for a handler that has called disconnect()
            call.set()

    def _refuse_events(self, change: Change) -> None:
        self.channel.refuse_events()

    def _close_session(self, change: Change) -> None:
        change.names += [name for name in self.channel.namespaces() if name not in change.names]
        change.lifetime.finals += [name for name in change.names if name not in change.lifetime.finals]
        self.channel.close()
        self.changed.notify_all()

    # -- the other actions

    def _refuse(self, change: Change) -> None:
        if self.state is State.CONNECTED:
            raise ConnectionError("Already connected")
        raise ConnectionError(f"The client is already {self.state.value}")

    def _open(self, change: Change) -> Steps[Change | None]:
        """Make one attempt to connect. If it fails, everything is closed."""
        lifetime, number = change.lifetime, change.lifetime.attempts
        try:
            yield from self.attempts.make(lifetime)
        except Exception as exc:
            return self._fail(exc, lifetime, number)
        lifetime.error = None
        if number:
            self.log.reconnected(number)
        return None

    def _fail(self, exc: Exception, lifetime: Lifetime, number: int) -> Change:
        """Decide whether another attempt follows one that has failed; ``number`` is 0 for that of connect()."""
        if number:
            self.log.attempt_failed(number, error_text(exc))
            goes_on = number != self.client.reconnection_attempts
            if not goes_on:
                self.log.gave_up()
        else:
            # connect() raises it: its traceback in this package is of no use to a user.
            lifetime.error = exc.with_traceback(None) if type(exc) is ConnectionError else exc
            goes_on = lifetime.retries and not is_aborted(self.client)
        return self.transition(Input.FAILED if goes_on else Input.GAVE_UP, lifetime)

    def _pause(self, change: Change) -> Steps[Change]:
        lifetime = change.lifetime
        lifetime.delays = lifetime.delays or attempt_delays(self.client, lambda: self.attempts.current)
        lifetime.attempts, delay = lifetime.attempts + 1, next(lifetime.delays)
        self.log.attempt(delay)
        for seconds in pauses(self.client, delay):
            if (yield Wait(lifetime.stop.wait, seconds)):
                break
        if self.has_ended(lifetime) or is_aborted(self.client):
            self.log.aborted()
            return self.transition(Input.GAVE_UP, lifetime)
        return self.transition(Input.TIMER, lifetime)

    def _reconnect(self, change: Change) -> None:
        self.reconnect_task = self.start(self._try_again, change.lifetime)

    def _try_again(self, lifetime: Lifetime) -> Steps[None]:
        try:
            yield from self._execute(Change(lifetime, (Action.PAUSE,)))
        except BaseException:  # SystemExit of a function that returns the URL, or the task was cancelled
            is_open = self.channel.session is not None
            if is_open:
                self.engine.announce_end()  # for handlers that connect again
            self.execute_nonblocking(self.transition(Input.GAVE_UP, lifetime))
            if is_open:
                self.start(self.engine.disconnect_steps)
            raise

    def _close(self, change: Change) -> Steps[Change]:
        connected = self.channel.is_connected()
        was_read = connected and (not self.channel.has_sent() or (yield from self.engine.drain_steps(change.timeout)))
        names = self.channel.disconnect()
        yield from self.engine.disconnect_steps(abort=connected and not was_read)
        if self.reconnect_task is not None:
            yield from self.joined(self.reconnect_task)
        return self.transition(Input.CLOSED, change.lifetime, names=names)

    def _close_transport(self, change: Change) -> Steps[None]:
        yield from self.engine.disconnect_steps()

    def _await_idle(self, change: Change) -> Steps[None]:
        """Wait for another disconnect(), but not for its handlers if this runs in a handler."""
        yield self.until(lambda: self.state is not State.CLOSING, DISCONNECT_HANDLERS_TIMEOUT)
        if not self.is_in_handler():
            change.calls.append(change.lifetime.ended)

    def _call_disconnect(self, change: Change) -> None:
        change.calls += [
            self.trigger("disconnect", name, change.reason, lifetime=change.lifetime) for name in change.names
        ]

    def _call_final(self, change: Change) -> None:
        change.calls += [
            self.trigger("__disconnect_final", name, lifetime=change.lifetime) for name in change.lifetime.finals
        ]

    def _end(self, change: Change) -> None:
        self.submit_end(change.lifetime)

    # -- connect()

    def _can_connect(self) -> bool:
        """Return whether connect() can begin, or raise: no earlier connection is still closing."""
        if self.state is State.CLOSING:
            return False
        # disconnect() may have ended a lifetime whose last attempt still runs for a moment.
        return not self.attempts.is_running or self.state is not State.IDLE

    def connect(self, retry: bool, *arguments: Any) -> Steps[None]:
        """Connect, with the arguments of the client's ``connect()``; raise the error of an attempt that fails."""
        if not self._can_connect():
            yield self.until(lambda: self.state is not State.CLOSING, None)
            yield self.until(self._can_connect, self.engine.request_timeout)
        lifetime = None
        try:
            change = self._begin_to_connect(retry, *arguments)
            lifetime = change.lifetime
            yield from self._execute(change)
            if lifetime.error is not None:
                raise lifetime.take_error()
            if self.attempts.waits:  # not part of the attempt: a connect handler may never return
                yield from self.wait_for_handlers(self.attempts.current.calls, attempts.CONNECT_HANDLERS_TIMEOUT)
            self.attempts.current.calls = []
        except Exception:
            raise
        except BaseException:  # Ctrl-C, or the task was cancelled
            yield from self.interrupted(lifetime or self.lifetime)
            raise

    def _begin_to_connect(self, retry: bool, *arguments: Any) -> Change:
        process_hooks.watch(self.client)
        with self.lock:
            if self.state is State.IDLE:
                if self.attempts.is_running:
                    raise ConnectionError("The client has not ended its last attempt to connect yet")
                store_connect_arguments(self.client, *arguments)
                self.log.use(self.client._sio_logger)
            change = self.transition(Input.CONNECT)
            if Action.BEGIN in change.actions:
                change.lifetime.retries = retry
            return change

    # -- the end

    def close_session(self, reason: str, names: list[str] | None = None) -> list[Any]:
        """End the session with its transport; reconnect unless the application has ended it. Return the calls."""
        with self.lock:
            if self.channel.session is None:
                return []
            self.channel.details = self.engine.details
            reconnects = self.client.reconnection and reason != Reason.CLIENT_DISCONNECT
            given = Input.LOST if reconnects else Input.ENDED
            change = self.transition(given, reason=reason, names=names or [])
        self.log.write("Connection ended: %s", reason)
        return self.execute_nonblocking(change)

    def disconnect(self, timeout: float) -> Steps[None]:
        """Send what was emitted, close, and wait for the disconnect handlers; or wait for another disconnect()."""
        change = self.transition(Input.DISCONNECT, timeout=timeout)
        change = yield from self.close_shielded(change) if Action.CLOSE in change.actions else self._execute(change)
        yield from self.wait_for_handlers(change.calls, DISCONNECT_HANDLERS_TIMEOUT)

    def is_connected(self) -> bool:
        """Return whether a namespace is connected."""
        return self.channel.is_connected()

    def is_trying(self) -> bool:
        """Return whether the client reconnects, or is in ``connect(retry=True)``."""
        return self.state is State.RECONNECTING or (self.state is State.CONNECTING and self.lifetime.retries)

    def abort(self) -> None:
        """Begin to end a reconnection, or ``connect(retry=True)``, without waiting for the end."""
        with self.lock:
            if not self.is_trying():
                return
            change = self.transition(Input.DISCONNECT, timeout=self.engine.request_timeout)
        self.start(self.close_shielded, change)

    def until(self, predicate: Callable[[], Any], timeout: float | None) -> Wait:
        """Wait until the state fulfils a condition."""
        return Wait(partial(self.changed.wait_for, predicate), timeout)

    def wait_for_handlers(self, calls: list[Any], timeout: float) -> Steps[None]:
        """Wait until handlers have returned, for at most ``timeout`` seconds."""
        dispatcher = self.client._sio_dispatcher
        if not calls or (dispatcher.serial and dispatcher.is_current()):
            return  # they run after the handler that waits here
        deadline = time.monotonic() + timeout
        for call in calls:
            if not call.is_set():
                yield Wait(call.wait, max(0.0, deadline - time.monotonic()))

    # -- calling handlers

    def trigger(self, event: str, namespace: str, *args: Any, lifetime: Lifetime | None = None) -> Any:
        """Log an event of the client, pass it to the sink, and schedule its handler.

        Return an event that is set when the handler has returned. A ``lifetime`` does not end before that.
        """
        registry = self.client._sio_registry
        self.log.lifecycle(event, namespace, args)
        if registry.sink is not None:
            registry.sink.notify(event)
        call = self.new_event()
        # In this order: the running handler may be about to register this one.
        if self.is_idle() and registry.find(event, namespace, args) is None:
            call.set()  # starting a thread would take longer than this
            return call
        if lifetime is not None:
            lifetime.handler_begins()

        def handle() -> Any:
            found = registry.find(event, namespace, args)
            return found[0](*found[1]) if found is not None else None

        def ended() -> None:
            call.set()
            if lifetime is not None:
                lifetime.handler_returned()

        failed = "Handler of %s of namespace %s failed", event, namespace
        self.submit(handle, (event, namespace), ended, *failed)
        return call

    def submit_disconnect(self, namespace: str) -> None:
        """Schedule an overridden ``_handle_disconnect()``."""
        failed = "_handle_disconnect() of namespace %s failed", namespace
        self.submit(lambda: self.client._handle_disconnect(namespace), None, lambda: None, *failed)

    def submit_callback(self, callback: Callable[..., Any], args: tuple[Any, ...], namespace: str) -> None:
        """Schedule the callback of an acknowledgement."""
        failed = "Callback of an acknowledgement in namespace %s failed", namespace
        self.submit(lambda: callback(*args), None, lambda: None, *failed)
