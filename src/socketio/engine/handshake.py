"""Checks the OPEN packet of a server, before any of it is used.

In: bodies and frames as they came. Out: a :class:`Handshake`, or ``engineio.exceptions.ConnectionError`` with the data.
Source: Engine.IO protocol, revision 4, "Handshake".
"""

from __future__ import annotations

import json
import re
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engineio.exceptions import ConnectionError

from ..packet import Frame
from . import payload
from .errors import InvalidDataError, StatusError

TRANSPORTS = ("polling", "websocket")
MAX_MESSAGE_SIZE = 100_000_000
"""Bytes: a larger message ends the connection."""
VERSION_3_WAIT = 0.1
"""Seconds in which a server of Engine.IO 3 sends a packet unasked, and no ``maxPayload`` before it."""
MAX_INTERVAL = 24 * 3600
"""Seconds: the longest valid heartbeat."""

_EXCERPT = 200
_VERSION_3_BODY = re.compile(rb"\d+:0\{")
NOT_VERIFIED = "the server is verified over polling, and would not be over websocket"


@dataclass(frozen=True, slots=True)
class Handshake:
    """The fields of an OPEN packet; intervals in seconds, ``max_payload`` in bytes."""

    sid: str
    upgrades: tuple[str, ...]
    ping_interval: float
    ping_timeout: float
    max_payload: int | None

    @property
    def heartbeat_timeout(self) -> float:
        """Seconds without a message or ping after which the connection counts as lost."""
        return self.ping_interval + self.ping_timeout


def choose_transports(option: str | list[str] | tuple[str, ...] | None) -> list[str]:
    """Return the transports to use, the first to connect with; raise ``ValueError`` if none is left."""
    if option is None:
        return list(TRANSPORTS)
    names = [option] if isinstance(option, str) else list(option)
    chosen = [name for name in names if name in TRANSPORTS]
    if not chosen:
        raise ValueError(f"No valid transports provided: {names!r} has none of {', '.join(TRANSPORTS)}")
    return chosen


def read_open_body(body: bytes, content_type: str = "") -> tuple[Handshake, list[Frame]]:
    """Return the handshake in the first body over polling, and the packets that came after it."""
    if _VERSION_3_BODY.match(body):
        raise version_3_error()
    try:
        packets = payload.decode(body)
        return _read_open(packets[0] if packets else ""), packets[1:]
    except ValueError as exc:
        raise ConnectionError(f"not an Engine.IO server: it sent {describe(body, content_type)}") from exc


def read_open_frame(frame: Frame) -> Handshake:
    """Return the handshake in the first frame over websocket."""
    try:
        return _read_open(frame)
    except ValueError as exc:
        body = frame.encode("utf-8", "replace") if isinstance(frame, str) else frame
        raise ConnectionError(f"not an Engine.IO server: it sent {describe(body)}") from exc


def _read_open(frame: Frame) -> Handshake:
    """Return the fields of an OPEN packet; raise ``ValueError`` for another, ``ConnectionError`` for invalid fields."""
    try:
        fields = json.loads(frame[1:]) if isinstance(frame, str) and frame.startswith("0") else None
    except RecursionError as exc:
        raise ValueError("nested too deeply") from exc
    if not isinstance(fields, dict):
        raise ValueError("not an OPEN packet")
    sid, upgrades, max_payload = fields.get("sid"), fields.get("upgrades", []), fields.get("maxPayload")
    if not isinstance(sid, str) or not sid:
        raise _invalid("sid", sid)
    if not isinstance(upgrades, list):
        raise _invalid("upgrades", upgrades)
    return Handshake(
        sid=sid,
        upgrades=tuple(name for name in upgrades if isinstance(name, str)),
        # python-engineio's server announces an interval of less than a second as 0.
        ping_interval=_seconds(fields, "pingInterval", zero=True),
        ping_timeout=_seconds(fields, "pingTimeout"),
        max_payload=max_payload if type(max_payload) is int and max_payload > 0 else None,
    )


def _seconds(fields: Mapping[str, Any], name: str, zero: bool = False) -> float:
    value: Any = fields.get(name)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not ((zero and value == 0) or 0 < value <= MAX_INTERVAL * 1000):
        raise _invalid(name, value)
    return float(value) / 1000


