"""How the asyncio client opens a connection: over polling, over websocket, and the upgrade between them.

Replaces the handshake of ``engineio.AsyncClient``: there, fields of the OPEN packet are used unchecked, headers go with
the first request only, the caller's dicts are edited, a websocket message is awaited without end, and whatever comes is
taken for a packet.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import ssl
import sys
import urllib.request
from collections import deque
from collections.abc import Coroutine, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import aiohttp
from engineio.exceptions import ConnectionError
from multidict import CIMultiDict

from ...packet import Frame
from ...runtime.async_condition import wait_for
from .. import compat, handshake
from ..base import EngineBase
from ..connection import CLOSING
from ..headers import check, check_session
from .polling import AsyncPollingTransport
from .websocket import AsyncWebSocketTransport
from .wire import AiohttpWire, Wire

Transport: TypeAlias = AsyncPollingTransport | AsyncWebSocketTransport

_MAX_SIZE = 65536
"""Bytes in the body of a refusal."""
_OF_AIOHTTP = frozenset({"compress", "heartbeat", "receive_timeout", "timeout"})
"""Options of ``ws_connect`` that ask for what aiohttp's own websockets do."""


_AsyncClient: Any = compat.engineio_class("async_client", "AsyncClient")


@dataclass(slots=True)
class Opened:
    """A connection that was opened, and the packets that came with the handshake."""

    transport: Transport
    handshake: handshake.Handshake
    first: list[Frame]


