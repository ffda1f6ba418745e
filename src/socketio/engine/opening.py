"""Decides how a connection is opened: polling, websocket, and the upgrade between them.

In: transports, which the driver of each flavour connects. Out: an open transport, and the handshake.
Source: Engine.IO protocol, revision 4, "Handshake" and "Upgrade".
"""

from __future__ import annotations

import time
import urllib.parse
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engineio.exceptions import ConnectionError

from ..packet import Frame
from ..runtime.steps import Steps, Wait, call
from .errors import NoResponseError
from .handshake import VERSION_3_WAIT, Handshake, read_open_frame, version_3_error, without_secrets

PROBE, PROBE_ANSWER, UPGRADE = "2probe", "3probe", "5"
ONE_CONNECTION = "polling takes two connections at a time, and the HTTP session allows one"


@dataclass(slots=True)
class Opened:
    """An open connection, and the packets that came with the handshake."""

    transport: Any
    handshake: Handshake
    first: list[Frame]


class BaseOpening:
    """One attempt to open a connection. Subclasses connect the transports.

    :param engine: the client, whose options are used and whose ``base_url`` and ``ws`` are set.
    :param headers: go with every request.
    """

    # What the driver of each flavour does.
    _connect_to_polling: Callable[[str], Any]  # returns a polling transport for the URL; nothing is sent yet
    _connect_to_websocket: Callable[[str, bool], Any]  # returns a websocket transport, once the server has agreed

    def __init__(self, engine: Any, url: str, headers: dict[str, str], path: str) -> None:
        self._engine = engine
        self._url, self._path = url, path
        self._headers = headers

    def _timestamp(self) -> str:
        """Return a query parameter that makes the URL of each request unique, for caches."""
        return f"&t={time.time()}" if self._engine.timestamp_requests else ""

    def _steps(self) -> Steps[Opened]:
        engine = self._engine
        polling_url = engine.base_url = engine_url(self._url, self._path, "polling")
        websocket_url = engine_url(self._url, self._path, "websocket")
        engine._log("Connecting to %s over %s", without_secrets(polling_url), engine.transports[0])
        if engine.transports[0] == "websocket":
            transport = yield call(self._connect_to_websocket, websocket_url, False)
            opened: Opened = yield from _releasing(transport, self._read_open(transport))
            return opened
        polling = self._connect_to_polling(polling_url)
        shaken, packets = yield call(polling.open)
        opened = Opened(polling, shaken, packets)
        if "websocket" in shaken.upgrades and "websocket" in engine.transports:
            opened.transport = (yield from self._upgrade(f"{websocket_url}&sid={shaken.sid}")) or polling
        if opened.transport is polling and not polling.allows_two:
            raise ConnectionError(ONE_CONNECTION)
        return opened

    def _read_open(self, transport: Any) -> Steps[Opened]:
        """Read the OPEN packet of a connection that begins with a websocket."""
        frame = yield call(transport.receive_within, self._engine.request_timeout)
        opened = Opened(transport, read_open_frame(frame), [])
        if opened.handshake.max_payload is None:
            try:
                opened.first = [(yield call(transport.receive_within, VERSION_3_WAIT))]
            except NoResponseError:
                return opened
            if opened.first == ["40"]:  # which servers of Socket.IO 2 send right after OPEN, unasked
                raise version_3_error()
        return opened

    def _upgrade(self, url: str) -> Steps[Any]:
        """Return the websocket that the server agrees to continue with, or ``None`` to stay on polling."""
        engine = self._engine
        try:
            transport = yield call(self._connect_to_websocket, url, True)
            yield from _releasing(transport, self._probe(transport))
        except ConnectionError as exc:
            engine.logger.warning("Upgrade to websocket failed, going on with polling: %s", exc)
            return None
        engine._log("Upgraded to websocket")
        return transport

    def _probe(self, transport: Any) -> Steps[None]:
        yield self._sending(transport, PROBE)
        answer = yield call(transport.receive_within, self._engine.request_timeout)
        self._engine._log_received([answer])
        if answer != PROBE_ANSWER:
            raise ConnectionError(f"the server answered the probe with {answer!r:.200}")
        yield self._sending(transport, UPGRADE)

    def _sending(self, transport: Any, packet: str) -> Wait:
        self._engine._log_sending([packet])
        return call(transport.send, deque([packet]))


def _releasing(transport: Any, steps: Steps[Any]) -> Steps[Any]:
    """Run these steps; release the transport if one fails."""
    try:
        return (yield from steps)
    except GeneratorExit:  # the event loop is closed
        raise
    except BaseException:
        transport.abort()
        yield call(transport.release)
        raise


def engine_url(url: str, path: str, transport: str) -> str:
    """Return the URL for a transport: the query is kept, the path is replaced."""
    parts = urllib.parse.urlsplit(url)
    scheme = ("http" if transport == "polling" else "ws") + "s" * (parts.scheme in ("https", "wss"))
    query = f"{parts.query}&" if parts.query else ""
    return f"{scheme}://{parts.netloc}/{path.strip('/')}/?{query}transport={transport}&EIO=4"
