"""The requests session of a client that was given none.

In and out: as with ``requests.Session``, whose requests are the same. Proxies and certificates of the environment are
looked up once: doing it for each request takes a third of the time of a request.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from ..handshake import origin_of

_CONNECTIONS = 2
"""How many connections are kept open: a GET may wait while a POST is sent. A pool allocates places for them."""
_OF_POOLS = {"maxsize", "block"}
"""The options that a plain adapter gives to its pools."""


class Session(requests.Session):
    """A session for many requests to one server."""

    def __init__(self) -> None:
        super().__init__()
        adapter: Any
        for adapter in self.adapters.values():
            adapter.init_poolmanager(1, _CONNECTIONS)
        self._settings: dict[Any, Any] = {}

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        """Return proxies and TLS options for a request."""
        if proxies or cert:
            return super().merge_environment_settings(url, proxies, stream, verify, cert)
        key = origin_of(url), verify
        if key not in self._settings:
            if self.trust_env and _names_no_proxies():
                self._settings[key] = self._settings_without_proxies(verify)
            else:
                self._settings[key] = super().merge_environment_settings(url, {}, None, verify, None)
        return {**self._settings[key], "stream": self.stream if stream is None else stream}

    def _settings_without_proxies(self, verify: Any) -> dict[str, Any]:
        """Return what requests does where the environment names no proxies, in a tenth of the time."""
        if verify is None or verify is True:
            verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or verify
        proxies = {place: address for place, address in self.proxies.items() if address is not None}
        return {"proxies": proxies, "verify": self.verify if verify is None else verify, "cert": self.cert}

    def close(self) -> None:
        """Close all connections. At the end of the program, urllib3 leaves those in its pools open."""
        for pools in pools_of(self):
            for key in pools.keys():  # noqa: SIM118
                pools[key].close()
        super().close()


def _names_no_proxies() -> bool:
    """Return whether the environment names no proxies, and is the only place that could: see ``urllib.request``."""
    is_only_place = sys.platform != "darwin" and os.name != "nt"
    return is_only_place and not any(name[-6:].lower() == "_proxy" for name in os.environ)


class SessionAttribute:
    """The attribute ``http`` of the client: the session, or ``None`` without a connection.

    A websocket connection needs no session, which takes several kilobytes: it is created on first access.
    """

    def __get__(self, engine: Any, owner: Any = None) -> Any:
        if engine is None:
            return self
        state = vars(engine)
        if state.get("_http") is None and state.get("state") == "connected":
            state["_http"] = new_session(engine)
            if state.get("_cookies"):
                state["_http"].cookies = state["_cookies"]
        return state.get("_http")

    def __set__(self, engine: Any, session: Any) -> None:
        vars(engine)["_http"] = session


def new_session(engine: Any) -> Any:
    """Return a session for the client."""
    return engine.http_factory() if engine.http_factory else Session()


def close_session(engine: Any) -> None:
    """Close the client's session, unless it is the application's; keep its cookies."""
    state = vars(engine)
    session = state.get("_http")
    if session is not None and not engine.external_http:
        state["_cookies"], state["_http"] = getattr(session, "cookies", None), None
        session.close()


def has_rules(http: requests.Session, url: str) -> bool:
    """Return whether the adapter for an https URL may check a server more strictly than the session's options."""
    adapter: Any = http.get_adapter(url)
    return type(adapter) is not HTTPAdapter or not set(adapter.poolmanager.connection_pool_kw) <= _OF_POOLS


def pools_of(http: requests.Session) -> list[Any]:
    """Return what keeps the pools of a session by key, one for each adapter and proxy."""
    managers: list[Any] = []
    for adapter in http.adapters.values():
        managers += [getattr(adapter, "poolmanager", None), *getattr(adapter, "proxy_manager", {}).values()]
    return [manager.pools for manager in managers if manager is not None]
