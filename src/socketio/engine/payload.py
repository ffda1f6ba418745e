"""The body of a polling request: many Engine.IO packets as one text, and back.

An Engine.IO packet is a ``str`` that begins with its type, or ``bytes``, which are a binary message.
Source: Engine.IO protocol, revision 4, "HTTP long-polling".
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator

from ..packet import Frame

SEPARATOR = "\x1e"
MAX_PACKETS = 16
"""Packets in one body: python-engineio's servers refuse more (``Payload.max_decode_packets``)."""


def encode(packet: Frame) -> bytes:
    """Return a packet as it stands in a body."""
    return packet.encode("utf-8") if isinstance(packet, str) else b"b" + base64.b64encode(packet)


def decode(body: bytes) -> list[Frame]:
    """Return the packets of a body; raise ``ValueError`` for a body that is none."""
    packets: list[Frame] = []
    for text in body.decode("utf-8").split(SEPARATOR):
        if text.startswith("b"):
            try:
                packets.append(base64.b64decode(text[1:], validate=True))
            except binascii.Error as exc:
                raise ValueError(f"binary packet that is no base64: {exc}") from exc
        else:
            packets.append(text)
    return packets


def bodies(packets: Iterable[Frame], max_payload: int | None) -> Iterator[bytes]:
    """Divide packets into bodies of at most 16 packets and ``max_payload`` bytes, in order.

    A packet that is larger by itself gets a body of its own.
    """
    body: list[bytes] = []
    size = 0
    for encoded in map(encode, packets):
        too_large = max_payload is not None and size + len(encoded) + 1 > max_payload
        if body and (too_large or len(body) == MAX_PACKETS):
            yield SEPARATOR.encode().join(body)
            body, size = [], 0
        body.append(encoded)
        size += len(encoded) + 1
    if body:
        yield SEPARATOR.encode().join(body)
