"""What both Engine.IO clients do with packets, without ever waiting."""

from __future__ import annotations

import itertools
import logging
import sys
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from engineio.exceptions import ConnectionError

from ..core.details import DisconnectDetails, DisconnectKind
from ..packet import Frame
from ..runtime import logs, timeouts
from . import headers, packet_log, payload
from .errors import InvalidDataError, details_of
from .face import Face
from .frames import ControlFrame, Outgoing
from .handshake import Handshake, without_secrets

HIGH_WATER_MARK = 16 * 2**20
"""Bytes that wait to be sent, above which those who can wait should not add more."""


def message(frame: Frame) -> Frame:
    """Return the Engine.IO packet for a message."""
    return "4" + frame if isinstance(frame, str) else frame


class BaseLink:
    """One connection, as far as both flavours keep the same: what the server said, and why it ended.

    :ivar surely_taken: characters, or bytes, up to which a message needs no check against ``maxPayload``.
    :ivar logged: how many of the packets that are to be sent next were logged already.
    :ivar reason: why it ended, or is about to; for the ``disconnect`` handler.
    :ivar failure: the error that ended it.
    """

    def __init__(self, opened: Any) -> None:
        self.transport = opened.transport
        self.handshake: Handshake = opened.handshake
        self.first = opened.first
        largest = self.handshake.max_payload
        self.surely_taken = sys.maxsize if largest is None else largest // 4 - 1  # a character has up to four bytes
        self.logged = 0
        self.reason: str | None = None
        self.failure: Exception | None = None

    def fail(self, exc: Exception) -> None:
        """Note the error that ended the connection: the first one counts."""
        self.failure = self.failure or exc

    def details(self, reasons: Any) -> DisconnectDetails:
        """Return why the connection ended."""
        reason = self.reason or reasons.TRANSPORT_ERROR
        if reason == reasons.SERVER_DISCONNECT:
            return DisconnectDetails(DisconnectKind.SERVER_CLOSED, reason)
        if self.reason is None and self.failure is not None:
            return details_of(self.failure, reason)
        return DisconnectDetails(DisconnectKind.CLIENT_DISCONNECT, reason)


class SendQueue:
    """The attribute ``eio.queue``: how many packets are not sent yet."""

    def __init__(self, link: Any) -> None:
        self._outbox = None if link is None else link.outbox

    def qsize(self) -> int:
        """Return the number of packets that are not sent yet."""
        return 0 if self._outbox is None else int(self._outbox.count())

    def empty(self) -> bool:
        """Return whether everything is sent."""
        return self.qsize() == 0


