"""From a requests session to websocket-client: the same headers, cookies, TLS and proxies on both transports."""

from __future__ import annotations

import base64
import copy
import ssl

import pytest
import requests

from socketio.engine.options import (
    accepts_any_certificate,
    create_connection_options,
    http_url,
    without_credentials,
)

URL = "ws://example.test/socket.io/?transport=websocket&EIO=4"
TLS_URL = URL.replace("ws:", "wss:")


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch):
    """No proxies and certificates but those of the test."""
    for name in ("http", "https", "all", "no", "ws", "wss"):
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name}_proxy".upper(), raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NETRC"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/nonexistent")


def options(http=None, url=URL, headers=None, cookies=None, verify=None, extra=None):
    """Return the options for a websocket, with as little as possible but what is given."""
    return create_connection_options(
        http or requests.Session(), url, headers=headers or {}, cookies=cookies or {}, verify=verify, extra=extra or {}
    )


def session(**attributes):
    http = requests.Session()
    for name, value in attributes.items():
        setattr(http, name, value)
    return http


# -- headers


def test_headers_of_the_session_and_of_the_call_are_sent():
    """The websocket request has the session's headers and those of connect(), which win. (M4, M5)"""
    http = requests.Session()
    http.headers.update({"X-Session": "1", "X-Both": "session"})
    sent = options(http, headers={"X-Call": "2", "X-Both": "call"})["header"]
    assert {name: sent[name] for name in ("X-Session", "X-Call", "X-Both")} == {
        "X-Session": "1",
        "X-Call": "2",
        "X-Both": "call",
    }


def test_headers_of_plain_http_are_left_out():
    """What makes no sense in a websocket request is not taken over; the user agent is. (M4)"""
    sent = {name.lower() for name in options()["header"]}
    assert not sent & {"accept", "accept-encoding", "connection", "content-length"}
    assert "user-agent" in sent


@pytest.mark.parametrize("header", [{"X-Extra": "3", "X-Call": "extra"}, ["X-Extra: 3", "X-Call:extra"]])
def test_headers_of_the_extra_options_win(header):
    """websocket_extra_options may have headers, as a dict or as lines; they win. (M4)"""
    sent = options(headers={"X-Call": "2"}, extra={"header": header})["header"]
    assert (sent["X-Extra"], sent["X-Call"]) == ("3", "extra")


@pytest.mark.parametrize("name", ["x-call", "USER-AGENT", "authorization"])
def test_headers_that_differ_in_case_only_are_the_same(name):
    """A header of the extra options replaces that of the session or the call, whatever the case of its name. (M4)"""
    http = session(auth=("user", "password"))
    sent = options(http, headers={"X-Call": "2"}, extra={"header": {name: "extra"}})["header"]
    assert [value for key, value in sent.items() if key.lower() == name.lower()] == ["extra"]


def test_a_cookie_of_the_extra_options_wins():
    """A Cookie header of the extra options, in whatever case, is the one that is sent. (M4)"""
    made = options(cookies={"a": "1"}, extra={"header": {"cookie": "b=2"}})
    assert made["cookie"] == "b=2"
    assert not [key for key in made["header"] if key.lower() == "cookie"]


def test_header_values_may_be_bytes():
    """Header values that requests takes as bytes are text for websocket-client. (M4)"""
    assert options(headers={"X-Bytes": b"caf\xe9"})["header"]["X-Bytes"] == "café"


def test_host_and_origin_are_options_of_their_own():
    """Host and Origin headers are given as websocket-client wants them. (M4)"""
    made = options(headers={"host": "other.test", "ORIGIN": "https://app.test"})
    assert (made["host"], made["origin"]) == ("other.test", "https://app.test")
    assert not {name.lower() for name in made["header"]} & {"host", "origin"}
    assert not {"host", "origin", "cookie"} & set(options())


# -- cookies


def test_cookies_of_call_and_session_are_sent():
    """The cookies that the session has for this place go along with those of connect(). (M4, M5, N28)"""
    http = requests.Session()
    http.cookies.set("here", "1", domain="example.test")
    http.cookies.set("anywhere", "2")
    cookie = options(http, cookies={"call": "3"})["cookie"]
    assert set(cookie.split("; ")) == {"here=1", "anywhere=2", "call=3"}


def test_cookies_for_other_places_are_not_sent():
    """A cookie for another domain, another path, or for https only, stays at home. (M4)"""
    http = requests.Session()
    http.cookies.set("elsewhere", "1", domain="other.test")
    http.cookies.set("deeper", "2", domain="example.test", path="/deeper")
    http.cookies.set("secret", "3", domain="example.test", secure=True)
    assert "cookie" not in options(http)
    assert options(http, TLS_URL)["cookie"] == "secret=3"


