"""The session of one connection, where the application has given none: that of ``requests``, with less to do.

In and out: as with ``requests.Session``, whose requests are the same. What the environment says of a server, proxies
and certificates, is looked up once: for each request that takes a third of its time.
"""

from __future__ import annotations

import os
import types
import urllib.request
from typing import Any

import requests
import requests.utils

from ..handshake import origin_of
from . import adapters

_CONNECTIONS = 2
"""How many connections are kept open: a GET may wait while a POST goes on. A pool is filled with places for them."""


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
            if self.trust_env and _has_no_proxies():
                self._settings[key] = self._settings_without_proxies(url, verify)
            else:
                self._settings[key] = super().merge_environment_settings(url, {}, None, verify, None)
        return {**self._settings[key], "stream": self.stream if stream is None else stream}

    def _settings_without_proxies(self, url: Any, verify: Any) -> Any:
        """Do what requests does where the environment names no proxies, in a tenth of the time."""
        if verify is None or verify is True:
            verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or verify
        own: Any = types.SimpleNamespace(
            trust_env=False, proxies=self.proxies, stream=self.stream, verify=self.verify, cert=self.cert
        )
        return requests.Session.merge_environment_settings(own, url, {}, None, verify, None)

    def close(self) -> None:
        """Close all connections. At the end of the program, urllib3 leaves those in its pools open."""
        for pools in adapters.pools_of(self):
            for key in pools.keys():  # noqa: SIM118
                pools[key].close()
        super().close()


def _has_no_proxies() -> bool:
    """Return whether the environment names no proxies, and is the only place that could."""
    of_environment = getattr(urllib.request, "getproxies_environment", None)
    if of_environment is None or getattr(requests.utils, "getproxies", None) is not of_environment:
        return False
    return not any(name.lower().endswith("_proxy") for name in os.environ)
