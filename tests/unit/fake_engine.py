"""An engine in memory, for threads and for asyncio: what the clients use of theirs, with the server in the test's hand.

As with the real ones, frames come on a reading thread or task of each connection, one after the other; ``connect`` is
called before reading begins, ``disconnect`` once, when it has ended. What the clients send is kept. The server accepts
every namespace, unless told otherwise.
"""

from __future__ import annotations

import asyncio
import inspect
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from socketio.base_client import BaseClient
from socketio.core.details import DisconnectDetails, DisconnectKind
from socketio.engine import EngineError, InvalidDataError
from socketio.packet import CONNECT, CONNECT_ERROR, Frame, Packet
from socketio.runtime import timeouts
from socketio.runtime.steps import Steps, Wait, call

from .waiting import CEILING, Log, within


@dataclass
class Attempt:
    """The arguments of one call of the engine's ``connect()``."""

    url: str
    headers: dict[str, str]
    transports: Any
    path: str


@dataclass
class Connection:
    """One connection: what the server sends over it, and why it ended."""

    inbox: Any
    reason: str | None = None
    reader: Any = None


@dataclass
class Loss:
    """In an inbox, the end of the connection."""

    reason: str


@dataclass
class Server:
    """What the server does with a CONNECT: accept, refuse with data, or nothing.

    :ivar hang_ups: how many connections it closes right after it has accepted all namespaces.
    """

    refusals: dict[str, Any] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    packet_class: type[Packet] = Packet
    accepted: int = 0
    hang_ups: int = 0

    def replies(self, frame: Frame) -> list[Frame]:
        """Return what comes back for a frame."""
        if isinstance(frame, bytes) and self.packet_class.uses_binary_events:
            return []
        packet = self.packet_class(encoded_packet=frame)
        name = packet.namespace or "/"
        if packet.packet_type != CONNECT or name in self.silent:
            return []
        if name in self.refusals:
            return [self.packet_class(CONNECT_ERROR, data=self.refusals[name], namespace=name).encode()]
        self.accepted += 1
        return [self.packet_class(CONNECT, data={"sid": f"{name}-{self.accepted}"}, namespace=name).encode()]


