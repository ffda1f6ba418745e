"""The Engine.IO client for threads: one connection after the other.

In: packets to send, all frames of one queued together. Out: the events of ``engineio.Client``, called one after the
other: ``connect`` once the transport is open, ``message`` with a list of messages, on the reading thread,
``disconnect`` with the reason, once, when the reading thread has delivered all that came before it.

python-engineio provides the options, the URL rules and the base class. The rest is replaced: there, each message has a
separate thread, ``disconnect()`` closes a websocket before it sends the queue and waits for the pending GET, headers go
with the first request only, and the writing thread ends an idle connection.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping
from typing import Any

from ...packet import Frame
from ...runtime import process_hooks
from ...runtime.steps import Steps, joined, run
from .. import compat, descriptors
from ..base import EngineBase
from ..connection import Connection
from ..opening import Opened
from . import connections, sessions
from .opening import Opening

_Client: Any = compat.engineio_class("client", "Client")


class Condition:
    """A ``threading.Condition`` that acquires its lock itself. Most are never waited on, and cost nothing."""

    __slots__ = ("_condition", "_lock")

    def __init__(self, lock: Any) -> None:
        self._lock = lock
        self._condition: threading.Condition | None = None

    def notify_all(self) -> None:
        """Wake all waiters. The caller holds the lock."""
        if self._condition is not None:
            self._condition.notify_all()

    def wait_for(self, predicate: Callable[[], bool], timeout: float | None = None) -> bool:
        """Wait until ``predicate`` is true; return ``False`` when that takes longer than ``timeout`` seconds."""
        with self._lock:
            if predicate():
                return True
            if self._condition is None:
                self._condition = threading.Condition(self._lock)
            return self._condition.wait_for(predicate, timeout)


class EngineIOClient(EngineBase, _Client):
    """An Engine.IO client whose messages come in order. Takes the options of ``engineio.Client``, and two more."""

    http = sessions.SessionAttribute()
    _opening: Opening | None
    _condition = Condition
    _joined = staticmethod(joined)
    _run = _run_shielded = staticmethod(run)

    def connect(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        transports: str | list[str] | None = None,
        engineio_path: str = "engine.io",
    ) -> None:
        """Connect, upgrade if both sides support it, and call the ``connect`` handler; raise its exceptions.

        Raises ``ValueError`` for unknown transports, ``ConnectionError`` if the connection fails.
        """
        run(self._connect_steps(url, headers, transports, engineio_path))

    def send(self, data: Frame) -> None:
        """Queue a message. Raises ``ConnectionError`` if there is no connection."""
        self.send_frames([data])

    def disconnect(self, abort: bool = False, reason: str | None = None) -> None:
        """Send queued packets and the close packets, and close.

        Stops sending if the server does not read for ``request_timeout`` seconds. From a handler of this client it
        returns before the reading has ended.

        :param abort: close at once, without sending anything.
        :param reason: for the ``disconnect`` handler; ``reason.CLIENT_DISCONNECT`` by default.
        """
        run(self.disconnect_steps(abort, reason))

    def after_fork(self) -> None:
        """Become disconnected in a child process, with new locks. The parent's connection continues."""
        descriptors.close_copies()
        if self._connection is not None:
            self._connection.is_detached = True
            self._connection.transport.detach()
            self._connection.reason = self.reason.CLIENT_DISCONNECT
        if self.http is not None:
            with contextlib.suppress(Exception):  # for any kind of session
                connections.renew_locks(self.http)
            if not self.external_http:
                self.http = None
        self._set_up()
        self._mark_disconnected()

    # -- the driver

    def _event(self) -> threading.Event:
        return threading.Event()

    def _current(self) -> threading.Thread:
        return threading.current_thread()

    def _open_transport(self, url: str, headers: dict[str, str], path: str) -> Opened:
        opening = self._opening = Opening(self, url, headers, path)
        if self._cancelled:
            opening.abort()
        return opening.run()

    def _cancel_opening(self) -> Steps[None]:
        opening = self._opening
        if opening is not None:
            opening.abort()
        yield from ()

    def _start_worker(self, name: str, steps: Steps[None]) -> threading.Thread:
        worker = threading.Thread(target=run, args=(steps,), name=name, daemon=True)
        worker.start()
        return worker

    def _start_writer(self, connection: Connection) -> None:
        try:
            connection.writer = self._start_worker("socketio-writer", connection.writing_steps())
        except RuntimeError:  # Python starts no threads while the interpreter ends
            connection.has_no_writer = True

    def _receive_next(self, connection: Connection) -> None:
        connection.receive(connection.transport.receive())

    def _end(self, connection: Connection) -> Steps[None]:
        if connection.is_detached:
            process_hooks.block_copied_thread()
        return super()._end(connection)

    def _close_http(self) -> None:
        sessions.close_session(self)  # python-engineio does not do that
        self._mark_disconnected()
