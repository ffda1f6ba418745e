"""What both websocket transports do with the frames that came, without ever waiting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from engineio.exceptions import ConnectionError

from .errors import ClosedError, InvalidDataError
from .frames import CLOSE, NORMAL_CLOSURE, PING, PONG, ControlFrame, Outgoing
from .handshake import cause_text


class BaseWebSocketTransport:
    """The part of :class:`WebSocketTransport` and :class:`AsyncWebSocketTransport` that does no I/O.

    :ivar _first: frames that came with the one that was waited for.
    :ivar _closing: whether our close frame was sent.
    :ivar _closed: the error that tells of the server's close frame, once that has come.
    :ivar _pong: what waits for the answer to the probe.
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

    def _without_control_frames(self, received: list[Outgoing]) -> list[Outgoing]:
        """Return what came but for control frames, with what is to be sent in answer to them."""
        if ControlFrame not in map(type, received):
            return received
        frames: list[Outgoing] = []
        answer: list[Outgoing] = []
        for frame in received:
            if not isinstance(frame, ControlFrame):
                frames.append(frame)
            elif frame.opcode == PING:
                answer = [ControlFrame(PONG, frame.payload)]  # RFC 6455, 5.5.3: that to the last will do
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
    """Return the error that says why a websocket cannot be used any more."""
    return ConnectionError(f"the websocket connection was lost: {cause_text(exc)}")