# -- credentials


def test_credentials_of_the_session_are_sent():
    """A session's auth goes along as its header. (M5)"""
    sent = options(session(auth=("user", "password")))["header"]
    assert sent["Authorization"] == "Basic " + base64.b64encode(b"user:password").decode()


def test_credentials_in_the_url_are_sent_as_a_header():
    """User and password in the URL travel in the header that requests would send. (M4)"""
    sent = options(url="ws://us%40er:pass@example.test/")["header"]
    assert sent["Authorization"] == "Basic " + base64.b64encode(b"us@er:pass").decode()


@pytest.mark.parametrize(
    ("url", "stripped"),
    [
        ("ws://user:pass@example.test:80/p?q=1", "ws://example.test:80/p?q=1"),
        ("wss://u:p@ss@[::1]:80/", "wss://[::1]:80/"),
        ("ws://example.test/?a=b@c", "ws://example.test/?a=b@c"),
    ],
)
def test_the_url_goes_without_credentials(url, stripped):
    """without_credentials() takes user and password out of a URL, and nothing else. (M4)"""
    assert without_credentials(url) == stripped


@pytest.mark.parametrize(
    ("url", "http"), [("ws://a/ws", "http://a/ws"), ("wss://a", "https://a"), ("http://a", "http://a")]
)
def test_the_http_url_of_a_websocket(url, http):
    """http_url() gives the URL of the same place for requests. (M3)"""
    assert http_url(url.replace("http", "ws")) == http


# -- TLS


@pytest.mark.parametrize("url", [URL, TLS_URL])
def test_certificates_are_verified_by_default(url):
    """Without options websocket-client decides, which verifies. (M6)"""
    assert options(url=url)["sslopt"].get("cert_reqs", ssl.CERT_REQUIRED) == ssl.CERT_REQUIRED
    assert options(url=url)["sslopt"].get("check_hostname", True) is True


@pytest.mark.parametrize("http", [None, session(verify="/path/ca.pem")])
def test_verification_can_be_switched_off(http, monkeypatch):
    """verify=False accepts any certificate for any host, whatever the session or the environment names. (M6, N38)"""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/path/ca.pem")
    assert options(http, TLS_URL, verify=False)["sslopt"] == {"cert_reqs": ssl.CERT_NONE, "check_hostname": False}


@pytest.mark.parametrize("verify", [None, "/path/ca.pem"])
def test_a_bundle_of_the_session_is_used(verify):
    """A session whose verify names a file trusts its certificates. (M5, M6)"""
    made = options(session(verify="/path/ca.pem"), TLS_URL, verify=verify)
    assert made["sslopt"] == {"ca_certs": "/path/ca.pem"}


def test_a_bundle_of_the_environment_is_used(monkeypatch):
    """REQUESTS_CA_BUNDLE is honoured, as on polling, unless the session does not trust the environment. (M6)"""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/path/ca.pem")
    assert options(url=TLS_URL)["sslopt"] == {"ca_certs": "/path/ca.pem"}
    assert options(session(trust_env=False), TLS_URL)["sslopt"] == {}


def test_a_folder_of_certificates_is_used(tmp_path):
    """A session's verify may name a folder, as requests has it. (M5, M6)"""
    made = options(session(verify=str(tmp_path)), TLS_URL)["sslopt"]
    assert made == {"ca_cert_path": str(tmp_path)}


@pytest.mark.parametrize(
    ("cert", "sslopt"),
    [
        ("/path/both.pem", {"certfile": "/path/both.pem"}),
        (("/path/cert.pem", "/path/key.pem"), {"certfile": "/path/cert.pem", "keyfile": "/path/key.pem"}),
        (None, {}),
    ],
)
def test_the_client_certificate_of_the_session_is_used(cert, sslopt):
    """A session's cert is a file with both, or a pair of files. (M5)"""
    assert options(session(cert=cert), TLS_URL)["sslopt"] == sslopt


def test_sslopt_of_the_extra_options_wins():
    """Each entry of the application's sslopt replaces ours. (M6)"""
    extra = {"sslopt": {"ca_certs": "/path/other.pem", "ciphers": "X"}}
    made = options(session(verify="/path/ca.pem", cert="/path/both.pem"), TLS_URL, extra=extra)["sslopt"]
    assert made == {"ca_certs": "/path/other.pem", "certfile": "/path/both.pem", "ciphers": "X"}


# -- proxies


def proxy(made):
    return {name: value for name, value in made.items() if "proxy" in name}


def test_without_a_proxy_there_is_none():
    """Where neither session nor environment names a proxy, no option mentions one. (M5)"""
    assert proxy(options()) == {}


