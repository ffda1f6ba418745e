"""Opens the transports of a connection with requests.

The session sends all requests, also those for websockets, so that its settings apply to both transports.
"""

from __future__ import annotations

import http.client
from collections.abc import Callable, Mapping
from typing import Any

import requests
import urllib3
from engineio.exceptions import ConnectionError

from ...runtime.steps import run
from .. import handshake
from ..headers import check, check_session
from ..opening import BaseOpening, Opened
from . import options, sessions
from .polling import PollingTransport
from .websocket import WebSocketTransport
from .websocket_handshake import open_websocket
from .wire import Wire


class Opening(BaseOpening):
    """One attempt to open a connection, which another thread may end.

    :ivar is_aborted: whether :meth:`abort` was called.
    """

    is_aborted = False
    _abort: Callable[[], None] | None = None
    _request: dict[str, Any]

    def run(self) -> Opened:
        """Open the connection."""
        self._prepare()
        opened = run(self._steps())
        if isinstance(opened.transport, WebSocketTransport):
            sessions.close_session(self._engine)
        return opened

    def abort(self) -> None:
        """End the current wait."""
        self.is_aborted = True
        if self._abort is not None:
            self._abort()

    def _set_abort(self, abort: Callable[[], None]) -> None:
        """Set the function that ends the current wait."""
        self._abort = abort
        if self.is_aborted:
            abort()

    def _prepare(self) -> None:
        engine = self._engine
        headers = engine._without_handshake(self._headers)
        cookies = dict(handshake.cookie_pairs(handshake.pop_header(headers, "cookie") or ""))
        if engine.http is None:
            engine.http = sessions.new_session(engine)
        left_out = check_session(engine.http.headers)
        engine._warn_of_headers(left_out)
        engine._without_handshake(check(options.headers(engine.websocket_extra_options)))  # before anything is opened
        verify: bool | str = engine.http.verify if engine.ssl_verify else False
        self._request = {
            # requests leaves out headers of the session that are None here.
            "headers": {**dict.fromkeys(left_out), **{name: _encoded(value) for name, value in headers.items()}},
            "cookies": cookies,
            "verify": None if verify is True else verify,  # None: REQUESTS_CA_BUNDLE and similar variables apply
        }

    def _connect_to_polling(self, url: str) -> PollingTransport:
        engine = self._engine
        polling = PollingTransport(
            engine.http,
            url,
            **self._request,
            request_timeout=engine.request_timeout,
            max_message_size=engine.max_message_size,
            timestamp=self._timestamp,
            log_request=engine._log_request,
        )
        self._set_abort(polling.abort)
        return polling

    def _connect_to_websocket(self, url: str, upgrades: bool) -> WebSocketTransport:
        engine, request = self._engine, self._request
        url = f"http{url.removeprefix('ws')}{self._timestamp()}"
        # websocket_extra_options is read, never edited: the next attempt needs it again.
        extra = engine.websocket_extra_options
        if url.startswith("https"):
            self._check_tls_options(url, extra, verifies=upgrades and request["verify"] is not False)
        timeout = extra.get("timeout") or engine.request_timeout
        try:
            sock, ahead = open_websocket(engine.http, url, request, timeout, extra, self._set_abort)
        except (
            requests.RequestException,
            OSError,
            ValueError,
            urllib3.exceptions.HTTPError,
            http.client.HTTPException,
        ) as exc:
            raise handshake.websocket_error(url, exc) from handshake.root_cause(exc)
        engine.ws = wire = Wire(sock, ahead)
        self._set_abort(wire.abort)
        return WebSocketTransport(wire, engine.request_timeout, engine.max_message_size)

    def _check_tls_options(self, url: str, extra: Mapping[str, Any], verifies: bool) -> None:
        """Raise ``ConnectionError`` for options that make a websocket trust more servers than polling does."""
        if verifies and options.accepts_any_certificate(extra.get("sslopt") or {}):
            raise ConnectionError(handshake.NOT_VERIFIED)
        own = {"sslopt", "http_proxy_host"} & extra.keys()
        if own and sessions.has_rules(self._engine.http, url):
            raise ConnectionError(
                f"{own.pop()} in websocket_extra_options would void the TLS rules of the session's adapter for https"
            )


def _encoded(value: str) -> str | bytes:
    """Return a header that requests cannot send, encoded as aiohttp does."""
    return value if max(value, default="") <= "\xff" else value.encode("utf-8", "replace")
