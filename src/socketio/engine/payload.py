"""The body of a polling request: many Engine.IO packets as one text, and back.

An Engine.IO packet is a ``str`` that begins with its type, or ``bytes``, which are a binary message.
Source: Engine.IO protocol, revision 4, "HTTP long-polling".
"""

from __future__ import annotations

import base64
import binascii
import itertools
from collections.abc import Iterable

from ..packet import Frame

_SEPARATOR = b"\x1e"
MAX_PACKETS = 16
"""Packets in one body: python-engineio's servers refuse more (``Payload.max_decode_packets``)."""


def encode(packet: Frame) -> bytes:
    """Return a packet as it stands in a body."""
    return packet.encode("utf-8") if isinstance(packet, str) else b"b" + base64.b64encode(packet)


def decode(body: bytes) -> list[Frame]:
    """Return the packets of a body; raise ``ValueError`` for a body that is none."""
    packets: list[Frame] = []
    for text in body.decode("utf-8").split("\x1e"):
        if text.startswith("b"):
            try:
                packets.append(base64.b64decode(text[1:], validate=True))
            except binascii.Error as exc:
                raise ValueError(f"binary packet that is no base64: {exc}") from exc
        else:
            packets.append(text)
    return packets


def next_body(packets: Iterable[Frame], max_payload: int | None) -> tuple[bytes, int]:
    """Return the body of a request that carries the first of these packets, and how many they are.

    It has at most 16 packets and ``max_payload`` bytes; a packet that is larger by itself goes alone.
    """
    body: list[bytes] = []
    size = -len(_SEPARATOR)
    for encoded in map(encode, itertools.islice(packets, MAX_PACKETS)):
        size += len(_SEPARATOR) + len(encoded)
        if body and max_payload is not None and size > max_payload:
            break
        body.append(encoded)
    return _SEPARATOR.join(body), len(body)
