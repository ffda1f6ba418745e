"""Encodes packets as frames and decodes them, in the fastest way that the packet class allows.

In: what a packet carries, or a frame. Out: frames, or a :class:`~socketio.packet.Packet`. A frame that is no packet
becomes a :class:`~socketio.events.FrameDropped`; nothing is raised for it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..packet import MAX_DIGITS, DefaultJson, Frame, Packet
from .events import FrameDropped


@dataclass(slots=True)
class PartialPacket:
    """A packet that waits for attachments: the parts received so far, and the size of its attachments."""

    packet: Packet
    frames: list[Frame]
    size: int = 0

    def add(self, attachment: bytes, max_size: int | None) -> bool | FrameDropped:
        """Take the next attachment; return whether it was the last one, or why the packet is dropped."""
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

    :ivar reads_text: whether frames can be read without a packet: by ``loads``, or by ``scan`` where they are not
        longer than ``longest_to_scan``.
    """

    def __init__(self, packet_class: type[Packet]) -> None:
        self._packet_class = packet_class
        is_own = packet_class.__init__ is not Packet.__init__
        writes_text = not is_own and packet_class.encode is Packet.encode
        self.reads_text = not is_own and packet_class.decode is Packet.decode
        self.loads: Callable[[str], Any] = packet_class.json.loads
        self.scan: Callable[[str, int], tuple[Any, int]] = getattr(packet_class.json, "scan", DefaultJson.scan)
        self.longest_to_scan = MAX_DIGITS if hasattr(packet_class.json, "scan") else 0
        self._refuses_bytes = writes_text and getattr(packet_class.json, "refuses_bytes", False)

    def encode(self, packet_type: int, data: Any, namespace: str, id: int | None = None) -> list[Frame]:
        """Return the frames of a packet; raise ``TypeError`` or ``ValueError`` for data that cannot be encoded."""
        if self._refuses_bytes and not (isinstance(data, list) and bytes in map(type, data)):
            # Most data is text: to look for bytes everywhere before takes as long as the encoding.
            with contextlib.suppress(TypeError):
                return [self._packet_class(packet_type, data, namespace, id, binary=False).encode()]
        encoded = self._packet_class(packet_type, data=data, namespace=namespace, id=id).encode()
        return encoded if isinstance(encoded, list) else [encoded]

    def decode(self, frame: Frame) -> Packet | FrameDropped:
        """Return the packet that begins with a frame."""
        try:
            return self._packet_class(encoded_packet=frame)
        except Exception as exc:  # ValueError from ours; a custom packet class may raise anything
            return FrameDropped(str(exc) or repr(exc))

    def read_ack(self, frame: Frame) -> tuple[int, Any] | None:
        """Return id and data if a frame is an acknowledgement in the namespace ``'/'``, else ``None``."""
        if not isinstance(frame, str) or not frame.startswith("3") or len(frame) > self.longest_to_scan:
            return None
        start = frame.find("[")
        digits = frame[1:start]
        if not digits.isdigit() or not digits.isascii():
            return None
        try:
            data, end = self.scan(frame, start)
        except Exception:  # a packet has words for what is wrong
            return None
        return (int(digits), data) if end == len(frame) else None
