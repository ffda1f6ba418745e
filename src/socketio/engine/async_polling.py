"""The polling transport for asyncio: a GET that waits for packets, and POSTs that carry them.

In: packets to send. Out: packets as they came. Every failure is ``engineio.exceptions.ConnectionError``.
"""

from __future__ import annotations

import asyncio
import io
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import aiohttp
from engineio.exceptions import ConnectionError
from yarl import URL

from ..packet import Frame
from . import payload
from .frames import Outgoing
from .handshake import Handshake, cause_text, origin_of, read_open_body, status_error

_CLOSING = 0.1
"""Seconds for the server to answer the pending GET after the goodbye."""


class AsyncPollingTransport:
    """One Engine.IO session over HTTP.

    :param http: the session to send requests with.
    :param url: the Engine.IO URL with its query.
    :param headers: go with every request.
    :param options: further arguments for every request.
    :param timestamp: returns what to append to the URL of each request.
    """

    name = "polling"
    # CLOSE, and UPGRADE before it: python-engineio leaves the pending GET without an answer when it reads a CLOSE, but
    # answers it when it reads an UPGRADE. The reference server answers it in any case.
    goodbye: ClassVar[list[Outgoing]] = ["5", "1"]

    def __init__(
        self,
        http: aiohttp.ClientSession,
        url: str,
        *,
        headers: dict[str, str],
        options: Mapping[str, Any],
        request_timeout: float,
        timestamp: Callable[[], str],
    ) -> None:
        self.http = http
        self.url = url
        self._headers = headers
        self._options = options
        self._request_timeout = request_timeout
        self._timestamp = timestamp
        self._pending: set[asyncio.Task[Any]] = set()
        self._last_answer = 0.0
        self._silence = request_timeout
        self._max_payload: int | None = None
        self._closing = False
        self._aborted = False

    async def open(self) -> tuple[Handshake, list[Frame]]:
        """Shake hands; return what the server said, and the packets that it sent along."""
        response, body = await self._request("GET", self._request_timeout)
        handshake, packets = read_open_body(body, response.headers.get("Content-Type", ""))
        self._keep_cookies(response)
        self.url += f"&sid={handshake.sid}"
        self._max_payload = handshake.max_payload
        self.set_silence(handshake.silence)
        return handshake, packets

    def _keep_cookies(self, response: aiohttp.ClientResponse) -> None:
        """Send the cookies of the handshake even where the session's jar keeps none, as by default for IP addresses."""
        kept = self.http.cookie_jar.filter_cookies(URL(self.url))
        missing = [f"{name}={morsel.value}" for name, morsel in response.cookies.items() if name not in kept]
        if missing:
            own = [self._headers["Cookie"]] if "Cookie" in self._headers else []
            self._headers["Cookie"] = "; ".join(own + missing)

    def set_silence(self, seconds: float) -> None:
        """From now on the server must answer within each span of so many seconds."""
        self._silence = seconds
        self._last_answer = time.monotonic()

    async def receive(self) -> list[Frame]:
        """Wait for packets and return them."""
        if self._closing:
            raise ConnectionError("the connection was closed")
        timeout = max(0.001, self._last_answer + self._silence - time.monotonic())
        _, body = await self._request("GET", timeout)
        self._last_answer = time.monotonic()
        try:
            return payload.decode(body)
        except ValueError as exc:
            raise ConnectionError(f"the server sent what is no payload: {exc}") from exc

    async def send(self, frames: deque[Any]) -> None:
        """Send packets, in order, in as many requests as it takes; each is removed when it is sent."""
        while frames:
            body, count = payload.next_body(frames, self._max_payload)
            await self._request("POST", self._request_timeout, body)
            for _ in range(count):
                frames.popleft()

    def probe(self) -> list[Outgoing]:
        """Return nothing: the server has read all that was sent when the last POST was answered."""
        return []

    async def confirm(self, timeout: float) -> None:
        """Do nothing, for the same reason."""

    async def close(self) -> None:
        """Stop waiting for packets: the goodbye was a packet, and not every server answers the pending GET then."""
        self._closing = True
        if self._pending:
            await asyncio.wait(self._pending, timeout=_CLOSING)
        self.abort()

    def abort(self) -> None:
        """Cut the pending requests; whoever waits for one sees it at once."""
        self._aborted = True
        for task in self._pending:
            task.cancel()

    async def release(self) -> None:
        """Close what is open. The session belongs to the engine."""

    async def _request(
        self, method: str, timeout: float, body: bytes | None = None
    ) -> tuple[aiohttp.ClientResponse, bytes]:
        if self._aborted:
            raise ConnectionError("the connection was closed")
        # A task of its own, so that abort() can end it without ending whoever waits for it.
        task = asyncio.ensure_future(self._fetch(method, timeout, body))
        self._pending.add(task)
        try:
            response, content = await task
        except asyncio.CancelledError:
            if self._aborted and task.cancelled():
                raise ConnectionError("the connection was closed") from None
            raise
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError, ValueError) as exc:
            raise ConnectionError(f"{method} request to {origin_of(self.url)} failed: {cause_text(exc)}") from exc
        finally:
            self._pending.discard(task)
        if not 200 <= response.status < 300:
            raise status_error(response.status, content, response.headers.get("Content-Type", ""))
        return response, content

    async def _fetch(self, method: str, timeout: float, body: bytes | None) -> tuple[aiohttp.ClientResponse, bytes]:
        headers = self._headers if body is None else {**self._headers, "Content-Type": "text/plain"}
        async with self.http.request(
            method,
            self.url + self._timestamp(),
            headers=headers,
            data=None if body is None else io.BytesIO(body),  # aiohttp warns of large bodies given as bytes
            timeout=aiohttp.ClientTimeout(total=timeout),
            **self._options,
        ) as response:
            return response, await response.read()
