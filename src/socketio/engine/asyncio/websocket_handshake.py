"""Requests a websocket with the aiohttp session, and takes its connection over.

In: a session and a URL. Out: an open websocket. Every refusal is
``engineio.exceptions.ConnectionError`` with the server's answer, or an error of aiohttp.

aiohttp opens and reads the websocket itself if options require features of its websockets, if the session overrides
``ws_connect()``, and if a later aiohttp does not allow to take the connection over.
"""

from __future__ import annotations

import contextlib
import ssl
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from .. import compat
from ..connection import CLOSING
from ..handshake import status_error, websocket_error
from ..websocket import MAX_REFUSAL_SIZE, check_answer, new_key, request_headers
from .wire import AiohttpWire, Wire

_OF_REQUESTS = {
    "auth",
    "fingerprint",
    "params",
    "proxy",
    "proxy_auth",
    "proxy_headers",
    "server_hostname",
    "ssl",
    "ssl_context",
    "verify_ssl",
}
"""Options of ``ws_connect()`` that a request has, too."""
_UNDERSTOOD = _OF_REQUESTS | {"autoclose", "autoping", "headers", "max_msg_size", "method", "origin", "protocols"}
"""Options that work without aiohttp's own websocket."""
# The caller limits the time.
_NO_LIMIT = aiohttp.ClientTimeout(total=None)


async def open_websocket(
    session: Any, url: str, options: Mapping[str, Any], max_message_size: int
) -> Wire | AiohttpWire:
    """Request a websocket with a session.

    :param url: the HTTP URL, or that of a websocket.
    :param options: the options of ``ws_connect()``.
    """
    is_plain = getattr(type(session), "ws_connect", None) is aiohttp.ClientSession.ws_connect
    wire = None
    if is_plain and options.keys() <= _UNDERSTOOD:
        wire = await _request(session, url, options, max_message_size)
    return wire or await _request_publicly(session, url, options, max_message_size)


async def _request(session: Any, url: str, options: Mapping[str, Any], max_message_size: int) -> Wire | None:
    """Return ``None`` if the connection cannot be taken over."""
    key = new_key()
    headers = CIMultiDict(options["headers"])
    headers.update(request_headers(key))
    if options.get("protocols"):
        headers["Sec-WebSocket-Protocol"] = ",".join(options["protocols"])
    if options.get("origin") is not None:
        headers["Origin"] = options["origin"]
    of_request = {name: value for name, value in options.items() if name in _OF_REQUESTS}
    of_request.update(headers=headers, allow_redirects=False, raise_for_status=False, read_until_eof=False)
    response = await session.request(options.get("method", "GET"), url, timeout=_NO_LIMIT, **of_request)
    try:
        body = b"" if response.status == 101 else await _beginning(response)
        connection = compat.connection_of(response)
        check_answer(response.status, response.headers, key, body)
        if connection is None:
            response.close()
            return None
        largest = options.get("max_msg_size", max_message_size + 1) or sys.maxsize
        return Wire(response, connection, largest - 1)
    except BaseException:
        response.close()
        raise


async def _request_publicly(session: Any, url: str, options: Mapping[str, Any], max_message_size: int) -> AiohttpWire:
    options = {
        "timeout": aiohttp.ClientWSTimeout(ws_close=CLOSING),
        "max_msg_size": max_message_size + 1,  # there, it is the size of the first message that is too large
        **options,
        "autoping": False,
    }
    try:
        with _refusing_redirects(session, url):
            return AiohttpWire(await session.ws_connect(url, **options))
    except aiohttp.ClientResponseError as exc:  # not chained: its text has the URL, with all its secrets
        if exc.status != 101:
            raise status_error(exc.status, b"", exc.headers or {}) from None
        raise websocket_error(url, exc.message) from None


@contextlib.contextmanager
def _refusing_redirects(session: Any, url: str) -> Iterator[None]:
    """Raise for redirects and refusals of requests for a URL while they can be read.

    ``ws_connect()`` follows redirects, with all headers and to any host, and has no option for that.
    """
    asked = URL(url).with_query(None)

    async def check_redirect(session: Any, context: Any, params: Any) -> None:
        response = params.response
        if response.status != 101 and params.url.with_query(None) == asked:
            raise status_error(response.status, await _beginning(response), response.headers)

    configs = getattr(session, "trace_configs", None)
    if not isinstance(configs, list):
        yield
        return
    guard = aiohttp.TraceConfig()
    guard.on_request_redirect.append(check_redirect)
    guard.on_request_end.append(check_redirect)
    guard.freeze()
    configs.append(guard)
    try:
        yield
    finally:
        configs.remove(guard)


async def _beginning(response: aiohttp.ClientResponse) -> bytes:
    """Return the body of a refusal, or its beginning."""
    body = b""
    with contextlib.suppress(aiohttp.ClientError):  # the beginning is enough
        while len(body) < MAX_REFUSAL_SIZE and (part := await response.content.readany()):
            body += part
    response.close()
    return body


def accepts_any_certificate(options: Mapping[str, Any]) -> bool:
    """Return whether these options of ``ws_connect()`` allow another server to impersonate this one."""
    ssl_option = options.get("ssl", True)
    context = options.get("ssl_context") or ssl_option
    if isinstance(context, ssl.SSLContext):
        return context.verify_mode is ssl.CERT_NONE or not context.check_hostname
    return ssl_option is False or options.get("verify_ssl") is False
