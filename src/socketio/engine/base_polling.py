"""What both polling transports do, without I/O: when they poll, what a request carries, and the heartbeat timeout.

Source: Engine.IO protocol, revision 4, "HTTP long-polling".
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from ..packet import Frame
from . import payload
from .errors import NoResponseError
from .frames import Outgoing
from .handshake import Handshake, not_a_payload, read_open_body

_FIRST_DELAY = 0.1
_LONGEST_DELAY = 1.0
"""Seconds between two polls of a server, or a gateway before it, that answers at once and sends nothing."""


class BasePollingTransport:
    """The part of :class:`PollingTransport` and :class:`AsyncPollingTransport` that does no I/O.

    :param http: the session to send requests with.
    :param url: the Engine.IO URL with its query.
    :param max_message_size: bytes in one message; a larger body is an error, and is not read completely.
    :param timestamp: returns what to append to the URL of each request.
    :param log_request: called with the method and the URL before each request.
    :ivar opening_time: seconds that the handshake took.
    :ivar allows_two: whether the session sends while it waits for packets.
    """

    name = "polling"
    # CLOSE, and UPGRADE before it: python-engineio leaves the pending GET without an answer when it reads a CLOSE, but
    # answers it when it reads an UPGRADE. The reference server always answers it.
    close_packets: ClassVar[list[Outgoing]] = ["5", "1"]
    opening_time = 0.0
    allows_two = True

    def __init__(
        self,
        http: Any,
        url: str,
        *,
        request_timeout: float,
        max_message_size: int,
        timestamp: Callable[[], str],
        log_request: Callable[[str, str], None],
    ) -> None:
        self.http = http
        self.url = url
        self._request_timeout = request_timeout
        self._max_message_size = max_message_size
        self._timestamp = timestamp
        self._log_request = log_request
        self._heartbeat_timeout = request_timeout
        self._max_payload: int | None = None
        self._pause = self._began = self._heard = 0.0
        self._empty_answers = 0
        self._closing = False

    def set_heartbeat_timeout(self, seconds: float) -> None:
        """Set the maximum number of seconds between two messages or pings from the server."""
        self._heartbeat_timeout = seconds

    def probe(self) -> list[Outgoing]:
        """Return nothing: the server has read all that was sent when the last POST was answered."""
        return []

    def _take_handshake(self, headers: Mapping[str, str], body: bytes, began: float) -> tuple[Handshake, list[Frame]]:
        """Return the handshake in the first answer, and the packets that follow it."""
        self.opening_time = time.monotonic() - began
        handshake, packets = read_open_body(body, headers.get("Content-Type", ""))
        self.url += f"&sid={handshake.sid}"
        self._max_payload = handshake.max_payload
        self.set_heartbeat_timeout(handshake.heartbeat_timeout)
        return handshake, packets

    def _begin_poll(self) -> float:
        """Return how long the next request for packets may take."""
        self._began = time.monotonic()
        if not self._empty_answers:  # between two requests, a server cannot send anything
            self._heard = self._began
        timeout = self._heard + self._heartbeat_timeout - self._began
        if timeout <= 0:
            raise NoResponseError(f"the server is silent: no message and no ping for {self._heartbeat_timeout:g} s")
        return timeout

    def _end_poll(self, headers: Mapping[str, str], body: bytes) -> list[Frame]:
        """Return the packets in the answer to a poll."""
        try:
            packets = payload.decode(body, self._max_message_size)
        except ValueError as exc:
            raise not_a_payload("GET", body, headers, exc) from exc
        self._empty_answers = 0 if any(map(_is_session_activity, packets)) else self._empty_answers + 1
        self._pause = 0.0
        if self._empty_answers > 1:  # one is a NOOP during an upgrade, for example
            delay = min(_FIRST_DELAY * 2.0 ** min(self._empty_answers - 2, 10), _LONGEST_DELAY)
            self._pause = max(0.0, self._began + delay - time.monotonic())
        return packets

    def _check_receipt(self, headers: Mapping[str, str], body: bytes) -> None:
        """Raise ``InvalidDataError`` for the answer to a POST that is from another server."""
        try:
            payload.check_receipt(body)
        except ValueError as exc:
            raise not_a_payload("POST", body, headers, exc) from exc


def _is_session_activity(packet: Frame) -> bool:
    """Return whether a packet is a message, a ping or a CLOSE, which no gateway sends."""
    return isinstance(packet, bytes) or packet.startswith("4") or packet in ("1", "2")