class EngineBase(Face):
    """The part of :class:`EngineIOClient` and :class:`AsyncEngineIOClient` that does no I/O.

    :ivar details: why the last connection ended; set before the ``disconnect`` handler is called.
    """

    _link: Any
    reason: Any
    details: DisconnectDetails | None
    state: str
    sid: str | None
    upgrades: list[str]
    ping_interval: float
    request_timeout: float
    websocket_extra_options: Any
    ping_timeout: float
    current_transport: str | None
    ws: Any
    read_loop_task: Any
    write_loop_task: Any
    _answer: Callable[[Any, Outgoing], None]

    logs_text = True
    """Whether messages are packets of Socket.IO in its own text format, which the log shows."""

    def _take_options(self, handle_sigint: bool, max_message_size: int, high_water_mark: int) -> None:
        """Keep the options that python-engineio does not have; raise for invalid ones."""
        for name, value in (("max_message_size", max_message_size), ("high_water_mark", high_water_mark)):
            if type(value) is not int or value < 1:
                raise ValueError(f"{name} is a number of bytes, not {value!r}")
        if not isinstance(self.websocket_extra_options, Mapping):
            raise TypeError(f"websocket_extra_options must be a dict, not {self.websocket_extra_options!r:.100}")
        self.request_timeout = timeouts.bounded(self.request_timeout, "request_timeout")
        self.handle_sigint = handle_sigint
        self.max_message_size = max_message_size
        self.high_water_mark = high_water_mark
        self.details = None
        self._nonsense = logs.Sparse(self.logger)
        self._too_large = logs.Sparse(self.logger)
        self._oversized: list[tuple[int, int]] = []  # a deque would be 700 bytes more for each client
        self._left_out: frozenset[str] = frozenset()

    @property
    def queue(self) -> SendQueue:
        """What is not sent yet. What python-engineio assigns is not kept: it would be several kilobytes."""
        return SendQueue(self._link)

    @queue.setter
    def queue(self, queue: Any) -> None:
        pass

    def _without_handshake(self, given: Mapping[str, str]) -> dict[str, str]:
        """Return headers for requests, without those that belong to the handshake."""
        left_out = headers.of_handshake(given)
        self._warn_of_headers(left_out)
        return {name: value for name, value in given.items() if name not in left_out}

    def _warn_of_headers(self, names: Sequence[str]) -> None:
        """Warn once about each header that is left out."""
        new = [name for name in names if name.lower() not in self._left_out]
        self._left_out |= {name.lower() for name in new}
        if new:
            self.logger.warning("Headers that belong to the handshake are left out: %s", ", ".join(new))

    def _take_over(self, shaken: Handshake, transport: str) -> None:
        """Be connected: keep what the server said, where users of ``engineio`` look for it."""
        self.sid, self.upgrades = shaken.sid, list(shaken.upgrades)
        self.ping_interval, self.ping_timeout = shaken.ping_interval, shaken.ping_timeout
        self.current_transport = transport
        self.state = "connected"

    def _mark_disconnected(self) -> None:
        self.state, self.sid, self.current_transport, self.ws = "disconnected", None, None, None
        self.read_loop_task = self.write_loop_task = None

    def send_frames(self, frames: list[Frame], wake: bool = True, accepts: bool = True) -> None:
        """Queue messages, with nothing in between.

        :param wake: ``False`` where the caller's next step is to send them.
        :param accepts: whether the application sends them, having waited for room.

        Raises ``ConnectionError`` when there is no connection, ``ValueError`` for a message that is too large for it.
        """
        link = self._link
        if link is None:
            raise ConnectionError("there is no connection")
        packets: list[Outgoing] = ["4" + frame if isinstance(frame, str) else frame for frame in frames]
        for packet in packets:
            if len(packet) > link.surely_taken:
                self._check_size(link, packet)
        if not link.outbox.put(packets, wake, accepts):
            raise ConnectionError("there is no connection")

    def answer_frames(self, frames: list[Frame]) -> None:
        """Queue messages that the server has asked for, as :meth:`send_frames` does.

        A server that goes on asking without reading the answers loses the connection.
        """
        self.send_frames(frames, accepts=False)

    def _check_size(self, link: Any, packet: Outgoing) -> None:
        """Warn of a message that is larger than ``maxPayload``; over polling raise ``ValueError``.

        The warning is written when the message is sent: here the caller holds a lock.
        """
        limit = link.handshake.max_payload
        if link.transport.name == "polling":
            payload.check(packet, limit)
            return
        size = len(packet.encode("utf-8") if isinstance(packet, str) else packet)
        if size > limit:
            self._oversized.append((size, limit))

    def wake(self) -> None:
        """Leave what is queued to the writing thread or task."""
        if self._link is not None:
            self._link.outbox.wake()

    def has_room(self) -> bool:
        """Return whether less than ``high_water_mark`` waits to be sent; whoever can wait should, else."""
        link = self._link
        return link is None or link.outbox.has_room()

    def _check_answers(self, link: Any) -> None:
        """Raise ``ConnectionError`` if the server makes us answer, and does not read the answers."""
        if link.outbox.is_overfull():
            raise ConnectionError(f"{link.outbox.size} bytes wait to be sent, and the server does not read them")

    def _receive(self, link: Any, packets: Sequence[Outgoing]) -> None:
        """Deliver messages, as many at a time as follow each other; do what other packets ask for, in their turn."""
        if self._is_logged(self._packet_level):
            self._log_received(packets)
        messages: list[Frame] = []
        for packet in packets:
            if isinstance(packet, str):
                if packet.startswith("4"):
                    messages.append(packet[1:])
                    continue
            elif isinstance(packet, bytes):
                messages.append(packet)
                continue
            if messages:
                self._deliver(messages)
                messages = []
            self._receive_own(link, packet)
        if messages:
            self._deliver(messages)

    def _receive_own(self, link: Any, packet: str | ControlFrame) -> None:
        """Do what a packet of Engine.IO itself, or the transport, asks for."""
        if isinstance(packet, ControlFrame):  # the transport wants it to be sent, in its turn
            self._answer(link, packet)
            return
        kind, content = packet[:1], packet[1:]
        if kind == "2":
            self._answer(link, "3" + content)
        elif kind == "1":
            self.logger.info("The server closed the connection")
            link.reason = self.reason.SERVER_DISCONNECT
        elif kind != "6":
            self._nonsense.warning("Dropped an unexpected Engine.IO packet: %.200r", kind + content)

    def _deliver(self, messages: list[Frame]) -> None:
        handler = self.handlers.get("message")
        if self._listeners:
            for each in messages:
                self._tell("message", each)
        if handler is None:
            return
        try:
            handler(messages)
        except InvalidDataError:  # the end of the connection, as if the transport had raised it
            raise
        except Exception:
            self.logger.exception("message handler error")

    # -- logging

    def _choose_packet_level(self, option: Any) -> None:
        """Log packets at INFO if ``engineio_logger`` was given, else at DEBUG."""
        self._packet_level = logging.INFO if option else logging.DEBUG
        self._log_packet = self.logger.info if option else self.logger.debug
        self._is_logged = logs.check_of(self.logger)

    def _log(self, text: str, *args: object) -> None:
        if self._is_logged(logs.INFO):
            logs.write(self.logger.info, text, *args)

    def _log_request(self, method: str, url: str) -> None:
        if self._is_logged(logs.INFO):
            self._log("%s %s", method, without_secrets(url))

    def _log_opening(self, url: str, transport: str) -> None:
        if self._is_logged(logs.INFO):
            self._log("Connecting to %s over %s", without_secrets(url), transport)

    def _log_open(self, shaken: Handshake, transport: str) -> None:
        self._log("Connected over %s", transport)
        self._log(
            "Session %s: upgrades %s, ping interval %g s, ping timeout %g s, maximum payload %s",
            *(shaken.sid, list(shaken.upgrades), shaken.ping_interval, shaken.ping_timeout, shaken.max_payload),
        )

    def _log_end(self, link: BaseLink, unsent: int) -> None:
        if unsent:
            self.logger.error("%d packets were not sent before the connection ended", unsent)
        self._log("Connection closed: %s", link.reason)

    def _log_received(self, packets: Iterable[Outgoing]) -> None:
        if self._is_logged(self._packet_level):
            for packet in packets:
                if not isinstance(packet, ControlFrame):  # else it is what the transport wants to be sent
                    logs.write(self._log_packet, "Received %s", packet_log.received(packet, self.logs_text))

    def _log_sending(self, packets: Iterable[Outgoing], logged: int = 0) -> None:
        """Log packets that are about to be sent, but for the first, which were logged but could not be sent then."""
        while self._oversized:
            self._too_large.warning(
                "A message of %d bytes is larger than the server's maxPayload, %d bytes: it may close the connection",
                *self._oversized.pop(0),
            )
        if self._is_logged(self._packet_level):
            for packet in itertools.islice(packets, logged, None):
                logs.write(self._log_packet, "Sending %s", packet_log.sent(packet, self.logs_text))

    def _logged(self, packets: Iterable[Outgoing]) -> deque[Outgoing]:
        """Return packets that are about to be sent, which are logged now."""
        sending = deque(packets)
        self._log_sending(sending)
        return sending
