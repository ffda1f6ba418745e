"""Bytes of the wire: websocket frames, Socket.IO packets, and bursts of events, made once. No I/O.

In: payloads. Out: bytes that are ready to be sent.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from typing import Any

import msgpack

from ..payloads import DATA

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10

CHUNK_SIZE = 65536
PACKETS_IN_A_PAYLOAD = 100


def frame(opcode: int, payload: bytes) -> bytes:
    """Return a websocket frame as servers send it: final, not masked (RFC 6455, section 5.2)."""
    size = len(payload)
    if size < 126:
        return bytes((128 | opcode, size)) + payload
    if size < 65536:
        return bytes((128 | opcode, 126)) + size.to_bytes(2, "big") + payload
    return bytes((128 | opcode, 127)) + size.to_bytes(8, "big") + payload


def unmasked(payload: bytes, key: bytes) -> bytes:
    """Return what a client wrote (RFC 6455, section 5.3), by one operation on a large integer."""
    size = len(payload)
    keys = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(keys, "big")).to_bytes(size, "big")


def accept_key(key: str) -> str:
    """Return the answer to ``Sec-WebSocket-Key`` (RFC 6455, section 4.2.2)."""
    digest = hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()
    return base64.b64encode(digest).decode()


def event_packets(kind: str) -> list[bytes]:
    """Return the Engine.IO messages of an event in the default serializer: its text, then its attachments."""
    data = DATA[kind]
    if not isinstance(data, bytes):
        return [b"42" + _json([kind, data])]
    return [b"451-" + _json([kind, {"_placeholder": True, "num": 0}]), data]


def frames_of(kind: str, *, is_msgpack: bool) -> int:
    """Return the number of websocket frames in which a client sends an event of this kind."""
    return 1 if is_msgpack else len(event_packets(kind))


def msgpack_packet(packet_type: int, data: Any, ack_id: int | None = None) -> bytes:
    """Return a Socket.IO packet as the MessagePack serializer writes it."""
    packet = {"type": packet_type, "data": data, "nsp": "/"}
    return bytes(msgpack.packb(packet if ack_id is None else {**packet, "id": ack_id}))


@functools.cache
def event_frames(kind: str, *, is_msgpack: bool) -> bytes:
    """Return all websocket frames of one event."""
    if is_msgpack:
        return frame(BINARY, msgpack_packet(2, [kind, DATA[kind]]))
    text, *attachments = event_packets(kind)
    return frame(TEXT, text) + b"".join(frame(BINARY, attachment) for attachment in attachments)


@functools.cache
def burst(kind: str, *, is_msgpack: bool) -> tuple[int, bytes]:
    """Return how many events fit into a chunk, and a chunk of so many."""
    frames = event_frames(kind, is_msgpack=is_msgpack)
    count = max(1, CHUNK_SIZE // len(frames))
    return count, frames * count


def polling_payload(kind: str, count: int) -> bytes:
    """Return the body of an HTTP response with so many events."""
    text, *attachments = event_packets(kind)
    packets = [text, *(b"b" + base64.b64encode(attachment) for attachment in attachments)]
    return b"\x1e".join(packets * count)


def _json(data: Any) -> bytes:
    return json.dumps(data, separators=(",", ":")).encode()
