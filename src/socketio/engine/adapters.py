"""Adapters of ``requests`` with TLS rules of their own: what they demand of a server is demanded for websockets too.

In: a session and a URL. Out: a socket that the session's own adapter has connected, whatever it pins, or a
``ConnectionError`` where that cannot be. A plain adapter has no such rules: the session's options say all.
"""

from __future__ import annotations

import socket
from typing import Any

import requests
from engineio.exceptions import ConnectionError
from requests.adapters import HTTPAdapter

_OF_POOLS = {"maxsize", "block"}
"""What a plain adapter gives to its pools."""


def has_rules(http: requests.Session, url: str) -> bool:
    """Return whether the adapter for an https URL may demand more of a server than the session's options."""
    adapter: Any = http.get_adapter(url)
    return type(adapter) is not HTTPAdapter or not set(adapter.poolmanager.connection_pool_kw) <= _OF_POOLS


def pool_of(http: requests.Session, url: str, verify: bool | str | None) -> tuple[Any, Any]:
    """Return the pool from which the session's adapter takes connections for a URL, and the settings that go with it.

    :param verify: what ``requests`` calls so; ``None`` to let the session decide.
    """
    adapter: Any = http.get_adapter(url)
    settings = http.merge_environment_settings(url, {}, None, verify, None)
    pool = adapter.get_connection_with_tls_context(
        requests.Request("GET", url).prepare(),
        settings["verify"],
        proxies=settings["proxies"],
        cert=settings["cert"],
    )
    return pool, settings


def connect(http: requests.Session, url: str, verify: bool | str | None, timeout: float) -> socket.socket:
    """Return a socket that the session's adapter has connected to the server of an https URL, by way of its proxy.

    Raises what urllib3 raises, and ``ConnectionError`` for an adapter that connects in another way.
    """
    adapter: Any = http.get_adapter(url)
    if not issubclass(type(adapter), HTTPAdapter):
        raise ConnectionError(f"{type(adapter).__name__}, which the session has for https, cannot open a websocket")
    pool, settings = pool_of(http, url, verify)
    adapter.cert_verify(pool, url, settings["verify"], settings["cert"])
    # As the pool itself does before a request; it hands out no connection that nobody else uses.
    connection = pool._new_conn()
    connection.timeout = timeout
    try:
        if pool.proxy is not None:
            pool._prepare_proxy(connection)
        pool._validate_conn(connection)
        if not isinstance(connection.sock, socket.socket):
            raise ConnectionError("a websocket cannot go by way of a proxy that itself has TLS")
    except BaseException:
        connection.close()
        raise
    connected: socket.socket = connection.sock
    connection.sock = None
    return connected
