"""WebSocket frames, without I/O: bytes become messages, messages become bytes.

In: bytes from a socket, cut anywhere. Out: the messages that are complete. Nothing raises: messages before an invalid
frame are delivered, and at most the largest allowed message is buffered. Source: RFC 6455, section 5.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from ..packet import Frame

CONTINUATION, TEXT, BINARY = 0x0, 0x1, 0x2
CLOSE, PING, PONG = 0x8, 0x9, 0xA
NORMAL_CLOSURE = struct.pack("!H", 1000)

_FIN = 0x80
_RESERVED = 0x70
_MASKED = 0x80
_WHOLE_TEXT, _WHOLE_BINARY = _FIN | TEXT, _FIN | BINARY
_MAX_CONTROL_SIZE = 125
_KEYS = 64
"""Masking keys generated at a time."""


class ControlFrame(NamedTuple):
    """A control frame: ``CLOSE``, ``PING`` or ``PONG``."""

    opcode: int
    payload: bytes = b""


Outgoing: TypeAlias = Frame | ControlFrame


class FrameReader:
    """Reads what a server sends.

    :param max_size: the largest message allowed, in bytes.
    :ivar error: the error that ended reading: an invalid frame, or a message that is too large.
    """

    def __init__(self, max_size: int) -> None:
        self.error: ValueError | None = None
        self._max_size = max_size
        self._chunks: list[bytes] = []
        self._kept = 0
        self._needed = 2
        self._opcode = CONTINUATION
        self._fragments = bytearray()

    def feed(self, chunk: bytes) -> list[Outgoing]:
        """Add bytes; return the messages and control frames that are now complete."""
        if self.error is not None:
            return []
        self._chunks.append(chunk)
        self._kept += len(chunk)
        if self._kept < self._needed:
            return []
        data = chunk if len(self._chunks) == 1 else b"".join(self._chunks)
        received: list[Outgoing] = []
        position = 0
        try:
            position = self._read_all(data, received)
        except ValueError as exc:
            self.error = exc
        self._chunks = [data[position:]]
        self._kept = len(data) - position
        return received

    def _read_all(self, data: bytes, received: list[Outgoing]) -> int:
        """Read the frames of ``data``; return the position of the first incomplete one."""
        position, end, max_size = 0, len(data), self._max_size
        while end - position >= 2:
            head, size, start = data[position], data[position + 1], position + 2
            if size > _MAX_CONTROL_SIZE:
                if size & _MASKED:
                    raise ValueError("a masked frame from a server")
                start += 2 if size == 126 else 8
                if start > end:
                    self._needed = start - position
                    return position
                size = int.from_bytes(data[position + 2 : start], "big")
            if size > max_size:
                raise ValueError(f"a message of {size} bytes, more than the {max_size} that are allowed")
            stop = start + size
            if stop > end:
                self._check(head, size)
                self._needed = stop - position
                return position
            if head == _WHOLE_TEXT and not self._opcode:
                received.append(data[start:stop].decode())
            elif head == _WHOLE_BINARY and not self._opcode:
                received.append(data[start:stop])
            else:
                self._take(head, data[start:stop], received)
            position = stop
        self._needed = 2
        return position

    def _take(self, head: int, payload: bytes, received: list[Outgoing]) -> None:
        """Handle a frame that is not a whole message."""
        self._check(head, len(payload))
        opcode, final = head & 0x0F, head & _FIN
        if opcode in (CLOSE, PING, PONG):
            received.append(ControlFrame(opcode, payload))
            return
        self._opcode = self._opcode or opcode
        self._fragments += payload
        if len(self._fragments) > self._max_size:
            raise ValueError(f"a message of more than the {self._max_size} bytes that are allowed")
        if final:
            whole = bytes(self._fragments)
            received.append(whole.decode("utf-8") if self._opcode == TEXT else whole)
            self._opcode, self._fragments = CONTINUATION, bytearray()

    def _check(self, head: int, size: int) -> None:
        """Raise for an invalid frame, before all of it has arrived."""
        opcode = head & 0x0F
        if head & _RESERVED:
            raise ValueError("a frame with reserved bits")
        if opcode in (CLOSE, PING, PONG):
            if not head & _FIN or size > _MAX_CONTROL_SIZE:
                raise ValueError("a control frame that is fragmented or too large")
        elif opcode not in (CONTINUATION, TEXT, BINARY) or (opcode == CONTINUATION) != bool(self._opcode):
            raise ValueError(f"an unexpected frame with opcode {opcode:#x}")


class FrameWriter:
    """Writes what a client sends: masked, with unpredictable keys (RFC 6455, section 5.3)."""

    def __init__(self) -> None:
        self._keys = b""
        self._used = 0

    def encode(self, frames: Iterable[Outgoing], enough: int) -> tuple[bytes, int]:
        """Return the bytes of the first of these frames, up to ``enough`` of them or a few more, and how many."""
        parts: list[bytes] = []
        size = count = 0
        for frame in frames:
            if isinstance(frame, str):
                opcode, payload = TEXT, frame.encode("utf-8")
            elif isinstance(frame, ControlFrame):
                opcode, payload = frame
            else:
                opcode, payload = BINARY, frame
            key = self._next_key()
            parts += (_header(opcode, len(payload)), key, _masked(payload, key))
            count += 1
            size += len(payload)
            if size >= enough:
                break
        return b"".join(parts), count

    def _next_key(self) -> bytes:
        if self._used == len(self._keys):
            self._keys, self._used = os.urandom(4 * _KEYS), 0
        self._used += 4
        return self._keys[self._used - 4 : self._used]


def _header(opcode: int, size: int) -> bytes:
    if size <= _MAX_CONTROL_SIZE:
        return bytes((_FIN | opcode, _MASKED | size))
    if size < 1 << 16:
        return struct.pack("!BBH", _FIN | opcode, _MASKED | 126, size)
    return struct.pack("!BBQ", _FIN | opcode, _MASKED | 127, size)


def _masked(payload: bytes, key: bytes) -> bytes:
    size = len(payload)
    keys = key * (size // 4) + key[: size % 4]
    return (int.from_bytes(payload, "little") ^ int.from_bytes(keys, "little")).to_bytes(size, "little")
