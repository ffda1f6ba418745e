"""The session of one connection, where the application has given none: that of ``requests``, with less to do.

In and out: as with ``requests.Session``, whose requests are the same. What the environment says of a server, proxies,
certificates and credentials, is looked up once, and proxies only if there are any: for each request that would take a
third of its time.
"""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, getproxies_environment

import requests
from requests.cookies import RequestsCookieJar
from requests.structures import CaseInsensitiveDict
from requests.utils import get_netrc_auth

from .handshake import origin_of

_CONNECTIONS = 2
"""How many connections are kept open: a GET may wait while a POST goes on. A pool is filled with places for them."""


def _may_name_proxies() -> bool:
    """Return whether the environment may name proxies."""
    # They are not the same on macOS and Windows, where there are proxies that no variable names.
    are_in_variables = getproxies is getproxies_environment
    return not are_in_variables or any(name.lower().endswith("_proxy") for name in os.environ)


class Session(requests.Session):
    """A session for many requests to one server."""

    def __init__(self) -> None:
        super().__init__()
        adapter: Any
        for adapter in self.adapters.values():
            adapter.init_poolmanager(1, _CONNECTIONS)
        self._settings: dict[Any, Any] = {}
        self._credentials: dict[str, Any] = {}

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        """Return proxies and TLS options for a request."""
        if proxies or cert:
            return super().merge_environment_settings(url, proxies, stream, verify, cert)
        key = origin_of(url), verify
        if key not in self._settings:
            self._settings[key] = self._look_up_settings(url, verify)
        return {**self._settings[key], "stream": self.stream if stream is None else stream}

    def _look_up_settings(self, url: str, verify: Any) -> Any:
        if self.proxies or _may_name_proxies():
            return super().merge_environment_settings(url, {}, None, verify, None)
        # For a host that is to be asked directly, requests does not search all variables for a proxy, twice.
        direct: Any = {"no_proxy": urlsplit(url).hostname}
        settings: Any = super().merge_environment_settings(url, direct, None, verify, None)
        settings["proxies"].pop("no_proxy", None)
        return settings

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """Return a request with what the session adds to it."""
        if request.params or request.auth or request.files or self.params or self.auth:
            return super().prepare_request(request)
        headers = self.headers
        if request.headers:
            headers = CaseInsensitiveDict(headers)
            headers.update(request.headers)
        cookies = RequestsCookieJar()
        cookies.update(self.cookies)
        cookies.update(request.cookies or {})
        prepared = requests.PreparedRequest()
        prepared.prepare(
            method=request.method,
            url=request.url,
            headers={name: value for name, value in headers.items() if value is not None},
            data=request.data,
            json=request.json,
            auth=self._credentials_for(request.url),
            cookies=cookies,
            hooks=request.hooks if request.hooks["response"] else self.hooks,
        )
        return prepared

    def _credentials_for(self, url: Any) -> Any:
        if not self.trust_env:
            return None
        origin = origin_of(url)
        if origin not in self._credentials:
            self._credentials[origin] = get_netrc_auth(url)
        return self._credentials[origin]
