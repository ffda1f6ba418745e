"""The errors that end a connection, with their details.

All are ``engineio.exceptions.ConnectionError``; one that is of none of these classes is a broken connection.
"""

from __future__ import annotations

from engineio.exceptions import ConnectionError

from ..core.details import DisconnectDetails, DisconnectKind

# RFC 6455, section 7.4.1, and the registry of the IANA.
_CLOSE_CODES = {
    1000: "normal closure",
    1001: "going away",
    1002: "protocol error",
    1003: "unsupported data",
    1007: "invalid data",
    1008: "policy violation",
    1009: "message too big",
    1010: "mandatory extension",
    1011: "internal error",
    1012: "service restart",
    1013: "try again later",
    1014: "bad gateway",
}


class SilenceError(ConnectionError):
    """Nothing came in time."""


class ClosedError(ConnectionError):
    """The server closed the websocket with a close frame.

    :ivar close_code: ``None`` where the frame has none.
    """

    def __init__(self, close_code: int | None, close_reason: str) -> None:
        self.close_code = close_code
        self.close_reason = close_reason
        text = "the server closed the websocket"
        if close_code is not None:
            name = _CLOSE_CODES.get(close_code)
            text += f" with code {close_code}" + (f" ({name})" if name else "")
        super().__init__(f"{text}: {close_reason!r}" if close_reason else text)


class InvalidDataError(ConnectionError):
    """What came is not part of the protocol."""


class StatusError(ConnectionError):
    """The server answered a request with an HTTP error status. ``args`` are a text and the decoded JSON body."""

    def __init__(self, text: str, data: object, status: int) -> None:
        super().__init__(text, data)
        self.status = status

    def __str__(self) -> str:
        return str(self.args[0])


def details_of(exc: Exception, reason: str) -> DisconnectDetails:
    """Return the details of a disconnection for the error that ended the connection."""
    if isinstance(exc, ClosedError):
        kind = DisconnectKind.SERVER_CLOSED
        return DisconnectDetails(kind, reason, exc.close_code, exc.close_reason, exception=exc)
    if isinstance(exc, StatusError):
        return DisconnectDetails(DisconnectKind.HTTP_ERROR, reason, http_status=exc.status, exception=exc)
    if isinstance(exc, SilenceError):
        return DisconnectDetails(DisconnectKind.HEARTBEAT_LOST, reason, exception=exc)
    if isinstance(exc, InvalidDataError):
        return DisconnectDetails(DisconnectKind.INVALID_DATA, reason, exception=exc)
    return DisconnectDetails(DisconnectKind.CONNECTION_BROKEN, reason, exception=exc)
