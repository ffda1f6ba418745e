"""The state of an attempt to connect, and of the lifetime of a client."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from ..exceptions import ConnectionError, ConnectionRefusedError


@dataclass(slots=True)
class Attempt:
    """The state of one attempt to connect.

    ``requested`` are the namespaces; ``accepted``, ``failed`` (in order) and ``refusals`` (with their data) are the
    answers. ``calls`` are events that are set when the handlers that the attempt waits for have returned. ``began`` is
    the time when it was made, from ``time.monotonic``.
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

    def record_failure(self, namespace: str) -> None:
        """Record that a namespace was not accepted."""
        if namespace in self.requested and namespace not in (*self.accepted, *self.failed):
            self.failed.append(namespace)

    def check(self, timeout: float | None) -> None:
        """Raise ``ConnectionError`` for the namespaces that were not accepted."""
        for name in self.requested:
            self.record_failure(name)
        if not self.failed:
            return
        reasons = [f"{name}: {_refusal_text(data)}" for name, data in self.refusals.items()]
        within = "" if timeout is None else f" within {timeout:g} s"
        raise ConnectionError(
            f"One or more namespaces failed to connect: {', '.join(self.failed)}", data=self.refusals
        ) from ConnectionRefusedError("; ".join(reasons) or f"the server did not accept them{within}")


class Lifetime:
    """The lifetime of a client from connect() to the end of the last reconnection.

    :param event: makes an event to wait for.
    :param lock: guards the counts of handlers.
    :param before: the previous lifetime. Its disconnect handlers may still run, and one of them may have begun this
        lifetime.
    :ivar stop: set when the lifetime is over: no further attempt begins.
    :ivar ended: set when it is over, and the disconnect handlers of this lifetime and those before have returned.
    :ivar retries: whether connect() tries again after a failed attempt.
    :ivar error: the error that connect() raises.
    :ivar attempts: the attempts since the connection was lost, and ``delays`` the seconds before the next ones.
    :ivar finals: the namespaces whose ``__disconnect_final`` handlers are called when the lifetime ends.
    """

    __slots__ = (
        "_lock",
        "_next",
        "_open",
        "_over",
        "attempts",
        "delays",
        "ended",
        "error",
        "finals",
        "retries",
        "stop",
    )

    def __init__(self, event: Any, lock: AbstractContextManager[Any], before: Lifetime | None = None) -> None:
        self.stop = event()
        self.ended = event()
        self.retries = False
        self.error: Exception | None = None
        self.attempts = 0
        self.delays: Iterator[float] | None = None
        self.finals: list[str] = []
        self._lock = lock
        self._over = False
        self._next: Lifetime | None = None
        self._open = 1  # that is the lifetime itself
        if before is not None and not before.ended.is_set():
            before._next = self
            self._open += 1

    def take_error(self) -> Exception:
        """Return the error that connect() raises, and drop it: its traceback refers to this object."""
        assert self.error is not None
        error, self.error = self.error, None
        return error

    def handler_begins(self) -> None:
        """Record that a disconnect handler will be called."""
        with self._lock:
            self._open += 1

    def handler_returned(self) -> None:
        """Record that a disconnect handler has returned."""
        with self._lock:
            self._open -= 1
            if self._open == 0:
                self.finish()

    def end(self) -> None:
        """End the lifetime when its handlers have returned. Called after all of them were scheduled."""
        self.stop.set()
        with self._lock:
            was_over, self._over = self._over, True
            if not was_over:
                self.handler_returned()

    def finish(self) -> None:
        """End the lifetime at once: running handlers will never return."""
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
