"""The websocket handshake for threads: the session's own request, and the server's answer to it, checked.

In: a session and a URL. Out: the connection, once the server has agreed, and what came behind its answer. Every refusal
is ``engineio.exceptions.ConnectionError`` with what the server said. Source: RFC 6455, section 4.

The session asks, and so everything that holds for its other requests holds for this one: headers, cookies, parameters,
credentials, proxies, certificates, adapters and hooks.
"""

from __future__ import annotations

import base64
import hashlib
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import requests
from engineio.exceptions import ConnectionError
from requests.structures import CaseInsensitiveDict
from urllib3.util.ssltransport import SSLTransport

from . import adapters, connections, options
from .handshake import refuse_redirect, status_error
from .headers import check, of_handshake

_MAX_SIZE = 65536
"""Bytes in the body of a refusal."""
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@dataclass(frozen=True, slots=True)
class Answer:
    """A websocket that the server has agreed to; ``ahead`` is what came behind its answer."""

    sock: Any
    ahead: bytes
    status: int
    headers: Mapping[str, str]
    subprotocol: str | None


def ask(
    http: requests.Session,
    url: str,
    request: Mapping[str, Any],
    timeout: float,
    extra: Mapping[str, Any],
    enter: Callable[[Callable[[], None]], None],
) -> Answer:
    """Ask for a websocket by way of a session.

    :param url: the HTTP URL.
    :param request: ``headers``, ``cookies`` and ``verify`` of all requests of this connection.
    :param timeout: seconds for connecting, and again for the answer.
    :param extra: the application's ``websocket_extra_options``; they win.
    :param enter: is told how to end the asking.
    """
    key = base64.b64encode(os.urandom(16)).decode()
    proxies = options.proxies(http, url, extra)
    settings = http.merge_environment_settings(url, dict(proxies), None, request["verify"], None)
    takes_options = url.startswith("https") and not adapters.has_rules(http, url)
    tls = options.tls(http, extra, settings["verify"], settings["cert"]) if takes_options else None
    pool = connections.track_sockets(http, url, request["verify"], proxies)
    if pool is None:
        raise _no_websocket(http.get_adapter(url))
    sockopt = tuple(extra.get("sockopt") or ())
    upgrading = connections.Upgrading(pool.proxy_headers, sockopt, tls, extra.get("socket"))
    enter(upgrading.abort)
    headers = CaseInsensitiveDict({**request["headers"]})
    of_extra = check(options.headers(extra))
    headers.update({name: value for name, value in of_extra.items() if not of_handshake([name])})
    headers.update({"Upgrade": "websocket", "Connection": _connection(extra), "Sec-WebSocket-Extensions": None})
    headers.update({"Sec-WebSocket-Key": key, "Sec-WebSocket-Version": "13"})
    me = threading.get_ident()
    connections.waiting[me] = upgrading, time.monotonic() + timeout
    try:
        response = http.request(
            "GET",
            url,
            headers=headers,
            cookies=request["cookies"],
            verify=request["verify"],
            proxies=proxies,
            timeout=timeout,
            stream=True,
            allow_redirects=False,
            hooks={"response": [*http.hooks["response"], refuse_redirect]},
        )
        with response:
            return _checked(response, upgrading, key)
    except BaseException:
        if upgrading.sock is not None:
            upgrading.sock.close()
        raise
    finally:
        connections.waiting.pop(me, None)
        upgrading.wait_on(None)


def _connection(extra: Mapping[str, Any]) -> str:
    line: str = extra.get("connection") or "Connection: Upgrade"
    return line.partition(":")[2].strip() or line


def _checked(response: requests.Response, upgrading: connections.Upgrading, key: str) -> Answer:
    headers = response.headers
    if response.status_code != 101:
        raise status_error(response.status_code, _body(response), headers)
    if upgrading.sock is None:
        raise _no_websocket(getattr(response, "connection", None))
    expected = base64.b64encode(hashlib.sha1((key + _GUID).encode()).digest()).decode()
    if (
        headers.get("Upgrade", "").lower() != "websocket"
        or "upgrade" not in headers.get("Connection", "").lower()
        or headers.get("Sec-WebSocket-Accept", "").strip() != expected
    ):
        raise ConnectionError("the server's answer to the websocket request is none of a websocket")
    if isinstance(upgrading.sock, SSLTransport):
        raise ConnectionError("a websocket cannot go by way of a proxy that itself has TLS")
    return Answer(upgrading.sock, upgrading.ahead, 101, headers, headers.get("Sec-WebSocket-Protocol"))


def _no_websocket(adapter: Any) -> ConnectionError:
    return ConnectionError(f"{type(adapter).__name__}, which the session has for this URL, cannot open a websocket")


def _body(response: requests.Response) -> bytes:
    """Return the body of a refusal, or the beginning of it."""
    body = b""
    try:
        for part in response.iter_content(_MAX_SIZE):
            body += part
            if len(body) >= _MAX_SIZE:
                break
    except (requests.RequestException, OSError):  # the beginning will do
        pass
    return body
