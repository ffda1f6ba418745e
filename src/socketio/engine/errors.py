"""The errors that end a connection, with their details.

All are ``engineio.exceptions.ConnectionError``; one that is not an :class:`EndedError` is a broken connection.
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


class EndedError(ConnectionError):
    """What ended a connection.

    :ivar close_code: the code of the server's close frame; ``None`` if there is none.
    """

    kind = DisconnectKind.CONNECTION_BROKEN
    close_code: int | None = None
    close_reason = ""
    http_status: int | None = None


class NoResponseError(EndedError):
    """The server sent nothing in time: a heartbeat, or an answer."""

    kind = DisconnectKind.HEARTBEAT_LOST


class InvalidDataError(EndedError):
    """The server sent data that is not part of the protocol."""

    kind = DisconnectKind.INVALID_DATA


class ClosedError(EndedError):
    """The server closed the websocket with a close frame."""

    kind = DisconnectKind.SERVER_CLOSED

    def __init__(self, close_code: int | None, close_reason: str) -> None:
        self.close_code = close_code
        self.close_reason = close_reason
        text = "the server closed the websocket"
        if close_code is not None:
            name = _CLOSE_CODES.get(close_code)
            text += f" with code {close_code}" + (f" ({name})" if name else "")
        super().__init__(f"{text}: {close_reason!r}" if close_reason else text)


class StatusError(EndedError):
    """The server answered a request with an HTTP error status. ``args`` are a text and the decoded JSON body."""

    kind = DisconnectKind.HTTP_ERROR

    def __init__(self, text: str, data: object, status: int) -> None:
        super().__init__(text, data)
        self.http_status = status

    def __str__(self) -> str:
        return str(self.args[0])


def details_of(exc: Exception, reason: str) -> DisconnectDetails:
    """Return the details of a disconnection for the error that ended the connection."""
    ended = exc if isinstance(exc, EndedError) else EndedError()
    return DisconnectDetails(ended.kind, reason, ended.close_code, ended.close_reason, ended.http_status, exc)
