"""The websocket handshake for threads: the session's own request, and the server's answer to it, checked.

In: a session and a URL. Out: the connection, once the server has agreed, and what came behind its answer. Every refusal
is ``engineio.exceptions.ConnectionError`` with what the server said. Source: RFC 6455, section 4.

The session asks, and so everything that holds for its other requests holds for this one: headers, cookies, parameters,
credentials, proxies, certificates, adapters and hooks.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import os
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import requests
from engineio.exceptions import ConnectionError
from requests.structures import CaseInsensitiveDict
from requests.utils import select_proxy
from urllib3.util import SKIP_HEADER
from urllib3.util.ssltransport import SSLTransport

from ..handshake import refuse_redirect, status_error
from ..headers import check, of_handshake
from . import adapters, connections, options
from .sessions import Session

_MAX_SIZE = 65536
"""Bytes in the body of a refusal."""
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@dataclass(frozen=True, slots=True)
class Answer:
    """An accepted websocket; ``ahead`` is the data that followed the response."""

    sock: Any
    ahead: bytes
    status: int
    headers: Mapping[str, str]
    subprotocol: str | None


class _Reply(NamedTuple):
    """The response; the body is that of a refusal."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def ask(
    session: requests.Session,
    url: str,
    request: Mapping[str, Any],
    timeout: float,
    extra: Mapping[str, Any],
    enter: Callable[[Callable[[], None]], None],
) -> Answer:
    """Request a websocket with a session.

    :param url: the HTTP URL.
    :param request: ``headers``, ``cookies`` and ``verify`` of all requests of this connection.
    :param timeout: seconds for connecting, and again for the answer.
    :param extra: the application's ``websocket_extra_options``; they win.
    :param enter: is told how to end the asking.
    """
    key = base64.b64encode(os.urandom(16)).decode()
    proxies = options.proxies(session, url, extra)
    settings = session.merge_environment_settings(url, dict(proxies), None, request["verify"], None)
    takes_options = url.startswith("https") and not adapters.has_rules(session, url)
    tls = options.tls(session, extra, settings["verify"], settings["cert"]) if takes_options else None
    upgrading = connections.Upgrading(tuple(extra.get("sockopt") or ()), tls, extra.get("socket"))
    enter(upgrading.abort)
    headers = CaseInsensitiveDict({**request["headers"]})
    of_extra = check(options.headers(extra))
    headers.update({name: value for name, value in of_extra.items() if not of_handshake([name])})
    headers.update({"Upgrade": "websocket", "Connection": _connection(extra), "Sec-WebSocket-Extensions": None})
    headers.update({"Sec-WebSocket-Key": key, "Sec-WebSocket-Version": "13"})
    is_simple = type(session) is Session and url.startswith("http:") and upgrading.given is None
    try:
        if is_simple and select_proxy(url, settings["proxies"]) is None:
            reply = _ask_directly(session, url, {**request, "headers": headers}, timeout, upgrading)
        else:
            reply = _ask_session(session, url, {**request, "headers": headers}, timeout, upgrading, proxies)
        return _checked(reply, upgrading, key)
    except BaseException:
        if upgrading.sock is not None:
            upgrading.sock.close()
        raise
    finally:
        upgrading.wait_on(None)


def _connection(extra: Mapping[str, Any]) -> str:
    line: str = extra.get("connection") or "Connection: Upgrade"
    return line.partition(":")[2].strip() or line


