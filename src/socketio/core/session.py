"""One Socket.IO session, without I/O: decodes frames into events, and encodes calls as frames.

A :class:`Session` lasts as long as one Engine.IO connection; a new connection is a new object. Whatever frames come in,
:meth:`Session.receive` returns events and raises nothing. Nothing here waits, locks, logs or calls the application; the
client guards it (threads: with its lock; asyncio: no method is a coroutine).
Source: Socket.IO protocol, revision 5.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from itertools import repeat
from typing import Any, TypeGuard

from .. import packet
from ..exceptions import BadNamespaceError
from ..packet import Frame, Packet
from .codec import Codec, PartialPacket
from .early_events import EarlyEvents
from .events import (
    AckReceived,
    Event,
    Events,
    FrameDropped,
    NamespaceConnected,
    NamespaceDisconnected,
    NamespaceRefused,
    Notice,
    SessionFailed,
    read_event,
)
from .offsets import Offsets

_FEW = range(1, 5)
"""Maximum attachments of an event that is not decoded when it is received."""
_OTHER = -1, None


class Session:
    """The state of one session: its namespaces, the packet that waits for attachments, the pending requests.

    :param packet_class: encodes and decodes.
    :param transport_sid: the Engine.IO session id; used where a server gives no sid for a namespace.
    :param max_message_size: maximum bytes of all attachments of one packet together, and of all events that come
        before their namespace is connected; ``None`` for no limit.
    :ivar namespaces: the connected namespaces, and the sid of each.
    :ivar pending: the namespaces that the server has not answered for yet.
    :ivar callbacks: the callbacks of events that wait for acknowledgements, by namespace and id.
    :ivar has_sent: whether there were events or acknowledgements to send.
    :ivar keeps_ended: whether a namespace that the server ends stays connected until :meth:`end`.
    :ivar read: decodes an event that :meth:`receive` has returned. May be called on any thread, and changes nothing.
    """

    def __init__(
        self, packet_class: type[Packet], transport_sid: str = "", max_message_size: int | None = None
    ) -> None:
        self.namespaces: dict[str, str] = {}
        self.pending: list[str] = []
        self.callbacks: dict[tuple[str, int], Callable[..., Any]] = {}
        self.has_sent = self.keeps_ended = False
        self._codec = Codec(packet_class)
        self._encode = self._codec.encode
        self.read = self._codec.read
        self._uses_attachments = packet_class.uses_binary_events
        self._transport_sid = transport_sid
        self._max_message_size = max_message_size
        self._writable: Container[str] = self.namespaces
        self._left: set[str] = set()
        self._last_ids: dict[str, int] = {}
        self._partial: PartialPacket | None = None
        self._early_events = EarlyEvents(max_message_size)
        self._offsets: dict[str, Offsets] = {}
        # Beginnings of frames that are not decoded when received: the number of attachments, and the offsets to remove.
        self._event_prefixes: dict[str, tuple[int, Offsets | None]] = {}
        self._has_changed = False

    # -- calls become frames

    def connect(self, namespace: str, auth: Any = None) -> list[Frame]:
        """Request a namespace; return the frames to send."""
        frames = self._encode(packet.CONNECT, auth if auth is not None else {}, namespace)
        self.pending.append(namespace.partition("?")[0])
        return frames

    def disconnect(self, namespace: str) -> list[Frame]:
        """Leave a namespace; return the frames to send, none if it is not connected."""
        if self.namespaces.pop(namespace, None) is None:
            return []
        self._update_event_prefixes()
        self._left.add(namespace)
        return self._encode(packet.DISCONNECT, None, namespace)

    def emit(
        self, event: str, args: tuple[Any, ...], namespace: str, callback: Callable[..., Any] | None = None
    ) -> tuple[int, list[Frame]]:
        """Return the ack id and the frames of an event.

        :param callback: for the acknowledgement of the server. Without it, the event has no ack id, and 0 is returned.
            Ids count from 1 in each namespace.

        Raises :class:`~socketio.exceptions.BadNamespaceError` when the namespace is not connected, ``TypeError`` or
        ``ValueError`` when an argument cannot be encoded; nothing has changed then.
        """
        if namespace not in self._writable:
            raise BadNamespaceError(f"{namespace} is not a connected namespace.")
        ack_id = None if callback is None else self._last_ids.get(namespace, 0) + 1
        frames = self._encode(packet.EVENT, [event, *args], namespace, ack_id)
        self.has_sent = True
        if callback is not None and ack_id is not None:
            self._last_ids[namespace] = ack_id
            self.callbacks[namespace, ack_id] = callback
        return ack_id or 0, frames

    def forget(self, namespace: str, ack_id: int) -> None:
        """Drop a callback: the acknowledgement then has no effect."""
        self.callbacks.pop((namespace, ack_id), None)

    def acknowledge(self, namespace: str, ack_id: int, args: tuple[Any, ...]) -> list[Frame]:
        """Return the frames of an acknowledgement, none if the namespace is not connected any more.

        Raises ``TypeError`` or ``ValueError`` when a value cannot be encoded.
        """
        if namespace not in self.namespaces:
            return []
        self.has_sent = True
        return self._encode(packet.ACK, list(args), namespace, ack_id)

    def refuse_events(self) -> None:
        """Refuse further events while the queued ones are sent. The namespaces stay connected."""
        self._writable = ()

    def end(self, namespace: str) -> bool:
        """Record that the server has ended a namespace; return whether it was connected or pending."""
        was_known = namespace in self.namespaces or namespace in self.pending
        self.namespaces.pop(namespace, None)
        self._update_event_prefixes()
        if namespace in self.pending:
            self.pending.remove(namespace)
        self._early_events.take(namespace)
        return was_known

    def close(self) -> list[Callable[..., Any]]:
        """End the session: nothing is connected any more. Return the callbacks that get no answer."""
        callbacks = list(self.callbacks.values())
        self.namespaces, self.pending, self.callbacks = {}, [], {}
        self._writable = ()
        self._update_event_prefixes()
        self._partial = None
        self._early_events.clear()
        return callbacks

    # -- frames become events

    def receive(self, frames: Sequence[Frame]) -> tuple[list[Events | Notice], Sequence[Frame]]:
        """Return events, and the frames to pass again after a namespace was connected or disconnected."""
        if len(frames) > 1 and self._are_plain_events(frames):
            return [[*frames]], ()
        received: list[Events | Notice] = []
        events: Events = []
        index, end = 0, len(frames)
        while index < end and not self._has_changed:
            frame = frames[index]
            index += 1
            if isinstance(frame, str) and self._partial is None:
                count, offsets = self._event_prefixes.get(frame[: frame.find("[")], _OTHER)
                if not count:
                    events.append(frame if offsets is None else offsets.cut(frame))
                    continue
                attachments = frames[index : index + count] if count > 0 else ()
                if attachments and self._are_attachments(attachments, count):
                    index += count
                    events.append([frame if offsets is None else offsets.cut(frame), *attachments])
                    continue
            for each in self._receive(frame):
                if isinstance(each, tuple):
                    events.append(each)
                    continue
                if events:
                    received.append(events)
                    events = []
                received.append(each)
        self._has_changed = False
        return [*received, events] if events else received, frames[index:]

    def callback_for(self, frame: str) -> Callable[..., Any] | None:
        """Return the callback of the request that a frame acknowledges, if it can be received before others."""
        found = self._codec.ack_of(frame) if self._partial is None else None
        return None if found is None else self.callbacks.get(found[:2])

    def _update_event_prefixes(self) -> None:
        """Update :attr:`_event_prefixes` after a change of what is connected."""
        self._event_prefixes = {}
        for namespace in self.namespaces if self._codec.reads_text else ():
            where, offsets = "" if namespace == "/" else f"{namespace},", self._offsets.get(namespace)
            self._event_prefixes[f"2{where}"] = 0, offsets
            self._event_prefixes.update({f"5{count}-{where}": (count, offsets) for count in _FEW})

    def _are_plain_events(self, frames: Sequence[Any]) -> TypeGuard[Sequence[str]]:
        """Return whether these are events of one namespace that can be left unread unchanged, as most are."""
        if self._partial is not None or not isinstance(frames[0], str):
            return False
        prefix = frames[0][: frames[0].find("[")]
        try:
            is_plain = self._event_prefixes.get(prefix) == (0, None)
            return is_plain and all(map(str.startswith, frames, repeat(f"{prefix}[")))
        except TypeError:  # there are attachments among them
            return False

    def _are_attachments(self, frames: Sequence[Frame], count: int) -> bool:
        """Return whether the attachments are complete and not too large."""
        if len(frames) < count or str in map(type, frames):
            return False
        return self._max_message_size is None or sum(map(len, frames)) <= self._max_message_size

    def _receive(self, frame: Frame) -> Sequence[Event | Events]:
        """Return what one frame means: nothing while attachments are awaited, mostly one event."""
        partial, self._partial = self._partial, None
        if partial is not None:
            if isinstance(frame, bytes):
                return self._add_attachment(partial, frame)
            return [FrameDropped("a packet without all of its attachments"), *self._receive(frame)]
        if isinstance(frame, bytes) and self._uses_attachments:
            return [FrameDropped("an attachment without a packet")]
        ack = self._codec.read_ack(frame) if isinstance(frame, str) else None
        if ack is not None:
            return [self._ack(*ack)]
        received = self._codec.decode(frame)
        if isinstance(received, FrameDropped):
            return [received]
        if received.attachment_count:
            self._partial = PartialPacket(received, [frame])
            return []
        return self._interpret(received, [frame])

    def _add_attachment(self, partial: PartialPacket, attachment: bytes) -> Sequence[Event | Events]:
        complete = partial.add(attachment, self._max_message_size)
        if isinstance(complete, FrameDropped):
            return [complete]
        if complete:
            return self._interpret(partial.packet, partial.frames)
        self._partial = partial
        return []

    def _interpret(self, received: Packet, frames: list[Frame]) -> Sequence[Event | Events]:
        namespace = received.namespace or "/"
        if received.packet_type in (packet.EVENT, packet.BINARY_EVENT):
            return self._event(namespace, received, frames)
        if received.packet_type in (packet.ACK, packet.BINARY_ACK):
            return [self._ack(namespace, received.data, received.id)]
        if received.packet_type == packet.CONNECT:
            return self._connected(namespace, received.data)
        if received.packet_type == packet.DISCONNECT:
            return [self._disconnected(namespace)]
        if received.packet_type == packet.CONNECT_ERROR:
            return [self._refused(namespace, received.data)]
        return [FrameDropped(f"unknown packet type {received.packet_type!r}")]

    def _event(self, namespace: str, received: Packet, frames: list[Frame]) -> list[Event]:
        if namespace in self.namespaces:
            if received.id is None and namespace in self._offsets and isinstance(received.data, list):
                self._offsets[namespace].strip(received.data)
            return [read_event(namespace, received.data, received.id)]
        if namespace not in self.pending:
            is_late = namespace in self._left  # the server has not read that yet
            return [] if is_late else [FrameDropped(f"an event for {namespace}, which is not connected")]
        excess = self._early_events.add(namespace, frames)
        if excess is None:
            return []
        self.pending = []
        self._early_events.clear()
        self._has_changed = True
        return [SessionFailed(f"the server has sent {excess} before it answered the CONNECT of {namespace}")]

    def _ack(self, namespace: str, data: Any, ack_id: int | None) -> Event:
        callback = None if ack_id is None else self.callbacks.get((namespace, ack_id))
        if ack_id is None or callback is None:
            return FrameDropped("an acknowledgement that no request waits for")
        if data is not None and not isinstance(data, list):
            return FrameDropped("an acknowledgement that is not a list")
        del self.callbacks[namespace, ack_id]
        return AckReceived(namespace, callback, tuple(data or ()), ack_id)

    def _connected(self, namespace: str, data: Any) -> Sequence[Event | Events]:
        """Return the event for an accepted namespace, followed by its early events."""
        if namespace not in self.pending:
            return [FrameDropped(f"an unexpected CONNECT for {namespace}")]
        fields = data if isinstance(data, dict) else {}
        sid = fields.get("sid")
        self.pending.remove(namespace)
        self.namespaces[namespace] = sid if isinstance(sid, str) else self._transport_sid
        if isinstance(fields.get("pid"), str):
            self._offsets[namespace] = Offsets()
        self._update_event_prefixes()
        early, _ = self.receive(self._early_events.take(namespace))
        self._has_changed = True
        return [NamespaceConnected(namespace, self.namespaces[namespace]), *early]

    def _disconnected(self, namespace: str) -> Event:
        if not self.namespaces and not self.pending:
            return FrameDropped("a DISCONNECT while nothing is connected")
        if not self.keeps_ended:
            self.end(namespace)
        self._has_changed = True
        return NamespaceDisconnected(namespace)

    def _refused(self, namespace: str, data: Any) -> Event:
        if namespace not in self.namespaces and namespace not in self.pending:
            return FrameDropped(f"an unexpected CONNECT_ERROR for {namespace}")
        # A refusal of '/' refuses the whole session, as in python-socketio.
        was_connected = tuple(self.namespaces) if namespace == "/" else (namespace,) * (namespace in self.namespaces)
        for name in (namespace, *was_connected):
            self.end(name)
        self._has_changed = True
        args = () if data is None else tuple(data) if isinstance(data, list) else (data,)
        return NamespaceRefused(namespace, args, data, was_connected)
