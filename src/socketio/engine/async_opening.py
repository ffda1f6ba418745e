"""How the asyncio client opens a connection: over polling, over websocket, and the upgrade between them.

Replaces the handshake of ``engineio.AsyncClient``: there, fields of the OPEN packet are used unchecked, headers go with
the first request only, the caller's dicts are edited, a websocket message is awaited without end, and whatever comes is
taken for a packet.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections import deque
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import aiohttp
import engineio
from engineio.exceptions import ConnectionError
from multidict import CIMultiDict

from ..async_condition import wait_for
from ..packet import Frame
from . import handshake
from .async_polling import AsyncPollingTransport
from .async_websocket import CLOSING, AsyncWebSocketTransport

Transport: TypeAlias = AsyncPollingTransport | AsyncWebSocketTransport

"""Bytes in one websocket message."""


@dataclass(slots=True)
class Opened:
    """A connection that was opened, and the packets that came with the handshake."""

    transport: Transport
    handshake: handshake.Handshake
    first: list[Frame]


class AsyncOpening(engineio.AsyncClient):
    """The part of :class:`AsyncEngineIOClient` that opens connections."""

    http: Any
    ws: Any

    async def _open(self, url: str, headers: dict[str, str], path: str) -> Opened:
        if self.http is None or self.http.closed:
            self.http = await self._new_session()
        if self.transports[0] == "websocket":
            transport = await self._connect_to_websocket(self._get_engineio_url(url, path, "websocket"), headers)
            opened: Opened = await _releasing(transport, self._greet(transport))
            return opened
        polling = AsyncPollingTransport(
            self.http,
            self._get_engineio_url(url, path, "polling"),
            headers=headers,
            options=self._tls_options(),
            request_timeout=self.request_timeout,
            timestamp=self._get_url_timestamp,
        )
        shaken, packets = await polling.open()
        opened = Opened(polling, shaken, packets)
        if "websocket" in shaken.upgrades and "websocket" in self.transports:
            target = f"{self._get_engineio_url(url, path, 'websocket')}&sid={shaken.sid}"
            upgraded = await self._upgrade(target, headers)
            if upgraded is not None:
                opened.transport = upgraded
        return opened

    async def _new_session(self) -> aiohttp.ClientSession:
        if self.http_factory is None:
            # unsafe: cookies of IP addresses are kept too; load balancers set them for their sticky sessions.
            own = aiohttp.ClientSession(
                cookie_jar=aiohttp.CookieJar(unsafe=True), raise_for_status=_keep_refusal_of_websocket
            )
            # A GET whose connection breaks is repeated there, and what the server had sent into the first is lost.
            own._retry_connection = False
            return own
        made = self.http_factory()
        session: aiohttp.ClientSession = await made if inspect.isawaitable(made) else made
        return session

    def _tls_options(self) -> dict[str, Any]:
        return {} if self.ssl_verify else {"ssl": False}

    async def _connect_to_websocket(self, url: str, headers: dict[str, str]) -> AsyncWebSocketTransport:
        # websocket_extra_options is read, never edited: the next attempt needs it again.
        extra = dict(self.websocket_extra_options)
        kwargs: dict[str, Any] = {
            "timeout": aiohttp.ClientWSTimeout(ws_close=CLOSING),
            "max_msg_size": handshake.MAX_MESSAGE_SIZE,
            **self._tls_options(),
            "headers": _merged(headers, extra.pop("headers", {})),
            **extra,
            "autoping": False,
        }
        try:
            self.ws = await wait_for(
                self.http.ws_connect(url + self._get_url_timestamp(), **kwargs), self.request_timeout
            )
        except aiohttp.WSServerHandshakeError as exc:
            raise handshake.status_error(exc.status, b"") from exc
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError, ValueError) as exc:
            place = handshake.origin_of(url)
            raise ConnectionError(f"websocket connection to {place} failed: {handshake.cause_text(exc)}") from exc
        return AsyncWebSocketTransport(self.ws)

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

    async def _upgrade(self, url: str, headers: dict[str, str]) -> AsyncWebSocketTransport | None:
        """Return the websocket that the server agreed to go on with, or ``None`` to stay on polling."""
        try:
            transport = await self._connect_to_websocket(url, headers)
            await _releasing(transport, self._probe(transport))
        except ConnectionError as exc:
            self.logger.warning("Upgrade to websocket failed, going on with polling: %s", exc)
            return None
        self.logger.info("Upgraded to websocket")
        return transport

    async def _probe(self, transport: AsyncWebSocketTransport) -> None:
        await transport.send(deque([handshake.PROBE]))
        answer = await transport.receive_within(self.request_timeout)
        if answer != handshake.PROBE_ANSWER:
            raise ConnectionError(f"the server answered the probe with {answer!r:.200}")
        await transport.send(deque([handshake.UPGRADE]))


def _merged(headers: Mapping[str, str], winning: Mapping[str, str]) -> CIMultiDict[str]:
    """Return all headers; of those that both have, whatever the case, the winning ones."""
    merged = CIMultiDict(headers)
    merged.update(winning)
    return merged


async def _keep_refusal_of_websocket(response: aiohttp.ClientResponse) -> None:
    """Raise the error for a websocket that is refused while its body is still there: ``ws_connect`` drops it."""
    if response.status != 101 and response.request_info.url.query.get("transport") == "websocket":
        body = await response.read()
        raise handshake.status_error(response.status, body, response.headers.get("Content-Type", ""))


async def _releasing(transport: AsyncWebSocketTransport, step: Coroutine[Any, Any, Any]) -> Any:
    """Await a step of the handshake; release the transport if it fails."""
    try:
        return await step
    except BaseException:
        transport.abort()
        await transport.release()
        raise
