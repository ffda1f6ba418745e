"""Socket.IO on top of the Engine.IO server: frames become calls of handlers, calls become frames.

In: messages of :class:`~socketio.testing.engine.EngineServer`, calls of
:class:`~socketio.testing.server.Server`. Everything runs on the loop's thread. Plain handlers are called while the
message is read, coroutines become tasks that start in order. Nothing that a client sends raises: data that is not
Socket.IO ends its connection. Source: Socket.IO protocol, revision 5.
"""

from __future__ import annotations

import asyncio
import inspect
import itertools
import logging
import secrets
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

from bidict import bidict

from .. import packet
from ..core.events import RESERVED_EVENTS, event_arguments
from ..core.handlers import Call, Handler, Handlers
from ..core.signatures import accepts
from ..exceptions import BadNamespaceError, CallInterruptedError, ConnectionRefusedError
from ..packet import Frame, Packet
from .engine import EngineServer

Answer: TypeAlias = Future[tuple[Any, ...]]
"""A future for the values of an acknowledgement."""

_REFUSED = {"message": "Connection refused by the server"}

logger = logging.getLogger(__package__)


class _MalformedError(Exception):
    """A client sent data that is not Socket.IO."""


@dataclass(slots=True, eq=False)
class _Connection:
    """An Engine.IO connection: the request that it began with, and the packet that waits for attachments."""

    environ: dict[str, Any]
    partial: Packet | None = None


@dataclass(slots=True, eq=False)
class _Peer:
    """A client in a namespace. ``held`` are the frames for it until it is accepted, then ``None``."""

    held: list[Frame] | None = field(default_factory=list)
    answers: dict[int, Answer] = field(default_factory=dict)
    ack_ids: Iterator[int] = field(default_factory=itertools.count)


