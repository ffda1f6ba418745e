"""Opens the transports of a connection with aiohttp.

The session sends all requests, also those for websockets, so that its settings apply to both transports.
"""

from __future__ import annotations

import asyncio
import inspect
import urllib.request
from collections.abc import Mapping
from typing import Any

import aiohttp
from engineio.exceptions import ConnectionError
from multidict import CIMultiDict

from ...runtime.async_condition import wait_for
from ...runtime.steps import run_async
from .. import compat, handshake
from ..headers import check, check_session
from ..opening import BaseOpening, Opened
from .polling import AsyncPollingTransport
from .websocket import AsyncWebSocketTransport
from .websocket_handshake import accepts_any_certificate, open_websocket
from .wire import AiohttpWire, Wire


class AsyncOpening(BaseOpening):
    """One attempt to open a connection."""

    _websocket_headers: dict[str, str]

    async def run(self) -> Opened:
        """Open the connection."""
        await self._prepare()
        return await run_async(self._steps())

    async def _prepare(self) -> None:
        engine = self._engine
        if engine.http is None or engine.http.closed:
            engine.http = await _new_session(engine)
        self._check_session_headers()
        self._headers = engine._without_handshake(self._headers)
        extra = engine.websocket_extra_options.get("headers")
        pairs = extra is not None and not isinstance(extra, Mapping)
        self._websocket_headers = engine._without_handshake(check(dict(extra) if pairs else extra))

    def _check_session_headers(self) -> None:
        """Check the session's headers, and remove those that it cannot send, or that break a handshake.

        aiohttp has no other way to leave a header of a session out of a request.
        """
        headers = self._engine.http.headers
        left_out = check_session(headers)
        self._engine._warn_of_headers(left_out)
        for name in [*left_out, *(name for name, value in headers.items() if value is None)]:
            headers.pop(name, None)

    def _tls_options(self) -> dict[str, Any]:
        return {} if self._engine.ssl_verify else {"ssl": False}

    def _connect_to_polling(self, url: str) -> AsyncPollingTransport:
        engine = self._engine
        polling = AsyncPollingTransport(
            engine.http,
            url,
            headers=self._headers,
            tls=self._tls_options(),
            request_timeout=engine.request_timeout,
            max_message_size=engine.max_message_size,
            timestamp=self._timestamp,
            log_request=engine._log_request,
        )
        polling.allows_two = 1 not in (engine.http.connector.limit, engine.http.connector.limit_per_host)
        self._polling = polling
        return polling

    async def _connect_to_websocket(self, url: str, upgrades: bool) -> AsyncWebSocketTransport:
        engine = self._engine
        url = self._websocket_url(url)
        headers = CIMultiDict(self._polling.headers if upgrades else self._headers)
        headers.update(self._websocket_headers)
        # websocket_extra_options is read, never edited: the next attempt needs it again.
        extra = {**self._tls_options(), **engine.websocket_extra_options, "headers": headers}
        if url.startswith(("https", "wss")) and upgrades and self._verifies() and accepts_any_certificate(extra):
            raise ConnectionError(handshake.NOT_VERIFIED)
        opened: list[Wire | AiohttpWire] = []

        async def connect() -> None:
            opened.append(await open_websocket(engine.http, url + self._timestamp(), extra, engine.max_message_size))

        try:
            await wait_for(connect(), engine.request_timeout)
        except asyncio.CancelledError:
            for wire in opened:  # at the same time
                wire.detach()
            raise
        except aiohttp.InvalidURL:  # not chained: its text has the URL, with all its secrets
            raise handshake.websocket_error(url, "not a valid URL") from None
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError, ValueError) as exc:
            raise handshake.websocket_error(url, exc) from handshake.root_cause(exc)
        (wire,) = opened
        engine.ws = wire.ws if isinstance(wire, AiohttpWire) else wire
        return AsyncWebSocketTransport(wire)

    def _websocket_url(self, url: str) -> str:
        """Return the URL of a websocket request: an HTTP URL, for which aiohttp uses the environment's proxy.

        A proxy that the environment names for websockets is used.
        """
        scheme = url.partition(":")[0]
        own = bool(getattr(self._engine.http, "trust_env", False)) and scheme in urllib.request.getproxies()
        return url if own else "http" + url.removeprefix("ws")

    def _verifies(self) -> bool:
        """Return whether requests of the session verify the server, unless they have other options."""
        of_connector = {"ssl": compat.tls_of(self._engine.http.connector)}
        return bool(self._engine.ssl_verify) and not accepts_any_certificate(of_connector)


async def _new_session(engine: Any) -> aiohttp.ClientSession:
    if engine.http_factory is None:
        own = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())  # the transport keeps the cookies
        compat.do_not_repeat(own)
        return own
    made = engine.http_factory()
    session: aiohttp.ClientSession = await made if inspect.isawaitable(made) else made
    return session
