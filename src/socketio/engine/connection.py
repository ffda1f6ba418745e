"""One Engine.IO connection, without I/O: handles its packets, answers pings, and ends it.

In: packets, from the transport and from the client. Out: messages for the client, in order, and
steps (see ``runtime.steps``) that the driver of each flavour runs: to read, to write, to drain, to close. The
transports detect heartbeat timeouts.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

from engineio.exceptions import ConnectionError

from ..core.details import DisconnectDetails, DisconnectKind
from ..packet import Frame
from ..runtime.steps import Steps, Wait, call
from . import payload
from .errors import details_of
from .frames import ControlFrame, Outgoing
from .handshake import Handshake
from .send_queue import SendQueue

CLOSING = 1.0
"""Seconds that a connection may take to close before it is cut."""
_SENDING = 0.5
"""Maximum seconds to wait until a GET is sent, before the CLOSE is sent."""
_POLL_INTERVAL = 0.01
"""Seconds between two attempts to send if no thread can be started for it."""


class Connection:
    """One connection, from its handshake on.

    :param engine: the client, an :class:`EngineBase`, which also waits in its flavour.
    :ivar logged: how many of the packets that are to be sent next were logged already.
    :ivar reason: why it ended, or is about to; for the ``disconnect`` handler.
    :ivar failure: the error that ended it.
    :ivar read: set when reading has ended; ``ended`` when the client was notified, too.
    :ivar reader: the thread or task that reads; ``writer`` the one that writes, ``None`` while none was needed.
    :ivar has_no_writer: whether a writing thread was needed, and Python did not start it.
    :ivar is_detached: whether it belongs to the parent process, or to an event loop that is closed.
    :ivar loop_ends: whether its event loop is ending, and it is being closed.
    """

    reading: Any = None
    has_no_writer = is_detached = loop_ends = False

    def __init__(self, engine: Any, opened: Any) -> None:
        self.engine = engine
        self.transport = opened.transport
        self.handshake: Handshake = opened.handshake
        self.first: Sequence[Outgoing] = opened.first
        largest = self.handshake.max_payload
        self._surely_taken = sys.maxsize if largest is None else largest // 4 - 1  # a character has up to four bytes
        self.queue = SendQueue(engine.high_water_mark, engine._condition, lambda: engine._start_writer(self))
        self.logged = 0
        self.reason: str | None = None
        self.failure: Exception | None = None
        self.read, self.ended = engine._event(), engine._event()
        self.reader: Any = None
        self.writer: Any = None

    # -- in

    def receive(self, packets: Sequence[Outgoing]) -> None:
        """Deliver messages, as many at a time as follow each other, and handle other packets, in order.

        Raises ``ConnectionError`` if the server requests answers and does not read them.
        """
        self.engine._log_received(packets)
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
                self.engine._deliver(messages)
                messages = []
            self._handle_control_packet(packet)
        if messages:
            self.engine._deliver(messages)
        if self.queue.is_overfull():
            raise ConnectionError(f"{self.queue.size} bytes wait to be sent, and the server does not read them")

    def _handle_control_packet(self, packet: str | ControlFrame) -> None:
        """Handle a packet of Engine.IO itself, or of the transport."""
        if isinstance(packet, ControlFrame):  # to be sent, in order, for the transport
            self._answer(packet)
        elif packet.startswith("2"):
            self._answer("3" + packet[1:])
        elif packet.startswith("1"):
            self.engine.logger.info("The server closed the connection")
            self.reason = self.engine.reason.SERVER_DISCONNECT
        elif not packet.startswith("6"):
            self.engine._unexpected.warning("Dropped an unexpected Engine.IO packet: %.200r", packet)

    def _answer(self, packet: Outgoing) -> None:
        self.queue.put([packet], wake=False)
        self.send_at_once()

    def reading_steps(self) -> Steps[None]:
        """Read until the connection ends; then let the client end it."""
        self.reader = self.engine.read_loop_task = self.engine._current()
        try:
            if self.transport.head_start:
                yield from self.queue.flush(self.transport.head_start)
            self.receive(self.first)
            yield from self.receiving_steps()
        except ConnectionError as exc:
            self.fail(exc)
            if self.reason is None:
                self.engine.logger.warning("Connection lost: %s", str(self.failure))  # a record may be kept
            else:
                exc.__traceback__ = None  # which refers to this object
        except Exception as exc:
            self.fail(exc)
            if not self.is_detached:
                self.engine.logger.exception("Connection lost: unexpected error")
        except BaseException as exc:
            yield from self.engine._interrupted(self, exc)
            raise
        finally:
            yield from self.engine._end(self)

    def receiving_steps(self) -> Steps[None]:
        """Receive packets until the server closes the connection."""
        receive = call(self.engine._receive_next, self)
        while self.reason != self.engine.reason.SERVER_DISCONNECT:
            yield receive

    # -- out

    def send(self, packets: list[Outgoing], wake: bool, accepts: bool) -> None:
        """Queue packets, with nothing in between. Raises as :meth:`EngineBase.send_frames` does."""
        for packet in packets:
            if len(packet) > self._surely_taken:
                self._check_size(packet)
        if not self.queue.put(packets, wake, accepts):
            raise ConnectionError("there is no connection")

    def _check_size(self, packet: Outgoing) -> None:
        """Warn of a message that is larger than ``maxPayload``; over polling raise ``ValueError``."""
        limit = self.handshake.max_payload
        assert limit is not None
        if self.transport.name == "polling":
            payload.check(packet, limit)
            return
        size = len(packet.encode("utf-8") if isinstance(packet, str) else packet)
        if size > limit:
            self.engine._oversized.append((size, limit))

    def send_at_once(self) -> None:
        """Send as many queued packets as possible without waiting; the writer sends the rest."""
        if self.transport.name != "websocket":
            self.queue.wake()
            return
        sender = object()
        try:
            frames = self.queue.try_take(sender)
            if frames:
                self.engine._log_sending(frames, self.logged)
                self.transport.try_send(frames)
                self.logged = len(frames)
        finally:
            self.queue.give_back(sender)

    def writing_steps(self) -> Steps[None]:
        """Send queued packets until the queue is closed or the transport fails."""
        try:
            while frames := (yield from self.queue.take()):
                self.engine._log_sending(frames, self.logged)
                yield call(self.transport.send, frames)
                self.logged = 0
        except ConnectionError as exc:
            if self.reason is None:
                self.engine.logger.warning("Sending failed: %s", str(exc))
            failure: Exception = exc
        except Exception as exc:
            if not self.is_detached:
                self.engine.logger.exception("Sending failed: unexpected error")
            failure = exc
        else:
            return
        self.queue.close()  # nothing may wait until it is empty
        # A server that reads no more, for example because it has closed the session, may be sending the reason.
        yield Wait(self.read.wait, CLOSING)
        self.fail(failure)
        self.transport.abort()

    def wait_for_room(self, timeout: float | None) -> Steps[bool]:
        """Wait until there is room in the queue; return ``False`` after ``timeout`` seconds.

        Raises ``ConnectionError`` when the connection ends before.
        """
        if (yield from self.queue.wait_for_room(timeout)):
            return True
        if not self.queue.closed:
            return False
        if not self.is_reader():
            yield Wait(self.read.wait, CLOSING)  # the reader learns the reason
        raise ConnectionError(str(self.failure or "the connection ended before the server had read enough"))

    def is_reader(self) -> bool:
        """Return whether this runs on the reading thread, or in the reading task."""
        return self.reader is not None and self.reader is self.engine._current()

    # -- its end

    def drain(self, timeout: float) -> Steps[bool]:
        """Wait until the server has read all that was sent; return ``False`` after ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        try:
            if not self.queue.put(self.transport.probe(), wake=False):
                return False
            self.send_at_once()
            if not (yield from self._flush(timeout)):
                return False
            if not self.is_reader():  # which reads the confirmation
                yield Wait(self.transport.confirm, max(0.0, deadline - time.monotonic()))
        except ConnectionError:
            return False
        return True

    def _flush(self, timeout: float) -> Steps[bool]:
        """Wait until all queued packets are sent; if Python starts no writing thread, send them here."""
        mark, deadline = self.queue.mark(), time.monotonic() + timeout
        while True:
            rest = max(0.0, deadline - time.monotonic())
            if (yield from self.queue.flush(min(rest, _POLL_INTERVAL) if self.has_no_writer else rest, mark)):
                return True
            if not rest or not self.has_no_writer or self.queue.closed:
                return False
            self.send_at_once()

    def close(self, abort: bool) -> Steps[None]:
        """Send queued packets and the close packets, and close the transport.

        Stops sending if the server does not read for ``request_timeout`` seconds.
        """
        timeout = self.engine.request_timeout
        sent = not abort and (yield from self._flush(timeout))
        if sent and self.transport.close_packets:  # separately: the server handles earlier packets first
            yield Wait(self.transport.begin_close, _SENDING)
            self.queue.put(self.transport.close_packets, wake=False)
            self.send_at_once()
            sent = yield from self._flush(timeout)
        self.queue.close()
        if sent:
            yield call(self.transport.close)
        else:
            self.transport.abort()

    def fail(self, exc: Exception) -> None:
        """Store the error that ended the connection: the first one counts."""
        self.failure = self.failure or exc

    def details(self) -> DisconnectDetails:
        """Return why the connection ended."""
        reasons = self.engine.reason
        reason = self.reason or reasons.TRANSPORT_ERROR
        if reason == reasons.SERVER_DISCONNECT:
            return DisconnectDetails(DisconnectKind.SERVER_CLOSED, reason)
        if self.reason is None and self.failure is not None:
            return details_of(self.failure, reason)
        return DisconnectDetails(DisconnectKind.CLIENT_DISCONNECT, reason)