class Session:
    """The clients of one server, from its start to its stop.

    :param handlers: the registry, which may change at any time.
    :param packet_class: encodes and decodes.
    :param engine_options: for :class:`EngineServer`.
    """

    def __init__(self, handlers: Handlers, packet_class: type[Packet], engine_options: dict[str, Any]) -> None:
        self.engine = EngineServer(self, engine_options)
        self._reason = self.engine.reason
        self._handlers = handlers
        self._packet_class = packet_class
        self._connections: dict[str, _Connection] = {}
        self._sids: bidict[str, tuple[str, str]] = bidict()  # sid <-> (engine sid, namespace)
        self._peers: dict[str, _Peer] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    # -- calls become frames

    def emit(self, event: str, args: tuple[Any, ...], to: str | None, namespace: str, callback: Handler | None) -> None:
        """Send an event to one client, or to all of a namespace."""
        sids = self._members(namespace) if to is None else [to]
        if callback is None:
            frames = self._encode(packet.EVENT, [event, *args], namespace)
            for sid in sids:
                self._require(sid, namespace)
                self._send(sid, frames)
            return
        for sid in sids:
            answer = self.request(event, args, sid, namespace)
            answer.add_done_callback(partial(self._call_back, callback, event, namespace))

    def request(self, event: str, args: tuple[Any, ...], to: str, namespace: str) -> Answer:
        """Send an event to a client and return its acknowledgement to come."""
        peer = self._require(to, namespace)
        ack_id = next(peer.ack_ids)
        frames = self._encode(packet.EVENT, [event, *args], namespace, ack_id)
        peer.answers[ack_id] = answer = Answer()
        self._send(to, frames)
        return answer

    def disconnect(self, sid: str, namespace: str) -> None:
        """End a client's namespace; one that is not accepted yet is refused."""
        if sid not in self._sids:
            return
        if self._require(sid, namespace).held is not None:
            self._refuse(sid, _REFUSED)
            return
        self._send(sid, self._encode(packet.DISCONNECT, None, namespace))
        self._end(sid, self._reason.SERVER_DISCONNECT)

    def close_transport(self, sid: str) -> None:
        """End the Engine.IO connection of a client, with all its namespaces."""
        if sid in self._sids:
            self._close_connection(self._sids[sid][0], self._reason.SERVER_DISCONNECT)

    def _members(self, namespace: str) -> list[str]:
        return [sid for sid, (_, name) in self._sids.items() if name == namespace and self._peers[sid].held is None]

    def _require(self, sid: str, namespace: str) -> _Peer:
        if sid not in self._sids or self._sids[sid][1] != namespace:
            raise BadNamespaceError(f"{sid} is not connected to {namespace}")
        return self._peers[sid]

    def _encode(self, packet_type: int, data: Any, namespace: str, id: int | None = None) -> list[Frame]:
        encoded = self._packet_class(packet_type, data=data, namespace=namespace, id=id).encode()
        return encoded if isinstance(encoded, list) else [encoded]

    def _send(self, sid: str, frames: list[Frame]) -> None:
        held = self._peers[sid].held
        if held is None:
            self.engine.queue_frames(self._sids[sid][0], frames)
        else:
            held.extend(frames)

    def _close_connection(self, engine_sid: str, reason: str) -> None:
        self.closed(engine_sid, reason)
        self._spawn(self.engine.close(engine_sid, reason))

    # -- frames become calls: the engine's listener

    def opened(self, engine_sid: str, environ: dict[str, Any]) -> None:
        """Handle a new Engine.IO connection."""
        self._connections[engine_sid] = _Connection(environ)

    async def received(self, engine_sid: str, message: Any) -> None:
        """Handle a message. Returns when the handler has ended, or its task has started."""
        connection = self._connections.get(engine_sid)
        if connection is None:
            return
        try:
            received = self._assemble(connection, message)
            started = received is not None and self._interpret(engine_sid, connection, received)
        except _MalformedError as exc:
            logger.warning("closing the connection %s: %s", engine_sid, exc)
            self._close_connection(engine_sid, self._reason.TRANSPORT_ERROR)
            return
        if started:
            await asyncio.sleep(0)  # so that the task starts before the next event's handler

    def closed(self, engine_sid: str, reason: str) -> None:
        """End all namespaces of the client."""
        if self._connections.pop(engine_sid, None) is None:
            return
        for sid in [sid for sid, (owner, _) in self._sids.items() if owner == engine_sid]:
            self._end(sid, reason)

    def _assemble(self, connection: _Connection, message: Any) -> Packet | None:
        """Return the packet that the message completes, ``None`` while attachments are awaited."""
        incomplete = connection.partial
        if incomplete is not None:
            if not isinstance(message, bytes):
                raise _MalformedError("a packet without all of its attachments")
            if not incomplete.add_attachment(message):
                return None
            connection.partial = None
            return incomplete
        try:
            received = self._packet_class(encoded_packet=message)
        except Exception as exc:  # ValueError from ours; a custom packet class may raise anything
            raise _MalformedError(str(exc) or repr(exc)) from exc
        if received.attachment_count:
            connection.partial = received
            return None
        return received

    def _interpret(self, engine_sid: str, connection: _Connection, received: Packet) -> bool:
        """Handle a packet; return whether a task was started for it."""
        namespace = received.namespace or "/"
        sid = self._sids.inverse.get((engine_sid, namespace))
        if received.packet_type == packet.CONNECT:
            if sid is not None:
                raise _MalformedError(f"a second CONNECT for {namespace}")
            return self._connect(engine_sid, namespace, connection.environ, received.data)
        if received.packet_type == packet.DISCONNECT:
            return sid is not None and self._end(sid, self._reason.CLIENT_DISCONNECT)
        if received.packet_type in (packet.EVENT, packet.BINARY_EVENT):
            return self._event(sid, namespace, received.data, received.id)
        if received.packet_type in (packet.ACK, packet.BINARY_ACK):
            return self._ack(sid, received.data, received.id)
        raise _MalformedError("a packet that only servers send")

    def _connect(self, engine_sid: str, namespace: str, environ: dict[str, Any], auth: Any) -> bool:
        if namespace != "/" and not {namespace, "*"} & self._handlers.functions.keys():
            refusal = self._encode(packet.CONNECT_ERROR, {"message": "Invalid namespace"}, namespace)
            self.engine.queue_frames(engine_sid, refusal)
            return False
        sid = secrets.token_urlsafe(15)
        self._sids[sid] = (engine_sid, namespace)
        self._peers[sid] = _Peer()
        call = self._handlers.find("connect", namespace, (sid, environ, auth))
        if call is None:
            self._accept(sid, None)
            return False
        handler, args = call
        if accepts(handler, *args) is False:  # a handler that does not want auth
            args = args[:-1]
        return self._start((handler, args), partial(self._accept, sid), partial(self._reject, sid))

    def _event(self, sid: str | None, namespace: str, data: Any, ack_id: int | None) -> bool:
        if not isinstance(data, list) or not data or not isinstance(data[0], str):
            raise _MalformedError("an event without a name")
        event, *args = data
        if event in RESERVED_EVENTS:
            raise _MalformedError(f"an event with the reserved name {event}")
        if sid is None or self._peers[sid].held is not None:
            logger.info("dropped: an event for %s, which is not connected", namespace)
            return False
        acknowledge = partial(self._acknowledge, sid, namespace, ack_id)
        call = self._handlers.find(event, namespace, (sid, *args))
        if call is None:
            acknowledge(None)
            return False
        return self._start(call, acknowledge, partial(_log_failure, event, namespace))

    def _ack(self, sid: str | None, data: Any, ack_id: int | None) -> bool:
        if ack_id is None or not isinstance(data, (list, type(None))):
            raise _MalformedError("an acknowledgement without an id, or that is not a list")
        answer = None if sid is None else self._peers[sid].answers.pop(ack_id, None)
        if answer is None:
            logger.info("dropped: an acknowledgement that is not expected")
        elif answer.set_running_or_notify_cancel():
            answer.set_result(tuple(data or ()))
        return False

    # -- what handlers return becomes frames

    def _accept(self, sid: str, result: Any) -> None:
        peer = self._peers.get(sid)
        if peer is None or peer.held is None:
            return
        if result is False:
            self._refuse(sid, _REFUSED)
            return
        namespace = self._sids[sid][1]
        held, peer.held = peer.held, None
        self._send(sid, self._encode(packet.CONNECT, {"sid": sid}, namespace))
        self._send(sid, held)

    def _reject(self, sid: str, error: Exception) -> None:
        """Refuse a client whose connect handler failed; log it, unless the handler refused it."""
        if sid not in self._sids:
            return
        refusal: dict[str, Any] = dict(_REFUSED)
        if not isinstance(error, ConnectionRefusedError):
            _log_failure("connect", self._sids[sid][1], error)
        elif error.args:
            refusal["message"] = error.args[0]
            if len(error.args) > 1:
                refusal["data"] = error.args[1] if len(error.args) == 2 else error.args[1:]
        try:
            self._refuse(sid, refusal)
        except (TypeError, ValueError) as exc:  # data that cannot be encoded
            _log_failure("connect", self._sids[sid][1], exc)
            self._refuse(sid, _REFUSED)

    def _refuse(self, sid: str, refusal: dict[str, Any]) -> None:
        engine_sid, namespace = self._sids[sid]
        self.engine.queue_frames(engine_sid, self._encode(packet.CONNECT_ERROR, refusal, namespace))
        self._end(sid, self._reason.SERVER_DISCONNECT)

    def _acknowledge(self, sid: str, namespace: str, ack_id: int | None, result: Any) -> None:
        if ack_id is not None and sid in self._peers:
            self._send(sid, self._encode(packet.ACK, list(event_arguments(result)), namespace, ack_id))

    def _end(self, sid: str, reason: str) -> bool:
        """Remove a client from a namespace and end the calls that wait for it; return whether a task was started."""
        namespace = self._sids.pop(sid)[1]
        peer = self._peers.pop(sid)
        for answer in peer.answers.values():
            if answer.set_running_or_notify_cancel():
                answer.set_exception(CallInterruptedError(f"{sid} has left {namespace}: {reason}"))
        call = self._handlers.find("disconnect", namespace, (sid, reason))
        if call is None or peer.held is not None:
            return False
        return self._start(call, lambda result: None, partial(_log_failure, "disconnect", namespace))

    # -- handlers run

    def _start(self, call: Call, finish: Callable[[Any], None], fail: Callable[[Exception], None]) -> bool:
        """Call a handler and then ``finish`` with its result, or ``fail``; return whether it needs a task."""
        handler, args = call
        try:
            result = handler(*args)
            if not inspect.isawaitable(result):
                finish(result)
                return False
        except Exception as exc:
            fail(exc)
            return False
        self._spawn(_complete(result, finish, fail))
        return True

    def _call_back(self, callback: Handler, event: str, namespace: str, answer: Answer) -> None:
        if answer.exception() is None:
            failed = partial(_log_failure, f"acknowledgement of {event}", namespace)
            self._start((callback, answer.result()), lambda result: None, failed)

    def _spawn(self, job: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(job)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _complete(result: Awaitable[Any], finish: Callable[[Any], None], fail: Callable[[Exception], None]) -> None:
    try:
        finish(await result)
    except Exception as exc:
        fail(exc)


def _log_failure(event: str, namespace: str, error: Exception) -> None:
    logger.error("the handler of %s in %s failed", event, namespace, exc_info=error)
