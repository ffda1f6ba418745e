"""When both clients may try to connect, and how long they wait between attempts. Nothing here waits.

In: the arguments of connect(), and what the application or a server has ended meanwhile. Out: the next state, or a
``ConnectionError`` that says why connect() cannot begin.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

from ..base_client import BaseClient, State
from ..core import backoff
from ..core.attempt import Attempt, Life
from ..exceptions import ConnectionError
from ..runtime import process_hooks
from ..runtime.steps import Steps

ABORT_INTERVAL = 0.1
"""Seconds between looks at an event that a program has assigned to ``_reconnect_abort``."""
ENDED = "the connection attempt was ended by disconnect()"


class BaseAttempts(BaseClient):
    """The part of both clients that begins and ends attempts to connect.

    :ivar _sio_changed: wakes threads or tasks that wait for the state to change; notified under the lock.
    :ivar _sio_life: the current life, from connect() to the end of its last reconnection, or the previous one.
    :ivar _sio_attempting: whether an attempt is in progress. It may outlast its life by a moment.
    """

    _sio_lock: contextlib.AbstractContextManager[Any]
    _sio_changed: Any
    _sio_life: Life
    _sio_attempt: Attempt
    _sio_attempting: bool = False
    _sio_leave_process: Callable[[float], Steps[None]]
    _sio_after_fork: Callable[[], None]

    def _sio_is_free(self) -> bool:
        """Return whether connect() can go on, to begin or to raise: no earlier connection is still closing."""
        if self._sio_state is State.CLOSING:
            return False
        # disconnect() may have ended a life whose last attempt takes a moment to notice.
        return not self._sio_attempting or self._sio_state is not State.IDLE

    def _sio_begin(self, event: Callable[[], Any], *args: Any) -> Life:
        """Go from idle to connecting, with the arguments of connect(). ``event`` creates an event of this flavour."""
        process_hooks.watch(self)
        with self._sio_lock:
            if self._sio_state is State.CONNECTED:
                raise ConnectionError("Already connected")
            if self._sio_state is not State.IDLE:
                raise ConnectionError(f"The client is already {self._sio_state.value}")
            if self._sio_attempting:
                raise ConnectionError("The client has not ended its last attempt to connect yet")
            self._sio_remember(*args)
            self._sio_log.use(self._sio_logger)
            life = Life(event, self._sio_lock, self._sio_life)
            # One statement, so that Ctrl-C cannot separate the assignments.
            self._sio_attempt, self._sio_life, self._sio_state = Attempt([]), life, State.CONNECTING
            return life

    def _sio_begin_attempt(self, life: Life) -> Attempt:
        self._sio_notice_overrides()
        attempt = Attempt([name.partition("?")[0] for name in self.connection_namespaces])
        with self._sio_lock:
            if self._sio_has_ended(life):
                raise ConnectionError(ENDED)
            self._sio_attempting, self._sio_attempt = True, attempt
            self._sio_failed = attempt.failed
            return attempt

    def _sio_has_ended(self, life: Life) -> bool:
        """Return whether a life is over, or belongs to the parent process or to a closed event loop."""
        return life is not self._sio_life or bool(life.stop.is_set())

    def _sio_end_attempt(self, attempt: Attempt) -> None:
        with self._sio_lock:
            if self._sio_attempt is attempt:  # else it was made, and lost, and another one has begun
                self._sio_attempting = False
            self._sio_changed.notify_all()

    def _sio_forget_calls(self) -> None:
        """Forget the handler calls that connect() has waited for."""
        with self._sio_lock:
            self._sio_attempt.calls = []

    def _sio_begin_retry(self, life: Life) -> bool:
        """Go from connecting to reconnecting; return ``False`` if the application has ended the attempts."""
        with self._sio_lock:
            if life.stop.is_set() or self._sio_is_aborted():
                return False
            self._sio_state = State.RECONNECTING
            return True

    def _sio_delays(self) -> Iterator[float]:
        """Yield the seconds to wait before each attempt to reconnect.

        Two attempts are ``backoff.FLOOR`` apart even when the first one succeeds: a server may accept every connection
        and close it at once.
        """
        for delay in backoff.delays(self.reconnection_delay, self.reconnection_delay_max, self.randomization_factor):
            since = time.monotonic() - self._sio_attempt.began
            yield max(delay, backoff.FLOOR - since)

    def _sio_is_aborted(self) -> bool:
        """Return whether the program has assigned an event to ``_reconnect_abort`` and set it."""
        is_set = getattr(vars(self).get("_reconnect_abort"), "is_set", None)
        return is_set is not None and bool(is_set())

    def _sio_pauses(self, delay: float) -> Iterator[float]:
        """Yield the seconds to wait before an attempt, in parts if an event assigned by the program must be checked."""
        if "_reconnect_abort" not in vars(self):
            yield delay
            return
        end = time.monotonic() + delay
        while not self._sio_is_aborted() and (left := end - time.monotonic()) > 0:
            yield min(left, ABORT_INTERVAL)
