"""The polling transport for threads: a GET that waits for packets, and POSTs that carry them.

In: packets to send. Out: packets as they came. Every failure is ``engineio.exceptions.ConnectionError``.
"""

from __future__ import annotations

import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import requests
from engineio.exceptions import ConnectionError

from ...packet import Frame
from ...runtime.steps import Wait
from .. import descriptors, payload
from ..errors import SilenceError
from ..frames import Outgoing
from ..handshake import (
    Handshake,
    cause_text,
    causes,
    not_a_payload,
    origin_of,
    read_open_body,
    refuse_redirect,
    root_cause,
    status_error,
)
from ..keep_alive import is_quick
from ..pacing import Pacing
from . import connections

_READ_SIZE = 65536
_SENDING = 0.5
"""Seconds that a request for packets may take to be sent before the CLOSE is sent all the same."""


class PollingTransport(connections.Waiting):
    """One Engine.IO session over HTTP.

    :param http: the session to send requests with.
    :param url: the Engine.IO URL with its query.
    :param headers: go with every request, and so do ``cookies``.
    :param max_message_size: bytes in one message; a body with a larger one is an error, and not read to its end.
    :param timestamp: returns what to append to the URL of each request.
    :param verify: what ``requests`` calls so; ``None`` to let the session decide.
    :ivar opening_time: seconds that the handshake took.
    :ivar allows_two: whether the session sends while it waits for packets.
    :ivar log_request: called with the method and the URL before each request.
    """

    name = "polling"
    # CLOSE, and UPGRADE before it: python-engineio leaves the pending GET without an answer when it reads a CLOSE, but
    # answers it when it reads an UPGRADE. The reference server answers it in any case.
    goodbye: ClassVar[list[Outgoing]] = ["5", "1"]

    def __init__(
        self,
        http: requests.Session,
        url: str,
        *,
        headers: Mapping[str, str],
        cookies: Mapping[str, str],
        verify: bool | str | None,
        request_timeout: float,
        max_message_size: int,
        timestamp: Callable[[], str],
    ) -> None:
        self.http = http
        self.url = url
        self._options: dict[str, Any] = {"headers": headers, "cookies": cookies, "verify": verify}
        self._request_timeout = request_timeout
        self._max_message_size = max_message_size
        self._timestamp = timestamp
        self._pending: dict[int, socket.socket] = {}
        self._pacing = Pacing(request_timeout)
        self._pause = 0.0
        self._pool: Any = None
        self.max_payload: int | None = None
        self.opening_time = 0.0
        self.allows_two = True
        self._closing = False
        self._poller: int | None = None
        self._poll_lock = threading.Lock()
        self._poll_sent = threading.Event()
        self._poll_sent.set()
        self._ended = threading.Event()
        self.log_request: Callable[[str, str], None] = lambda method, url: None

    def open(self) -> tuple[Handshake, list[Frame]]:
        """Shake hands; return what the server said, and the packets that it sent along."""
        try:
            pool = self._pool = connections.track_sockets(self.http, self.url, self._options["verify"])
        except (requests.RequestException, ValueError) as exc:
            raise ConnectionError(f"no request to {origin_of(self.url)} can be made: {cause_text(exc)}") from exc
        self.allows_two = pool is None or not pool.block or pool.pool.maxsize > 1
        began = time.monotonic()
        headers, body = self._request("GET", self.url + self._timestamp(), self._request_timeout)
        self.opening_time = time.monotonic() - began
        handshake, packets = read_open_body(body, headers.get("Content-Type", ""))
        self.url += f"&sid={handshake.sid}"
        self.max_payload = handshake.max_payload
        self.set_silence(handshake.silence)
        return handshake, packets

    def set_silence(self, seconds: float) -> None:
        """From now on the server must answer within each span of so many seconds."""
        self._pacing.silence = seconds

    def receive(self) -> list[Frame]:
        """Wait for packets and return them."""
        if not self._begin_poll():
            self._ended.wait(self._request_timeout)
            raise ConnectionError("the connection was closed")
        if self._pause:
            self._ended.wait(self._pause)
        began = time.monotonic()
        timeout = self._pacing.begin(began)
        if timeout <= 0:
            raise SilenceError(f"the server is silent: no message and no ping for {self._pacing.silence:g} s")
        headers, body = self._request("GET", self.url + self._timestamp(), timeout)
        try:
            packets = payload.decode(body, self._max_message_size)
        except ValueError as exc:
            raise not_a_payload("GET", body, headers, exc) from exc
        self._pause = self._pacing.end(packets, time.monotonic() - began)
        return packets

    def send(self, frames: deque[Any]) -> None:
        """Send packets, in order, in as many requests as it takes; each is removed when it is sent."""
        while frames:
            body, count = payload.next_body(frames, self.max_payload)
            headers, answer = self._request("POST", self.url + self._timestamp(), self._request_timeout, body)
            try:
                payload.check_receipt(answer)
            except ValueError as exc:
                raise not_a_payload("POST", answer, headers, exc) from exc
            for _ in range(count):
                frames.popleft()

    def probe(self) -> list[Outgoing]:
        """Return nothing: the server has read all that was sent when the last POST was answered."""
        return []

    def confirm(self, timeout: float) -> bool:
        """Return ``True``, for the same reason."""
        return True

    def _begin_poll(self) -> bool:
        """Return whether to send a request for packets, and note that it is not sent yet."""
        with self._poll_lock:
            if self._pool is not None and not self._closing:
                self._poller = threading.get_ident()
                self._poll_sent.clear()
            return not self._closing

    def begin_close(self) -> Wait:
        """Send no further request for packets, since a CLOSE comes next; wait until the last one is sent.

        A request that arrives after the CLOSE asks for a session that has ended, and servers log an error.
        """
        with self._poll_lock:
            self._closing = True
        return Wait(self._poll_sent.wait, _SENDING)

    def close(self) -> None:
        """Stop waiting for packets: the goodbye was a packet, and not every server answers the pending GET then."""
        self.abort()

    def orphan(self) -> None:
        """Make no more requests, in a child process. The lock of the old event may be held by a thread that is gone."""
        self._ended = threading.Event()
        self._ended.set()

    def abort(self) -> None:
        """Cut the pending requests; whoever waits for one sees it at once."""
        self._ended.set()
        for pending in list(self._pending.values()):
            descriptors.shut_down(pending)

    def wait_on(self, pending: socket.socket | None) -> None:
        """Note the socket on which this thread awaits an answer, ``None`` when it is there."""
        if threading.get_ident() == self._poller:
            self._poll_sent.set()
        if pending is None:
            self._pending.pop(threading.get_ident(), None)
            return
        self._pending[threading.get_ident()] = pending
        if self._ended.is_set():
            descriptors.shut_down(pending)

    def is_cut(self) -> bool:
        """Return whether :meth:`abort` was called."""
        return self._ended.is_set()

    def release(self) -> None:
        """Close what is open. The session belongs to the engine."""

    def _request(
        self, method: str, url: str, timeout: float, body: bytes | None = None
    ) -> tuple[Mapping[str, str], bytes]:
        """Return the headers and the body of the answer, all of which has come in ``timeout`` seconds."""
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
        # A list, because the hooks of a request are taken in place of the session's, not beside them.
        hooks = {"response": [*self.http.hooks["response"], refuse_redirect]}
        if self._ended.is_set():
            raise ConnectionError("the connection was closed")
        self.log_request(method, url)
        me = threading.get_ident()
        connections.waiting[me] = self, time.monotonic() + timeout
        try:
            response = self.http.request(
                method, url, data=body, timeout=timeout, stream=True, allow_redirects=False, hooks=hooks, **options
            )
            content = self._read(response)
        except (requests.RequestException, OSError, ValueError) as exc:
            text = f"{method} request to {origin_of(url)} failed: {cause_text(exc)}"
            raise _error_class(exc)(text) from root_cause(exc)
        finally:
            connections.waiting.pop(me, None)
            self.wait_on(None)
        if not 200 <= response.status_code < 300:
            raise status_error(response.status_code, content, response.headers)
        return response.headers, content

    def _read(self, response: requests.Response) -> bytes:
        parts, rest = [], payload.largest_body(self._max_message_size)
        with response:
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
            return SilenceError
    return ConnectionError
