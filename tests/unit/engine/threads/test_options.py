"""websocket_extra_options for threads, as headers, proxies and TLS settings of one request."""

from __future__ import annotations

import copy
import ssl

import pytest
import requests
import trustme
from urllib3.util import SKIP_HEADER

from socketio.engine.threads import options
from socketio.engine.threads.options import accepts_any_certificate

URL = "http://example.test/socket.io/?transport=websocket&EIO=4"
TLS_URL = URL.replace("http:", "https:")


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch):
    """No proxies and certificates but those of the test."""
    for name in ("http", "https", "all", "no", "ws", "wss"):
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name}_proxy".upper(), raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NETRC", "WEBSOCKET_CLIENT_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/nonexistent")


def session(**attributes):
    http = requests.Session()
    for name, value in attributes.items():
        setattr(http, name, value)
    return http


# -- headers


@pytest.mark.parametrize("header", [{"X-Extra": "3", "X-Call": "extra"}, ["X-Extra: 3", "X-Call:extra"]])
def test_headers_are_a_dict_or_lines(header):
    """Headers may be given as a dict or as lines. (M4)"""
    assert options.headers({"header": header}) == {"X-Extra": "3", "X-Call": "extra"}


def test_headers_that_have_options_of_their_own():
    """Cookie, host, origin and subprotocols are headers; nothing else is. (M4)"""
    given = {"cookie": "b=2", "host": "other.test", "origin": "https://app.test", "subprotocols": ["a", "b"]}
    assert options.headers({**given, "timeout": 5, "suppress_origin": True}) == {
        "Cookie": "b=2",
        "Host": "other.test",
        "Origin": "https://app.test",
        "Sec-WebSocket-Protocol": "a,b",
    }


def test_the_host_header_may_be_left_out():
    """suppress_host leaves it out, as urllib3 has it. (M4)"""
    assert options.headers({"suppress_host": True}) == {"Host": SKIP_HEADER}


# -- TLS


def tls(extra=None, http=None, verify=True, cert=None):
    return options.tls(http or requests.Session(), extra or {}, verify, cert)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A bundle, and a certificate with its key."""
    folder, authority = tmp_path_factory.mktemp("tls"), trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(folder / "both.pem")
    return folder


def test_without_options_the_session_decides():
    """Where the options name nothing of TLS, there are no settings beside the session's. (M6)"""
    assert tls() == {}
    assert tls({"timeout": 5, "sslopt": {}}, verify=False) == {}


def test_what_is_not_named_is_as_the_session_has_it(files):
    """Options for ciphers leave verification and bundle to the session. (M5, M6)"""
    made = tls({"sslopt": {"ciphers": "ECDHE+AESGCM"}}, verify=str(files / "ca.pem"), cert=str(files / "both.pem"))
    assert (made["ssl_context"].verify_mode, made["ssl_context"].check_hostname) == (ssl.CERT_REQUIRED, True)
    assert len(made["ssl_context"].get_ca_certs()) == 1
    assert len(tls({"sslopt": {"ciphers": "ECDHE+AESGCM"}})["ssl_context"].get_ca_certs()) > 1
    made = tls({"sslopt": {"ciphers": "ECDHE+AESGCM"}}, verify=False)
    assert (made["ssl_context"].verify_mode, made["ssl_context"].check_hostname) == (ssl.CERT_NONE, False)


def test_verification_can_be_switched_off():
    """cert_reqs=CERT_NONE accepts any certificate for any host; check_hostname=False any host. (M6)"""
    made = tls({"sslopt": {"cert_reqs": ssl.CERT_NONE}})["ssl_context"]
    assert (made.verify_mode, made.check_hostname) == (ssl.CERT_NONE, False)
    made = tls({"sslopt": {"check_hostname": False}})["ssl_context"]
    assert (made.verify_mode, made.check_hostname) == (ssl.CERT_REQUIRED, False)


def test_bundles_and_certificates_of_the_options(files):
    """ca_certs, ca_cert_path and certfile are files; server_hostname is the name that is asked for. (M6)"""
    made = tls({"sslopt": {"ca_certs": str(files / "ca.pem"), "server_hostname": "other.test"}}, verify="/no/file")
    assert len(made["ssl_context"].get_ca_certs()) == 1
    assert made["server_hostname"] == "other.test"
    assert tls({"sslopt": {"ca_cert_path": str(files)}})["ssl_context"].get_ca_certs() == []  # read when needed
    both = str(files / "both.pem")
    for chain in ({"certfile": both}, {"certfile": both, "keyfile": both}, {"cert_chain": (both, None, None)}):
        assert tls({"sslopt": chain}) != {}
    with pytest.raises(OSError):
        tls({"sslopt": {"certfile": "/no/file"}})