class Peer:
    """What a test sees of an engine, in both flavours.

    :ivar attempts: the :class:`Attempt` of each ``connect()``.
    :ivar sent: all frames that were sent, over all connections.
    :ivar closings: ``'closed'`` or ``'aborted'`` for each connection that the client ended.
    :ivar failures: exceptions for the next attempts, each used once; ``down`` is one for all others.
    :ivar opening: attempts wait for this, where there is one; so does ``drain()`` for ``draining``.
    :ivar drained: the time that each ``drain()`` was given.
    :ivar takes: whether the server takes what is sent.
    :ivar gone: whether the connection is gone already, which its reader has yet to notice.
    :ivar settle: whether ``connect()`` returns only when all that the server has to say by then was read.
    :ivar together: whether what one :meth:`deliver` sends comes in one piece.
    :ivar errors: what handlers of the client have raised, which they must not.
    """

    new_inbox: Callable[[], Any]
    new_gate: Callable[[], Any]

    def __init__(self, **options: Any) -> None:
        self.options = options
        self.request_timeout = timeouts.bounded(options.get("request_timeout", 5), "request_timeout")
        self.handlers: dict[str, Any] = {}
        self.max_message_size = options.get("max_message_size", 100_000_000)
        self.sid: str | None = None
        self.details: DisconnectDetails | None = None
        self.server = Server()
        self.attempts, self.sent, self.drained, self.closings = Log(), Log(), Log(), Log()
        self.failures: list[BaseException] = []
        self.down: Exception | None = None
        self.opening: Any = None
        self.draining: Any = None
        self.takes = True
        self.gone = False
        self.settle = False
        self.together = False
        self.errors: list[Exception] = []
        self._connection: Connection | None = None
        self._cancelled = False
        self._ending: Connection | None = None

    def on(self, event: str, handler: Callable[..., Any]) -> None:
        """Take the client's handler of an event."""
        self.handlers[event] = handler

    @property
    def state(self) -> str:
        """Whether there is a connection, as engineio says it."""
        return "connected" if self._connection is not None else "disconnected"

    def transport(self) -> str | None:
        """Return the name of the transport in use."""
        return "websocket" if self._connection is not None else None

    def answer_frames(self, frames: list[Frame]) -> None:
        """Send frames that the server has asked for."""
        self.send_frames(frames)

    def has_room(self) -> bool:
        """Return that more may be sent."""
        return True

    def send_at_once(self) -> None:
        """Do nothing: :meth:`send_frames` has sent what there was."""

    wake = send_at_once

    def send_frames(self, frames: list[Frame], wake: bool = True) -> None:
        """Send frames, with nothing in between; the server answers."""
        connection = self._connection
        if connection is None or connection.reason is not None or self.gone:
            raise EngineError("there is no connection")
        for frame in frames:
            self.sent.add(frame)
            for reply in self.server.replies(frame):
                connection.inbox.put_nowait(reply)
        if self.server.hang_ups:
            self.server.hang_ups -= 1
            self.lose()

    def deliver(self, *frames: Frame) -> None:
        """Have the server send frames."""
        assert self._connection is not None, "there is no connection"
        for item in [list(frames)] if self.together else frames:
            self._connection.inbox.put_nowait(item)

    def lose(self, reason: str = BaseClient.reason.TRANSPORT_ERROR) -> None:
        """Have the connection end."""
        assert self._connection is not None, "there is no connection"
        self._connection.inbox.put_nowait(Loss(reason))

    def announce_end(self) -> None:
        """Have ``connect()`` wait for the end of the connection."""
        self._ending = self._connection

    def _is_ending(self) -> bool:
        connection = self._connection
        return connection is not None and (connection.reason is not None or connection is self._ending)

    async def idle(self) -> None:
        """Wait until all that the server has sent was read."""
        connection, marker = self._connection, Log()
        if connection is not None:
            connection.inbox.put_nowait(lambda: marker.add("read"))
            await marker.until(lambda: marker.items or self._connection is not connection)

    def after_fork(self) -> None:
        """Be disconnected, without a word to the server."""
        self._connection, self.sid = None, None

    def _note(self, url: str, headers: Any, transports: Any, path: str) -> None:
        if self._connection is not None:
            raise ValueError("Client is not in a disconnected state")
        self._cancelled = False
        self.attempts.add(Attempt(url, dict(headers or {}), transports, path))

    def _begin(self) -> Connection:
        if self._cancelled:
            raise EngineError("the connection attempt was ended by disconnect()")
        if self.failures or self.down is not None:
            raise self.failures.pop(0) if self.failures else self.down  # type: ignore[misc]
        self._connection = Connection(type(self).new_inbox())
        self.sid = f"transport-{len(self.attempts.items)}"
        return self._connection

    def _end(self, connection: Connection) -> None:
        self._connection, self.sid = None, None
        while not connection.inbox.empty():
            item = connection.inbox.get_nowait()
            if callable(item):
                item()

    def _handle(self, connection: Connection, item: Any) -> bool:
        """Handle what the server sent; return whether the connection goes on."""
        if isinstance(item, Loss):
            connection.reason = connection.reason or item.reason
            self.details = DisconnectDetails(DisconnectKind.CONNECTION_BROKEN, connection.reason)
            return False
        try:
            item() if callable(item) else self.handlers["message"](item if isinstance(item, list) else [item])
        except InvalidDataError as exc:
            connection.reason = BaseClient.reason.TRANSPORT_ERROR
            self.details = DisconnectDetails(DisconnectKind.INVALID_DATA, connection.reason, exception=exc)
            return False
        except Exception as exc:
            self.errors.append(exc)
        return True


class FakeEngine(Peer):
    """The engine for threads."""

    new_inbox = staticmethod(queue.Queue)
    new_gate = staticmethod(threading.Event)

    def connect(self, url: str, headers: Any = None, transports: Any = None, engineio_path: str = "engine.io") -> None:
        """Connect to the server, or fail as the test wants it. A connection that is about to end is waited for."""
        ending = self._connection
        if ending is not None and self._is_ending() and ending.reader is not threading.current_thread():
            ending.reader.join(CEILING)
        self._note(url, headers, transports, engineio_path)
        if self.opening is not None:
            assert self.opening.wait(CEILING)
        connection = self._begin()
        try:
            self.handlers["connect"]()
        except BaseException:
            self._end(connection)
            raise
        read = threading.Event()
        connection.inbox.put(read.set)
        reader = threading.Thread(target=self._read, args=(connection,), name="reader", daemon=True)
        reader.start()
        connection.reader = reader
        if self.settle:
            while not read.wait(0.01) and self._connection is connection:
                pass

    def _read(self, connection: Connection) -> None:
        while self._handle(connection, connection.inbox.get()):
            pass
        self._end(connection)
        self.handlers["disconnect"](connection.reason)

    def drain_steps(self, timeout: float) -> Steps[bool]:
        """Return whether the server has taken all that was sent."""
        self.drained.add(timeout)
        if self.draining is not None:
            yield Wait(self.draining.wait, timeout)
        return self.takes

    def disconnect_steps(self, abort: bool = False, reason: str | None = None) -> Steps[None]:
        """Close the connection, or end the attempt, in one step."""
        yield Wait(lambda timeout: True, 0)
        self.disconnect(abort, reason)

    def disconnect(self, abort: bool = False, reason: str | None = None) -> None:
        """Close the connection, or end the attempt."""
        connection = self._connection
        if connection is None:
            self._cancelled = True
            if self.opening is not None:
                self.opening.set()
            return
        if connection.reason is None:
            connection.reason = reason or BaseClient.reason.CLIENT_DISCONNECT
            self.closings.add("aborted" if abort else "closed")
            connection.inbox.put(Loss(connection.reason))
        if connection.reader is not None and connection.reader is not threading.current_thread():
            connection.reader.join(CEILING)

    def sleep(self, seconds: float = 0) -> None:
        """Sleep."""
        time.sleep(seconds)

    def start_background_task(self, target: Callable[..., Any], *args: Any, **kwargs: Any) -> threading.Thread:
        """Run a function on a thread of its own."""
        thread = threading.Thread(target=target, args=args, kwargs=kwargs, daemon=True)
        thread.start()
        return thread


