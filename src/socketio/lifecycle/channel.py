"""The session of a client's current connection, guarded by the client's lock.

In: calls of the application and of the lifecycle, on any thread. Out: frames, queued in the order of the calls. No
application code and no socket is called under the lock. For asyncio, it is never held while anything is awaited.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import chain
from typing import Any

from ..core.details import DisconnectDetails, DisconnectKind
from ..core.event_log import EventLog
from ..core.events import UNSENDABLE_EVENTS, ack_result, check_event_name, event_arguments
from ..core.session import Session
from ..engine import EngineError, reason
from ..exceptions import BadNamespaceError, CallInterruptedError, TimeoutError
from ..packet import Frame
from ..runtime.logs import INFO


class Waiter:
    """Where call() waits for its acknowledgement: the callback of a request, called on the reading side.

    :ivar args: the values of the acknowledgement; ``None`` while there is no acknowledgement.
    :ivar expired: whether it did not arrive in time.
    :ivar request: the session, the namespace and the ack id; ``None`` until the event is queued.
    """

    args: tuple[Any, ...] | None = None
    expired = False
    request: tuple[Session, str, int] | None = None

    def __call__(self, *args: Any) -> None:
        self.args = args
        self.wake()

    def wake(self) -> None:
        """Wake the caller, without ``args``: no acknowledgement will arrive."""
        raise NotImplementedError

    def forget(self) -> None:
        """Drop the callback: an acknowledgement then has no effect."""
        if self.args is None and self.request is not None:
            session, namespace, ack_id = self.request
            session.forget(namespace, ack_id)


class Channel:
    """Sends what one client emits: through the session of its current connection, and the engine.

    :ivar session: the current session; ``None`` without a connection.
    :ivar details: why the connection, or a namespace, last ended.
    """

    lock: AbstractContextManager[Any]

    def __init__(self, engine: Any, log: EventLog) -> None:
        self.session: Session | None = None
        self.details: DisconnectDetails | None = None
        self._engine = engine
        self._log = log

    # -- the session

    def open(self, session: Session, namespaces: list[str], auth: Any) -> None:
        """Begin a session: queue the requests for its namespaces."""
        with self.lock:
            self.session = session
            self._engine.send_frames(list(chain(*(session.connect(name, auth) for name in namespaces))), wake=False)

    def refuse_events(self) -> None:
        """Refuse further events while the queued ones are sent."""
        if self.session is not None:
            self.session.refuse_events()

    def disconnect_packets(self) -> list[Frame]:
        """Disconnect all namespaces; return their DISCONNECT packets."""
        session = self.session
        if session is None:
            return []
        return [frame for name in list(session.namespaces) for frame in session.disconnect(name)]

    def disconnect(self) -> list[str]:
        """Disconnect all namespaces and end the session; return which were connected."""
        with self.lock:
            names = list(self.namespaces())
            if self.session is not None:
                self.details = DisconnectDetails(DisconnectKind.CLIENT_DISCONNECT, reason.CLIENT_DISCONNECT)
            frames = self.disconnect_packets()
            self.close()
        with contextlib.suppress(EngineError):
            self._engine.send_frames(frames, wake=False)
            self._engine.send_at_once()
        return names

    def close(self) -> None:
        """End the session: wake the calls that wait for acknowledgements."""
        session, self.session = self.session, None
        for callback in session.close() if session is not None else ():
            if isinstance(callback, Waiter):
                callback.wake()

    # -- what is connected

    def has_sent(self) -> bool:
        """Return whether the server may not have read all that was emitted and acknowledged."""
        return self.session is not None and self.session.has_sent

    def is_connected(self) -> bool:
        """Return whether a namespace is connected."""
        session = self.session
        return session is not None and bool(session.namespaces)

    def namespaces(self) -> dict[str, str]:
        """Return the connected namespaces and their sids."""
        session = self.session
        return {} if session is None else dict(session.namespaces)

    def callbacks(self) -> dict[str, dict[int, Callable[..., Any]]]:
        """Return the callbacks that wait for an acknowledgement, by namespace and id."""
        session, found = self.session, dict[str, dict[int, Callable[..., Any]]]()
        for (namespace, ack_id), callback in ({} if session is None else dict(session.callbacks)).items():
            found.setdefault(namespace, {})[ack_id] = callback
        return found

    # -- sending

    def request(
        self, event: str, data: Any, namespace: str, callback: Callable[..., Any] | None, wake: bool = True
    ) -> None:
        """Queue an event.

        :param wake: ``False`` if the caller's next step is to send it.
        """
        if type(event) is not str or event in UNSENDABLE_EVENTS:
            check_event_name(event)
        args = event_arguments(data)
        is_logged = self._log.is_logged(INFO)
        with self.lock:
            session = self.session
            if session is None:
                raise BadNamespaceError(f"{namespace} is not a connected namespace.")
            ack_id, frames = session.emit(event, args, namespace, callback)
            if isinstance(callback, Waiter):
                callback.request = session, namespace, ack_id
            try:
                self._engine.send_frames(frames, wake and not is_logged)
            except (EngineError, ValueError) as exc:
                session.forget(namespace, ack_id)
                if isinstance(exc, ValueError):
                    raise
                raise BadNamespaceError(f"{namespace} is not a connected namespace.") from exc
        if is_logged:  # before the packet is logged
            self._log.emitting(event, namespace, ack_id)
            if wake:
                self._engine.wake()

    def acknowledge(self, session: Session, namespace: str, ack_id: int, result: Any) -> None:
        """Send what a handler returned, if the session of the event is still open."""
        if self._log.is_logged(INFO):
            self._log.write("Sending ack %d [%s]", ack_id, namespace)
        with self.lock, contextlib.suppress(EngineError):
            if self.session is session:
                self._engine.answer_frames(session.acknowledge(namespace, ack_id, event_arguments(result)))

    def result(self, waiter: Waiter, event: str, timeout: float | None) -> Any:
        """Return what call() returns, or raise why there is no acknowledgement."""
        if waiter.args is not None:
            return ack_result(waiter.args)
        if waiter.expired:
            raise TimeoutError(f"no acknowledgement of {event!r} within {timeout:g} s")
        cause = self.details.exception if self.details is not None else None
        raise CallInterruptedError(
            f"the connection was lost before {event!r} was acknowledged: {self.details}"
        ) from cause
