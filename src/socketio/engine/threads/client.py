"""The Engine.IO client for threads: one connection to a server, kept alive, in order.

In: packets to send, all frames of one queued together. Out: the events of ``engineio.Client``, called as they come and
one after the other: ``connect`` once the transport is open, ``message`` with a list of messages, on the reading thread,
``disconnect`` with the reason, once, when the reading thread has delivered all that came before it.

python-engineio provides the options, the URL rules and the base class. The rest is replaced: there, each message has a
separate thread, ``disconnect()`` closes a websocket before it sends the queue and waits for the pending GET, headers go
with the first request only, and the writing thread ends an idle connection.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engineio.exceptions import ConnectionError

from ...packet import Frame
from ...runtime import logs, process_hooks
from ...runtime.steps import Steps, Wait, joined, run
from .. import descriptors, handshake
from ..base import HIGH_WATER_MARK, BaseLink
from ..frames import Outgoing
from . import connections
from .opening import Opened, Opening
from .outbox import Outbox
from .websocket import WebSocketTransport

_CLOSING = 1.0
"""Seconds that a connection may take to close before it is cut."""
_HEAD_START = 1.0
"""Seconds that the first packets may take before the reading begins. It does in any case: there are servers that answer
a POST only when the client has got something."""
_LOOK = 0.01
"""Seconds between two attempts to send if no thread can wait."""


class _Link(BaseLink):
    """One connection: its transport, its queue, its threads.

    :ivar read: set when nothing more will be read; ``ended`` when it was told, too.
    :ivar has_no_writer: whether a writing thread was needed, and Python did not start it.
    :ivar is_orphan: whether this is the copy, in a child process, of a connection of the parent.
    """

    def __init__(self, opened: Opened, write: Callable[[_Link], None], high_water_mark: int) -> None:
        super().__init__(opened)
        self.outbox = Outbox(self._start_writer, high_water_mark)
        self._write = write
        self.read = threading.Event()
        self.ended = threading.Event()
        self.reader: threading.Thread | None = None
        self.writer: threading.Thread | None = None
        self.has_no_writer = False
        self.is_orphan = False

    def _start_writer(self) -> None:
        writer = _thread("socketio-writer", self._write, self)
        try:
            writer.start()
            self.writer = writer
        except RuntimeError:  # Python starts no threads while the interpreter ends
            self.has_no_writer = True


class EngineIOClient(Opening):
    """An Engine.IO client whose messages come in order.

    Takes the options of ``engineio.Client``, and ``max_message_size`` and ``high_water_mark``, in bytes.
    Constructing one changes nothing in the process: no signal handler, and no log level or handler unless
    ``logger=True``.
    """

    read_loop_task: threading.Thread | None
    write_loop_task: threading.Thread | None

    def __init__(
        self,
        logger: bool | logs.Logger | None = False,
        handle_sigint: bool = True,
        max_message_size: int = handshake.MAX_MESSAGE_SIZE,
        high_water_mark: int = HIGH_WATER_MARK,
        **kwargs: Any,
    ) -> None:
        super().__init__(logger=logs.resolve(logger, "engineio.client"), handle_sigint=False, **kwargs)
        self._take_options(handle_sigint, max_message_size, high_water_mark)
        self._choose_packet_level(logger)
        self._set_up()

    def _set_up(self) -> None:
        self._guard = threading.Lock()
        self._freed = threading.Condition(self._guard)
        self._busy = False
        self._ending = False
        self._link: _Link | None = None
        self._opening = None
        self._cancelled = False

    # -- opening

    def connect(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        transports: str | list[str] | None = None,
        engineio_path: str = "engine.io",
    ) -> None:
        """Connect, upgrade if both sides can, and call the ``connect`` handler.

        Returns when packets can be sent. Raises ``ValueError`` for transports that do not exist,
        ``engineio.exceptions.ConnectionError`` for a connection that fails, and what the ``connect`` handler raises.
        """
        self.transports = handshake.choose_transports(transports)
        with self._guard:
            is_open = self._link is not None and self._link.reason is None and not self._ending
            # What is about to end, be it a connection or an attempt, is waited for.
            if is_open or not self._freed.wait_for(lambda: not self._busy, self.request_timeout):
                raise ValueError("Client is not in a disconnected state")
            self._busy = True
            self._cancelled = False
            self.state = "connecting"
        link = None
        try:
            link = _Link(self._open(url, dict(headers or {}), engineio_path), self._write, self.high_water_mark)
            self._start(link)
        except BaseException:
            self._abandon(link)
            raise

    def _start(self, link: _Link) -> None:
        shaken = link.handshake
        with self._guard:
            if self._cancelled:
                raise ConnectionError("the connection attempt was ended by disconnect()")
            self._link, self._opening = link, None
            self._take_over(shaken, link.transport.name)
        self._log_open(shaken, link.transport.name)
        link.transport.set_silence(shaken.silence)
        if "connect" in self.handlers:
            self.handlers["connect"]()
            self._tell("connect")
        link.reader = self.read_loop_task = _thread("socketio-reader", self._begin_reading, link)
        link.reader.start()

    def _abandon(self, link: _Link | None) -> None:
        """Close what an attempt that failed has opened."""
        if link is not None:
            link.read.set()
            link.outbox.close()
            link.transport.abort()
            if link.writer is not None:
                link.writer.join()
            link.transport.release()
        self._forget(self._link)
        if link is not None:
            link.ended.set()

    # -- sending

    def send(self, data: Frame) -> None:
        """Queue a message. Raises ``ConnectionError`` when there is no connection."""
        self.send_frames([data])

    def send_at_once(self) -> None:
        """Send what is queued on the calling thread, as far as that can be done without waiting.

        Saves a change of threads where the caller would wait for it, and the writing thread where little is sent. The
        rest is left to that.
        """
        link = self._link
        if link is None:
            return
        if not isinstance(link.transport, WebSocketTransport):
            link.outbox.wake()
            return
        sender = object()
        try:
            frames = link.outbox.try_take(sender)
            if frames:
                self._log_sending(frames, link.logged)
                link.transport.try_send(frames)
                link.logged = len(frames)
        finally:
            link.outbox.give_back(sender)

    def wait_for_room(self, timeout: float | None) -> bool:
        """Wait until less than ``high_water_mark`` waits to be sent; return whether it does, in ``timeout`` seconds.

        Raises ``ConnectionError`` when the connection ends before.
        """
        link = self._link
        if link is None:
            return True
        try:
            return link.outbox.wait_for_room(timeout)
        except ConnectionError as exc:
            if link.reader is not threading.current_thread():
                link.read.wait(_CLOSING)  # the reader learns the reason
            raise ConnectionError(str(link.failure or exc)) from exc

    def drain(self, timeout: float) -> bool:
        """Wait until the server has read all that was sent; return whether it has, in ``timeout`` seconds."""
        return run(self.drain_steps(timeout))

    def drain_steps(self, timeout: float) -> Steps[bool]:
        """Do what :meth:`drain` does, in steps."""
        link = self._link
        if link is None:
            return False
        deadline = time.monotonic() + timeout
        try:
            if not link.outbox.put(link.transport.probe(), wake=False):
                return False
            self.send_at_once()
            if not (yield self._flushed(link, timeout)):
                return False
            if link.reader is not threading.current_thread():  # which reads the confirmation
                yield Wait(link.transport.confirm, max(0.0, deadline - time.monotonic()))
        except ConnectionError:
            return False
        return True

    def _flushed(self, link: _Link, timeout: float) -> Wait:
        """Wait until all that is queued now is sent."""
        mark = link.outbox.mark()

        def until(seconds: float) -> bool:
            deadline = time.monotonic() + seconds
            while link.has_no_writer and not link.outbox.is_sent(mark):
                self.send_at_once()
                rest = deadline - time.monotonic()
                if rest <= 0 or link.outbox.flush(min(rest, _LOOK), mark):
                    break
            return link.outbox.flush(max(0.0, deadline - time.monotonic()), mark)

        return Wait(until, timeout)

    def _write(self, link: _Link) -> None:
        try:
            while frames := link.outbox.take():
                self._log_sending(frames, link.logged)
                link.transport.send(frames)
                link.logged = 0
        except ConnectionError as exc:
            if link.reason is None:
                self.logger.warning("Sending failed: %s", exc)
            failure: Exception = exc
        except Exception as exc:
            if not link.is_orphan:
                self.logger.exception("Sending failed: unexpected error")
            failure = exc
        else:
            return
        link.outbox.close()  # nobody shall wait for it to be emptied
        # A server that takes nothing more, of a session that it has closed say, may be telling why.
        link.read.wait(_CLOSING)
        link.fail(failure)
        link.transport.abort()

    # -- receiving

    def _answer(self, link: _Link, packet: Outgoing) -> None:
        link.outbox.put([packet], wake=False)
        self.send_at_once()

    def _begin_reading(self, link: _Link) -> None:
        # Over polling, the request for the answer then goes by the connection that is open already, and need not wait.
        link.outbox.flush(min(_HEAD_START, 2 * link.transport.opening_time))
        self._read(link)

    def _read(self, link: _Link) -> None:
        try:
            packets: Sequence[Outgoing] = link.first
            while True:
                self._receive(link, packets)
                self._check_answers(link)
                if link.reason == self.reason.SERVER_DISCONNECT:
                    break
                packets = link.transport.receive()
        except ConnectionError as exc:
            link.fail(exc)
            if link.reason is None:
                self.logger.warning("Connection lost: %s", link.failure)
        except Exception as exc:
            link.fail(exc)
            if not link.is_orphan:
                self.logger.exception("Connection lost: unexpected error")
        finally:
            self._end(link)

    # -- closing

    def announce_end(self) -> None:
        """Announce that :meth:`disconnect` will be called: from now on, :meth:`connect` waits for it."""
        with self._guard:
            self._ending = self._link is not None

    def disconnect(self, abort: bool = False, reason: str | None = None) -> None:
        """Send what was queued, say goodbye, close.

        :param abort: close at once, without sending anything.
        :param reason: for the ``disconnect`` handler; ``reason.CLIENT_DISCONNECT`` where none is given.

        Bounded: what the server does not take within ``request_timeout`` seconds is given up. From a handler of this
        client it returns before the reading has ended.
        """
        run(self.disconnect_steps(abort, reason))

    def disconnect_steps(self, abort: bool = False, reason: str | None = None) -> Steps[None]:
        """Do what :meth:`disconnect` does, in steps."""
        with self._guard:
            link = self._link
            if link is None:
                self._cancelled = self.state == "connecting"
                if self._opening is not None:
                    self._opening()
                return
            first = link.reason is None
            if first:
                link.reason = reason or self.reason.CLIENT_DISCONNECT
                self.state = "disconnecting"
        if first:
            yield from self._say_goodbye(link, abort)
        if link.reader is threading.current_thread():
            return
        if not (yield Wait(link.ended.wait, _CLOSING)):
            link.transport.abort()
            yield Wait(link.ended.wait, _CLOSING)
        if link.reader is not None and link.reader.is_alive():
            yield joined(link.reader, _CLOSING)

    def _say_goodbye(self, link: _Link, abort: bool) -> Steps[None]:
        goodbye = not abort and (yield self._flushed(link, self.request_timeout))
        if goodbye and link.transport.goodbye:  # apart from what comes before: that is handled first
            yield link.transport.begin_close()
            link.outbox.put(link.transport.goodbye, wake=False)
            self.send_at_once()
            goodbye = yield self._flushed(link, self.request_timeout)
        link.outbox.close()
        if goodbye:
            link.transport.close()
        else:
            link.transport.abort()

    def _end(self, link: _Link) -> None:
        """Release a connection whose reading has ended, and tell."""
        if link.is_orphan:
            process_hooks.hold_copy()
            return
        self.details = details = link.details(self.reason)
        reason = link.reason = details.reason
        link.read.set()
        self._log_end(link, link.outbox.close())
        link.transport.abort()
        if link.writer is not None:
            link.writer.join()
        link.transport.release()
        self._reset()
        if "disconnect" in self.handlers:
            try:
                self.handlers["disconnect"](reason)
                self._tell("disconnect", reason)
            except Exception:
                self.logger.exception("disconnect handler error")
        self._forget(link)  # from here on, another connection can be opened
        link.ended.set()

    def after_fork(self) -> None:
        """Become disconnected in a child process, with new locks. The parent's connection continues."""
        descriptors.close_copies()
        if self._link is not None:
            self._link.is_orphan = True
            self._link.transport.orphan()
            self._link.reason = self.reason.CLIENT_DISCONNECT
        if self.http is not None:
            with contextlib.suppress(Exception):  # whatever kind of session it is
                connections.renew_locks(self.http)
            if not self.external_http:
                self.http = None
        self._set_up()
        self._mark_disconnected()

    def _forget(self, link: _Link | None) -> None:
        with self._guard:
            if self._link is link:
                self._link = self._opening = None
                self._reset()
                self._busy = self._ending = False
                self._freed.notify_all()

    def _reset(self) -> None:
        self._close_session()  # which is not done there
        self._mark_disconnected()


def _thread(name: str, target: Callable[[_Link], None], link: _Link) -> threading.Thread:
    return threading.Thread(target=target, args=(link,), name=name, daemon=True)