@pytest.mark.parametrize(
    ("url", "proxies", "host"),
    [
        (URL, {"http": "http://a.test:1", "https": "http://b.test:2"}, "a.test"),
        (TLS_URL, {"http": "http://a.test:1", "https": "http://b.test:2"}, "b.test"),
        (URL, {"ws": "http://c.test:3", "http": "http://a.test:1"}, "c.test"),
        (TLS_URL, {"wss": "http://c.test:3", "https": "http://a.test:1"}, "c.test"),
        (TLS_URL, {"all": "http://d.test:4", "http": "http://a.test:1"}, "d.test"),
    ],
)
def test_the_proxy_of_the_scheme_is_used(url, proxies, host):
    """A session's proxy for ws or wss is used, else that for http or https, else that for all. (M5)"""
    assert options(session(proxies=proxies), url)["http_proxy_host"] == host


@pytest.mark.parametrize(
    ("address", "made"),
    [
        ("http://p.test:3128", ("p.test", 3128, None, "http")),
        ("p.test:3128", ("p.test", 3128, None, "http")),
        ("https://p.test", ("p.test", 80, None, "http")),
        ("http://user:pass@p.test:3128", ("p.test", 3128, ("user", "pass"), "http")),
        ("http://us%40er:p%23w@p.test:3128", ("p.test", 3128, ("us@er", "p#w"), "http")),
        ("socks5h://p.test:1080", ("p.test", 1080, None, "socks5h")),
        ("socks4://p.test", ("p.test", 1080, None, "socks4")),
    ],
)
def test_the_address_of_a_proxy_is_taken_apart(address, made):
    """Host, port, credentials and kind of a proxy are options of their own. (M5)"""
    found = options(session(proxies={"http": address}))
    auth = found.get("http_proxy_auth")
    assert (found["http_proxy_host"], found["http_proxy_port"], auth, found["proxy_type"]) == made


def test_the_proxy_of_the_environment_is_used(monkeypatch):
    """http_proxy is honoured, as on polling, but for the hosts in no_proxy. (M5)"""
    monkeypatch.setenv("http_proxy", "http://p.test:3128")
    assert options()["http_proxy_host"] == "p.test"
    monkeypatch.setenv("no_proxy", "example.test")
    assert proxy(options()) == {}


def test_the_extra_options_may_name_another_proxy():
    """Options of the application replace ours. (M5)"""
    made = options(session(proxies={"http": "http://p.test:1"}), extra={"http_proxy_host": "q.test"})
    assert made["http_proxy_host"] == "q.test"


# -- what is handed in


def test_other_extra_options_are_handed_on():
    """Whatever else websocket-client knows goes along. (M4)"""
    made = options(extra={"enable_multithread": True, "sockopt": ((1, 2, 3),), "timeout": 7})
    assert (made["enable_multithread"], made["sockopt"], made["timeout"]) == (True, ((1, 2, 3),), 7)


def test_nothing_that_was_handed_in_is_edited():
    """The caller's dicts are the same afterwards, nested ones too: the next attempt needs them again. (N2, N28)"""
    given = {
        "headers": {"X-Call": "1", "Host": "other.test"},
        "cookies": {"a": "1"},
        "extra": {"header": {"X-Extra": "2", "Cookie": "b=2"}, "sslopt": {"ca_certs": "/x"}, "timeout": 5},
    }
    http = session(proxies={"http": "http://p.test:1"}, verify="/path/ca.pem")
    before, headers, proxies = copy.deepcopy(given), dict(http.headers), dict(http.proxies)
    first = options(http, verify=False, **given)
    assert given == before
    assert (dict(http.headers), dict(http.proxies), http.verify) == (headers, proxies, "/path/ca.pem")
    assert options(http, verify=False, **given) == first


def _context(**attributes):
    context = ssl.create_default_context()
    for name, value in attributes.items():
        setattr(context, name, value)
    return context


@pytest.mark.parametrize(
    ("sslopt", "accepts"),
    [
        ({}, False),
        ({"cert_reqs": ssl.CERT_REQUIRED, "ca_certs": "/ca.pem"}, False),
        ({"cert_reqs": ssl.CERT_NONE}, True),
        ({"check_hostname": False}, True),
        ({"context": _context()}, False),
        ({"context": _context(), "cert_reqs": ssl.CERT_NONE}, False),
        ({"context": _context(check_hostname=False)}, True),
    ],
)
def test_whether_somebody_else_could_stand_in_for_the_server(sslopt, accepts):
    """Options accept any certificate without verification or host name; a context of its own says it all. (N38)"""
    assert accepts_any_certificate(sslopt) is accepts
