"""Makes attempts to connect, and keeps what the server says about their namespaces.

In: the arguments of ``connect()``, which the client keeps, and the answers of the server. Out: a session whose
namespaces are connected, or an error after everything was closed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from ..base_client import BaseClient, Reason
from ..connect_arguments import url_of_attempt
from ..core import backoff
from ..core.attempt import Attempt, Lifetime
from ..core.details import DisconnectDetails, DisconnectKind
from ..core.events import NamespaceRefused
from ..core.lifecycle import Action, Input, State
from ..core.session import Session
from ..engine import EngineError, check_headers, origin_of
from ..exceptions import ConnectionError
from ..overrides import is_overridden
from ..runtime.steps import Steps, call
from .channel import Channel

if TYPE_CHECKING:
    from .base import BaseLifecycle

CONNECT_HANDLERS_TIMEOUT = 1.0
"""Seconds that an attempt waits for its handlers to return."""
ABORT_INTERVAL = 0.1
"""Seconds between two checks of an event that a program has assigned to ``_reconnect_abort``."""
ENDED = "the connection attempt was ended by disconnect()"


class Attempts:
    """The attempts of one client, one at a time.

    :ivar current: the current attempt, or the previous one.
    :ivar is_running: whether an attempt is in progress. It may outlast its lifetime by a moment.
    :ivar failed: the namespaces that the last attempt failed to connect.
    :ivar waits: whether an attempt waits for the answers of the server, for ``wait_timeout`` seconds.
    """

    def __init__(self, lifecycle: BaseLifecycle, channel: Channel) -> None:
        self.waits = True
        self.wait_timeout: float | None = 20.0
        self.failed: list[str] = []
        self._lifecycle = lifecycle
        self._client = lifecycle.client
        self._channel = channel
        self._engine: Any = lifecycle.engine
        self._log = lifecycle.log
        self.reset()

    def reset(self) -> None:
        """Drop the attempts of a parent process, or of a closed event loop."""
        self.current = Attempt([])
        self.is_running = False

    def make(self, lifetime: Lifetime) -> Steps[None]:
        """Make one attempt; raise the error if it fails."""
        attempt = self._begin(lifetime)
        try:
            yield from self._open(attempt, lifetime)
            yield from self._await_answers(attempt, lifetime)
        finally:
            self.end(attempt)

    def _begin(self, lifetime: Lifetime) -> Attempt:
        self._client._sio_notice_overrides()
        attempt = Attempt([name.partition("?")[0] for name in self._client.connection_namespaces])
        with self._lifecycle.lock:
            if self._lifecycle.has_ended(lifetime):
                raise ConnectionError(ENDED)
            self.is_running, self.current, self.failed = True, attempt, attempt.failed
            return attempt

    def end(self, attempt: Attempt) -> None:
        """Record that an attempt is over: another one can begin."""
        with self._lifecycle.lock:
            if self.current is attempt:  # otherwise it succeeded, was lost, and another one has begun
                self.is_running = False
            self._lifecycle.changed.notify_all()

    def _open(self, attempt: Attempt, lifetime: Lifetime) -> Steps[None]:
        client, lifecycle = self._client, self._lifecycle
        try:
            url = url_of_attempt(client, (yield call(lifecycle.resolve_argument, client.connection_url)))
            self._log.connecting(origin_of(url), client.connection_namespaces)
            headers = check_headers((yield call(lifecycle.resolve_argument, client.connection_headers)))
            transports, path = client.connection_transports, client.socketio_path
            yield call(self._engine.connect, url, headers, transports, path)
        except Exception as exc:
            yield from self._drop(lifetime)
            error, argument = attempt_failure(exc)
            yield from self._call_connect_error(attempt, attempt.requested, argument)
            if error is exc:
                raise
            raise error from first_cause(exc)

    def _call_connect_error(self, attempt: Attempt, names: list[str], argument: Any) -> Steps[None]:
        attempt.calls += [self._lifecycle.trigger("connect_error", name, argument) for name in names]
        yield from self._lifecycle.wait_for_handlers(attempt.calls, CONNECT_HANDLERS_TIMEOUT)

    def open_session(self) -> Steps[None]:
        """Send CONNECT packets over a transport that has just opened."""
        auth = yield call(self._lifecycle.resolve_argument, self._client.connection_auth)
        with self._lifecycle.lock:
            if Action.JOIN not in self._lifecycle.transition(Input.OPENED).actions:
                raise ConnectionError(ENDED)
            session = Session(self._client.packet_class, self._engine.sid or "", self._engine.max_message_size)
            session.keeps_ended = is_overridden(self._client, "_handle_disconnect")
            self._channel.open(session, self._client.connection_namespaces, auth)
        self._engine.send_at_once()

    def _await_answers(self, attempt: Attempt, lifetime: Lifetime) -> Steps[None]:
        """Wait until the server has answered for all namespaces; become connected."""
        session = self._channel.session
        if self.waits and session is not None:
            yield self._lifecycle.until(
                lambda: self._channel.session is not session or attempt.is_answered() or lifetime.stop.is_set(),
                self.wait_timeout,
            )
        try:
            with self._lifecycle.lock:
                self._accept_all(attempt, lifetime, session)
        except Exception as exc:
            unanswered = [name for name in attempt.failed if name not in attempt.refusals]
            yield from self._call_connect_error(attempt, unanswered, error_text(exc))
            yield from self._drop(lifetime)
            raise

    def _accept_all(self, attempt: Attempt, lifetime: Lifetime, session: Session | None) -> None:
        """Become connected; raise ``ConnectionError`` if the attempt was ended, or namespaces have failed."""
        if lifetime.stop.is_set():
            if attempt.is_answered() and not attempt.failed:
                return  # it succeeded, and a handler or the server has ended it since
            raise ConnectionError(ENDED)
        lost = session is None or self._channel.session is not session
        if lost and not attempt.failed:
            for name in attempt.requested:
                attempt.record_failure(name)
            details = self._channel.details
            raise ConnectionError(f"the connection was lost before the namespaces were connected: {details}") from (
                details.exception if details is not None else None
            )
        if self.waits or lost:
            attempt.check(self.wait_timeout)
        self._lifecycle.transition(Input.ACCEPTED, lifetime)

    def _drop(self, lifetime: Lifetime) -> Steps[None]:
        """Close what a failed attempt has opened, unless its lifetime is over."""
        if lifetime.stop.is_set():
            return
        names = self._channel.disconnect()
        yield from self._engine.disconnect_steps()
        reason = Reason.CLIENT_DISCONNECT
        calls = [self._lifecycle.trigger("disconnect", name, reason, lifetime=lifetime) for name in names]
        yield from self._lifecycle.wait_for_handlers(calls, CONNECT_HANDLERS_TIMEOUT)

    # -- what the server says about a namespace

    def accept(self, namespace: str) -> None:
        """Record that the server has accepted a namespace, and call its handler."""
        self._log.write("Namespace %s is connected", namespace)
        attempt, lifetime = self.current, self._lifecycle.lifetime
        call = self._lifecycle.trigger("connect", namespace)
        with self._lifecycle.lock:
            attempt.calls.append(call)
            attempt.accepted.add(namespace)
            if lifetime.stop.is_set():
                call.set()  # disconnect() was called, maybe by this handler: connect() must not wait for it
            self._lifecycle.changed.notify_all()

    def refuse(self, session: Session, event: NamespaceRefused) -> None:
        """Record that the server has refused a namespace, and call its handler."""
        attempt = self.current  # the handler may begin another one
        self._log.refused(event.namespace, event.data)
        call = self._lifecycle.trigger("connect_error", event.namespace, *event.args)
        with self._lifecycle.lock:
            attempt.calls.append(call)
            attempt.refusals[event.namespace] = event.data
        self.end_namespaces(session, event.namespace, event.ended)

    def end_namespace(self, namespace: str) -> list[Any]:
        """End a namespace as after a DISCONNECT packet. Return the calls of the handlers."""
        with self._lifecycle.lock:
            session = self._channel.session
            if session is None or not session.end(namespace):
                return []
        return self.end_namespaces(session, namespace, (namespace,))

    def end_namespaces(self, session: Session, namespace: str, ended: tuple[str, ...]) -> list[Any]:
        """Call the handlers of namespaces that the server ended; return the calls. The last ends the connection."""
        with self._lifecycle.lock:
            if ended:
                self._channel.details = DisconnectDetails(DisconnectKind.SERVER_DISCONNECT, Reason.SERVER_DISCONNECT)
            self.current.record_failure(namespace)
            lifetime, change = self._lifecycle.lifetime, None
            if self._is_last(session, bool(ended)):
                change = self._lifecycle.transition(Input.SERVER_DISCONNECT)
                self._engine.announce_end()  # handlers may run, and connect, before it is ended
            self._lifecycle.changed.notify_all()
        calls = []
        for name in ended:
            calls.append(self._lifecycle.trigger("disconnect", name, Reason.SERVER_DISCONNECT, lifetime=lifetime))
            self._lifecycle.trigger("__disconnect_final", name, lifetime=lifetime)
        if change is not None:
            self._lifecycle.execute_nonblocking(change)
        return calls

    def _is_last(self, session: Session, ended: bool) -> bool:
        """Return whether the connection ends with the namespace that the server has just ended, or refused."""
        if self._channel.session is not session or session.namespaces or session.pending:
            return False
        # After a refusal, connect() ends it if it waits.
        return ended or not self.waits or self._lifecycle.state not in (State.CONNECTING, State.RECONNECTING)


def attempt_failure(exc: Exception) -> tuple[Exception, Any]:
    """Return the error to raise for an attempt that failed, and the argument for the ``connect_error`` handlers.

    That is the body of an HTTP error answer, ``None`` if it is not JSON, or the text of the error.
    """
    if not isinstance(exc, EngineError):
        return exc, error_text(exc)
    text = str(exc.args[0]) if exc.args else "the connection failed"
    return ConnectionError(text), exc.args[1] if len(exc.args) > 1 else text


def first_cause(exc: BaseException) -> BaseException:
    """Return the original cause of an error, without its traceback.

    The errors in between have the same text, and their tracebacks, of the HTTP library, are long.
    """
    while exc.__cause__ is not None:
        exc = exc.__cause__
    return exc.with_traceback(None)


def error_text(exc: BaseException) -> str:
    """Return the text of an error, or its type if the text is empty or ``str()`` fails."""
    try:
        return str(exc) or type(exc).__name__
    except Exception:
        return type(exc).__name__


def attempt_delays(client: BaseClient, last_attempt: Callable[[], Attempt]) -> Iterator[float]:
    """Yield the seconds to wait before each attempt to reconnect.

    Two attempts are ``backoff.FLOOR`` apart even when the first one succeeds: a server may accept every connection
    and close it at once.
    """
    for delay in backoff.delays(client.reconnection_delay, client.reconnection_delay_max, client.randomization_factor):
        since = time.monotonic() - last_attempt().began
        yield max(delay, backoff.FLOOR - since)


def is_aborted(client: BaseClient) -> bool:
    """Return whether the program has assigned an event to ``_reconnect_abort`` and set it."""
    is_set = getattr(vars(client).get("_reconnect_abort"), "is_set", None)
    return is_set is not None and bool(is_set())


def pauses(client: BaseClient, delay: float) -> Iterator[float]:
    """Yield the seconds to wait before an attempt, in parts if an event assigned by the program must be checked."""
    if "_reconnect_abort" not in vars(client):
        yield delay
        return
    end = time.monotonic() + delay
    while not is_aborted(client) and (left := end - time.monotonic()) > 0:
        yield min(left, ABORT_INTERVAL)
