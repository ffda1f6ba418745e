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
from .frames import Outgoing

_SEPARATOR = b"\x1e"
_TYPES = b"0123456b"
"""What a packet begins with."""
_FOREIGN = (b"<", b"{", b"[", b'"')
"""What a web page or JSON begins with."""
MAX_PACKETS = 16
"""Packets in one body: python-engineio's servers refuse more (``Payload.max_decode_packets``)."""


def encode(packet: Frame) -> bytes:
    """Return a packet as it is sent in a body."""
    return packet.encode("utf-8") if isinstance(packet, str) else b"b" + base64.b64encode(packet)


def too_large(max_message_size: int) -> str:
    """Return what is wrong with a message above this size."""
    return f"a message of more than max_message_size, {max_message_size} bytes"


def largest_body(max_message_size: int) -> int:
    """Return how many bytes a body may have: enough for a message of this size in base64, and further ones."""
    return 2 * max_message_size + 65536


def check(packet: Outgoing, max_payload: int) -> None:
    """Raise ``ValueError`` for a packet that is larger than the bodies that the server takes."""
    size = 1 + 4 * ((len(packet) + 2) // 3) if isinstance(packet, bytes) else len(str(packet).encode("utf-8"))
    if size > max_payload:
        raise ValueError(f"a packet of {size} bytes is more than the server takes over polling: {max_payload}")


def decode(body: bytes, max_message_size: int | None = None) -> list[Frame]:
    """Return the packets of a body; raise ``ValueError`` for an invalid body, or a packet above this size.

    An empty body has no packets. A body that does not begin with a packet, such as a web page, is invalid.
    """
    packets: list[Frame] = []
    if not body:
        return packets
    if body[:1] not in _TYPES:
        raise ValueError("it does not begin with a packet")
    for text in body.decode("utf-8").split("\x1e"):
        if text.startswith("b"):
            try:
                packets.append(base64.b64decode(text[1:], validate=True))
            except binascii.Error as exc:
                raise ValueError(f"binary packet that is not base64: {exc}") from exc
        else:
            packets.append(text)
    if max_message_size is not None and len(body) > max_message_size:
        sizes = (len(packet if isinstance(packet, bytes) else packet.encode("utf-8")) for packet in packets)
        if max(sizes) > max_message_size:
            raise ValueError(too_large(max_message_size))
    return packets


def check_receipt(body: bytes) -> None:
    """Raise ``ValueError`` for the answer to a POST that is a web page or JSON: it comes from a gateway.

    The protocol asks for ``ok``; other texts, or none, are accepted.
    """
    if body.lstrip()[:1] in _FOREIGN:
        raise ValueError("it is not an acknowledgement")


def next_body(packets: Iterable[Frame], max_payload: int | None) -> tuple[bytes, int]:
    """Return the body of a request with the first of these packets, and their number.

    It has at most 16 packets and ``max_payload`` bytes; a larger packet is sent alone.
    """
    body: list[bytes] = []
    size = -len(_SEPARATOR)
    for encoded in map(encode, itertools.islice(packets, MAX_PACKETS)):
        size += len(_SEPARATOR) + len(encoded)
        if body and max_payload is not None and size > max_payload:
            break
        body.append(encoded)
    return _SEPARATOR.join(body), len(body)
