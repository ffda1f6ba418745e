"""Requests a websocket with the requests session, and takes its connection over.

In: a session and a URL. Out: the socket, and the bytes that followed the answer. Every refusal is
``engineio.exceptions.ConnectionError`` with the server's answer.

The session sends the request, so all of its settings apply: headers, cookies, parameters,
credentials, proxies, certificates, adapters and hooks.
"""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import requests
from engineio.exceptions import ConnectionError
from requests.structures import CaseInsensitiveDict
from requests.utils import select_proxy
from urllib3.util.ssltransport import SSLTransport

from ..headers import check, of_handshake
from ..websocket import MAX_REFUSAL_SIZE, check_answer, new_key, request_headers
from . import connections, options, sessions


def open_websocket(
    session: requests.Session,
    url: str,
    request: Mapping[str, Any],
    timeout: float,
    extra: Mapping[str, Any],
    set_abort: Callable[[Callable[[], None]], None],
) -> tuple[Any, bytes]:
    """Request a websocket with a session; return the socket, and the bytes that followed the answer.

    :param url: the HTTP URL.
    :param request: ``headers``, ``cookies`` and ``verify`` of all requests of this connection.
    :param timeout: seconds for connecting, and again for the answer.
    :param extra: the application's ``websocket_extra_options``, which take precedence.
    :param set_abort: called with a function that ends the request.
    """
    proxies = options.proxies(session, url, extra)
    settings = session.merge_environment_settings(url, dict(proxies), None, request["verify"], None)
    tls: Mapping[str, Any] = {}
    if url.startswith("https") and not sessions.has_rules(session, url):
        tls = options.tls(session, extra, settings["verify"], settings["cert"])
    upgrading = connections.WebSocketExchange(tuple(extra.get("sockopt") or ()), tls, extra.get("socket"))
    set_abort(upgrading.cut)
    key = new_key()
    asked = {**request, "headers": _headers(request["headers"], extra, key), "proxies": proxies, "timeout": timeout}
    is_simple = type(session) is sessions.Session and url.startswith("http:") and upgrading.given is None
    try:
        if is_simple and not extra.get("suppress_host") and select_proxy(url, settings["proxies"]) is None:
            _request_directly(session, url, asked, upgrading, key)
        else:
            _request(session, url, asked, upgrading, key)
    except BaseException:
        if upgrading.sock is not None:
            upgrading.sock.close()
        raise
    return upgrading.sock, upgrading.ahead


def _headers(given: Mapping[str, Any], extra: Mapping[str, Any], key: str) -> CaseInsensitiveDict[Any]:
    headers = CaseInsensitiveDict({**given})
    of_extra = check(options.headers(extra))
    headers.update({name: value for name, value in of_extra.items() if not of_handshake([name])})
    headers.update({**request_headers(key), "Sec-WebSocket-Extensions": None})
    if line := extra.get("connection"):  # a line, as websocket-client takes it, or its value
        headers["Connection"] = line.partition(":")[2].strip() or line
    return headers


def _request(
    session: requests.Session, url: str, request: Mapping[str, Any], upgrading: connections.WebSocketExchange, key: str
) -> None:
    pool = connections.track_sockets(session, url, request["verify"], request["proxies"])
    if pool is None:
        raise _no_websocket(session.get_adapter(url))
    upgrading.proxy_headers = pool.proxy_headers
    with upgrading.request(session, "GET", url, **request) as response:
        _check(response.status_code, response.headers, key, response.iter_content(MAX_REFUSAL_SIZE))
        if upgrading.sock is None:
            raise _no_websocket(getattr(response, "connection", None))
    if isinstance(upgrading.sock, SSLTransport):
        raise ConnectionError("a websocket cannot be opened through a proxy that itself uses TLS")


def _request_directly(
    session: requests.Session, url: str, request: Mapping[str, Any], upgrading: connections.WebSocketExchange, key: str
) -> None:
    """Send the request without a pool: for the client's own session, without TLS and proxy."""
    asked = requests.Request("GET", url, headers=request["headers"], cookies=request["cookies"])
    with upgrading.request_directly(session.prepare_request(asked), request["timeout"]) as response:
        headers: Mapping[str, str] = CaseInsensitiveDict(response.headers.items())
        _check(response.status, headers, key, iter(lambda: response.read(MAX_REFUSAL_SIZE), b""))


def _check(status: int, headers: Mapping[str, str], key: str, body: Iterator[bytes]) -> None:
    check_answer(status, headers, key, b"" if status == 101 else _beginning(body))


def _no_websocket(adapter: Any) -> ConnectionError:
    return ConnectionError(f"the session's adapter for this URL, {type(adapter).__name__}, cannot open a websocket")


def _beginning(parts: Iterator[bytes]) -> bytes:
    """Return the body of a refusal, or its beginning."""
    body = b""
    try:
        for part in parts:
            body += part
            if len(body) >= MAX_REFUSAL_SIZE:
                break
    except (requests.RequestException, http.client.HTTPException, OSError):  # the beginning is enough
        pass
    return body
