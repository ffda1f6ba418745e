"""``websocket_extra_options`` as headers, proxies and TLS settings of a requests session.

In: the application's options. Out: headers, proxies and TLS settings for one request. Nothing is edited.
"""

from __future__ import annotations

import os
import ssl
import urllib.parse
from collections.abc import Mapping
from typing import Any

import requests
import urllib3
from requests.utils import should_bypass_proxies
from urllib3.util import SKIP_HEADER


def headers(extra: Mapping[str, Any]) -> dict[str, str | None]:
    """Return the headers of the options; ``None`` for one that is left out."""
    found = _header_dict(extra.get("header"))
    named = {"Cookie": extra.get("cookie"), "Host": extra.get("host"), "Origin": extra.get("origin")}
    found.update({name: value for name, value in named.items() if value})
    if extra.get("suppress_host"):
        found["Host"] = SKIP_HEADER
    if extra.get("subprotocols"):
        found["Sec-WebSocket-Protocol"] = ",".join(extra["subprotocols"])
    return found


def _header_dict(header: Any) -> dict[str, str | None]:
    """Return headers that may be given as a dict, or as websocket-client's list of lines."""
    if header is None:
        return {}
    if isinstance(header, Mapping):
        return dict(header)
    lines = (line.partition(":") for line in header)
    return {name.strip(): value.strip() for name, _, value in lines}


def proxies(http: requests.Session, url: str, extra: Mapping[str, Any]) -> dict[str, Any]:
    """Return the proxies for a websocket request, in addition to those of the session for an HTTP URL.

    The proxy of the options, or the one of the session or the environment for ``ws`` or ``wss``.
    """
    parts = urllib.parse.urlsplit(url)
    places = (f"{parts.scheme}://{parts.hostname}", parts.scheme)
    if not extra.get("http_proxy_host"):
        of_session = http.merge_environment_settings(url, {}, None, None, None)["proxies"]
        address = of_session.get("wss" if parts.scheme == "https" else "ws")
        return dict.fromkeys(places, address) if address else {}
    if should_bypass_proxies(url, ",".join(extra.get("http_no_proxy") or ()) or "-"):
        return dict.fromkeys((*places, f"all://{parts.hostname}", "all"))
    host, port = extra["http_proxy_host"], extra.get("http_proxy_port")
    place = f"[{host}]" if ":" in host else host
    if port:
        place += f":{port}"
    user, password = extra.get("http_proxy_auth") or ("", "")
    if user:
        place = ":".join(urllib.parse.quote(part or "", safe="") for part in (user, password)) + f"@{place}"
    return dict.fromkeys(places, f"{extra.get('proxy_type') or 'http'}://{place}")


def tls(http: requests.Session, extra: Mapping[str, Any], verify: Any, cert: Any) -> dict[str, Any]:
    """Return the attributes of an HTTPS connection where the options have TLS settings; these win over the session's.

    :param verify: the value of the session and the environment; the same for ``cert``.
    """
    own = dict(extra.get("sslopt") or {})
    bundle = os.environ.get("WEBSOCKET_CLIENT_CA_BUNDLE")  # which websocket-client knows
    if bundle and http.trust_env and verify is True and "context" not in own:
        own.setdefault("ca_cert_path" if os.path.isdir(bundle) else "ca_certs", bundle)
    if not own:
        return {}
    context = own.get("context") or _context({**_of_session(verify, cert), **own})
    checks_hostname = context.check_hostname
    if "context" not in own and urllib3.__version__.startswith("1."):  # type: ignore[attr-defined]
        context.check_hostname = False  # it does that itself: OpenSSL cannot do it for addresses
    return {
        "ssl_context": context,
        "server_hostname": own.get("server_hostname"),
        "cert_reqs": context.verify_mode,
        "assert_hostname": None if checks_hostname else False,
        # What the context has.
        **dict.fromkeys(("ca_certs", "ca_cert_dir", "ca_cert_data", "cert_file", "key_file", "ssl_version")),
    }


def accepts_any_certificate(sslopt: Mapping[str, Any]) -> bool:
    """Return whether these options allow another server to impersonate this one."""
    context = sslopt.get("context")
    if context is not None:
        return context.verify_mode == ssl.CERT_NONE or not context.check_hostname
    return sslopt.get("cert_reqs", ssl.CERT_REQUIRED) == ssl.CERT_NONE or not sslopt.get("check_hostname", True)


def _of_session(verify: Any, cert: Any) -> dict[str, Any]:
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


def _context(sslopt: Mapping[str, Any]) -> ssl.SSLContext:
    """Return the context for the options that websocket-client documents."""
    context = ssl.SSLContext(sslopt.get("ssl_version", ssl.PROTOCOL_TLS_CLIENT))
    required = sslopt.get("cert_reqs", ssl.CERT_REQUIRED)
    context.check_hostname = bool(sslopt.get("check_hostname", required != ssl.CERT_NONE))
    context.verify_mode = required
    if required != ssl.CERT_NONE:
        file, folder, data = sslopt.get("ca_certs"), sslopt.get("ca_cert_path"), sslopt.get("ca_cert_data")
        if file or folder or data:
            context.load_verify_locations(file, folder, data)
        else:
            context.load_verify_locations(requests.utils.DEFAULT_CA_BUNDLE_PATH)
    chain = sslopt.get("cert_chain") or (sslopt.get("certfile"), sslopt.get("keyfile"), sslopt.get("password"))
    if chain[0]:
        context.load_cert_chain(*chain)
    if sslopt.get("ciphers"):
        context.set_ciphers(sslopt["ciphers"])
    if sslopt.get("ecdh_curve"):
        context.set_ecdh_curve(sslopt["ecdh_curve"])
    return context
