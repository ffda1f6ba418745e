"""The WebSocket protocol without I/O: the handshake, and answers to control frames.

In: the answer to a request, frames as they came. Out: headers for the request, messages, control frames to send.
Source: RFC 6455, sections 4 and 5.5.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from engineio.exceptions import ConnectionError

from ..packet import Frame
from .errors import ClosedError, InvalidDataError
from .frames import CLOSE, NORMAL_CLOSURE, PING, PONG, ControlFrame, Outgoing
from .handshake import cause_text, status_error

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
MAX_REFUSAL_SIZE = 65536
"""Maximum bytes that are read of the body of a refusal."""


def new_key() -> str:
    """Return a key for one handshake."""
    return base64.b64encode(os.urandom(16)).decode()


def request_headers(key: str) -> dict[str, str]:
    """Return the headers of a websocket request, without extensions."""
    return {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": key, "Sec-WebSocket-Version": "13"}


def check_answer(status: int, headers: Mapping[str, str], key: str, body: bytes = b"") -> None:
    """Raise ``ConnectionError`` unless the server has agreed to a websocket without extensions.

    :param headers: of the answer; case does not matter.
    :param body: of a refusal, or the beginning of it.
    """
    if status != 101:
        raise status_error(status, body, headers)
    expected = base64.b64encode(hashlib.sha1((key + _GUID).encode()).digest()).decode()
    if (
        headers.get("Upgrade", "").lower() != "websocket"
        or "upgrade" not in headers.get("Connection", "").lower()
        or headers.get("Sec-WebSocket-Accept", "").strip() != expected
    ):
        raise ConnectionError("the server's answer to the websocket request is not a WebSocket handshake")
    if headers.get("Sec-WebSocket-Extensions"):
        raise ConnectionError("the server uses a WebSocket extension that was not requested")


class BaseWebSocketTransport:
    """What both websocket transports do with received frames, without waiting.

    :ivar _first: frames that arrived with an awaited one.
    :ivar _closing: whether our close frame was sent.
    :ivar _closed: the error for the server's close frame, once that has come.
    :ivar _pong: the event that is set by the answer to the probe.
    """

    name = "websocket"
    head_start = 0.0
    close_packets: ClassVar[list[Outgoing]] = [ControlFrame(CLOSE, NORMAL_CLOSURE)]

    _pong: Any = None
    _answer_close: Callable[[], None]

    def __init__(self) -> None:
        self._first: list[Outgoing] = []
        self._closing = False
        self._closed: ClosedError | None = None

    def _take_first(self) -> list[Outgoing]:
        """Return the frames that have come already; raise if the server has closed the websocket after them."""
        first, self._first = self._first, []
        if not first and self._closed is not None:
            raise self._closed
        return first

    def _next_message(self, received: list[Outgoing]) -> Frame | None:
        """Return the first message and keep what follows; ``None`` if there is no message."""
        if not received or isinstance(received[0], ControlFrame):
            return None
        self._first = received[1:]
        return received[0]

    def _without_control_frames(self, received: list[Outgoing]) -> list[Outgoing]:
        """Return the messages, followed by the answers to control frames."""
        if ControlFrame not in map(type, received):
            return received
        frames: list[Outgoing] = []
        answer: list[Outgoing] = []
        for frame in received:
            if not isinstance(frame, ControlFrame):
                frames.append(frame)
            elif frame.opcode == PING:
                answer = [ControlFrame(PONG, frame.payload)]  # RFC 6455, 5.5.3: answering the last one is enough
            elif frame.opcode == CLOSE:
                if not self._closing and self._closed is None:
                    self._answer_close()
                self._closed = self._closed or closed_by(frame)
            elif self._pong is not None:
                self._pong.set()
        return frames + answer


def closed_by(frame: ControlFrame) -> ClosedError:
    """Return the error for the server's close frame (RFC 6455, section 5.5.1)."""
    payload = frame.payload
    code = int.from_bytes(payload[:2], "big") if len(payload) >= 2 else None
    return ClosedError(code, payload[2:].decode("utf-8", "replace"))


def invalid(exc: BaseException) -> InvalidDataError:
    """Return the error for a frame that is not allowed (RFC 6455, section 5), or a message that is too large."""
    return InvalidDataError(f"the server sent an invalid WebSocket frame: {exc}")


def lost(exc: BaseException) -> ConnectionError:
    """Return the error for a websocket connection that was lost."""
    return ConnectionError(f"the websocket connection was lost: {cause_text(exc)}")
