"""The engine's own session has the settings that a session of requests finds, and asks the environment once."""

from __future__ import annotations

import pytest
import requests

from socketio.engine.threads.sessions import Session

URL = "http://example.test:5000/socket.io/?EIO=4&transport=polling"
URLS = [URL, "https://example.test", "http://sub.direct.test/", "http://127.0.0.1:80", "https://[::1]:5000/", "ws:"]


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """The environment of a test: nothing but what the test adds."""
    for name in ("http", "https", "all", "no"):
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name}_proxy".upper(), raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def plain(http):
    """A session as it is made."""


def with_proxies(http):
    """A session with a proxy."""
    http.proxies = {"https": "http://session.test", "no_proxy": "example.test"}


def without_environment(http):
    """A session that does not look at the environment."""
    http.trust_env = False


ENVIRONMENTS = [
    {},
    {"REQUESTS_CA_BUNDLE": "/bundle.pem"},
    {"CURL_CA_BUNDLE": "/curl.pem", "http_proxy": "http://proxy.test:3128", "HTTPS_PROXY": "http://secure.test:3128"},
    {"ALL_PROXY": "socks5://all.test", "no_proxy": "direct.test,127.0.0.0/8,::1"},
    {"no_proxy": "direct.test"},
    {"ftp_proxy": "http://files.test:3128", "REQUESTS_CA_BUNDLE": "/bundle.pem"},
]


@pytest.mark.parametrize("variables", ENVIRONMENTS, ids=str)
@pytest.mark.parametrize("furnish", [plain, with_proxies, without_environment])
@pytest.mark.parametrize("verify", [None, True, False, "/own.pem"])
def test_the_settings_are_those_of_requests(verify, furnish, variables, environment):
    """Proxies and certificates are those that requests would find in the environment. (M6, N38)"""
    for name, value in variables.items():
        environment.setenv(name, value)
    for url in URLS:
        for proxies in ({}, {"http": "http://call.test"}):
            assert_settings(url, proxies, verify, furnish)


def assert_settings(url, proxies, verify, furnish):
    own, theirs = Session(), requests.Session()
    for http in (own, theirs):
        furnish(http)
    for stream in (None, True, None):
        expected = theirs.merge_environment_settings(url, dict(proxies), stream, verify, None)
        assert own.merge_environment_settings(url, dict(proxies), stream, verify, None) == expected
    expected = theirs.merge_environment_settings(url, dict(proxies), None, verify, "/cert.pem")
    assert own.merge_environment_settings(url, dict(proxies), None, verify, "/cert.pem") == expected


def test_each_server_has_settings_of_its_own(environment):
    """What was found for one server does not go to another. (M4)"""
    environment.setenv("http_proxy", "http://proxy.test:3128")
    environment.setenv("no_proxy", "direct.test")
    http = Session()
    found = [http.merge_environment_settings(f"http://{name}.test/", {}, None, None, None) for name in ("a", "direct")]
    assert [settings["proxies"].get("http") for settings in found] == ["http://proxy.test:3128", None]


def test_the_environment_is_asked_once(environment):
    """Later requests to the same server do not look for proxies and certificates again."""
    http, asked = Session(), []
    environment.setenv("http_proxy", "http://proxy.test:3128")
    environment.setattr("requests.sessions.get_environ_proxies", lambda *args, **kwargs: asked.append("proxies") or {})
    for number in range(3):
        http.merge_environment_settings(f"{URL}&t={number}", {}, True, None, None)
    assert asked == ["proxies"]


def test_requests_are_sent_by_a_session_of_few_connections():
    """A pool has room for the GET that waits and a POST, and is that of requests. (N26)"""
    pool = Session().get_adapter(URL).poolmanager.connection_from_url(URL)
    assert pool.pool.maxsize == 2
