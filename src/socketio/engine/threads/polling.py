"""The polling transport for threads: a GET that waits for packets, and POSTs that carry them.

In: packets to send. Out: packets as they came. Every failure is ``engineio.exceptions.ConnectionError``.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

import requests
from engineio.exceptions import ConnectionError

from ...packet import Frame
from .. import payload
from ..base_polling import BasePollingTransport
from ..errors import NoResponseError
from ..handshake import Handshake, cause_text, causes, origin_of, root_cause, status_error
from ..keep_alive import is_quick
from . import connections

_READ_SIZE = 65536
_HEAD_START = 1.0
"""Maximum seconds that reading waits for the first packets to be sent. Some servers answer a POST only after the client
has received a packet."""


class PollingTransport(BasePollingTransport):
    """One Engine.IO session over HTTP.

    :param headers: go with every request, and so do ``cookies``.
    :param verify: as in ``requests``; ``None`` to let the session decide.
    """

    def __init__(
        self,
        http: requests.Session,
        url: str,
        *,
        headers: Mapping[str, str],
        cookies: Mapping[str, str],
        verify: bool | str | None,
        **options: Any,
    ) -> None:
        super().__init__(http, url, **options)
        self._options: dict[str, Any] = {"headers": headers, "cookies": cookies, "verify": verify}
        self._pending: set[connections.Exchange] = set()
        self._pool: Any = None
        self._poll_lock = threading.Lock()
        self._poll_sent = threading.Event()
        self._poll_sent.set()
        self._ended = threading.Event()

    @property
    def head_start(self) -> float:
        """Seconds to wait for the first packets to be sent before the first poll.

        The poll then uses the connection that is open already.
        """
        return min(_HEAD_START, 2 * self.opening_time)

    def open(self) -> tuple[Handshake, list[Frame]]:
        """Open the session; return the handshake, and the packets that follow it."""
        try:
            pool = self._pool = connections.track_sockets(self.http, self.url, self._options["verify"])
        except (requests.RequestException, ValueError) as exc:
            raise ConnectionError(f"no request to {origin_of(self.url)} can be made: {cause_text(exc)}") from exc
        self.allows_two = pool is None or not pool.block or pool.pool.maxsize > 1
        began = time.monotonic()
        return self._take_handshake(*self._request("GET", self._request_timeout), began)

    def receive(self) -> list[Frame]:
        """Wait for packets and return them."""
        if self._pause:
            self._ended.wait(self._pause)
        if not self._may_poll():
            self._ended.wait(self._request_timeout)
            raise ConnectionError("the connection was closed")
        return self._end_poll(*self._request("GET", self._begin_poll()))

    def send(self, frames: deque[Any]) -> None:
        """Send packets, in order, in as many requests as it takes; each is removed when it is sent."""
        while frames:
            body, count = payload.next_body(frames, self._max_payload)
            self._check_receipt(*self._request("POST", self._request_timeout, body))
            for _ in range(count):
                frames.popleft()

    def confirm(self, timeout: float) -> bool:
        """Return ``True``: see :meth:`probe`."""
        return True

    def _may_poll(self) -> bool:
        """Return whether to send a request for packets, and mark it as not sent yet."""
        with self._poll_lock:
            if self._pool is not None and not self._closing:
                self._poll_sent.clear()
            return not self._closing

    def begin_close(self, timeout: float) -> bool:
        """Send no further request for packets, since a CLOSE comes next; wait until the last one is sent.

        A request that arrives after the CLOSE asks for a session that has ended, and servers log an error.
        """
        with self._poll_lock:
            self._closing = True
        return self._poll_sent.wait(timeout)

    def close(self) -> None:
        """Stop waiting for packets: the CLOSE was sent, and not every server answers the pending GET."""
        self.abort()

    def detach(self) -> None:
        """Make no more requests, in a child process, where no thread may release the lock of the old event."""
        self._ended = threading.Event()
        self._ended.set()

    def abort(self) -> None:
        """Cut the pending requests; waiting for one ends at once."""
        self._ended.set()
        for pending in list(self._pending):
            pending.cut()

    def release(self) -> None:
        """Close what is open. The session belongs to the engine."""

    def _request(self, method: str, timeout: float, body: bytes | None = None) -> tuple[Mapping[str, str], bytes]:
        """Return the headers and the body of the answer, if all of it arrives within ``timeout`` seconds."""
        url = self.url + self._timestamp()
        began = time.monotonic()
        try:
            return self._request_once(method, url, timeout, body)
        except _UnansweredError:
            took = time.monotonic() - began
            if self._ended.is_set() or not is_quick(took, self.opening_time):
                raise
        connections.close_idle(self._pool)  # any of them may be stale, too
        return self._request_once(method, url, timeout - took, body)

    def _request_once(
        self, method: str, url: str, timeout: float, body: bytes | None
    ) -> tuple[Mapping[str, str], bytes]:
        options = self._options
        if body is not None:
            options = {**options, "headers": {**options["headers"], "Content-Type": "text/plain"}}
        if self._ended.is_set():
            raise ConnectionError("the connection was closed")
        self._log_request(method, url)
        exchange = connections.Exchange(self._poll_sent.set) if body is None else connections.Exchange()
        self._pending.add(exchange)
        if self._ended.is_set():
            exchange.cut()
        try:
            with exchange.request(self.http, method, url, timeout, data=body, **options) as response:
                content = self._read(response)
        except (requests.RequestException, OSError, ValueError) as exc:
            text = f"{method} request to {origin_of(url)} failed: {cause_text(exc)}"
            raise _error_class(exc)(text) from root_cause(exc)
        finally:
            self._pending.discard(exchange)
        if not 200 <= response.status_code < 300:
            raise status_error(response.status_code, content, response.headers)
        return response.headers, content

    def _read(self, response: requests.Response) -> bytes:
        parts, rest = [], payload.largest_body(self._max_message_size)
        for part in response.iter_content(_READ_SIZE):
            rest -= len(part)
            if rest < 0:
                raise ValueError(payload.too_large(self._max_message_size))
            parts.append(part)
        return b"".join(parts)


class _UnansweredError(ConnectionError):
    """A reused connection ended before a byte of the response arrived."""


def _error_class(exc: BaseException) -> Any:
    for cause in causes(exc):
        if isinstance(cause, connections.StaleConnectionError):
            return _UnansweredError
        if isinstance(cause, (requests.Timeout, TimeoutError)):
            return NoResponseError
    return ConnectionError
