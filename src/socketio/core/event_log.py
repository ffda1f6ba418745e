"""Logs events by name, acknowledgements by id, and the states of the connection.

It never logs arguments of events or credentials. The logger's level is looked up for each emitted event and for each
received batch, so a change takes effect with the next one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ..runtime import logs
from ..runtime.logs import INFO
from .events import AckReceived, EventReceived, Events, FrameDropped, Notice, Unread
from .handlers import Read


class EventLog:
    """Logs the events of one client, at INFO by default.

    :ivar is_logged: whether the logger logs records of a level.
    """

    def __init__(self, logger: logs.Logger) -> None:
        self._last_failure = ""
        self.use(logger)

    def use(self, logger: logs.Logger) -> None:
        """Use this logger."""
        self._logger = logger
        self.is_logged = logs.check_of(logger)

    def write(self, text: str, *args: object) -> None:
        """Write a line."""
        if self.is_logged(INFO):
            logs.write(self._logger.info, text, *args)

    def connecting(self, origin: str, namespaces: Sequence[str]) -> None:
        """Log that an attempt to connect begins."""
        names = ", ".join(name.partition("?")[0] for name in namespaces)
        self.write("Connecting to %s, namespaces %s", origin, names)

    def emitting(self, event: str, namespace: str, ack_id: int) -> None:
        """Log an event that is sent, with its ack id unless that is 0."""
        if ack_id:
            self.write("Emitting event %.200r [%s], ack id %d", event, namespace, ack_id)
        else:
            self.write("Emitting event %.200r [%s]", event, namespace)

    def received(self, received: Iterable[Events | Notice], read: Read) -> Iterator[Events | Notice]:
        """Yield what was received, with the events decoded; log events and acknowledgements in order."""
        for each in received:
            if isinstance(each, AckReceived):
                self.write("Received ack %d [%s]", each.ack_id, each.namespace)
            yield [self._event(event, read(event)) for event in each] if isinstance(each, list) else each

    def _event(self, received: Unread | EventReceived, event: EventReceived | FrameDropped) -> Unread | EventReceived:
        if not isinstance(event, tuple):
            return received  # it is logged when it is dropped
        namespace, name, _, ack_id = event
        asked = "" if ack_id is None else f", ack id {ack_id}"
        self.write("Received event %.200r [%s]%s", name, namespace, asked)
        return event

    def refused(self, namespace: str, data: Any) -> None:
        """Log that the server has refused a namespace."""
        message = data.get("message") if isinstance(data, dict) else data
        self.write("Namespace %s was refused: %.200r", namespace, message)

    def lifecycle(self, event: str, namespace: str, args: tuple[Any, ...]) -> None:
        """Log the end of a namespace before its disconnect handler is called."""
        if event == "disconnect":
            self.write("Namespace %s is disconnected: %s", namespace, *args)

    def attempt(self, delay: float) -> None:
        """Log the delay before an attempt to reconnect."""
        self.write("Connection failed, new attempt in %.2f seconds", delay)

    def attempt_failed(self, number: int, error: Exception | str) -> None:
        """Log a failed attempt to reconnect, as a warning unless the reason is the same as before."""
        text = str(error)
        if number == 1 or text != self._last_failure:
            self._logger.warning("Attempt %d to reconnect failed: %s", number, text)
        else:
            self.write("Attempt %d to reconnect failed: %s", number, text)
        self._last_failure = text

    def reconnected(self, number: int) -> None:
        """Log a successful attempt to reconnect."""
        self.write("Attempt %d to reconnect was successful", number)

    def gave_up(self) -> None:
        """Log that no further attempt follows."""
        self._logger.warning("Maximum reconnection attempts reached, giving up")

    def aborted(self) -> None:
        """Log that the application has ended a reconnection."""
        self.write("The reconnection was ended by disconnect()")