def _invalid(name: str, value: object) -> ConnectionError:
    return ConnectionError(f"the server's OPEN packet has no valid {name}: {value!r:.{_EXCERPT}}")


def version_3_error() -> ConnectionError:
    """Return the error for a server of the older protocol."""
    return ConnectionError(
        "the server speaks Engine.IO 3 (Socket.IO 2 or older), this client needs Engine.IO 4 (Socket.IO 3 or newer)"
    )


def status_error(status: int, body: bytes, headers: Mapping[str, str]) -> StatusError:
    """Return the error for an unsuccessful HTTP answer: ``args`` are its text and the decoded JSON body.

    A redirect is one too: cookies and tokens in a request are for this host only.
    """
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        data = None
    came = f": {describe(body, headers.get('Content-Type', ''))}" if body else ": it sent nothing" * (status < 300)
    location = headers.get("Location")
    if 300 <= status < 400 and location:
        came = f": redirects are not followed, this one leads to {without_secrets(location)!r}"
    return StatusError(f"Unexpected status code {status} in server response{came}", data, status)


def websocket_error(url: str, exc: BaseException | str) -> ConnectionError:
    """Return the error for a websocket request without a valid answer."""
    text = exc if isinstance(exc, str) else cause_text(exc)
    return ConnectionError(f"websocket connection to {origin_of(url)} failed: {text}")


def refuse_redirect(response: Any, *args: Any, **kwargs: Any) -> None:
    """Raise for a redirect, as a hook of ``requests``: after the hooks all of its body is read, however large."""
    if response.is_redirect:
        response.close()
        raise status_error(response.status_code, b"", response.headers)


def without_secrets(url: str) -> str:
    """Return a URL, valid or not, without user, password, query and fragment, which may be secret."""
    return re.sub("//[^/]*@", "//", url.partition("?")[0].partition("#")[0])[:_EXCERPT]


def not_a_payload(method: str, body: bytes, headers: Mapping[str, str], exc: ValueError) -> InvalidDataError:
    """Return the error for the body of an answer with a good status that no Engine.IO server has sent."""
    came = describe(body, headers.get("Content-Type", ""))
    return InvalidDataError(f"the answer to a {method} is not from an Engine.IO server: {exc}: {came}")


def describe(body: bytes, content_type: str = "") -> str:
    """Return the beginning of an answer for an error message."""
    text = body[: _EXCERPT * 4].decode("utf-8", "replace")
    excerpt = text[:_EXCERPT] + ("..." if len(text) > _EXCERPT else "")
    kind = content_type.partition(";")[0].strip()
    return f"{kind} {excerpt!r}".strip() if excerpt else "nothing"


def cookie_pairs(header: str) -> list[tuple[str, str]]:
    """Return the names and values in a ``Cookie`` header."""
    pairs = (part.partition("=") for part in header.split(";"))
    return [(name.strip(), value.strip()) for name, _, value in pairs if name.strip()]


def pop_header(headers: dict[str, str], name: str) -> str | None:
    """Remove a header from a dict, ignoring case; return its value."""
    for key in list(headers):
        if key.lower() == name:
            return headers.pop(key)
    return None


def origin_of(url: str) -> str:
    """Return ``scheme://host:port`` of a URL, for messages: without credentials, path and query."""
    parts = urllib.parse.urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def causes(exc: BaseException) -> list[BaseException]:
    """Return an error and its causes, from the outermost to the innermost."""
    found: list[BaseException] = []
    while exc not in found:
        found.append(exc)
        inner = getattr(exc, "reason", None)
        if not isinstance(inner, BaseException):
            inner = next((arg for arg in exc.args if isinstance(arg, BaseException)), None)
        exc = inner or exc.__cause__ or exc.__context__ or exc
    return found


def root_cause(exc: BaseException) -> BaseException:
    """Return the innermost cause of an error: the outer ones have the URL in their text, with its secrets."""
    return causes(exc)[-1]


def cause_text(exc: BaseException) -> str:
    """Return the innermost cause of an error, in one line."""
    exc = root_cause(exc)
    return f"{type(exc).__name__}: {exc}" if str(exc) else type(exc).__name__