def _ask_session(
    session: requests.Session,
    url: str,
    request: dict[str, Any],
    timeout: float,
    upgrading: connections.Upgrading,
    proxies: dict[str, Any],
) -> _Reply:
    pool = connections.track_sockets(session, url, request["verify"], proxies)
    if pool is None:
        raise _no_websocket(session.get_adapter(url))
    upgrading.proxy_headers = pool.proxy_headers
    hooks = {"response": [*session.hooks["response"], refuse_redirect]}
    me = threading.get_ident()
    connections.waiting[me] = upgrading, time.monotonic() + timeout
    try:
        response = session.request(
            "GET", url, proxies=proxies, timeout=timeout, stream=True, allow_redirects=False, hooks=hooks, **request
        )
        with response:
            if response.status_code == 101:
                if upgrading.sock is None:
                    raise _no_websocket(getattr(response, "connection", None))
                return _Reply(101, response.headers, b"")
            return _Reply(response.status_code, response.headers, _beginning(response.iter_content(_MAX_SIZE)))
    finally:
        connections.waiting.pop(me, None)


def _ask_directly(
    session: requests.Session, url: str, request: Mapping[str, Any], timeout: float, upgrading: connections.Upgrading
) -> _Reply:
    """Send the session's request over a connection without a pool, which takes half the time.

    For a session of the client's own, which has no adapters and no hooks, where neither TLS nor a proxy is needed.
    """
    prepared = session.prepare_request(
        requests.Request("GET", url, headers=request["headers"], cookies=request["cookies"])
    )
    deadline = time.monotonic() + timeout
    sock = connections.connect(prepared.url or url, deadline, upgrading)
    response = connections.TimedResponse(sock, method="GET", deadline=time.monotonic() + timeout, upgrading=upgrading)
    try:
        sock.settimeout(timeout)
        sock.sendall(_head(prepared))
        response.begin()
        headers: Mapping[str, str] = CaseInsensitiveDict(response.headers.items())
        if response.status == 101:
            upgrading.sock = sock
            return _Reply(101, headers, b"")
        return _Reply(response.status, headers, _beginning(iter(lambda: response.read(_MAX_SIZE), b"")))
    finally:
        response.close()
        if upgrading.sock is None:
            sock.close()


def _head(prepared: requests.PreparedRequest) -> bytes:
    """Return a request as ``http.client`` writes it."""
    parts = urllib.parse.urlsplit(prepared.url or "")
    headers: dict[Any, Any] = {"Host": str(parts.netloc.rpartition("@")[2]).removesuffix(":80"), **prepared.headers}
    lines = [f"GET {prepared.path_url} HTTP/1.1".encode()]
    for name, value in headers.items():
        if value != SKIP_HEADER:
            lines.append(_bytes(name) + b": " + _bytes(value))
    return b"\r\n".join([*lines, b"", b""])


def _bytes(text: str | bytes) -> bytes:
    return text.encode("latin-1") if isinstance(text, str) else text


def _checked(reply: _Reply, upgrading: connections.Upgrading, key: str) -> Answer:
    headers = reply.headers
    if reply.status != 101:
        raise status_error(reply.status, reply.body, headers)
    expected = base64.b64encode(hashlib.sha1((key + _GUID).encode()).digest()).decode()
    if (
        headers.get("Upgrade", "").lower() != "websocket"
        or "upgrade" not in headers.get("Connection", "").lower()
        or headers.get("Sec-WebSocket-Accept", "").strip() != expected
    ):
        raise ConnectionError("the server's answer to the websocket request is none of a websocket")
    if isinstance(upgrading.sock, SSLTransport):
        raise ConnectionError("a websocket cannot be opened through a proxy that itself uses TLS")
    return Answer(upgrading.sock, upgrading.ahead, 101, headers, headers.get("Sec-WebSocket-Protocol"))


def _no_websocket(adapter: Any) -> ConnectionError:
    return ConnectionError(f"the session's adapter for this URL, {type(adapter).__name__}, cannot open a websocket")


def _beginning(parts: Iterator[bytes]) -> bytes:
    """Return the body of a refusal, or the beginning of it."""
    body = b""
    try:
        for part in parts:
            body += part
            if len(body) >= _MAX_SIZE:
                break
    except (requests.RequestException, http.client.HTTPException, OSError):  # the beginning will do
        pass
    return body
