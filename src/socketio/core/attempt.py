"""The state of an attempt to connect, and of the life of a client, as data: no waiting, no handlers."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from ..exceptions import ConnectionError, ConnectionRefusedError


@dataclass(slots=True)
class Attempt:
    """The state of one attempt to connect.

    ``requested`` are the namespaces; ``accepted``, ``failed`` (in that order) and ``refusals`` (what came with them)
    the answers. ``calls`` tell when the handlers that the attempt waits for have returned. ``began`` is the time when
    it was made, of ``time.monotonic``.
    """

    requested: list[str]
    accepted: set[str] = field(default_factory=set)
    failed: list[str] = field(default_factory=list)
    refusals: dict[str, Any] = field(default_factory=dict)
    calls: list[Any] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def is_answered(self) -> bool:
        """Return whether the server has answered for all namespaces."""
        return all(name in self.accepted or name in self.failed for name in self.requested)

    def note_failure(self, namespace: str) -> None:
        """Record that a namespace was not accepted."""
        if namespace in self.requested and namespace not in (*self.accepted, *self.failed):
            self.failed.append(namespace)

    def check(self, timeout: float | None) -> None:
        """Raise ``ConnectionError`` for the namespaces that were not accepted."""
        for name in self.requested:
            self.note_failure(name)
        if not self.failed:
            return
        reasons = [f"{name}: {_refusal_text(data)}" for name, data in self.refusals.items()]
        within = "" if timeout is None else f" within {timeout:g} s"
        raise ConnectionError(
            f"One or more namespaces failed to connect: {', '.join(self.failed)}", data=self.refusals
        ) from ConnectionRefusedError("; ".join(reasons) or f"the server did not accept them{within}")


class Life:
    """One life of a client, from connect() to the end of its last reconnection.

    :param event: makes an event to wait for.
    :param lock: guards the counts of handlers.
    :param before: the life before, whose disconnect handlers may be running still: one of them may have begun this one.
    :ivar stop: set when the life is over: no attempt begins any more.
    :ivar ended: set when it is over, and the disconnect handlers of this life and those before have returned.
    """

    __slots__ = ("_is_told", "_lock", "_next", "_running", "ended", "stop")

    def __init__(self, event: Any, lock: AbstractContextManager[Any], before: Life | None = None) -> None:
        self.stop = event()
        self.ended = event()
        self._lock = lock
        self._is_told = False
        self._next: Life | None = None
        self._running = 1  # that is the life itself
        if before is not None and not before.ended.is_set():
            before._next = self
            self._running += 1

    def handler_begins(self) -> None:
        """Record that a disconnect handler will be called."""
        with self._lock:
            self._running += 1

    def handler_returned(self) -> None:
        """Record that a disconnect handler has returned."""
        with self._lock:
            self._running -= 1
            if self._running == 0:
                self.cut()

    def end(self) -> None:
        """End the life when its handlers have returned. Called after all of them were scheduled."""
        self.stop.set()
        with self._lock:
            was_told, self._is_told = self._is_told, True
            if not was_told:
                self.handler_returned()

    def cut(self) -> None:
        """End the life at once: running handlers will never return."""
        self.stop.set()
        self.ended.set()
        following, self._next = self._next, None
        if following is not None:
            following.handler_returned()


def _refusal_text(data: Any) -> str:
    message = data.get("message") if isinstance(data, dict) else data
    if message is None:
        return "refused"
    try:
        return str(message)
    except Exception:  # nested too deeply, for one
        return "refused"
