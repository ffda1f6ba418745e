"""What both clients do with their session, without ever waiting: open it, read it, end it.

The lock guards the session and the state: a real one for threads, one that does nothing for asyncio, where no method
here can be interrupted. No application code and no socket is called under it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .base_client import BaseClient, State
from .engine import EngineError
from .events import (
    AckReceived,
    Event,
    EventReceived,
    FrameDropped,
    NamespaceConnected,
    NamespaceRefused,
    event_arguments,
)
from .exceptions import BadNamespaceError, ConnectionError, ConnectionRefusedError
from .packet import Frame
from .protocol import Protocol

_ENDED = "the connection attempt was ended by disconnect()"


class Waiter:
    """Where call() waits for its acknowledgement: the callback of a request, called on the reading side."""

    args: tuple[Any, ...] | None = None
    """The values of the acknowledgement; ``None`` while, or where, there is none."""

    def __call__(self, *args: Any) -> None:
        self.args = args
        self.wake()

    def wake(self) -> None:
        """End the waiting; without ``args``, because there will be no answer."""
        raise NotImplementedError


@dataclass(slots=True)
class Attempt:
    """What has become of one attempt to connect.

    ``requested`` are the namespaces; ``accepted``, ``failed`` (in that order) and ``refusals`` (what came with them)
    the answers. ``calls`` tell when the handlers that the attempt waits for have returned.
    """

    requested: list[str]
    accepted: set[str] = field(default_factory=set)
    failed: list[str] = field(default_factory=list)
    refusals: dict[str, Any] = field(default_factory=dict)
    calls: list[Any] = field(default_factory=list)

    def is_answered(self) -> bool:
        """Return whether the server has answered for all namespaces."""
        return all(name in self.accepted or name in self.failed for name in self.requested)

    def note_failure(self, namespace: str) -> None:
        """Note that a namespace will not be accepted any more."""
        if namespace in self.requested and namespace not in (*self.accepted, *self.failed):
            self.failed.append(namespace)

    def check(self, timeout: float) -> None:
        """Raise ``ConnectionError`` for the namespaces that were not accepted."""
        for name in self.requested:
            self.note_failure(name)
        if not self.failed:
            return
        reasons = [f"{name}: {_refusal_text(data)}" for name, data in self.refusals.items()]
        raise ConnectionError(
            f"One or more namespaces failed to connect: {', '.join(self.failed)}", data=self.refusals
        ) from ConnectionRefusedError("; ".join(reasons) or f"the server did not accept them within {timeout:g} s")


class BaseLifecycle(BaseClient):
    """The part of both lifecycles that does not wait.

    :ivar _changed: wakes those who wait for the state to change; notified under the lock.
    :ivar _stop: one for each life, from connect() to the end of its last reconnection; set when that life is over.
    :ivar _attempting: whether an attempt is under way; that of a life that is over may take a moment to end.
    :ivar _ended: one for each life too; set when the last handlers have been called.
    :ivar _emitted: whether anything was emitted over this connection, or acknowledged, that the server may not have
        read.
    """

    _lock: contextlib.AbstractContextManager[Any]
    _changed: Any
    _stop: Any
    _ended: Any
    _attempt: Attempt
    _attempting: bool = False
    _emitted: bool = False
    _trigger: Callable[..., Any]
    _on_messages: Callable[[Sequence[Frame]], None]
    _run_event: Callable[[Protocol, EventReceived], None]
    _call_back: Callable[[AckReceived], None]
    _hang_up: Callable[[], None]
    _submit_end: Callable[[], None]

    def _begin(self, event: Callable[[], Any], *args: Any) -> None:
        """Go from idle to connecting, with the arguments of connect(); ``event`` makes an event to wait for."""
        with self._lock:
            if self._state is State.CONNECTED:
                raise ConnectionError("Already connected")
            if self._state is not State.IDLE:
                raise ConnectionError(f"The client is {self._state.value} already")
            if self._attempting:
                raise ConnectionError("The client has not ended its last attempt to connect yet")
            self._remember(*args)
            self._state = State.CONNECTING
            self._stop, self._ended = event(), event()
            self._attempt = Attempt([])

    def _begin_attempt(self, stop: Any) -> Attempt:
        with self._lock:
            if stop.is_set():
                raise ConnectionError(_ENDED)
            self._attempting = True
            attempt = self._attempt = Attempt([name.partition("?")[0] for name in self.connection_namespaces])
            self.failed_namespaces = attempt.failed
            return attempt

    def _end_attempt(self) -> None:
        with self._lock:
            self._attempting = False
            self._attempt.calls = []
            self._changed.notify_all()

    def _begin_retry(self, stop: Any) -> bool:
        """Go on to reconnecting after the first attempt; return ``False`` where that has been ended."""
        with self._lock:
            if stop.is_set():
                return False
            self._state = State.RECONNECTING
            return True

    # -- the session begins

    def _open_session(self, auth: Any) -> None:
        """Ask for the namespaces over a transport that has just opened."""
        with self._lock:
            if self._stop.is_set():
                raise ConnectionError(_ENDED)
            protocol = self._protocol = Protocol(self.packet_class, self.eio.sid or "", self.eio.max_message_size)
            self._emitted = False
            frames = [frame for name in self.connection_namespaces for frame in protocol.connect(name, auth)]
            self.eio.send_frames(frames, wake=False)
        self.eio.send_at_once()

    def _take_for_made(self, protocol: Protocol | None, attempt: Attempt, stop: Any) -> None:
        """Take the connection for made, under the lock; raise ``ConnectionError`` if it is not."""
        if stop.is_set():
            if attempt.is_answered() and not attempt.failed:
                return  # it was made, and a handler, or the server, has ended it since
            raise ConnectionError(_ENDED)
        lost = protocol is None or self._protocol is not protocol
        if lost and not attempt.failed:
            for name in attempt.requested:
                attempt.note_failure(name)
            raise ConnectionError("the connection was lost before the namespaces were connected")
        if self._wait_for_namespaces or lost:
            attempt.check(self._wait_timeout)
        self._state = State.CONNECTED

    # -- the session is read

    def _handle(self, protocol: Protocol, event: Event) -> None:
        if isinstance(event, tuple):
            self._run_event(protocol, event)
        elif isinstance(event, AckReceived):
            if isinstance(event.callback, Waiter):
                event.callback(*event.args)
            else:
                self._call_back(event)
        elif isinstance(event, FrameDropped):
            self._nonsense.warning("Dropped what the server sent: %.200s", event.reason)
        elif isinstance(event, NamespaceConnected):
            self._accept(event.namespace)
        elif isinstance(event, NamespaceRefused):
            call = self._trigger("connect_error", event.namespace, *event.args)
            with self._lock:
                self._attempt.calls.append(call)
                self._attempt.refusals[event.namespace] = event.data
            self._leave_namespaces(protocol, event.namespace, event.ended)
        else:
            self._leave_namespaces(protocol, event.namespace, (event.namespace,))

    def _accept(self, namespace: str) -> None:
        self.logger.info("Namespace %s is connected", namespace)
        call = self._trigger("connect", namespace)
        with self._lock:
            self._attempt.calls.append(call)
            self._attempt.accepted.add(namespace)
            self._changed.notify_all()

    def _leave_namespaces(self, protocol: Protocol, namespace: str, ended: tuple[str, ...]) -> None:
        """Tell the handlers of namespaces that the server has ended; with the last one, the connection ends."""
        with self._lock:
            self._attempt.note_failure(namespace)
            over = self._is_over(protocol, bool(ended))
            if over:
                self._close_session()
                self._end_life()
            self._changed.notify_all()
        for name in ended:
            self.logger.info("The server ended namespace %s", name)
            self._trigger("disconnect", name, self.reason.SERVER_DISCONNECT)
            self._trigger("__disconnect_final", name)
        if over:
            self._hang_up()

    def _is_over(self, protocol: Protocol, ended: bool) -> bool:
        """Return whether the connection ends with the namespace that the server has just ended, or refused.

        After a refusal it is for connect() to end it, while that waits.
        """
        if self._protocol is not protocol or protocol.namespaces or protocol.pending:
            return False
        waits = self._wait_for_namespaces and self._state in (State.CONNECTING, State.RECONNECTING)
        return self._state is not State.CLOSING and (ended or not waits)

    def _acknowledge(self, protocol: Protocol, namespace: str, ack_id: int, result: Any) -> None:
        """Send what a handler returned to a server that asked for it, if it is still there."""
        with self._lock, contextlib.suppress(EngineError):
            if self._protocol is protocol:
                self._emitted = True
                self.eio.answer_frames(protocol.acknowledge(namespace, ack_id, event_arguments(result)))

    # -- the session is written

    def _request(
        self, event: str, data: Any, namespace: str, callback: Callable[..., Any] | None, wake: bool = True
    ) -> tuple[Protocol, int]:
        """Queue an event; return the session and the id of the acknowledgement, 0 where none is asked for.

        :param wake: ``False`` where the caller's next step is to send it.
        """
        if not isinstance(event, str):
            raise TypeError(f"an event name is a str, not {type(event).__name__}")
        args = event_arguments(data)
        with self._lock:
            protocol, ack_id = self._protocol, 0
            if protocol is None:
                raise BadNamespaceError(f"{namespace} is not a connected namespace")
            self._emitted = True
            if callback is None:
                frames = protocol.emit(event, args, namespace)
            else:
                ack_id, frames = protocol.request(event, args, namespace, callback)
            try:
                self.eio.send_frames(frames, wake)
            except EngineError as exc:
                protocol.forget(namespace, ack_id)
                raise BadNamespaceError(f"{namespace} is not a connected namespace any more") from exc
            except ValueError:
                protocol.forget(namespace, ack_id)
                raise
            return protocol, ack_id

    # -- the session ends

    def _farewell(self) -> list[Frame]:
        """Leave all namespaces; return the frames that tell the server."""
        protocol = self._protocol
        if protocol is None:
            return []
        return [frame for name in list(protocol.namespaces) for frame in protocol.disconnect(name)]

    def _take_leave(self) -> tuple[list[str], list[Frame]]:
        """End the session; return the namespaces that were connected, and the frames that tell the server."""
        with self._lock:
            names = list(self.namespaces)
            frames = self._farewell()
            self._close_session()
        return names, frames

    def _close_session(self) -> None:
        """End the session, under the lock; whoever waits in call() is told."""
        protocol, self._protocol = self._protocol, None
        for callback in protocol.close() if protocol is not None else ():
            if isinstance(callback, Waiter):
                callback.wake()
        self._changed.notify_all()

    def _lose_session(self, reason: str) -> tuple[bool, bool]:
        """End the session whose transport has ended, under the lock; return whether this was the end, and if not,
        whether it is time to reconnect."""
        self._close_session()
        if self._state is not State.CONNECTED:
            return False, False  # it is for the attempt, or for disconnect()
        if self.reconnection and reason != self.reason.CLIENT_DISCONNECT:
            self._state = State.RECONNECTING
            return False, True
        self._end_life()
        return True, False

    def _end_life(self) -> None:
        """Be idle, under the lock; nobody goes on trying."""
        self._state = State.IDLE
        self._stop_attempts()

    def _stop_attempts(self) -> None:
        self._stop.set()
        self._changed.notify_all()
        for call in self._attempt.calls:  # nobody shall wait for a handler that has called disconnect()
            call.set()

    def _become_idle(self) -> None:
        with self._lock:
            self._close_session()
            self._end_life()

    def _give_up(self, stop: Any, names: list[str]) -> None:
        """Be idle after attempts that failed; tell the final-disconnect handlers of these namespaces."""
        with self._lock:
            if stop.is_set():
                return
            self._end_life()
        for name in names:
            self._trigger("__disconnect_final", name)
        self._submit_end()


def _refusal_text(data: Any) -> str:
    message = data.get("message") if isinstance(data, dict) else data
    return str(message) if message is not None else "refused"
