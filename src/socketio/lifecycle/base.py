"""What both clients do with their session, without ever waiting: open it, read it, end it.

The lock guards the session and the state: a real one for threads, one that does nothing for asyncio, where no method
here can be interrupted. No application code and no socket is called under it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from ..base_client import Reason, State
from ..core.attempt import Attempt, Life
from ..core.details import DisconnectDetails, DisconnectKind
from ..core.events import (
    UNSENDABLE_EVENTS,
    AckReceived,
    EventReceived,
    Events,
    FrameDropped,
    NamespaceConnected,
    NamespaceRefused,
    Notice,
    SessionFailed,
    Unread,
    ack_result,
    check_event_name,
    event_arguments,
)
from ..core.handlers import Sink
from ..core.session import Session
from ..engine import EngineError, InvalidDataError
from ..exceptions import BadNamespaceError, CallInterruptedError, ConnectionError, TimeoutError
from ..overrides import is_overridden
from ..packet import Frame
from ..runtime.logs import INFO
from .base_attempts import ENDED, BaseAttempts

CONNECT_HANDLERS = 1.0
"""Seconds that connect(), or an attempt that fails, waits for its handlers to return."""


class Waiter:
    """Where call() waits for its acknowledgement: the callback of a request, called on the reading side.

    :ivar args: the values of the acknowledgement; ``None`` while there is no acknowledgement.
    :ivar expired: whether it has not come in time.
    :ivar request: the session, the namespace and the ack id; ``None`` until the event is queued.
    """

    args: tuple[Any, ...] | None = None
    expired = False
    request: tuple[Session, str, int] | None = None

    def __call__(self, *args: Any) -> None:
        self.args = args
        self.wake()

    def wake(self) -> None:
        """End the waiting; without ``args``, because there will be no answer."""
        raise NotImplementedError

    def forget(self) -> None:
        """Drop the request: an acknowledgement has no effect any more."""
        if self.args is None and self.request is not None:
            session, namespace, ack_id = self.request
            session.forget(namespace, ack_id)


class BaseLifecycle(BaseAttempts):
    """The part of both lifecycles that does not wait."""

    _sio_trigger: Callable[..., Any]
    _sio_run_events: Callable[[Session, Events], None]
    _sio_call_back: Callable[[AckReceived], None]
    _sio_hang_up: Callable[[Life], None]
    _sio_submit_disconnect: Callable[[str], None]
    _sio_submit_end: Callable[[Life], None]

    # -- the session begins

    def _sio_open_session(self, auth: Any) -> None:
        """Ask for the namespaces over a transport that has just opened."""
        with self._sio_lock:
            if self._sio_life.stop.is_set():
                raise ConnectionError(ENDED)
            protocol = self._sio_protocol = Session(self.packet_class, self.eio.sid or "", self.eio.max_message_size)
            protocol.keeps_ended = is_overridden(self, "_handle_disconnect")
            frames: list[Frame] = []
            for name in self.connection_namespaces:
                frames += protocol.connect(name, auth)
            self.eio.send_frames(frames, wake=False)
        self.eio.send_at_once()

    def _sio_take_for_made(self, protocol: Session | None, attempt: Attempt, life: Life) -> None:
        """Take the connection for made, under the lock; raise ``ConnectionError`` if it is not."""
        if life.stop.is_set():
            if attempt.is_answered() and not attempt.failed:
                return  # it was made, and a handler, or the server, has ended it since
            raise ConnectionError(ENDED)
        lost = protocol is None or self._sio_protocol is not protocol
        if lost and not attempt.failed:
            for name in attempt.requested:
                attempt.note_failure(name)
            raise ConnectionError(
                f"the connection was lost before the namespaces were connected: {self._sio_details}"
            ) from self._sio_cause()
        if self._sio_wait_for_namespaces or lost:
            attempt.check(self._sio_wait_timeout)
        self._sio_state = State.CONNECTED

    # -- the session is read

    def _sio_on_messages(self, frames: Sequence[Frame]) -> None:
        """Take the frames that the engine has received: have events handled, and do what else they ask for."""
        protocol = self._sio_protocol
        while frames and protocol is not None:
            with self._sio_lock:
                if self._sio_protocol is not protocol:
                    return
                received, frames = protocol.receive(frames)
            is_logged = self._sio_log.is_logged(INFO)
            for each in self._sio_log.received(received, protocol.read) if is_logged else received:
                if not isinstance(each, list):
                    self._sio_handle(protocol, each)
                elif (sink := self._sio_registry.only_sink()) is None:
                    self._sio_run_events(protocol, each)
                else:
                    self._sio_fill(sink, protocol, each)

    def _sio_fill(self, sink: Sink, protocol: Session, events: Events) -> None:
        """Pass events to a sink; acknowledge those for which the server asks, without values."""
        sink.take(events, partial(self._sio_read, protocol))
        for each in events:
            if isinstance(each, tuple) and each[3] is not None:
                self._sio_acknowledge(protocol, each[0], each[3], None)

    def _sio_read(self, protocol: Session, event: Unread | EventReceived) -> EventReceived | FrameDropped:
        """Return an event, decoded; log if it is dropped."""
        read = protocol.read(event)
        if isinstance(read, FrameDropped):
            self._sio_handle(protocol, read)
        return read

    def _sio_handle(self, protocol: Session, event: Notice) -> None:
        if isinstance(event, AckReceived):
            if isinstance(event.callback, Waiter):
                event.callback(*event.args)
            else:
                self._sio_call_back(event)
        elif isinstance(event, FrameDropped):
            self._sio_nonsense.warning("Dropped what the server sent: %.200s", event.reason)
        elif isinstance(event, NamespaceConnected):
            self._sio_accept(event.namespace)
        elif isinstance(event, NamespaceRefused):
            attempt = self._sio_attempt  # the handler may begin another one
            self._sio_log.refused(event.namespace, event.data)
            call = self._sio_trigger("connect_error", event.namespace, *event.args)
            with self._sio_lock:
                attempt.calls.append(call)
                attempt.refusals[event.namespace] = event.data
            self._sio_leave_namespaces(protocol, event.namespace, event.ended)
        elif isinstance(event, SessionFailed):
            raise InvalidDataError(event.reason)  # the engine ends the connection, on the reading side
        elif protocol.keeps_ended:
            self._sio_submit_disconnect(event.namespace)
        else:
            self._sio_leave_namespaces(protocol, event.namespace, (event.namespace,))

    def _sio_notify(self, event: str, namespace: str, args: tuple[Any, ...]) -> None:
        """Log an event of the client, and pass it to the sink, before its handler is called."""
        self._sio_log.lifecycle(event, namespace, args)
        sink = self._sio_registry.sink
        if sink is not None:
            sink.notify(event)

    def _sio_accept(self, namespace: str) -> None:
        self._sio_log.write("Namespace %s is connected", namespace)
        attempt, life = self._sio_attempt, self._sio_life
        call = self._sio_trigger("connect", namespace)
        with self._sio_lock:
            attempt.calls.append(call)
            attempt.accepted.add(namespace)
            if life.stop.is_set():
                call.set()  # disconnect() was called meanwhile, maybe by this handler: connect() must not wait for it
            self._sio_changed.notify_all()

    def _sio_leave_namespaces(self, protocol: Session, namespace: str, ended: tuple[str, ...]) -> list[Any]:
        """Call the disconnect handlers of namespaces that the server has ended. With the last one, the connection ends.

        Return the calls of the disconnect handlers.
        """
        with self._sio_lock:
            if ended:
                self._sio_details = DisconnectDetails(DisconnectKind.SERVER_DISCONNECT, Reason.SERVER_DISCONNECT)
            self._sio_attempt.note_failure(namespace)
            over = self._sio_is_over(protocol, bool(ended))
            life = self._sio_life
            if over:
                self._sio_close_session()
                self._sio_end_life()
                self.eio.announce_end()  # handlers may run, and connect, before it is ended
            self._sio_changed.notify_all()
        calls = []
        for name in ended:
            calls.append(self._sio_trigger("disconnect", name, Reason.SERVER_DISCONNECT, life=life))
            self._sio_trigger("__disconnect_final", name, life=life)
        if over:
            self._sio_hang_up(life)
        return calls

    def _sio_end_namespace(self, namespace: str) -> list[Any]:
        """End a namespace for ``_handle_disconnect``, as after a DISCONNECT packet."""
        with self._sio_lock:
            protocol = self._sio_protocol
            if protocol is None or not protocol.end(namespace):
                return []
        return self._sio_leave_namespaces(protocol, namespace, (namespace,))

    def _sio_is_over(self, protocol: Session, ended: bool) -> bool:
        """Return whether the connection ends with the namespace that the server has just ended, or refused.

        After a refusal it is for connect() to end it, while that waits.
        """
        if self._sio_protocol is not protocol or protocol.namespaces or protocol.pending:
            return False
        waits = self._sio_wait_for_namespaces and self._sio_state in (State.CONNECTING, State.RECONNECTING)
        return self._sio_state is not State.CLOSING and (ended or not waits)

    def _sio_acknowledge(self, protocol: Session, namespace: str, ack_id: int, result: Any) -> None:
        """Send what a handler returned to a server that asked for it, if it is still there."""
        if self._sio_log.is_logged(INFO):
            self._sio_log.write("Sending ack %d [%s]", ack_id, namespace)
        with self._sio_lock, contextlib.suppress(EngineError):
            if self._sio_protocol is protocol:
                self.eio.answer_frames(protocol.acknowledge(namespace, ack_id, event_arguments(result)))

    # -- the session is written

    def _sio_request(
        self, event: str, data: Any, namespace: str, callback: Callable[..., Any] | None, wake: bool = True
    ) -> None:
        """Queue an event.

        :param wake: ``False`` where the caller's next step is to send it.
        """
        if type(event) is not str or event in UNSENDABLE_EVENTS:
            check_event_name(event)
        args = event_arguments(data)
        is_logged = self._sio_log.is_logged(INFO)
        with self._sio_lock:
            protocol, ack_id = self._sio_protocol, 0
            if protocol is None:
                raise BadNamespaceError(f"{namespace} is not a connected namespace.")
            if callback is None:
                frames = protocol.emit(event, args, namespace)
            else:
                ack_id, frames = protocol.request(event, args, namespace, callback)
                if isinstance(callback, Waiter):
                    callback.request = protocol, namespace, ack_id
            try:
                self.eio.send_frames(frames, wake and not is_logged)
            except (EngineError, ValueError) as exc:
                protocol.forget(namespace, ack_id)
                if isinstance(exc, ValueError):
                    raise
                raise BadNamespaceError(f"{namespace} is not a connected namespace.") from exc
        if is_logged:  # before the packet is logged
            self._sio_log.emitting(event, namespace, ack_id)
            if wake:
                self.eio.wake()

    def _sio_result(self, waiter: Waiter, event: str, timeout: float | None) -> Any:
        """Return what call() returns, or raise why there is no acknowledgement."""
        if waiter.args is not None:
            return ack_result(waiter.args)
        if waiter.expired:
            raise TimeoutError(f"no acknowledgement of {event!r} within {timeout:g} s")
        cause = self._sio_details
        raise CallInterruptedError(f"the connection was lost before {event!r} was acknowledged: {cause}") from (
            self._sio_cause()
        )

    # -- the session ends

    def _sio_has_sent(self) -> bool:
        """Return whether the server may not have read all that was emitted and acknowledged."""
        return self._sio_protocol is not None and self._sio_protocol.has_sent

    def _sio_farewell(self) -> list[Frame]:
        """Leave all namespaces; return the frames that tell the server."""
        protocol = self._sio_protocol
        if protocol is None:
            return []
        return [frame for name in list(protocol.namespaces) for frame in protocol.disconnect(name)]

    def _sio_refuse_events(self) -> None:
        """Refuse further events, under the lock, while the queued ones are sent."""
        if self._sio_protocol is not None:
            self._sio_protocol.refuse_events()

    def _sio_take_leave(self) -> tuple[list[str], list[Frame]]:
        """End the session; return the namespaces that were connected, and the frames that tell the server."""
        with self._sio_lock:
            names = self._sio_namespaces()
            if self._sio_protocol is not None:
                self._sio_details = DisconnectDetails(DisconnectKind.CLIENT_DISCONNECT, Reason.CLIENT_DISCONNECT)
            frames = self._sio_farewell()
            self._sio_close_session()
        return names, frames

    def _sio_close_session(self) -> None:
        """End the session, under the lock; whoever waits in call() is told."""
        protocol, self._sio_protocol = self._sio_protocol, None
        for callback in protocol.close() if protocol is not None else ():
            if isinstance(callback, Waiter):
                callback.wake()
        self._sio_changed.notify_all()

    def _sio_lose_session(self, reason: str) -> tuple[bool, bool]:
        """End the session whose transport has ended, under the lock; return whether this was the end, and if not,
        whether it is time to reconnect."""
        self._sio_details = self.eio.details
        self._sio_close_session()
        if self._sio_state is not State.CONNECTED:
            return False, False  # it is for the attempt, or for disconnect()
        if self.reconnection and reason != Reason.CLIENT_DISCONNECT:
            self._sio_state = State.RECONNECTING
            return False, True
        self._sio_end_life()
        return True, False

    def _sio_cause(self) -> Exception | None:
        """Return the error that ended the connection, to chain other errors to."""
        return self._sio_details.exception if self._sio_details is not None else None

    def _sio_forget_session(self) -> None:
        """Become idle without waking anything: the threads or tasks that waited do not exist any more."""
        self._sio_protocol = None
        self._sio_state = State.IDLE
        self._sio_attempting = False
        self._sio_attempt = Attempt([])
        self._sio_unlist()

    def _sio_end_life(self) -> None:
        """Become idle and end all attempts, under the lock."""
        self._sio_state = State.IDLE
        self._sio_stop_attempts()

    def _sio_stop_attempts(self) -> None:
        self._sio_life.stop.set()
        self._sio_changed.notify_all()
        for call in self._sio_attempt.calls:  # connect() must not wait for a handler that has called disconnect()
            call.set()

    def _sio_become_idle(self) -> None:
        with self._sio_lock:
            self._sio_close_session()
            self._sio_end_life()

    def _sio_give_up(self, life: Life, names: list[str]) -> None:
        """Be idle after attempts that failed; tell the final-disconnect handlers of these namespaces."""
        with self._sio_lock:
            if self._sio_has_ended(life):
                return
            self._sio_end_life()
        for name in names:
            self._sio_trigger("__disconnect_final", name, life=life)
        self._sio_submit_end(life)
