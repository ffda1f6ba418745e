"""From a ``requests`` session to websocket-client: the same headers, cookies, TLS and proxies on both transports."""

from __future__ import annotations

import os
import ssl
import urllib.parse
from collections.abc import Mapping
from typing import Any

import requests
from requests.structures import CaseInsensitiveDict
from requests.utils import get_auth_from_url

_OF_HTTP_ONLY = ("Accept", "Accept-Encoding", "Connection", "Content-Length")


def http_url(websocket_url: str) -> str:
    """Return the HTTP URL of the same place: ``ws`` becomes ``http``, ``wss`` becomes ``https``."""
    return "http" + websocket_url.removeprefix("ws")


def without_credentials(url: str) -> str:
    """Return a URL without user and password: they travel in a header."""
    parts = urllib.parse.urlsplit(url)
    return urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def create_connection_options(
    http: requests.Session,
    url: str,
    *,
    headers: Mapping[str, str],
    cookies: Mapping[str, str],
    verify: bool | str | None,
    extra: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the keyword arguments for ``websocket.create_connection``.

    :param url: the websocket URL.
    :param verify: ``False`` to accept any certificate, ``None`` to let the session decide.
    :param extra: the application's ``websocket_extra_options``; they win.
    """
    request = requests.Request("GET", http_url(url), headers=dict(headers), cookies=dict(cookies))
    prepared = http.prepare_request(request)
    sent = CaseInsensitiveDict({str(name): _text(value) for name, value in prepared.headers.items()})
    for name in _OF_HTTP_ONLY:
        sent.pop(name, None)
    extra = dict(extra)
    sent.update(_header_dict(extra.pop("header", None)))
    settings = http.merge_environment_settings(request.url, {}, None, verify, None)
    options: dict[str, Any] = {
        "cookie": sent.pop("cookie", None),
        "host": sent.pop("host", None),
        "origin": sent.pop("origin", None),
        **_proxy(settings["proxies"], url),
    }
    sslopt = {**_sslopt(settings["verify"], settings["cert"]), **extra.pop("sslopt", {})}
    options = {name: value for name, value in options.items() if value is not None}
    return {**options, "header": dict(sent), "sslopt": sslopt, **extra}


def accepts_any_certificate(sslopt: Mapping[str, Any]) -> bool:
    """Return whether these options let somebody else stand in for the server."""
    context = sslopt.get("context")
    if context is not None:
        return context.verify_mode == ssl.CERT_NONE or not context.check_hostname
    return sslopt.get("cert_reqs", ssl.CERT_REQUIRED) == ssl.CERT_NONE or not sslopt.get("check_hostname", True)


def _header_dict(header: Any) -> dict[str, str]:
    """Return headers that may be given as a dict, or as websocket-client's list of lines."""
    if header is None:
        return {}
    if isinstance(header, Mapping):
        return dict(header)
    lines = (line.partition(":") for line in header)
    return {name.strip(): value.strip() for name, _, value in lines}


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")


def _sslopt(verify: Any, cert: Any) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if verify is False:
        options = {"cert_reqs": ssl.CERT_NONE, "check_hostname": False}
    elif isinstance(verify, str):
        options = {"ca_cert_path" if os.path.isdir(verify) else "ca_certs": verify}
    if isinstance(cert, (tuple, list)):
        options["certfile"], options["keyfile"] = cert
    elif cert:
        options["certfile"] = cert
    return options


def _proxy(proxies: Mapping[str, str], url: str) -> dict[str, Any]:
    names = ("wss", "https", "all") if url.startswith("wss") else ("ws", "http", "all")
    address = next((proxies[name] for name in names if proxies.get(name)), None)
    if address is None:
        return {}
    address = address if "://" in address else f"http://{address}"
    parts = urllib.parse.urlsplit(address)
    socks = parts.scheme.startswith("socks")
    auth = get_auth_from_url(address)
    return {
        "http_proxy_host": parts.hostname,
        "http_proxy_port": parts.port or (1080 if socks else 80),
        "http_proxy_auth": auth if auth[0] else None,
        "proxy_type": parts.scheme if socks else "http",
    }