class FakeAsyncEngine(Peer):
    """The engine for asyncio."""

    new_inbox = staticmethod(asyncio.Queue)
    new_gate = staticmethod(asyncio.Event)

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.last_messages: Callable[[], list[Frame]] = list
        self.loop_ends = False
        self._tasks: set[asyncio.Task[Any]] = set()

    async def connect(
        self, url: str, headers: Any = None, transports: Any = None, engineio_path: str = "engine.io"
    ) -> None:
        """Connect to the server, or fail as the test wants it. A connection that is about to end is waited for."""
        ending = self._connection
        if ending is not None and self._is_ending():
            await asyncio.wait([ending.reader], timeout=CEILING)
        self._note(url, headers, transports, engineio_path)
        if self.opening is not None:
            await within(self.opening.wait())
        connection = self._begin()
        try:
            await self.handlers["connect"]()
        except BaseException:
            self._end(connection)
            raise
        read = asyncio.Event()
        connection.inbox.put_nowait(read.set)
        connection.reader = self.start_background_task(self._read, connection)
        if self.settle:
            waiting = asyncio.ensure_future(read.wait())
            await asyncio.wait([waiting, connection.reader], return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()

    async def _read(self, connection: Connection) -> None:
        while self._handle(connection, await connection.inbox.get()):
            pass
        self._end(connection)
        await self.handlers["disconnect"](connection.reason)

    async def drain(self, timeout: float) -> bool:
        """Return whether the server has taken all that was sent."""
        self.drained.add(timeout)
        if self.draining is not None:
            await asyncio.wait([asyncio.ensure_future(self.draining.wait())], timeout=timeout)
        return self.takes

    async def disconnect(self, abort: bool = False, reason: str | None = None) -> None:
        """Close the connection, or end the attempt."""
        connection = self._connection
        if connection is None:
            self._cancelled = True
            if self.opening is not None:
                self.opening.set()
            return
        if connection.reason is None:
            connection.reason = reason or BaseClient.reason.CLIENT_DISCONNECT
            self.closings.add("aborted" if abort else "closed")
            connection.inbox.put_nowait(Loss(connection.reason))
        if connection.reader is not None and connection.reader is not asyncio.current_task():
            await asyncio.wait([connection.reader], timeout=CEILING)

    def drain_steps(self, timeout: float) -> Steps[bool]:
        """Do what :meth:`drain` does, in one step."""
        return (yield call(self.drain, timeout))

    def disconnect_steps(self, abort: bool = False, reason: str | None = None) -> Steps[None]:
        """Do what :meth:`disconnect` does, in one step."""
        yield call(self.disconnect, abort, reason)

    async def sleep(self, seconds: float = 0) -> None:
        """Sleep."""
        await asyncio.sleep(seconds)

    def close_without_loop(self) -> None:
        """Be disconnected after the end of the event loop."""
        self.after_fork()

    def discard_tasks(self, loop: asyncio.AbstractEventLoop) -> None:
        """Do nothing."""

    def start_background_task(self, target: Callable[..., Any], *args: Any, **kwargs: Any) -> asyncio.Task[Any]:
        """Run a coroutine function as a task."""
        assert inspect.iscoroutinefunction(target)
        task = asyncio.ensure_future(target(*args, **kwargs))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