class AsyncOpening(EngineBase, _AsyncClient):
    """The part of :class:`AsyncEngineIOClient` that opens connections."""

    http: Any
    ws: Any
    max_message_size: int

    async def _open(self, url: str, headers: dict[str, str], path: str) -> Opened:
        if self.http is None or self.http.closed:
            self.http = await self._new_session()
        polling_url = self.base_url = self._get_engineio_url(url, path, "polling")
        self._log("Connecting to %s over %s", handshake.without_secrets(polling_url), self.transports[0])
        self._check_session_headers(self.http.headers)
        headers = self._without_handshake(headers)
        websocket_headers = self._without_handshake(check(_as_mapping(self.websocket_extra_options.get("headers"))))
        if self.transports[0] == "websocket":
            transport = await self._connect_to_websocket(
                self._get_engineio_url(url, path, "websocket"), headers, websocket_headers
            )
            opened: Opened = await _releasing(transport, self._greet(transport))
            return opened
        polling = AsyncPollingTransport(
            self.http,
            polling_url,
            headers=headers,
            tls=self._tls_options(),
            request_timeout=self.request_timeout,
            max_message_size=self.max_message_size,
            timestamp=self._get_url_timestamp,
            log_request=self._log_request,
        )
        shaken, packets = await polling.open()
        opened = Opened(polling, shaken, packets)
        if "websocket" in shaken.upgrades and "websocket" in self.transports:
            target = f"{self._get_engineio_url(url, path, 'websocket')}&sid={shaken.sid}"
            upgraded = await self._upgrade(target, polling.headers, websocket_headers)
            if upgraded is not None:
                opened.transport = upgraded
        if opened.transport is polling and 1 in (self.http.connector.limit, self.http.connector.limit_per_host):
            raise ConnectionError(handshake.ONE_CONNECTION)
        return opened

    async def _new_session(self) -> aiohttp.ClientSession:
        if self.http_factory is None:
            own = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())  # the transport keeps the cookies
            # A GET whose connection breaks is repeated there, and what the server had sent into the first is lost.
            own._retry_connection = False
            return own
        made = self.http_factory()
        session: aiohttp.ClientSession = await made if inspect.isawaitable(made) else made
        return session

    def _check_session_headers(self, headers: MutableMapping[str, Any]) -> None:
        """Check the session's headers, and take out of them what it could not send, or what breaks a handshake.

        aiohttp has no other way to leave a header of a session out of a request.
        """
        left_out = check_session(headers)
        self._warn_of_headers(left_out)
        for name in [*left_out, *(name for name, value in headers.items() if value is None)]:
            headers.pop(name, None)

    def _tls_options(self) -> dict[str, Any]:
        return {} if self.ssl_verify else {"ssl": False}

    async def _connect_to_websocket(
        self, url: str, headers: Mapping[str, str], winning: Mapping[str, str], upgrades: bool = False
    ) -> AsyncWebSocketTransport:
        url = self._websocket_url(url)
        # websocket_extra_options is read, never edited: the next attempt needs it again.
        extra = {name: value for name, value in self.websocket_extra_options.items() if name != "headers"}
        kwargs: dict[str, Any] = {
            "timeout": aiohttp.ClientWSTimeout(ws_close=CLOSING),
            "max_msg_size": self.max_message_size + 1,  # there, it is the size of the first message that is too large
            **self._tls_options(),
            "headers": _merged(headers, winning),
            **extra,
            "autoping": False,
        }
        is_secure = url.startswith(("https", "wss"))
        if is_secure and upgrades and self._verifies() and _accepts_any_certificate(kwargs):
            raise ConnectionError("the server is verified over polling, and would not be over websocket")
        place = handshake.origin_of(url)
        by_aiohttp = not _OF_AIOHTTP.isdisjoint(extra)
        largest = (kwargs["max_msg_size"] or sys.maxsize) - 1
        asking = _AskingForWebSockets(self.http, None if by_aiohttp else largest)
        try:
            self.ws = await wait_for(asking.ws_connect(url + self._get_url_timestamp(), kwargs), self.request_timeout)
        except aiohttp.WSServerHandshakeError as exc:  # not chained: its text has the URL, with all its secrets
            if exc.status != 101:
                raise handshake.status_error(exc.status, b"", exc.headers or {}) from None
            raise ConnectionError(f"websocket connection to {place} failed: {exc.message}") from None
        except aiohttp.InvalidURL:  # so has this one
            raise ConnectionError(f"websocket connection to {place} failed: not a valid URL") from None
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError, ValueError) as exc:
            text = f"websocket connection to {place} failed: {handshake.cause_text(exc)}"
            raise ConnectionError(text) from handshake.root_cause(exc)
        except asyncio.CancelledError:
            if asking.wire is not None:  # it was opened in the very moment
                asking.wire.detach()
            raise
        if asking.wire is None:
            return AsyncWebSocketTransport(AiohttpWire(self.ws))
        asking.wire.settle()
        self.ws = asking.wire
        return AsyncWebSocketTransport(self.ws)

    def _websocket_url(self, url: str) -> str:
        """Return the URL to ask for a websocket: that of HTTP, for which aiohttp knows the environment's proxy.

        A proxy that the environment names for websockets is heeded.
        """
        scheme = url.partition(":")[0]
        own = bool(getattr(self.http, "trust_env", False)) and scheme in urllib.request.getproxies()
        return url if own else "http" + url.removeprefix("ws")

    def _verifies(self) -> bool:
        """Return whether requests of the session, not told otherwise, verify the server."""
        return bool(self.ssl_verify) and not _accepts_any_certificate(
            {"ssl": getattr(self.http.connector, "_ssl", True)}
        )

    async def _greet(self, transport: AsyncWebSocketTransport) -> Opened:
        """Read the OPEN packet of a connection that begins with a websocket."""
        frame = await transport.receive_within(self.request_timeout)
        opened = Opened(transport, handshake.read_open_frame(frame), [])
        if opened.handshake.max_payload is None:
            with contextlib.suppress(handshake.SilenceError):
                opened.first = [await transport.receive_within(handshake.GREETING)]
                if handshake.is_version_3_greeting(opened.first[0]):
                    raise handshake.version_3_error()
        return opened

    async def _upgrade(
        self, url: str, headers: Mapping[str, str], winning: Mapping[str, str]
    ) -> AsyncWebSocketTransport | None:
        """Return the websocket that the server agreed to go on with, or ``None`` to stay on polling."""
        try:
            transport = await self._connect_to_websocket(url, headers, winning, upgrades=True)
            await _releasing(transport, self._probe(transport))
        except ConnectionError as exc:
            self.logger.warning("Upgrade to websocket failed, going on with polling: %s", exc)
            return None
        self._log("Upgraded to websocket")
        return transport

    async def _probe(self, transport: AsyncWebSocketTransport) -> None:
        self._log_sending([handshake.PROBE])
        await transport.send(deque([handshake.PROBE]))
        answer = await transport.receive_within(self.request_timeout)
        self._log_received([answer])
        if answer != handshake.PROBE_ANSWER:
            raise ConnectionError(f"the server answered the probe with {answer!r:.200}")
        self._log_sending([handshake.UPGRADE])
        await transport.send(deque([handshake.UPGRADE]))


