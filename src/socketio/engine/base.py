"""What both Engine.IO clients do, without I/O: options, listeners, connecting and disconnecting.

Contains the steps (see ``runtime.steps``) of connecting and disconnecting. The client of each flavour runs them.
"""

from __future__ import annotations

import inspect
import itertools
import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from engineio.base_client import BaseClient
from engineio.exceptions import ConnectionError

from ..core.details import DisconnectDetails
from ..core.signatures import without_unwanted_reason
from ..packet import Frame
from ..runtime import logs, timeouts
from ..runtime.steps import Steps, Wait, all_of, call
from . import headers, packet_log
from .connection import CLOSING, Connection
from .errors import InvalidDataError
from .frames import ControlFrame, Outgoing
from .handshake import MAX_MESSAGE_SIZE, Handshake, choose_transports, without_secrets
from .send_queue import SendQueue

HIGH_WATER_MARK = 16 * 2**20
"""Bytes in the send queue, above which ``emit()`` and ``call()`` wait."""
CANCELLED = "the connection attempt was ended by disconnect()"


class EngineBase(BaseClient):
    """The part of :class:`EngineIOClient` and :class:`AsyncEngineIOClient` that does no I/O.

    Takes the options of engineio's client, and ``max_message_size`` and ``high_water_mark``, in bytes. Constructing one
    changes nothing in the process: no signal handler, and no log level or handler unless ``logger=True``.

    The client of each flavour has ``_event`` and ``_condition``, which create events and conditions, and methods to
    open a transport, to start a thread or task, to run steps, and to close the HTTP session.

    :ivar details: why the last connection ended; set before the ``disconnect`` handler is called.
    :ivar logs_text: whether messages are packets of Socket.IO in its own text format, which the log shows.
    :ivar is_shared: whether handlers are called in addition to those that were registered before this was set, which
        belong to the Socket.IO client.
    """

    state: str
    sid: str | None
    read_loop_task: Any
    write_loop_task: Any
    details: DisconnectDetails | None = None
    logs_text = True
    is_shared = False
    _listeners: dict[str, Callable[..., Any]] | None = None

    def __init__(
        self,
        logger: bool | logs.Logger | None = False,
        handle_sigint: bool = True,
        max_message_size: int = MAX_MESSAGE_SIZE,
        high_water_mark: int = HIGH_WATER_MARK,
        **kwargs: Any,
    ) -> None:
        super().__init__(logger=logs.resolve(logger, "engineio.client"), handle_sigint=False, **kwargs)
        for name, value in (("max_message_size", max_message_size), ("high_water_mark", high_water_mark)):
            if type(value) is not int or value < 1:
                raise ValueError(f"{name} is a number of bytes, not {value!r}")
        if not isinstance(self.websocket_extra_options, Mapping):
            raise TypeError(f"websocket_extra_options must be a dict, not {self.websocket_extra_options!r:.100}")
        self.request_timeout: float = timeouts.bounded(self.request_timeout, "request_timeout")
        self.handle_sigint = handle_sigint
        self.max_message_size = max_message_size
        self.high_water_mark = high_water_mark
        # Packets are logged at INFO if engineio_logger was given, otherwise at DEBUG.
        self._packet_level = logging.INFO if logger else logging.DEBUG
        self._log_packet = self.logger.info if logger else self.logger.debug
        self._is_logged = logs.check_of(self.logger)
        self._unexpected = logs.RateLimitedLogger(self.logger)
        self._too_large = logs.RateLimitedLogger(self.logger)
        self._oversized: list[tuple[int, int]] = []  # a deque would be 700 bytes more for each client
        self._left_out: frozenset[str] = frozenset()
        self._set_up()

    def _set_up(self) -> None:
        self._guard = threading.RLock()
        self._freed = self._condition(self._guard)
        self._ending = self._cancelled = False
        self._attempt: object = None  # to connect, or the one that has led to the connection
        self._connection: Connection | None = None
        self._opening: Any = None

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

    # -- handlers

    def on(self, event: str, handler: Any = None) -> Any:
        """Register the function for ``connect``, ``message`` (called with each message) or ``disconnect``."""
        if event not in self.event_names:
            raise ValueError(f"no event of Engine.IO: {event!r}")

        def register(function: Callable[..., Any]) -> Callable[..., Any]:
            if self.is_shared:
                self._listeners = {**(self._listeners or {}), event: function}
            else:
                self.handlers[event] = function
            return function

        return register if handler is None else register(handler)

    def _notify_listener(self, event: str, *args: Any) -> None:
        """Call the function that a program has registered; a coroutine function as a task."""
        listener = self._listeners.get(event) if self._listeners else None
        if listener is None:
            return
        try:
            if inspect.iscoroutinefunction(listener):
                self.start_background_task(listener, *without_unwanted_reason(listener, args))
            else:
                listener(*without_unwanted_reason(listener, args))
        except Exception:
            self.logger.exception("%s handler error", event)

    def _deliver(self, messages: list[Frame]) -> None:
        if self._listeners:
            for each in messages:
                self._notify_listener("message", each)
        handler = self.handlers.get("message")
        if handler is None:
            return
        try:
            handler(messages)
        except InvalidDataError:  # the end of the connection, as if the transport had raised it
            raise
        except Exception:
            self.logger.exception("message handler error")

    def _notify_disconnect(self, reason: str) -> Steps[None]:
        if "disconnect" in self.handlers:
            try:
                yield call(self.handlers["disconnect"], reason)
                self._notify_listener("disconnect", reason)
            except Exception:
                self.logger.exception("disconnect handler error")

    # -- the beginning of a connection

    def _connect_steps(
        self, url: str, given: Mapping[str, str] | None, transports: str | list[str] | None, path: str
    ) -> Steps[None]:
        self.transports = choose_transports(transports)
        is_open = self._connection is not None and self._connection.reason is None and not self._ending
        connection, attempt = None, object()
        begin = partial(self._freed.wait_for, partial(self._begin, attempt))
        try:
            # Wait for a connection, or an attempt, that is about to end.
            if is_open or not (yield Wait(begin, self.request_timeout)):
                raise ValueError("Client is not in a disconnected state")
            connection = Connection(self, (yield call(self._open_transport, url, dict(given or {}), path)))
            yield from self._start(connection)
        except GeneratorExit:  # the event loop is closed
            raise
        except BaseException:
            if self._attempt is attempt:
                yield call(self._run_shielded, self._discard(connection))
            raise

    def _begin(self, attempt: object) -> bool:
        """Begin an attempt, under the guard; return ``False`` while there is another one, or a connection."""
        if self._attempt is not None:
            return False
        self._attempt, self._cancelled, self.state = attempt, False, "connecting"
        return True

    def _start(self, connection: Connection) -> Steps[None]:
        transport, shaken = connection.transport, connection.handshake
        with self._guard:
            if self._cancelled:
                raise ConnectionError(CANCELLED)
            self._connection, self._opening = connection, None
            self.sid, self.upgrades = shaken.sid, list(shaken.upgrades)
            self.ping_interval, self.ping_timeout = shaken.ping_interval, shaken.ping_timeout
            self.current_transport = transport.name
            self.state = "connected"
        self._log_open(shaken, transport.name)
        transport.set_heartbeat_timeout(shaken.heartbeat_timeout)
        self._prepare(connection)
        if "connect" in self.handlers:
            yield call(self.handlers["connect"])
            self._notify_listener("connect")
        connection.reader = self._start_worker("socketio-reader", connection.reading_steps())

    def _prepare(self, connection: Connection) -> None:
        """Prepare to read and to write. With threads, the writer starts when there is something to send for it."""

    def _discard(self, connection: Connection | None) -> Steps[None]:
        """Close what an attempt that failed has opened."""
        if connection is None:
            yield from self._cancel_opening()
        else:
            connection.read.set()
            connection.queue.close()
            connection.transport.abort()
            if connection.writer is not None:
                yield self._joined(connection.writer, None)
            yield call(connection.transport.release)
        yield call(self._close_http)
        self._free()
        if connection is not None:
            connection.ended.set()

    # -- sending

    @property
    def queue(self) -> SendQueue:
        """The packets that are not sent yet. The large queue that python-engineio assigns is not kept."""
        connection = self._connection
        return SendQueue(0, self._condition) if connection is None else connection.queue

    @queue.setter
    def queue(self, queue: Any) -> None:
        pass

    def send_frames(self, frames: list[Frame], wake: bool = True, accepts: bool = True) -> None:
        """Queue messages, with nothing in between.

        :param wake: ``False`` if the caller sends them next.
        :param accepts: whether the application sends them, after waiting for room.

        Raises ``ConnectionError`` if there is no connection, ``ValueError`` for a message that is too large.
        """
        if self._connection is None:
            raise ConnectionError("there is no connection")
        packets: list[Outgoing] = ["4" + frame if isinstance(frame, str) else frame for frame in frames]
        self._connection.send(packets, wake, accepts)

    def answer_frames(self, frames: list[Frame]) -> None:
        """Queue messages that the server has asked for, as :meth:`send_frames` does.

        A server that sends requests and does not read the answers loses the connection.
        """
        self.send_frames(frames, accepts=False)

    def send_at_once(self) -> None:
        """Send as many queued packets as possible without waiting; the writer sends the rest.

        Saves a switch to another thread or task that the caller would wait for.
        """
        if self._connection is not None:
            self._connection.send_at_once()

    def wake(self) -> None:
        """Let the writer send the queued packets."""
        if self._connection is not None:
            self._connection.queue.wake()

    def has_room(self) -> bool:
        """Return whether less than ``high_water_mark`` bytes are queued. Otherwise callers should wait."""
        connection = self._connection
        return connection is None or connection.queue.has_room()

    def wait_for_room(self, timeout: float | None) -> Any:
        """Wait until less than ``high_water_mark`` bytes are queued; return ``False`` after ``timeout`` seconds.

        Raises ``ConnectionError`` when the connection ends before.
        """

        def steps() -> Steps[bool]:
            connection = self._connection
            return connection is None or (yield from connection.wait_for_room(timeout))

        return self._run(steps())

    def drain(self, timeout: float) -> Any:
        """Wait until the server has read all that was sent; return ``False`` after ``timeout`` seconds."""
        return self._run(self.drain_steps(timeout))

    def drain_steps(self, timeout: float) -> Steps[bool]:
        """The steps of :meth:`drain`."""
        connection = self._connection
        return connection is not None and (yield from connection.drain(timeout))

    # -- the end of a connection

    def announce_end(self) -> None:
        """Announce that :meth:`disconnect` will be called: :meth:`connect` then waits for it."""
        with self._guard:
            self._ending = self._connection is not None

    def disconnect_steps(self, abort: bool = False, reason: str | None = None) -> Steps[None]:
        """The steps of :meth:`disconnect`."""
        with self._guard:
            connection = self._connection
            is_first = connection is not None and connection.reason is None
            if connection is None:
                self._cancelled = self.state == "connecting"
            elif is_first:
                connection.reason = reason or self.reason.CLIENT_DISCONNECT
                self.state = "disconnecting"
        if connection is None:
            yield from self._cancel_opening()
            return
        if is_first:
            yield from connection.close(abort)
        if connection.reader is None or connection.is_reader():
            return
        if not (yield Wait(connection.ended.wait, CLOSING)):
            connection.transport.abort()
            yield Wait(connection.ended.wait, CLOSING)
        yield self._joined(connection.reader, CLOSING)

    def _interrupted(self, connection: Connection, exc: BaseException) -> Steps[None]:
        """Clean up after the reading was ended from outside."""
        yield from ()

    def _end(self, connection: Connection) -> Steps[None]:
        """Release a connection whose reading has ended, and call the ``disconnect`` handler.

        All steps run, even if the event loop ends during one.
        """
        if connection.is_detached:
            return
        self.details = details = connection.details()
        connection.reason = details.reason
        connection.read.set()
        if unsent := connection.queue.close():
            self.logger.error("%d packets were not sent before the connection ended", unsent)
        self._log("Connection closed: %s", connection.reason)
        connection.transport.abort()
        waits = [] if connection.writer is None else [self._joined(connection.writer, None)]
        waits += [call(connection.transport.release), call(self._close_http)]
        try:
            yield from all_of([*waits, call(self._run, self._notify_disconnect(details.reason))])
        finally:
            if self._connection is connection:
                self._free()  # from here on, another connection can be opened
            connection.ended.set()

    def _free(self) -> None:
        with self._guard:
            self._connection = self._opening = None
            self._attempt, self._ending = None, False
            self._freed.notify_all()

    def _mark_disconnected(self) -> None:
        self.state, self.sid, self.current_transport, self.ws = "disconnected", None, None, None
        self.read_loop_task = self.write_loop_task = None

    # -- logging

    def _log(self, text: str, *args: object) -> None:
        if self._is_logged(logs.INFO):
            logs.write(self.logger.info, text, *args)

    def _log_request(self, method: str, url: str) -> None:
        if self._is_logged(logs.INFO):
            self._log("%s %s", method, without_secrets(url))

    def _log_open(self, shaken: Handshake, transport: str) -> None:
        self._log("Connected over %s", transport)
        self._log(
            "Session %s: upgrades %s, ping interval %g s, ping timeout %g s, maximum payload %s",
            *(shaken.sid, list(shaken.upgrades), shaken.ping_interval, shaken.ping_timeout, shaken.max_payload),
        )

    def _log_received(self, packets: Iterable[Outgoing]) -> None:
        if self._is_logged(self._packet_level):
            for packet in packets:
                if not isinstance(packet, ControlFrame):  # otherwise it is a control frame of the transport
                    logs.write(self._log_packet, "Received %s", packet_log.received(packet, self.logs_text))

    def _log_sending(self, packets: Iterable[Outgoing], logged: int = 0) -> None:
        """Log packets that are about to be sent, except those that were logged before a send that failed."""
        while self._oversized:
            self._too_large.warning(
                "A message of %d bytes is larger than the server's maxPayload, %d bytes: it may close the connection",
                *self._oversized.pop(0),
            )
        if self._is_logged(self._packet_level):
            for packet in itertools.islice(packets, logged, None):
                logs.write(self._log_packet, "Sending %s", packet_log.sent(packet, self.logs_text))
