"""One Socket.IO session, without I/O: calls become frames, frames become events.

A :class:`Protocol` lives as long as one Engine.IO connection; a new connection is a new object. Whatever frames come
in, :meth:`Protocol.receive` returns events and raises nothing. Nothing here waits, locks, logs or calls the
application; the shells guard it (threads: the client's lock; asyncio: no method is a coroutine).
Source: Socket.IO protocol, revision 5.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Container, Iterator, Sequence
from typing import Any, TypeAlias, TypeGuard

from .. import packet
from ..exceptions import BadNamespaceError
from ..packet import Frame, Packet, find_placeholders
from .codec import Codec, PartialPacket
from .early_events import EarlyEvents
from .events import (
    RESERVED_EVENTS,
    AckReceived,
    Event,
    EventReceived,
    FrameDropped,
    NamespaceConnected,
    NamespaceDisconnected,
    NamespaceRefused,
    SessionFailed,
    read_event,
)
from .offsets import NamespaceOffsets

_RESERVED = frozenset(RESERVED_EVENTS)

_ACK_HEAD = re.compile(r"3(?:(/[^,\[]*),)?([0-9]{1,100})\[")
_UNKNOWN = None, 0
_FEW = range(1, 5)
"""So many attachments are handed over with their event; one with more takes the way of a packet."""

Unread: TypeAlias = str | list[Any]
"""An event that was not decoded yet: its frame, or a list of that and those of its attachments."""


class Protocol:
    """The state of one session: its namespaces, the packet that waits for attachments, the pending requests.

    :param packet_class: encodes and decodes.
    :param transport_sid: the Engine.IO session id; stands in where a server names no sid for a namespace.
    :param max_message_size: bytes that all attachments of one packet may have together, and all events that come
        before their namespace is connected; ``None`` for any number.
    :ivar callbacks: those of the requests that wait for their answers, by namespace and id.
    :ivar keeps_ended: whether a namespace that the server ends stays connected until :meth:`end`.
    """

    def __init__(
        self, packet_class: type[Packet], transport_sid: str = "", max_message_size: int | None = None
    ) -> None:
        self.namespaces: dict[str, str] = {}
        self._writable: Container[str] = self.namespaces
        self.pending: list[str] = []
        self.keeps_ended = False
        self._uses_attachments = packet_class.uses_binary_events
        codec = Codec(packet_class)
        self._encode, self._decode, self._read_ack = codec.encode, codec.decode, codec.read_ack
        self._loads, self._scan, self._longest_to_scan = codec.loads, codec.scan, codec.longest_to_scan
        self._reads_text = codec.reads_text
        self._transport_sid = transport_sid
        self._partial: PartialPacket | None = None
        self._early_events = EarlyEvents(max_message_size)
        self._max_message_size = max_message_size
        self._last_ids: dict[str, int] = {}
        self.callbacks: dict[tuple[str, int], Callable[..., Any]] = {}
        self._offsets = NamespaceOffsets()
        self._heads: dict[str, tuple[str, int]] = {}
        self._left: set[str] = set()

    # -- calls become frames

    def connect(self, namespace: str, auth: Any = None) -> list[Frame]:
        """Ask for a namespace; return the frames to send."""
        name = namespace.partition("?")[0]
        frames = self._encode(packet.CONNECT, auth if auth is not None else {}, namespace)
        self.pending.append(name)
        return frames

    def disconnect(self, namespace: str) -> list[Frame]:
        """Leave a namespace; return the frames to send, none if it is not connected."""
        if self.namespaces.pop(namespace, None) is None:
            return []
        self._left.add(namespace)
        return self._encode(packet.DISCONNECT, None, namespace)

    def end(self, namespace: str) -> bool:
        """Record that the server has ended a namespace; return whether it was connected or pending."""
        return self._drop(namespace)

    def emit(self, event: str, args: tuple[Any, ...], namespace: str) -> list[Frame]:
        """Return the frames of an event.

        Raises :class:`~socketio.exceptions.BadNamespaceError` when the namespace is not connected, ``TypeError`` or
        ``ValueError`` when an argument cannot be encoded; nothing has changed then.
        """
        if namespace not in self._writable:
            raise self._not_connected(namespace)
        return self._encode(packet.EVENT, [event, *args], namespace)

    def request(
        self, event: str, args: tuple[Any, ...], namespace: str, callback: Callable[..., Any]
    ) -> tuple[int, list[Frame]]:
        """Return the id and the frames of an event that the server shall acknowledge to ``callback``.

        Raises as :meth:`emit` does. Ids count from 1 in each namespace.
        """
        if namespace not in self._writable:
            raise self._not_connected(namespace)
        ack_id = self._last_ids.get(namespace, 0) + 1
        frames = self._encode(packet.EVENT, [event, *args], namespace, ack_id)
        self._last_ids[namespace] = ack_id
        self.callbacks[namespace, ack_id] = callback
        return ack_id, frames

    def request_count(self) -> int:
        """Return how many requests wait for their answers."""
        return len(self.callbacks)

    def forget(self, namespace: str, ack_id: int) -> None:
        """Drop a request: its answer, should it still come, has no effect."""
        self.callbacks.pop((namespace, ack_id), None)

    def acknowledge(self, namespace: str, ack_id: int, args: tuple[Any, ...]) -> list[Frame]:
        """Return the frames of an acknowledgement, none if the namespace has ended meanwhile.

        Raises ``TypeError`` or ``ValueError`` when a value cannot be encoded.
        """
        if namespace not in self.namespaces:
            return []
        return self._encode(packet.ACK, list(args), namespace, ack_id)

    def refuse_events(self) -> None:
        """Refuse further events while the queued ones are sent. The namespaces stay connected."""
        self._writable = ()

    def close(self) -> list[Callable[..., Any]]:
        """End the session: nothing is connected any more. Return the callbacks that will have no answer."""
        callbacks = list(self.callbacks.values())
        self.namespaces = {}
        self._writable = ()
        self.pending = []
        self.callbacks = {}
        self._partial = None
        self._early_events.clear()
        return callbacks

    def _not_connected(self, namespace: str) -> BadNamespaceError:
        return BadNamespaceError(f"{namespace} is not a connected namespace.")

    # -- frames become events

    def callback_for(self, frame: str) -> Callable[..., Any] | None:
        """Return the callback of the request that a frame acknowledges, if it can be received before others."""
        head = _ACK_HEAD.match(frame) if self._reads_text and self._partial is None else None
        return None if head is None else self.callbacks.get((head[1] or "/", int(head[2])))

    def receive(self, frame: Frame) -> list[Event]:
        """Return what a frame means: nothing while attachments are awaited, mostly one event."""
        if self._partial is not None:
            incomplete, self._partial = self._partial, None
            if isinstance(frame, bytes):
                return self._add_attachment(incomplete, frame)
            return [FrameDropped("a packet without all of its attachments"), *self.receive(frame)]
        if isinstance(frame, bytes) and self._uses_attachments:
            return [FrameDropped("an attachment without a packet")]
        ack = self._read_ack(frame)
        if ack is not None:
            return [self._ack("/", ack[1], ack[0])]
        received = self._decode(frame)
        if isinstance(received, FrameDropped):
            return [received]
        if received.attachment_count:
            self._partial = PartialPacket(received, [frame])
            return []
        return self._interpret(received, [frame])

    def receive_each(self, frames: Sequence[Frame]) -> Iterator[Event]:
        """Return what frames mean; each is received when the next event is asked for."""
        return self._receive_plain(frames) if self._are_plain(frames) else self._receive_mixed(frames)

    def _receive_plain(self, frames: Sequence[str]) -> Iterator[Event]:
        start = frames[0].find("[")
        namespace, _ = self._heads[frames[0][:start]]
        for frame in self._offsets.cut_all(namespace, frames):
            if namespace in self.namespaces:
                yield self._read(namespace, frame, start, ())
            else:  # since one of the events before
                yield from self.receive(frame)

    def _receive_mixed(self, frames: Sequence[Frame]) -> Iterator[Event]:
        heads, offsets = self._heads, self._offsets
        index, end = 0, len(frames)
        while index < end:
            frame = frames[index]
            index += 1
            if isinstance(frame, str) and self._partial is None:
                start = frame.find("[")
                namespace, count = heads.get(frame[:start], _UNKNOWN)
                if namespace in self.namespaces:
                    attachments = frames[index : index + count] if count else ()
                    if not count or self._are_attachments(attachments, count):
                        index += count
                        if offsets:
                            frame = offsets.cut(namespace, frame)
                        yield self._read(namespace, frame, start, attachments)
                        continue
            yield from self.receive(frame)

    def receive_many(self, frames: Sequence[Frame], start: int = 0) -> tuple[list[Unread | Event], int]:
        """Return what frames mean, from the one at ``start`` on, and the index of the first that was not received.

        Events that ask for no acknowledgement are left unread, for :meth:`read`: nothing but their own handlers depends
        on them. Stops after an event that changes what is connected.
        """
        received: list[Unread | Event] = []
        heads, offsets = self._heads, self._offsets
        if start == 0 and self._are_plain(frames):
            only, _ = heads[frames[0][: frames[0].find("[")]]
            received += self._offsets.cut_all(only, frames)
            return received, len(frames)
        index, end = start, len(frames)
        while index < end:
            frame = frames[index]
            index += 1
            if isinstance(frame, str) and self._partial is None:
                namespace, count = heads.get(frame[: frame.find("[")], _UNKNOWN)
                if namespace in self.namespaces:
                    attachments = frames[index : index + count] if count else ()
                    if not count or self._are_attachments(attachments, count):
                        index += count
                        if offsets:
                            frame = offsets.cut(namespace, frame)
                        received.append([frame, *attachments] if count else frame)
                        continue
            events = self.receive(frame)
            received += events
            if not all(isinstance(event, (tuple, AckReceived, FrameDropped)) for event in events):
                return received, index
        return received, end

    def _are_plain(self, frames: Sequence[Any]) -> TypeGuard[Sequence[str]]:
        """Return whether these are several frames, all of them events of one namespace, as most are."""
        if self._partial is not None or len(frames) < 2 or not isinstance(frames[0], str):
            return False
        first = frames[0]
        head = first[: first.find("[")]
        namespace, count = self._heads.get(head, _UNKNOWN)
        if count or namespace not in self.namespaces:
            return False
        try:
            return all(map(str.startswith, frames, itertools.repeat(head + "[")))
        except TypeError:  # there are attachments among them
            return False

    def _are_attachments(self, frames: Sequence[Frame], count: int) -> bool:
        """Return whether these are so many attachments, and not too large."""
        sizes = [len(frame) for frame in frames if isinstance(frame, bytes)]
        return len(sizes) == count and (self._max_message_size is None or sum(sizes) <= self._max_message_size)

    def read(self, unread: Unread) -> EventReceived | FrameDropped:
        """Return the event that :meth:`receive_many` has left unread; what :meth:`receive` would have returned then.

        May be called on any thread, and changes nothing.
        """
        frame: str = unread if isinstance(unread, str) else unread[0]
        start = frame.find("[")
        namespace, count = self._heads[frame[:start]]
        return self._read(namespace, frame, start, unread[1:] if count else ())

    def _read(self, namespace: Any, frame: str, start: int, attachments: Sequence[Any]) -> EventReceived | FrameDropped:
        """Return the event whose data begins at ``start``, without the detour of a packet."""
        try:
            if len(frame) <= self._longest_to_scan:
                data, end = self._scan(frame, start)
            else:
                data, end = self._loads(frame[start:]), len(frame)
            if attachments:
                for container, key, number in find_placeholders(data, len(attachments)):
                    container[key] = attachments[number]
            name = data[0]
            if isinstance(name, str) and name not in _RESERVED and end == len(frame):
                return namespace, name, tuple(data[1:]), None
        except Exception:
            return self._read_packet(frame)  # which has words for what is wrong
        return self._read_packet(frame, attachments)

    def _read_packet(self, frame: str, attachments: Sequence[Any] = ()) -> EventReceived | FrameDropped:
        received = self._decode(frame)
        if isinstance(received, FrameDropped):
            return received
        for attachment in attachments:
            received.add_attachment(attachment)
        return read_event(received.namespace or "/", received.data, received.id)

    def _add_attachment(self, partial: PartialPacket, attachment: bytes) -> list[Event]:
        complete = partial.add(attachment, self._max_message_size)
        if isinstance(complete, FrameDropped):
            return [complete]
        if complete:
            return self._interpret(partial.packet, partial.frames)
        self._partial = partial
        return []

    def _interpret(self, received: Packet, frames: list[Frame]) -> list[Event]:
        namespace = received.namespace or "/"
        if received.packet_type in (packet.EVENT, packet.BINARY_EVENT):
            if namespace in self.namespaces:
                return [self._event(namespace, received.data, received.id)]
            if namespace in self.pending:
                return self._keep(namespace, frames)
            if namespace in self._left:  # the server has yet to read that
                return []
            return [FrameDropped(f"an event for {namespace}, which is not connected")]
        if received.packet_type in (packet.ACK, packet.BINARY_ACK):
            return [self._ack(namespace, received.data, received.id)]
        if received.packet_type == packet.CONNECT:
            return self._connected(namespace, received.data)
        if received.packet_type == packet.DISCONNECT:
            return [self._disconnected(namespace)]
        if received.packet_type == packet.CONNECT_ERROR:
            return [self._refused(namespace, received.data)]
        return [FrameDropped(f"unknown packet type {received.packet_type!r}")]

    def _event(self, namespace: str, data: Any, ack_id: int | None) -> Event:
        if ack_id is None and self._offsets:
            self._offsets.strip(namespace, data)
        return read_event(namespace, data, ack_id)

    def _keep(self, namespace: str, frames: list[Frame]) -> list[Event]:
        """Keep an event until its namespace is connected."""
        excess = self._early_events.add(namespace, frames)
        if excess is None:
            return []
        self.pending = []
        self._early_events.clear()
        return [SessionFailed(f"the server has sent {excess} before it answered the CONNECT of {namespace}")]

    def _ack(self, namespace: str, data: Any, ack_id: int | None) -> Event:
        callback = None if ack_id is None else self.callbacks.get((namespace, ack_id))
        if ack_id is None or callback is None:
            return FrameDropped("an acknowledgement that nobody waits for")
        if data is not None and not isinstance(data, list):
            return FrameDropped("an acknowledgement that is no list")
        del self.callbacks[namespace, ack_id]
        return AckReceived(namespace, callback, tuple(data or ()), ack_id)

    def _connected(self, namespace: str, data: Any) -> list[Event]:
        """Return the event for an accepted namespace, followed by its early events."""
        if namespace not in self.pending:
            return [FrameDropped(f"a CONNECT for {namespace}, which was not asked for")]
        fields = data if isinstance(data, dict) else {}
        sid = fields.get("sid")
        self.pending.remove(namespace)
        self.namespaces[namespace] = sid if isinstance(sid, str) else self._transport_sid
        if isinstance(fields.get("pid"), str):
            self._offsets.expect(namespace)
        if self._reads_text:
            where = "" if namespace == "/" else f"{namespace},"
            self._heads[f"2{where}"] = namespace, 0
            self._heads.update({f"5{count}-{where}": (namespace, count) for count in _FEW})
        early = itertools.chain.from_iterable(self._early_events.take(namespace))
        return [NamespaceConnected(namespace, self.namespaces[namespace]), *itertools.chain(*map(self.receive, early))]

    def _disconnected(self, namespace: str) -> Event:
        if not self.namespaces and not self.pending:
            return FrameDropped("a DISCONNECT while nothing is connected")
        if not self.keeps_ended:
            self._drop(namespace)
        return NamespaceDisconnected(namespace)

    def _refused(self, namespace: str, data: Any) -> Event:
        if namespace not in self.namespaces and namespace not in self.pending:
            return FrameDropped(f"a CONNECT_ERROR for {namespace}, which was not asked for")
        # A refusal of '/' is one of the whole session, as users of python-socketio know it.
        ended = tuple(self.namespaces) if namespace == "/" else (namespace,)
        was_connected = tuple(name for name in ended if name in self.namespaces)
        for name in (namespace, *was_connected):
            self._drop(name)
        args = () if data is None else tuple(data) if isinstance(data, list) else (data,)
        return NamespaceRefused(namespace, args, data, was_connected)

    def _drop(self, namespace: str) -> bool:
        known = namespace in self.namespaces or namespace in self.pending
        self.namespaces.pop(namespace, None)
        if namespace in self.pending:
            self.pending.remove(namespace)
        self._early_events.take(namespace)
        return known
