"""The engine's own session sends what a session of requests sends, and asks the environment once."""

from __future__ import annotations

from urllib.request import getproxies_environment

import pytest
import requests

from socketio.engine.sessions import Session

URL = "http://example.test:5000/socket.io/?EIO=4&transport=polling"


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path):
    """The environment of a test: credentials in a file, and nothing but what the test adds."""
    for name in ("http", "https", "all", "no"):
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name}_proxy".upper(), raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    netrc = tmp_path / "netrc"
    netrc.write_text("machine known.test login me password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    return monkeypatch


def prepared(http, **request):
    """Return all that is in a prepared request."""
    result = http.prepare_request(requests.Request(**{"method": "GET", "url": URL, **request}))
    return result.method, result.url, list(result.headers.items()), result.body, result.hooks


REQUESTS = [
    {},
    {"url": "http://example.test/caf\xe9 ?a=b c#d"},
    {"url": "http://us%40er:pass@example.test/"},
    {"url": "http://known.test/"},
    {"url": "http://other:one@known.test/"},
    {"method": "post", "data": b"40{}", "headers": {"Content-Type": "text/plain"}},
    {"method": "POST"},
    {"method": "POST", "json": {}},
    {"method": "POST", "data": {"a": "b"}},
    {"method": "POST", "files": {"a": b"b"}},
    {"headers": {"USER-AGENT": "own", "Accept": None, "X-Bytes": b"caf\xe9"}},
    {"cookies": {"call": "1", "here": "call", "quoted": '"x y"'}},
    {"cookies": {"call": "1"}, "headers": {"Cookie": "own=2"}},
    {"params": {"c": "d"}},
    {"auth": ("user", "password")},
    {"hooks": {"response": [print]}},
]


def plain(http):
    """A session as it is made."""


def full(http):
    """A session with cookies, headers and hooks of its own."""
    http.headers.update({"X-Session": "yes", "Accept": None})
    http.cookies.set("here", "1", domain="example.test")
    http.cookies.set("elsewhere", "2", domain="other.test")
    http.hooks["response"].append(repr)


def with_credentials(http):
    """A session with credentials and parameters."""
    http.auth = ("me", "too")
    http.params = {"of": "session"}


def with_proxies(http):
    """A session with a proxy."""
    http.proxies = {"https": "http://session.test", "no_proxy": "example.test"}


def without_environment(http):
    """A session that does not look at the environment."""
    http.trust_env = False


@pytest.mark.parametrize("furnish", [plain, full, with_credentials, without_environment])
@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_a_request_is_that_of_requests(furnish, request_, environment):
    """URL, headers, cookies, credentials, body and hooks are those that requests would send. (M4, M5)"""
    environment.setattr("requests.models.encode_multipart_formdata", lambda fields: (b"body", "multipart/form-data"))
    own, theirs = Session(), requests.Session()
    for http in (own, theirs):
        furnish(http)
    for _ in range(2):
        assert prepared(own, **request_) == prepared(theirs, **request_)


@pytest.mark.parametrize("name", ["headers", "cookies"])
def test_what_a_session_has_by_now_is_sent(name):
    """Headers and cookies that come to a session go with its next request. (M4)"""
    http = Session()
    before = dict(prepared(http)[2])
    getattr(http, name).update({"new": "1"})
    after = dict(prepared(http)[2])
    assert set(after.items()) - set(before.items()) == {("new", "1") if name == "headers" else ("Cookie", "new=1")}


ENVIRONMENTS = [
    {},
    {"REQUESTS_CA_BUNDLE": "/bundle.pem"},
    {"CURL_CA_BUNDLE": "/curl.pem", "http_proxy": "http://proxy.test:3128", "HTTPS_PROXY": "http://secure.test:3128"},
    {"ALL_PROXY": "socks5://all.test", "no_proxy": "direct.test,127.0.0.0/8,::1"},
    {"no_proxy": "direct.test"},
]


@pytest.mark.parametrize("variables", ENVIRONMENTS, ids=str)
@pytest.mark.parametrize("furnish", [plain, with_proxies, without_environment])
@pytest.mark.parametrize("verify", [None, True, False, "/own.pem"])
@pytest.mark.parametrize("proxies", [{}, {"http": "http://call.test"}])
@pytest.mark.parametrize(
    "url", [URL, "https://example.test", "http://sub.direct.test/", "http://127.0.0.1:80", "https://[::1]:5000/", "ws:"]
)
def test_the_settings_are_those_of_requests(url, proxies, verify, furnish, variables, environment):
    """Proxies and certificates are those that requests would find in the environment. (M6, N38)"""
    for name, value in variables.items():
        environment.setenv(name, value)
    own, theirs = Session(), requests.Session()
    for http in (own, theirs):
        furnish(http)
    for stream in (None, True, None):
        expected = theirs.merge_environment_settings(url, dict(proxies), stream, verify, None)
        assert own.merge_environment_settings(url, dict(proxies), stream, verify, None) == expected
    expected = theirs.merge_environment_settings(url, dict(proxies), None, verify, "/cert.pem")
    assert own.merge_environment_settings(url, dict(proxies), None, verify, "/cert.pem") == expected


def test_each_server_has_settings_and_credentials_of_its_own(environment):
    """What was found for one server does not go to another. (M4)"""
    environment.setenv("http_proxy", "http://proxy.test:3128")
    environment.setenv("no_proxy", "direct.test")
    http = Session()
    found = [http.merge_environment_settings(f"http://{name}.test/", {}, None, None, None) for name in ("a", "direct")]
    assert [settings["proxies"].get("http") for settings in found] == ["http://proxy.test:3128", None]
    headers = [dict(prepared(http, url=f"http://{name}.test/")[2]) for name in ("known", "a", "known")]
    assert ["Authorization" in sent for sent in headers] == [True, False, True]


def test_the_environment_is_asked_once(environment):
    """Later requests to the same server do not look for proxies, certificates and credentials again."""
    http, asked = Session(), []
    environment.setenv("http_proxy", "http://proxy.test:3128")
    environment.setattr("requests.sessions.get_environ_proxies", lambda *args, **kwargs: asked.append("proxies") or {})
    environment.setattr("socketio.engine.sessions.get_netrc_auth", lambda url: asked.append("credentials"))
    for number in range(3):
        http.merge_environment_settings(f"{URL}&t={number}", {}, True, None, None)
        prepared(http, url=f"{URL}&t={number}")
    assert sorted(asked) == ["credentials", "proxies"]


@pytest.mark.parametrize("url", [URL, "https://127.0.0.1:5000/", "https://[::1]/"])
def test_proxies_are_searched_for_where_there_may_be_some(url, environment):
    """Where no variable names a proxy, nobody searches them all; where the system has proxies, they are found. (M6)"""
    environment.setattr("requests.utils.getproxies", lambda: {"http": "http://system.test"})
    environment.setattr("socketio.engine.sessions.getproxies", getproxies_environment)
    environment.setattr("requests.utils.proxy_bypass", lambda host: False)
    assert Session().merge_environment_settings(url, {}, None, None, None)["proxies"] == {}
    environment.setattr("socketio.engine.sessions.getproxies", dict)  # another one, as on macOS and Windows
    found = Session().merge_environment_settings(url, {}, None, None, None)["proxies"]
    assert found == {"http": "http://system.test"}
