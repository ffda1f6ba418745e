"""The session of one connection, where the application has given none: that of ``requests``, with less to do.

In and out: as with ``requests.Session``, whose requests are the same. What the environment says of a server, proxies,
certificates and credentials, is looked up once, which would else take a third of the time of each request.
"""

from __future__ import annotations

from typing import Any

import requests
from requests.cookies import RequestsCookieJar
from requests.structures import CaseInsensitiveDict
from requests.utils import get_netrc_auth

from .handshake import origin_of


class Session(requests.Session):
    """A session for many requests to one server."""

    def __init__(self) -> None:
        super().__init__()
        self._settings: dict[Any, Any] = {}
        self._credentials: dict[str, Any] = {}

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        """Return proxies and TLS options for a request."""
        if proxies or cert:
            return super().merge_environment_settings(url, proxies, stream, verify, cert)
        key = origin_of(url), verify
        if key not in self._settings:
            self._settings[key] = super().merge_environment_settings(url, {}, None, verify, None)
        return {**self._settings[key], "stream": self.stream if stream is None else stream}

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """Return a request with what the session adds to it."""
        if request.params or request.auth or request.files or self.params or self.auth:
            return super().prepare_request(request)
        headers = CaseInsensitiveDict(self.headers)
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