def _as_mapping(headers: Any) -> Any:
    """Return headers that may be given as pairs."""
    return headers if headers is None or isinstance(headers, Mapping) else dict(headers)


def _merged(headers: Mapping[str, str], winning: Mapping[str, str]) -> CIMultiDict[str]:
    """Return all headers; of those that both have, whatever the case, the winning ones."""
    merged = CIMultiDict(headers)
    merged.update(winning)
    return merged


def _accepts_any_certificate(options: Mapping[str, Any]) -> bool:
    """Return whether these options of ``ws_connect`` let somebody else stand in for the server."""
    ssl_option = options.get("ssl", True)
    context = options.get("ssl_context") or ssl_option
    if isinstance(context, ssl.SSLContext):
        return context.verify_mode is ssl.CERT_NONE or not context.check_hostname
    return ssl_option is False or options.get("verify_ssl") is False


class _AskingForWebSockets:
    """A session as its ``ws_connect`` sees it: no redirect is followed, and the body of a refusal is read.

    There, a redirect is followed with all headers and to any host, and the answer is dropped with its body.

    :param max_message_size: for the wire that takes over what is opened; ``None`` to leave that to aiohttp.
    :ivar wire: that wire.
    """

    _ws_connect: Any = getattr(aiohttp.ClientSession, "_ws_connect", None)

    def __init__(self, http: Any, max_message_size: int | None) -> None:
        self._http = http
        self._max_message_size = max_message_size
        self.wire: Wire | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._http, name)

    def ws_connect(self, url: str, options: Mapping[str, Any]) -> Any:
        """Return what awaits a websocket."""
        own = getattr(type(self._http), "ws_connect", None) is not aiohttp.ClientSession.ws_connect
        if own or self._ws_connect is None:
            return self._http.ws_connect(url, **options)  # in the session's own way, or the only one that is public
        stand_in: Any = self
        return aiohttp.ClientSession.ws_connect(stand_in, url, **options)

    async def request(self, method: str, url: str, **options: Any) -> aiohttp.ClientResponse:
        # As over polling: how long it may take is for request_timeout to say.
        timeout = aiohttp.ClientTimeout(total=None)
        options = {**options, "allow_redirects": False, "raise_for_status": False, "timeout": timeout}
        response: aiohttp.ClientResponse = await self._http.request(method, url, **options)
        if response.status == 101:
            compresses = "Sec-WebSocket-Extensions" in response.headers
            # Without an Upgrade header aiohttp has let go of the connection, and is about to say what is wrong.
            if self._max_message_size is not None and not compresses and response.connection is not None:
                self.wire = Wire(response, self._max_message_size)
            return response
        body = b""
        try:
            with contextlib.suppress(aiohttp.ClientError):  # the beginning of a body will do
                while len(body) < _MAX_SIZE and (part := await response.content.readany()):
                    body += part
        finally:
            response.close()
        raise handshake.status_error(response.status, body, response.headers)


async def _releasing(transport: AsyncWebSocketTransport, step: Coroutine[Any, Any, Any]) -> Any:
    """Await a step of the handshake; release the transport if it fails."""
    try:
        return await step
    except BaseException:
        transport.abort()
        await transport.release()
        raise