def test_a_context_of_the_options_says_all():
    """A context is used as it is. (M6)"""
    context = ssl.create_default_context()
    assert tls({"sslopt": {"context": context}}, verify=False)["ssl_context"] is context


def test_the_bundle_of_websocket_client(files, monkeypatch):
    """WEBSOCKET_CLIENT_CA_BUNDLE counts where the session names no bundle, and trusts the environment. (M6)"""
    monkeypatch.setenv("WEBSOCKET_CLIENT_CA_BUNDLE", str(files / "ca.pem"))
    assert len(tls()["ssl_context"].get_ca_certs()) == 1
    assert tls(verify=False) == {}
    assert tls(verify="/path/ca.pem") == {}
    assert tls(http=session(trust_env=False)) == {}


@pytest.mark.parametrize(
    ("sslopt", "accepts"),
    [
        ({}, False),
        ({"cert_reqs": ssl.CERT_REQUIRED, "ca_certs": "/ca.pem"}, False),
        ({"cert_reqs": ssl.CERT_NONE}, True),
        ({"check_hostname": False}, True),
        ({"context": ssl.create_default_context()}, False),
        ({"context": ssl.create_default_context(), "cert_reqs": ssl.CERT_NONE}, False),
        ({"context": ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)}, True),
    ],
)
def test_whether_somebody_else_could_stand_in_for_the_server(sslopt, accepts):
    """Options accept any certificate without verification or host name; a context of its own says it all. (N38)"""
    assert accepts_any_certificate(sslopt) is accepts


# -- proxies


def proxies(http=None, url=URL, **extra):
    return options.proxies(http or requests.Session(), url, extra)


def chosen(http=None, url=URL, **extra):
    """Return the proxy that requests takes."""
    given = proxies(http, url, **extra)
    http = http or requests.Session()
    merged = http.merge_environment_settings(url, dict(given), None, None, None)["proxies"]
    return requests.utils.select_proxy(url, merged)


def test_without_options_the_session_decides_on_the_proxy(monkeypatch):
    """A session's proxies are not repeated. (M5)"""
    monkeypatch.setenv("http_proxy", "http://p.test:3128")
    assert proxies(session(proxies={"all": "http://d.test:4"})) == {}


@pytest.mark.parametrize(
    ("url", "named", "address"),
    [
        (URL, {"ws": "http://c.test:3", "http": "http://a.test:1"}, "http://c.test:3"),
        (TLS_URL, {"wss": "http://c.test:3", "https": "http://a.test:1"}, "http://c.test:3"),
        (TLS_URL, {"ws": "http://c.test:3", "https": "http://a.test:1"}, "http://a.test:1"),
    ],
)
def test_a_proxy_for_websockets_wins(url, named, address):
    """A session's proxy for ws or wss is taken before that for http or https. (M5)"""
    assert chosen(session(proxies=named), url) == address


@pytest.mark.parametrize(
    ("extra", "address"),
    [
        ({"http_proxy_port": 3128}, "http://p.test:3128"),
        ({}, "http://p.test"),
        ({"http_proxy_port": "1080", "proxy_type": "socks5h"}, "socks5h://p.test:1080"),
        ({"http_proxy_port": 1, "http_proxy_auth": ("us@er", "p#w")}, "http://us%40er:p%23w@p.test:1"),
        ({"http_proxy_port": 1, "http_proxy_auth": ("user", None)}, "http://user:@p.test:1"),
        ({"http_proxy_port": 1, "http_no_proxy": ["other.test"]}, "http://p.test:1"),
        ({"http_proxy_port": 1, "http_no_proxy": ["example.test"]}, None),
    ],
)
def test_the_proxy_of_the_options(extra, address):
    """The options' proxy is taken before all others, but for the hosts that they except. (M5)"""
    http = session(proxies={"http": "http://a.test:1", "all": "http://b.test:2", "ws": "http://c.test:3"})
    assert chosen(http, http_proxy_host="p.test", **extra) == address


def test_a_proxy_with_an_ipv6_address():
    """Its address is written in brackets. (M5)"""
    assert chosen(http_proxy_host="::1", http_proxy_port=3128) == "http://[::1]:3128"


# -- what is handed in


def test_nothing_that_was_handed_in_is_edited(files):
    """The options are the same afterwards, nested ones too: the next attempt needs them again. (N2, N28)"""
    given = {
        "header": {"X-Extra": "2", "Cookie": "b=2"},
        "sslopt": {"ca_certs": str(files / "ca.pem")},
        "http_proxy_host": "p.test",
        "host": "other.test",
    }
    http = session(proxies={"http": "http://p.test:1"})
    before = copy.deepcopy(given)
    options.headers(given)["X-More"] = "3"
    proxies(http, **given)
    tls(given, http)
    assert given == before
    assert http.proxies == {"http": "http://p.test:1"}
