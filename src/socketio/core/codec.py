"""Encodes packets as frames and decodes them, in the fastest way that the packet class allows.

In: the payload of a packet, or frames. Out: frames, or events. A frame that is not a packet becomes a
:class:`~socketio.core.events.FrameDropped`; decoding raises nothing and changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..packet import MAX_DIGITS, DefaultJson, Frame, Packet, find_placeholders
from .events import RESERVED_EVENTS, EventReceived, FrameDropped, Unread, read_event

_RESERVED = frozenset(RESERVED_EVENTS)
_ACK_HEAD = re.compile(r"3(?:(/[^,\[]*),)?([0-9]{1,100})\[")


@dataclass(slots=True)
class PartialPacket:
    """A packet that waits for attachments: the frames received so far, and the size of its attachments."""

    packet: Packet
    frames: list[Frame]
    size: int = 0

    def add(self, attachment: bytes, max_size: int | None) -> bool | FrameDropped:
        """Add the next attachment; return whether it was the last one, or why the packet is dropped."""
        self.size += len(attachment)
        if max_size is not None and self.size > max_size:
            return FrameDropped(f"a packet whose attachments have more than {max_size} bytes")
        self.frames.append(attachment)
        try:
            return self.packet.add_attachment(attachment)
        except Exception as exc:
            return FrameDropped(str(exc) or repr(exc))


class Codec:
    """Encodes and decodes with a packet class.

    :ivar reads_text: whether text frames can be decoded without a packet.
    """

    def __init__(self, packet_class: type[Packet]) -> None:
        self._packet_class = packet_class
        is_own = packet_class.__init__ is not Packet.__init__
        writes_text = not is_own and packet_class.encode is Packet.encode
        self.reads_text = not is_own and packet_class.decode is Packet.decode
        self._loads: Callable[[str], Any] = packet_class.json.loads
        self._scan: Callable[[str, int], tuple[Any, int]] = getattr(packet_class.json, "scan", DefaultJson.scan)
        self._longest_to_scan = MAX_DIGITS if hasattr(packet_class.json, "scan") else 0
        self._refuses_bytes = writes_text and getattr(packet_class.json, "refuses_bytes", False)

    def encode(self, packet_type: int, data: Any, namespace: str, id: int | None = None) -> list[Frame]:
        """Return the frames of a packet; raise ``TypeError`` or ``ValueError`` for data that cannot be encoded."""
        if self._refuses_bytes and not (isinstance(data, list) and bytes in map(type, data)):
            # Most data is text, and to search it for bytes takes as long as to encode it.
            try:
                return [self._packet_class(packet_type, data, namespace, id, False).encode()]
            except TypeError:
                pass
        encoded = self._packet_class(packet_type, data=data, namespace=namespace, id=id).encode()
        return encoded if isinstance(encoded, list) else [encoded]

    def decode(self, frame: Frame) -> Packet | FrameDropped:
        """Return the packet that begins with a frame."""
        try:
            return self._packet_class(encoded_packet=frame)
        except Exception as exc:  # ValueError from ours; a custom packet class may raise anything
            return FrameDropped(str(exc) or repr(exc))

    def ack_of(self, frame: str) -> tuple[str, int, int] | None:
        """Return namespace and id if a frame is a complete acknowledgement, and where its data begins."""
        head = _ACK_HEAD.match(frame) if self.reads_text else None
        return None if head is None else (head[1] or "/", int(head[2]), head.end() - 1)

    def read_ack(self, frame: str) -> tuple[str, Any, int] | None:
        """Return namespace, values and id if a frame is a short acknowledgement."""
        found = self.ack_of(frame) if len(frame) <= self._longest_to_scan else None
        if found is None:
            return None
        try:
            data, end = self._scan(frame, found[2])
        except Exception:  # the packet raises an error that says what is wrong
            return None
        return (found[0], data, found[1]) if end == len(frame) else None

    def read(self, received: Unread | EventReceived) -> EventReceived | FrameDropped:
        """Return an event, decoded. May be called on any thread, any number of times."""
        if isinstance(received, str):
            frame, attachments = received, None
        elif isinstance(received, list):
            frame, attachments = received[0], received[1:]
        else:
            return received
        start = frame.find("[")
        try:
            if len(frame) <= self._longest_to_scan:
                data, end = self._scan(frame, start)
            else:
                data, end = self._loads(frame[start:]), len(frame)
            if attachments is not None:
                for container, key, number in find_placeholders(data, len(attachments)):
                    container[key] = attachments[number]
            name = data[0]
            if isinstance(name, str) and name not in _RESERVED and end == len(frame):
                slash = frame.find("/", 1, start) if start > 1 else -1
                return "/" if slash < 0 else frame[slash : start - 1], name, tuple(data[1:]), None
        except Exception:  # the packet raises an error that says what is wrong
            attachments = None
        return self._read_packet(frame, attachments or ())

    def _read_packet(self, frame: str, attachments: Any) -> EventReceived | FrameDropped:
        packet = self.decode(frame)
        if isinstance(packet, FrameDropped):
            return packet
        for attachment in attachments:
            packet.add_attachment(attachment)
        return read_event(packet.namespace or "/", packet.data, packet.id)
