"""Why a connection ended: the values of ``disconnect_details``."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from ..exceptions import DisconnectedError


class DisconnectKind(str, enum.Enum):
    """What ended a connection. Each member is a ``str`` and compares equal to its value."""

    CLIENT_DISCONNECT = "client disconnect"
    """The program called ``disconnect()``."""
    SERVER_DISCONNECT = "server disconnect"
    """The server sent a DISCONNECT packet for the namespace."""
    SERVER_CLOSED = "server closed"
    """The server closed the connection: an Engine.IO CLOSE packet, or a WebSocket close frame."""
    HEARTBEAT_LOST = "heartbeat lost"
    """No packet arrived within ``pingInterval`` plus ``pingTimeout``, or a request was not answered in time."""
    CONNECTION_BROKEN = "connection broken"
    """The TCP or TLS connection broke, could not be made, or the server stopped reading."""
    INVALID_DATA = "invalid data"
    """The server, or a gateway before it, sent data that is not part of the protocol."""
    HTTP_ERROR = "http error"
    """The server answered a request with an HTTP error status."""

    def __str__(self) -> str:
        return str(self.value)


@dataclass(frozen=True, slots=True)
class DisconnectDetails:
    """Why a connection, or a namespace, ended. ``str()`` describes it in one line.

    :ivar kind: what ended it.
    :ivar reason: the argument of the ``disconnect`` handlers.
    :ivar close_code: the code in the WebSocket close frame of the server, 1009 for example; ``None`` without one.
    :ivar close_reason: the text in that frame; ``''`` if it has none.
    :ivar http_status: the status of the HTTP answer that ended the connection; ``None`` if none did.
    :ivar exception: the error that ended the connection; ``None`` if it was closed normally.
    """

    kind: DisconnectKind
    reason: str
    close_code: int | None = None
    close_reason: str = ""
    http_status: int | None = None
    exception: Exception | None = None

    def __str__(self) -> str:
        return str(self.exception or self.kind)


def has_ended(details: DisconnectDetails | None) -> DisconnectedError:
    """Return the error for a call after the end of the connection, chained to the cause of the end."""
    if details is None:
        return DisconnectedError("not connected: call connect() first")
    error = DisconnectedError(f"the connection has ended: {details}")
    error.__cause__ = details.exception
    return error
