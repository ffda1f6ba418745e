"""Checks the arguments of ``connect()``.

In: what the program passes. Out: the attributes ``connection_*`` and ``socketio_path``, or an error that says what is
wrong.
"""

from __future__ import annotations

import urllib.parse
from typing import TYPE_CHECKING, Any

from . import engine, options, overrides
from .exceptions import InvalidURLError
from .runtime import timeouts

if TYPE_CHECKING:
    from .base_client import BaseClient

_SCHEMES = ("http", "https", "ws", "wss")


def store_connect_arguments(
    client: BaseClient,
    url: Any,
    headers: Any,
    auth: Any,
    transports: str | list[str] | None,
    namespaces: str | list[str] | None,
    socketio_path: str,
    wait: bool,
    wait_timeout: float | None,
) -> None:
    """Check the arguments of ``connect()`` and keep them for this connection and its reconnections."""
    overrides.warn_of_assignments(client)
    if namespaces is None:
        namespaces = client._sio_registry.namespaces() or ["/"]
    elif isinstance(namespaces, str):
        namespaces = [namespaces]
    for namespace in namespaces:
        options.check_namespace(namespace)
        namespace.encode("utf-8")  # a lone surrogate is a ValueError
    if not callable(url):
        check_url(url)
    if not callable(headers):
        engine.check_headers(headers)
    engine.choose_transports(transports)
    limit = timeouts.limit(wait_timeout, "wait_timeout")
    client.connection_url = url
    client.connection_headers = headers
    client.connection_auth = auth
    client.connection_transports = transports
    client.connection_namespaces = list(dict.fromkeys(namespaces))
    client.socketio_path = "socket.io" if socketio_path is None else socketio_path
    client._sio_lifecycle.attempts.waits = wait
    client._sio_lifecycle.attempts.wait_timeout = limit


def url_of_attempt(client: BaseClient, url: Any) -> str:
    """Return the URL to connect to; warn once about a path other than ``socketio_path``."""
    path = check_url(url).path.strip("/")
    if path not in ("", (client.socketio_path or "").strip("/")) and not client._sio_path_warning_given:
        client._sio_path_warning_given = True
        client._sio_logger.warning("The path in the URL is ignored: use socketio_path, or namespaces, for %r", path)
    checked: str = url
    return checked


def check_url(url: Any) -> urllib.parse.SplitResult:
    """Return the parts of a URL; raise :class:`InvalidURLError` for one that is invalid."""
    if not isinstance(url, str):
        raise InvalidURLError(f"a URL is a str, not {type(url).__name__}")
    shown = engine.without_secrets(url)
    try:
        parts = urllib.parse.urlsplit(url)
        valid = parts.scheme in _SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:  # its text may contain the password
        raise InvalidURLError(f"not a valid URL: {shown!r}") from None
    if not valid:
        raise InvalidURLError(f"not an http, https, ws or wss URL: {shown!r}")
    return parts
