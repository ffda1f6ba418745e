"""Checks the headers of an application, and leaves out those that belong to the handshake.

In: ``headers`` of ``connect()``, of a session, of ``websocket_extra_options``. Out: the headers of the requests, the
same over both transports. Source: RFC 9110, section 5; RFC 6455, section 4.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

_OF_HANDSHAKE = re.compile(
    r"connection|content-length|expect|http2-settings|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade"
    r"|sec-websocket-(accept|extensions|key|version)|:.*",
    re.IGNORECASE,
)
"""Headers about the request or the connection itself, which the client sets."""
_CODINGS = ("gzip", "x-gzip", "deflate", "identity")
"""The content codings that every session can decode."""
_NAME = re.compile(r":?[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_BROKEN = re.compile(r"[\r\n\0]")


def check(headers: Any) -> dict[str, str]:
    """Return a copy of the headers for requests, without those that are ``None``.

    Raises ``TypeError`` or ``ValueError``, with the name of the header but not its value, if a request cannot have it.
    """
    if headers is None:
        return {}
    if not isinstance(headers, Mapping):
        raise TypeError(f"headers must be a dict, not {type(headers).__name__}")
    checked: dict[str, str] = {}
    for name, value in headers.items():
        if not isinstance(name, str):
            raise TypeError(f"the name of a header must be a str, not {type(name).__name__}: {name!r:.50}")
        if not _NAME.fullmatch(name):
            raise ValueError(f"invalid header name: {name!r:.50}")
        if value is None:
            continue
        if not isinstance(value, str):
            raise TypeError(f"the value of header {name} must be a str, not {type(value).__name__}")
        if _BROKEN.search(value):
            raise ValueError(f"the value of header {name} contains a line break or a null character")
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise ValueError(f"the value of header {name} contains half of a surrogate pair") from None
        checked[name] = _readable(value) if name.lower() == "accept-encoding" else value.strip()
    return checked


def _readable(codings: str) -> str:
    """Return an ``Accept-Encoding`` header without the codings that the client cannot decode."""
    kept = [coding.strip() for coding in codings.split(",") if coding.partition(";")[0].strip().lower() in _CODINGS]
    return ", ".join(kept) or "identity"


def of_handshake(names: Iterable[str]) -> list[str]:
    """Return the names of headers that belong to the handshake, including pseudo headers of HTTP/2."""
    return [name for name in names if _OF_HANDSHAKE.fullmatch(name)]


def check_session(headers: Mapping[Any, Any]) -> list[str]:
    """Return the names of a session's headers that are left out; raise ``TypeError`` for a value that is not a ``str``.

    ``Connection`` is kept unless it asks for an upgrade.
    """
    for name, value in headers.items():
        if value is not None and not isinstance(value, (str, bytes)):
            raise TypeError(f"the value of header {name} of the session must be a str, not {type(value).__name__}")
    left_out = of_handshake(headers)
    return [name for name in left_out if name.lower() != "connection" or "upgrade" in str(headers[name]).lower()]
