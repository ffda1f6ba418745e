"""How the threaded client opens a connection: over polling, over websocket, and the upgrade between them.

Replaces the handshake of ``engineio.Client``: there, fields of the OPEN packet are used unchecked, headers go with the
first request only, the caller's dicts are edited, and a websocket that fails says no more than "Connection error".
"""

from __future__ import annotations

import contextlib
import http.client
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import requests
import urllib3
from engineio.exceptions import ConnectionError

from ...packet import Frame
from .. import compat, handshake
from ..base import EngineBase
from ..headers import check, check_session
from . import adapters, options, sessions, websocket_handshake
from .polling import PollingTransport
from .websocket import RawWebSocket, WebSocketTransport

Transport: TypeAlias = PollingTransport | WebSocketTransport

_OF_WEBSOCKET = ("enable_multithread", "fire_cont_frame", "get_mask_key", "skip_utf8_validation")
"""Options of the websocket itself, not of its TCP connection."""


_Client: Any = compat.engineio_class("client", "Client")


@dataclass(slots=True)
class Opened:
    """A connection that was opened, and the packets that came with the handshake."""

    transport: Transport
    handshake: handshake.Handshake
    first: list[Frame]


class Opening(EngineBase, _Client):
    """The part of :class:`EngineIOClient` that opens connections."""

    ws: Any
    max_message_size: int
    state: str = "disconnected"
    _guard: Any
    _http: Any = None
    _cookies: Any = None
    _opening: Callable[[], None] | None
    _cancelled: bool

    def _open(self, url: str, headers: dict[str, str], path: str) -> Opened:
        headers = self._without_handshake(headers)
        cookies = dict(handshake.cookie_pairs(handshake.pop_header(headers, "cookie") or ""))
        if self.http is None:
            self.http = self._new_session()
        left_out = check_session(self.http.headers)
        self._warn_of_headers(left_out)
        self._without_handshake(check(options.headers(self.websocket_extra_options)))  # before anything is opened
        request: dict[str, Any] = {
            # What is None here, requests leaves out of the session's.
            "headers": {**dict.fromkeys(left_out), **{name: _encoded(value) for name, value in headers.items()}},
            "cookies": cookies,
            "verify": self._verify(),
        }
        polling_url = self.base_url = self._get_engineio_url(url, path, "polling")
        websocket_url = self._get_engineio_url(url, path, "websocket")
        self._log("Connecting to %s over %s", handshake.without_secrets(polling_url), self.transports[0])
        if self.transports[0] == "websocket":
            transport = self._connect_to_websocket(websocket_url, request)
            self._close_session()
            with _releasing(transport):
                return self._greet(transport)
        polling = PollingTransport(
            self.http,
            polling_url,
            **request,
            request_timeout=self.request_timeout,
            max_message_size=self.max_message_size,
            timestamp=self._get_url_timestamp,
            log_request=self._log_request,
        )
        self._enter(polling.abort)
        shaken, packets = polling.open()
        opened = Opened(polling, shaken, packets)
        if "websocket" in shaken.upgrades and "websocket" in self.transports:
            upgraded = self._upgrade(f"{websocket_url}&sid={shaken.sid}", request)
            if upgraded is not None:
                opened.transport = upgraded
                self._close_session()
        if opened.transport is polling and not polling.allows_two:
            raise ConnectionError(handshake.ONE_CONNECTION)
        return opened

    @property
    def http(self) -> Any:
        """The session; ``None`` without a connection, unless the application has given one.

        What goes over a websocket needs none, and it takes several kilobytes: it is made when it is asked for.
        """
        if self._http is None and self.state == "connected":
            self._http = self._new_session()
            if self._cookies:
                self._http.cookies = self._cookies
        return self._http

    @http.setter
    def http(self, session: Any) -> None:
        self._http = session

    def _new_session(self) -> Any:
        return self.http_factory() if self.http_factory else sessions.Session()

    def _close_session(self) -> None:
        """Close a session of the client's own."""
        if self._http is not None and not self.external_http:
            self._cookies = getattr(self._http, "cookies", None)
            self._http.close()
            self._http = None

    def _verify(self) -> bool | str | None:
        """Return what ``requests`` calls so; ``None`` lets REQUESTS_CA_BUNDLE and its like have a say."""
        verify: bool | str = self.http.verify if self.ssl_verify else False
        return None if verify is True else verify

    def _connect_to_websocket(self, url: str, request: dict[str, Any], upgrades: bool = False) -> WebSocketTransport:
        url = options.http_url(url + self._get_url_timestamp())
        # websocket_extra_options is read, never edited: the next attempt needs it again.
        extra = self.websocket_extra_options
        if url.startswith("https"):
            self._check_tls_options(url, extra, verifies=upgrades and request["verify"] is not False)
        place = handshake.origin_of(url)
        timeout = extra.get("timeout") or self.request_timeout
        try:
            answer = websocket_handshake.ask(self.http, url, request, timeout, extra, self._enter)
        except (
            requests.RequestException,
            OSError,
            ValueError,
            urllib3.exceptions.HTTPError,
            http.client.HTTPException,
        ) as exc:
            text = f"websocket connection to {place} failed: {handshake.cause_text(exc)}"
            raise ConnectionError(text) from handshake.root_cause(exc)
        of_websocket = {name: extra[name] for name in _OF_WEBSOCKET if name in extra}
        self.ws = ws = RawWebSocket(**{"skip_utf8_validation": True, **of_websocket})
        ws.adopt(answer)
        self._enter(ws.abort)
        return WebSocketTransport(ws, self.request_timeout, self.max_message_size)

    def _check_tls_options(self, url: str, extra: Mapping[str, Any], verifies: bool) -> None:
        """Raise ``ConnectionError`` for options with which a websocket would trust more servers than polling does."""
        if verifies and options.accepts_any_certificate(extra.get("sslopt") or {}):
            raise ConnectionError("the server is verified over polling, and would not be over websocket")
        own = {"sslopt", "http_proxy_host"} & extra.keys()
        if own and adapters.has_rules(self.http, url):
            raise ConnectionError(
                f"{own.pop()} in websocket_extra_options would void the TLS rules of the session's adapter for https"
            )

    def _greet(self, transport: WebSocketTransport) -> Opened:
        """Read the OPEN packet of a connection that begins with a websocket."""
        frame = transport.receive_within(self.request_timeout)
        opened = Opened(transport, handshake.read_open_frame(frame), [])
        if opened.handshake.max_payload is None:
            with contextlib.suppress(handshake.SilenceError):
                opened.first = [transport.receive_within(handshake.GREETING)]
                if handshake.is_version_3_greeting(opened.first[0]):
                    raise handshake.version_3_error()
        return opened

    def _upgrade(self, url: str, request: dict[str, Any]) -> WebSocketTransport | None:
        """Return the websocket that the server agreed to go on with, or ``None`` to stay on polling."""
        try:
            transport = self._connect_to_websocket(url, request, upgrades=True)
            with _releasing(transport):
                self._probe(transport)
        except ConnectionError as exc:
            self.logger.warning("Upgrade to websocket failed, going on with polling: %s", exc)
            return None
        self._log("Upgraded to websocket")
        return transport

    def _probe(self, transport: WebSocketTransport) -> None:
        self._log_sending([handshake.PROBE])
        transport.send(deque([handshake.PROBE]))
        answer = transport.receive_within(self.request_timeout)
        self._log_received([answer])
        if answer != handshake.PROBE_ANSWER:
            raise ConnectionError(f"the server answered the probe with {answer!r:.200}")
        self._log_sending([handshake.UPGRADE])
        transport.send(deque([handshake.UPGRADE]))

    def _enter(self, abort: Callable[[], None]) -> None:
        """Note how to end what is being waited for."""
        with self._guard:
            self._opening = abort
            if self._cancelled:
                abort()


def _encoded(value: str) -> str | bytes:
    """Return a header as aiohttp sends it, where requests can send none."""
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode("utf-8", "replace")
    return value


@contextlib.contextmanager
def _releasing(transport: WebSocketTransport) -> Iterator[None]:
    """Release the transport if a step of the handshake fails."""
    try:
        yield
    except BaseException:
        transport.abort()
        transport.release()
        raise
