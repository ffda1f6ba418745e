"""The polling transport for asyncio: a GET that waits for packets, and POSTs that carry them.

In: packets to send. Out: packets as they came. Every failure is ``engineio.exceptions.ConnectionError``.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

import aiohttp
from engineio.exceptions import ConnectionError
from yarl import URL

from ...packet import Frame
from ...runtime.async_condition import AsyncEvent
from ...runtime.async_time_limit import TimeLimit
from .. import compat, payload
from ..base_polling import BasePollingTransport
from ..errors import NoResponseError
from ..handshake import Handshake, cause_text, cookie_pairs, origin_of, pop_header, root_cause, status_error
from ..keep_alive import is_quick
from .keep_alive import KeptConnections, is_unanswered

_CLOSING = 0.1
"""Seconds for the server to answer the pending GET after the CLOSE."""


class _Request(asyncio.Task[tuple[aiohttp.ClientResponse, bytes]]):
    """A request that only its transport can end.

    The end of ``asyncio.run`` cancels all tasks: for the reference server, a cancelled GET ends the session, and a
    cancelled POST may have been read. Both continue while the last packets are sent.

    :ivar limit: seconds that it may take; aiohttp's own timeouts cancel the task.
    """

    limit = 0.0
    expired = False

    def expire(self) -> None:
        """End it after a timeout."""
        self.expired = True
        self.end()

    def cancel(self, msg: Any = None) -> bool:
        """Do nothing."""
        return False

    def end(self) -> None:
        """Cancel it."""
        super().cancel()


class AsyncPollingTransport(BasePollingTransport):
    """One Engine.IO session over HTTP.

    :param headers: go with every request.
    :param tls: further arguments for every request.
    """

    is_behind = False  # at most one answer arrives at a time
    head_start = 0.0

    def __init__(
        self,
        http: aiohttp.ClientSession,
        url: str,
        *,
        headers: Mapping[str, str],
        tls: Mapping[str, Any],
        **options: Any,
    ) -> None:
        super().__init__(http, url, **options)
        self._headers = headers
        self._tls = tls
        self._jar = aiohttp.CookieJar(unsafe=True)
        self._as_sent: dict[tuple[str, str], str] = {}
        self._pending: set[_Request] = set()
        self._poll: _Request | None = None
        self._kept = KeptConnections(http, url)
        self._ended = AsyncEvent()

    async def open(self) -> tuple[Handshake, list[Frame]]:
        """Open the session; return the handshake, and the packets that follow it."""
        began = time.monotonic()
        try:
            return self._take_handshake(*await self._answer(self._begin("GET", self._request_timeout)), began)
        except asyncio.CancelledError:
            self.abort()
            raise

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the next request, with the cookies that the server has set.

        The session's jar may keep none, as it does by default for IP addresses; a load balancer with session affinity
        needs them. They are sent unchanged: aiohttp's jars put values like ``a==`` in quotes.
        """
        headers = dict(self._headers)
        if not self._as_sent:  # and so in the jar
            return headers
        own = pop_header(headers, "cookie")
        known = {*self.http.cookie_jar.filter_cookies(URL(self.url)), *(name for name, _ in cookie_pairs(own or ""))}
        kept = self._jar.filter_cookies(URL(self.url))
        missing = [
            f"{name}={self._as_sent.get((name, morsel.value), morsel.coded_value)}"
            for name, morsel in kept.items()
            if name not in known
        ]
        if own or missing:
            headers["Cookie"] = "; ".join([own, *missing] if own else missing)
        return headers

    async def receive(self) -> list[Frame]:
        """Wait for packets and return them."""
        if self._pause and self._poll is None:
            await self._ended.wait(self._pause)
        if self._closing:  # the next request would come after the CLOSE, for a session that has ended
            await self._ended.wait(self._request_timeout)
            raise ConnectionError("the connection was closed")
        if self._poll is None:  # it continues if its waiter is cancelled
            self._poll = self._begin("GET", self._begin_poll())
        answer = await self._answer(self._poll)
        self._poll = None
        return self._end_poll(*answer)

    async def send(self, frames: deque[Any]) -> None:
        """Send packets, in order, in as many requests as it takes; each is removed when it is sent."""
        while frames:
            body, count = payload.next_body(frames, self._max_payload)
            request = self._begin("POST", self._request_timeout, body)
            try:
                self._check_receipt(*await self._answer(request))
            except asyncio.CancelledError:
                await asyncio.wait([request])  # its packets must not be sent twice
                raise
            finally:
                ended = request.done() and not request.cancelled()
                if ended and request.exception() is None and request.result()[0].ok:
                    for _ in range(count):
                        frames.popleft()

    async def confirm(self, timeout: float) -> bool:
        """Return ``True``: see :meth:`probe`."""
        return True

    async def begin_close(self, timeout: float) -> bool:
        """Send no further request for packets, since a CLOSE comes next."""
        self._closing = True
        return True

    async def close(self) -> None:
        """Stop waiting for packets: the CLOSE was sent, and not every server answers the pending GET."""
        if self._pending:
            await asyncio.wait(self._pending, timeout=_CLOSING)
        self.abort()

    def abort(self) -> None:
        """Cut the pending requests; waiting for one ends at once."""
        self._ended.set()
        for task in list(self._pending):
            task.end()

    def transports(self) -> list[Any]:
        """Return nothing: all belong to the session."""
        return []

    def detach(self) -> None:
        """Drop the pending requests, without an event loop."""
        compat.keep_silent(self._pending)
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self.abort()

    async def release(self) -> None:
        """Close what is open. The session belongs to the engine."""

    def _begin(self, method: str, timeout: float, body: bytes | None = None) -> _Request:
        if self._ended.is_set():
            raise ConnectionError("the connection was closed")
        self._log_request(method, self.url)
        request = _Request(self._fetch(method, body), name=method)
        request.limit = timeout
        limit = TimeLimit(timeout, request.expire)
        request.add_done_callback(lambda _: limit.cancel())
        self._pending.add(request)
        request.add_done_callback(self._pending.discard)
        return request

    async def _answer(self, request: _Request) -> tuple[Mapping[str, str], bytes]:
        """Return the headers and the body of the answer, if all of it arrives in time."""
        what = f"{request.get_name()} request to {origin_of(self.url)}"
        try:
            response, content = await asyncio.shield(request)
        except asyncio.CancelledError:
            if request.expired:
                raise NoResponseError(f"{what} failed: no answer within {request.limit:g} s") from None
            if request.cancelled():
                raise ConnectionError("the connection was closed") from None
            raise
        except aiohttp.InvalidURL:  # not chained: its text is the URL, with all its secrets
            raise ConnectionError(f"{what} failed: not a valid URL") from None
        except (aiohttp.ClientError, OSError, ValueError) as exc:
            raise ConnectionError(f"{what} failed: {cause_text(exc)}") from root_cause(exc)
        if not 200 <= response.status < 300:
            raise status_error(response.status, content, response.headers)
        return response.headers, content

    async def _fetch(self, method: str, body: bytes | None) -> tuple[aiohttp.ClientResponse, bytes]:
        self._kept.close_old()
        idle = self._kept.idle()
        began = time.monotonic()
        try:
            return await self._fetch_once(method, body)
        except (aiohttp.ClientError, OSError) as exc:
            is_stale = idle is not None and is_unanswered(exc, idle)
            if not is_stale or self._ended.is_set() or not is_quick(time.monotonic() - began, self.opening_time):
                raise
        self._kept.close_all()  # any of them may be stale, too
        return await self._fetch_once(method, body)

    async def _fetch_once(self, method: str, body: bytes | None) -> tuple[aiohttp.ClientResponse, bytes]:
        headers = self.headers if body is None else {**self.headers, "Content-Type": "text/plain"}
        async with self.http.request(
            method,
            self.url + self._timestamp(),
            headers=headers,
            data=None if body is None else io.BytesIO(body),  # aiohttp warns of large bodies given as bytes
            timeout=aiohttp.ClientTimeout(total=None),
            allow_redirects=False,
            raise_for_status=False,
            **self._tls,
        ) as response:
            self._kept.note(response.headers.get("Keep-Alive"))
            if cookies := response.cookies:
                self._jar.update_cookies(cookies, response.url)
                self._as_sent.update({(m.key, m.value): m.coded_value for m in cookies.values()})
            return response, await self._read(response)

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        parts, rest = [], payload.largest_body(self._max_message_size)
        async for part in response.content.iter_any():
            rest -= len(part)
            if rest < 0:
                raise ValueError(payload.too_large(self._max_message_size))
            parts.append(part)
        return b"".join(parts)
