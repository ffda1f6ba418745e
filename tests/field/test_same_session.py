"""One session for both transports: every setting of an HTTP session applies to websocket as to polling.

Source: issue 10, C. Each test connects over websocket alone, and by way of polling with an upgrade; the request for the
websocket is compared with that of polling.
"""

from __future__ import annotations

import base64
import hashlib
import inspect
import socket
import ssl
import urllib.parse

import aiohttp
import pytest
import requests
import trustme
from requests.adapters import HTTPAdapter
from urllib3.util.ssl_ import create_urllib3_context

from faults.hostile import RawServer
from integration.waiting import CEILING, within
from socketio import exceptions
from socketio.engine import compat

from .recording import HttpProxy, SocksProxy, UpgradingPeer, asked, close_sessions

pytestmark = pytest.mark.transports("websocket", "upgrade")
threads = pytest.mark.flavours("threads")
asyncio_only = pytest.mark.flavours("asyncio")


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch, tmp_path):
    """No proxies, certificates and passwords but those of the test."""
    for name in ("http", "https", "all", "no", "ws", "wss"):
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name}_proxy".upper(), raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "NETRC"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
async def sessions(flavour):
    """Return a function that makes a session of the flavour's HTTP library, closed after the test."""
    made = []

    def make(connector=None, **settings):
        if flavour.is_asyncio:
            session = aiohttp.ClientSession(connector=connector, **settings)
        else:
            session = requests.Session()
            for name, value in settings.items():
                kept = getattr(session, name)
                if hasattr(kept, "update") and name != "cookies":
                    kept.update(value)
                elif name == "cookies":
                    session.cookies.update(value)
                else:
                    setattr(session, name, value)
        made.append(session)
        return session

    yield make
    await flavour.close()
    await close_sessions(made)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """An authority, the path of its certificate, and a TLS context for servers."""
    folder, made = tmp_path_factory.mktemp("authority"), trustme.CA()
    made.cert_pem.write_to_path(folder / "ca.pem")
    made.issue_cert("client.test").private_key_and_cert_chain_pem.write_to_path(folder / "client.pem")
    made.file, made.client = str(folder / "ca.pem"), str(folder / "client.pem")
    made.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.issue_cert("localhost", "127.0.0.1", "xn--bcher-kva.test").configure_cert(made.context)
    return made


@pytest.fixture
def names(monkeypatch):
    """All names in the domain ``test`` are this machine's; what was asked for is returned."""
    seen, resolve = [], socket.getaddrinfo

    def getaddrinfo(host, *args, **kwargs):
        text = host.decode() if isinstance(host, bytes) else host
        seen.append(text)
        return resolve("127.0.0.1" if str(text).endswith("test") else host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return seen


# -- every setting of a requests.Session


def _count(response, **kwargs):
    response.history.append(response)


REQUESTS = {
    "headers": ({"headers": {"X-Session": "yes"}}, lambda r: r.headers["x-session"] == "yes"),
    "cookies": ({"cookies": {"a": "1", "b": "2"}}, lambda r: {"a=1", "b=2"} <= set(r.headers["cookie"].split("; "))),
    "auth": ({"auth": ("us@er", "p:w")}, lambda r: r.headers["authorization"] == "Basic dXNAZXI6cDp3"),
    "params": ({"params": {"token": "a b&c"}}, lambda r: r.query["token"] == "a b&c"),
    "stream": ({"stream": True}, None),
    "max_redirects": ({"max_redirects": 0}, None),
    "trust_env": ({"trust_env": False}, None),
    "proxies": None,
    "hooks": None,
    "verify": None,
    "cert": None,
    "adapters": None,
}
"""Settings, and whether a request shows them; those with a test of their own are ``None``."""


@threads
def test_every_setting_of_a_requests_session_has_a_test():
    """The table names what requests itself calls the attributes of a session."""
    assert set(REQUESTS) == set(requests.Session.__attrs__)


@threads
@pytest.mark.parametrize("name", [name for name, row in REQUESTS.items() if row])
async def test_settings_of_requests(make_client, sessions, transport, name):
    """Each shows in the requests of both transports, and the websocket's is that of polling otherwise."""
    settings, shows = REQUESTS[name]
    found = await asked(make_client(http_session=sessions(**settings)), transport)
    for request in found.shown:
        assert shows is None or shows(request), request


@threads
async def test_hooks(make_client, sessions, transport):
    """The session's response hooks are called for the websocket's answer too."""
    seen = []
    session = sessions(hooks={"response": [lambda response, **kwargs: seen.append(response.status_code)]})
    await asked(make_client(http_session=session), transport)
    assert 101 in seen


@threads
async def test_an_adapter(make_client, sessions, transport):
    """An adapter that is mounted for the URL sends the request for the websocket, for http as for https."""

    class Adapter(HTTPAdapter):
        sent = 0

        def add_headers(self, request, **kwargs):
            request.headers["X-Adapter"] = "yes"

        def send(self, *args, **kwargs):
            self.sent += 1
            return super().send(*args, **kwargs)

    adapter = Adapter()
    session = sessions()
    session.mount("http://", adapter)
    found = await asked(make_client(http_session=session), transport)
    assert adapter.sent
    assert [request.headers["x-adapter"] for request in found.shown] == ["yes"] * len(found.shown)


@threads
async def test_a_source_address_of_an_adapter(make_client, sessions, transport):
    """An adapter that binds connections to an address does so for the websocket."""

    class Adapter(HTTPAdapter):
        def init_poolmanager(self, *args, **kwargs):
            super().init_poolmanager(*args, source_address=("127.0.0.9", 0), **kwargs)

    session = sessions()
    session.mount("http://", Adapter())
    found = await asked(make_client(http_session=session), transport)
    peers = {request.writer.get_extra_info("peername") for request in found.shown}
    assert {address for address, _ in peers} == {"127.0.0.9"}


@threads
async def test_a_session_of_a_subclass(make_client, flavour, transport):
    """A subclass that adds to each request in request(), as those for OAuth do, adds to the websocket's."""

    class Session(requests.Session):
        def request(self, method, url, headers=None, **kwargs):
            return super().request(method, url, headers={**headers, "Authorization": "Bearer fresh"}, **kwargs)

    with Session() as session:
        found = await asked(make_client(http_session=session), transport)
    assert {request.headers["authorization"] for request in found.shown} == {"Bearer fresh"}


@threads
async def test_credentials_that_a_function_makes(make_client, sessions, transport):
    """auth may be any function that is given the request."""

    def authorize(request):
        request.headers["X-Signature"] = hashlib.sha1(request.path_url.split("?")[0].encode()).hexdigest()
        return request

    found = await asked(make_client(http_session=sessions(auth=authorize)), transport)
    assert {request.headers["x-signature"] for request in found.shown} == {hashlib.sha1(b"/socket.io/").hexdigest()}


def _demands_digest(refused):
    async def script(request):
        if request.headers.get("authorization", "").startswith("Digest "):
            assert urllib.parse.quote(request.target, safe="/?&=.%") in request.headers["authorization"]
            return False
        refused.append(request)
        await request.answer("no", 401, 'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth", algorithm=MD5')
        return True

    return script


@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")
async def test_digest_authentication(make_client, sessions, flavour, transport):
    """Credentials that depend on the server's challenge are given over both transports."""
    if flavour.is_asyncio:
        if not hasattr(aiohttp, "DigestAuthMiddleware"):
            return  # of another version
        session = sessions(middlewares=(aiohttp.DigestAuthMiddleware("user", "password"),))
    else:
        session = sessions(auth=requests.auth.HTTPDigestAuth("user", "password"))
    refused = []
    await asked(make_client(http_session=session), transport, script=_demands_digest(refused))
    assert refused


@threads
async def test_passwords_of_the_environment(make_client, sessions, transport, tmp_path):
    """What ~/.netrc has for the host goes along, unless the session does not trust the environment."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login user password pass\n")
    (tmp_path / ".netrc").chmod(0o600)
    found = await asked(make_client(http_session=sessions()), transport)
    expected = "Basic " + base64.b64encode(b"user:pass").decode()
    assert {request.headers.get("authorization") for request in found.shown} == {expected}
    found = await asked(make_client(http_session=sessions(trust_env=False)), transport)
    assert {request.headers.get("authorization") for request in found.shown} == {None}


@threads
async def test_cookies_that_the_websocket_brings(make_client, sessions, transport):
    """A cookie that comes with the websocket's answer is kept by the session."""
    session = sessions()

    async def script(request):
        if request.is_websocket:
            await request.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
            accept = request.accept_websocket
            request.accept_websocket = lambda *headers: accept("Set-Cookie: from=websocket; Path=/", *headers)
        return False

    await asked(make_client(http_session=session), transport, script=script)
    assert session.cookies["from"] == "websocket"


# -- every setting of an aiohttp.ClientSession


class _Request(aiohttp.ClientRequest):
    """A request class of the application's."""


class _Response(aiohttp.ClientResponse):
    """A response class of the application's."""


class _WebSocket(aiohttp.ClientWebSocketResponse):
    """A websocket class of the application's."""


async def _raise(response):
    """Raise for an answer that is no success."""
    response.raise_for_status()


AIOHTTP = {
    "headers": (lambda: {"headers": {"X-Session": "yes"}}, lambda r: r.headers["x-session"] == "yes"),
    "cookies": (
        lambda: {"cookies": {"a": "1"}, "cookie_jar": aiohttp.CookieJar(unsafe=True)},
        lambda r: r.headers["cookie"] == "a=1",
    ),
    "cookie_jar": (lambda: {"cookie_jar": aiohttp.DummyCookieJar()}, None),
    "auth": (
        lambda: {"auth": aiohttp.BasicAuth("us@er", "p:w", encoding="utf-8")},
        lambda r: r.headers["authorization"] == "Basic dXNAZXI6cDp3",
    ),
    "skip_auto_headers": (lambda: {"skip_auto_headers": ["User-Agent"]}, lambda r: "user-agent" not in r.headers),
    "json_serialize": (lambda: {"json_serialize": repr}, None),
    "json_serialize_bytes": (lambda: {"json_serialize_bytes": lambda value: repr(value).encode()}, None),
    "request_class": (lambda: {"request_class": _Request}, None),
    "response_class": (lambda: {"response_class": _Response}, None),
    "ws_response_class": (lambda: {"ws_response_class": _WebSocket}, None),
    "version": (lambda: {"version": aiohttp.HttpVersion11}, None),
    "connector_owner": (lambda: {"connector_owner": True}, None),
    "raise_for_status": (lambda: {"raise_for_status": True}, None),
    "raise_for_status function": (lambda: {"raise_for_status": _raise}, None),
    "timeout": (lambda: {"timeout": aiohttp.ClientTimeout(total=0.0001, sock_connect=0.0001)}, None),
    "auto_decompress": (lambda: {"auto_decompress": False}, None),
    "trust_env": (lambda: {"trust_env": True}, None),
    "requote_redirect_url": (lambda: {"requote_redirect_url": False}, None),
    "read_bufsize": (lambda: {"read_bufsize": 64}, None),
    "max_line_size": (lambda: {"max_line_size": 500}, None),
    "max_field_size": (lambda: {"max_field_size": 500}, None),
    "max_headers": (lambda: {"max_headers": 20}, None),
    "fallback_charset_resolver": (lambda: {"fallback_charset_resolver": lambda response, body: "latin-1"}, None),
    "ssl_shutdown_timeout": (lambda: {"ssl_shutdown_timeout": 0}, None),
    "read_timeout": (lambda: {"read_timeout": 0.0001}, None),
    "conn_timeout": (lambda: {"conn_timeout": 0.0001}, None),
    "base_url": (lambda: {"base_url": "http://elsewhere.test/base/"}, None),
    "proxy": None,
    "proxy_auth": None,
    "trace_configs": None,
    "middlewares": None,
    "connector": None,
    "loop": None,
}
"""Settings, and whether a request shows them; those with a test of their own are ``None``."""


def _parameters(function):
    return set(inspect.signature(function).parameters) - {"self"}


@asyncio_only
def test_every_setting_of_an_aiohttp_session_has_a_test():
    """The table names all that a session of the installed version can be told."""
    assert _parameters(aiohttp.ClientSession.__init__) <= set(AIOHTTP)


@asyncio_only
@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")
@pytest.mark.parametrize("name", [name for name, row in AIOHTTP.items() if row])
async def test_settings_of_aiohttp(make_client, sessions, transport, name):
    """Each shows in the requests of both transports, and the websocket's is that of polling otherwise."""
    if name.split()[0] not in _parameters(aiohttp.ClientSession.__init__):
        return  # of another version
    if name == "base_url" and "middlewares" not in _parameters(aiohttp.ClientSession.__init__):
        return  # in which such a session takes no other URLs
    settings, shows = AIOHTTP[name]
    found = await asked(make_client(http_session=sessions(**settings())), transport)
    for request in found.shown:
        assert shows is None or shows(request), request


@asyncio_only
async def test_trace_configs(make_client, sessions, transport):
    """The session's tracers see the request for the websocket."""
    seen = []

    async def begin(session, context, params):
        seen.append(params.url.query["transport"])

    config = aiohttp.TraceConfig()
    config.on_request_start.append(begin)
    await asked(make_client(http_session=sessions(trace_configs=[config])), transport)
    assert "websocket" in seen


@asyncio_only
async def test_middlewares(make_client, sessions, transport):
    """The session's middlewares work on the request for the websocket."""

    if "middlewares" not in _parameters(aiohttp.ClientSession.__init__):
        return  # of another version

    async def sign(request, handler):
        request.headers["X-Signed"] = "yes"
        return await handler(request)

    found = await asked(make_client(http_session=sessions(middlewares=(sign,))), transport)
    assert {request.headers["x-signed"] for request in found.shown} == {"yes"}


CONNECTORS = {
    "use_dns_cache": False,
    "ttl_dns_cache": 0,
    "dns_cache_max_size": 1,
    "family": 2,
    "local_addr": ("127.0.0.9", 0),
    "keepalive_timeout": 0.01,
    "force_close": True,
    "limit": 1,
    "limit_per_host": 1,
    "enable_cleanup_closed": False,
    "timeout_ceil_threshold": 1,
    "happy_eyeballs_delay": None,
    "interleave": 1,
    "ssl_shutdown_timeout": 0,
    "ssl": False,
}
ELSEWHERE = {"verify_ssl", "fingerprint", "ssl_context", "resolver", "socket_factory", "loop"}
"""What is deprecated in favour of ``ssl``, which tests/faults/test_tls_rules.py and this file test, or tested below."""


@asyncio_only
def test_every_setting_of_an_aiohttp_connector_has_a_test():
    """The tables name all that a connector of the installed version can be told."""
    assert _parameters(aiohttp.TCPConnector.__init__) <= {*CONNECTORS, *ELSEWHERE}


@asyncio_only
@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")
@pytest.mark.parametrize("name", CONNECTORS)
async def test_settings_of_connectors(make_client, sessions, transport, name):
    """A connector's settings serve both transports."""
    if name not in _parameters(aiohttp.TCPConnector.__init__):
        return  # of another version
    options = {name: CONNECTORS[name]}
    if name == "keepalive_timeout":
        options["force_close"] = False
    connector = aiohttp.TCPConnector(**options)
    found = await asked(make_client(http_session=sessions(connector)), transport)
    if name == "local_addr":
        peers = {request.writer.get_extra_info("peername")[0] for request in found.shown}
        assert peers == {"127.0.0.9"}


@asyncio_only
async def test_a_resolver(make_client, sessions, transport):
    """The connector's resolver finds the host for both transports."""

    class Resolver(aiohttp.abc.AbstractResolver):
        async def resolve(self, host, port=0, family=0):
            assert host == "only.known.here"
            info = {"hostname": host, "host": "127.0.0.1", "port": port, "family": 2, "proto": 0, "flags": 0}
            return [info]

        async def close(self):
            pass

    session = sessions(aiohttp.TCPConnector(resolver=Resolver()))
    found = await asked(make_client(http_session=session), transport, "http://only.known.here:{port}")
    assert {request.headers["host"].partition(":")[0] for request in found.shown} == {"only.known.here"}


@asyncio_only
@pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning")
@pytest.mark.parametrize("public", [False, True])
async def test_a_websocket_by_the_public_way(make_client, flavour, transport, monkeypatch, public):
    """A session with a ws_connect() of its own is asked by that, and so is any, should aiohttp change inside."""
    asked_for = []

    class Session(aiohttp.ClientSession):
        def ws_connect(self, url, **options):
            asked_for.append(url)
            return super().ws_connect(url, **options)

    if public:
        monkeypatch.setattr(compat, "SET_PARSER", "gone")
    session = aiohttp.ClientSession() if public else Session()
    sio = make_client(http_session=session)
    found = await asked(sio, transport, headers={"X-Text": "yes"})
    assert found.websocket.headers["x-text"] == "yes"
    assert public or asked_for
    await session.close()


# -- connections that polling cannot do without


async def test_a_session_with_one_connection(make_client, sessions, flavour, transport):
    """Polling waits for packets over one connection while it sends over another; a session that allows one is told."""
    if flavour.is_asyncio:
        session = sessions(aiohttp.TCPConnector(limit=1))
    else:
        session = sessions()
        session.mount("http://", HTTPAdapter(pool_maxsize=1, pool_block=True))
    await asked(make_client(http_session=session), transport)
    if transport.name == "upgrade":
        transport = type(transport)("polling", ["polling"], "polling")
        with pytest.raises(exceptions.ConnectionError, match="two connections"):
            await asked(make_client(http_session=session), transport)


# -- certificates


def _trusting(sessions, flavour, file, cert=None):
    if flavour.is_asyncio:
        context = ssl.create_default_context(cafile=file)
        if cert:
            context.load_cert_chain(cert)
        return sessions(aiohttp.TCPConnector(ssl=context))
    session = sessions()
    session.verify, session.cert = file, cert
    return session


async def test_a_bundle(make_client, sessions, flavour, authority, transport):
    """What a session trusts, the websocket trusts."""
    session = _trusting(sessions, flavour, authority.file)
    await asked(make_client(http_session=session), transport, tls=authority.context)


@threads
@pytest.mark.parametrize("own", [True, False])
async def test_the_bundle_that_requests_brings(make_client, sessions, authority, transport, monkeypatch, own):
    """Without a word of the application, requests trusts the bundle of certifi, and so does the websocket.

    OpenSSL's own is another one, or none: on macOS, on Alpine, in programs of PyInstaller.
    """
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", authority.file)
    loaded = create_urllib3_context()  # as requests 2.32.2 has it
    loaded.load_verify_locations(authority.file)
    monkeypatch.setattr("requests.adapters._preloaded_ssl_context", loaded, raising=False)
    for bundle in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(bundle, raising=False)
    session = {"http_session": sessions()} if own else {}
    try:
        await asked(make_client(**session), transport, tls=authority.context)
    finally:
        monkeypatch.undo()


@threads
async def test_a_bundle_of_the_environment(make_client, authority, transport, monkeypatch):
    """REQUESTS_CA_BUNDLE is heeded over both transports, unless the session does not trust the environment."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", authority.file)
    await asked(make_client(), transport, tls=authority.context)


@threads
async def test_an_environment_that_is_not_trusted(make_client, sessions, authority, transport, monkeypatch):
    """A session that does not trust the environment does not take a bundle from it, over no transport."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", authority.file)
    with pytest.raises(exceptions.ConnectionError, match=r"(?i)certificate"):
        await asked(make_client(http_session=sessions(trust_env=False)), transport, tls=authority.context)


async def test_a_client_certificate(make_client, sessions, flavour, authority, transport):
    """A certificate of the session is shown over both transports."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    session = _trusting(sessions, flavour, authority.file, authority.client)
    found = await asked(make_client(http_session=session), transport, tls=context)
    assert found.all  # the server requires one


# -- URLs


@pytest.mark.parametrize(
    ("suffix", "query"),
    [
        ("?name=Jürgen Müller", {"name": "Jürgen Müller"}),
        ("?name=J%C3%BCrgen+M%C3%BCller", {"name": "Jürgen Müller"}),
        ('?filter={"a":[1,2]}', {"filter": '{"a":[1,2]}'}),
        ("?a=1&b=%26&c=%2B", {"a": "1", "b": "&", "c": "+"}),
        ("?q=日本&t2=<x>", {"q": "日本", "t2": "<x>"}),
        ("/?a=b#fragment", {"a": "b"}),
    ],
)
async def test_a_query_is_quoted(make_client, transport, suffix, query):
    """A query may be written as people read it."""
    found = await asked(make_client(), transport, "{url}" + suffix)
    for request in found.shown:
        assert request.target.isascii()
        assert {name: request.query.get(name) for name in query} == query


@pytest.mark.parametrize("path", ["räume/socket.io", "a b", "/x%20y/"])
async def test_a_path_is_quoted(make_client, transport, path):
    """So may socketio_path."""
    found = await asked(make_client(), transport, socketio_path=path)
    expected = "/" + urllib.parse.quote(urllib.parse.unquote(path.strip("/"))) + "/"
    assert {urllib.parse.urlsplit(request.target).path for request in found.shown} == {expected}


async def test_an_international_host(make_client, transport, names):
    """The name of a host may have any letters: Host, and what is looked up, are ASCII."""
    found = await asked(make_client(), transport, "http://bücher.test:{port}")
    for request in found.shown:
        assert request.headers["host"].partition(":")[0] == "xn--bcher-kva.test"
    assert {name for name in names if name.endswith("test")} == {"xn--bcher-kva.test"}


async def test_an_international_host_with_tls(make_client, sessions, flavour, authority, transport, names):
    """And so is the name that TLS asks for."""
    asked_for = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("xn--bcher-kva.test").configure_cert(context)
    context.sni_callback = lambda connection, name, context: asked_for.append(name)
    session = _trusting(sessions, flavour, authority.file)
    await asked(make_client(http_session=session), transport, "https://BÜCHER.test:{port}", tls=context)
    assert set(asked_for) == {"xn--bcher-kva.test"}


async def test_credentials_in_the_url(make_client, transport):
    """User and password go in the header over both transports, and nowhere else."""
    found = await asked(make_client(), transport, "http://us%40er:p%3Aw@127.0.0.1:{port}")
    expected = "Basic " + base64.b64encode(b"us@er:p:w").decode()
    for request in found.shown:
        assert request.headers["authorization"] == expected
        assert "@" not in request.headers["host"] + request.target


# -- proxies


async def _through(proxy, sio, transport, url="{url}", **arguments):
    """Return whether a client goes by the proxy; fail where its transports go different ways."""
    found = await asked(sio, transport, url, **arguments)
    ways = {request.writer.get_extra_info("peername") in proxy.ways for request in found.shown}
    assert len(ways) == 1, "one transport goes by the proxy, the other does not"
    return ways.pop()


async def test_a_proxy_of_the_session(make_client, sessions, flavour, transport):
    """Both transports go by the proxy of the session, with its credentials."""
    async with HttpProxy() as proxy:
        address = f"http://user:secret@127.0.0.1:{proxy.port}"
        settings = {"proxy": address} if flavour.is_asyncio else {"proxies": {"http": address}}
        through = await _through(proxy, make_client(http_session=sessions(**settings)), transport)
        assert through
        expected = "Basic " + base64.b64encode(b"user:secret").decode()
        assert {request.headers.get("proxy-authorization") for request in proxy.requests} == {expected}


@threads
async def test_credentials_for_a_proxy_stay_with_it(make_client, sessions, transport):
    """The server sees nothing of them."""
    async with HttpProxy() as proxy:
        session = sessions(proxies={"http": f"http://user:secret@127.0.0.1:{proxy.port}"})
        found = await asked(make_client(http_session=session), transport)
        assert "proxy-authorization" not in found.websocket.headers
        assert found.websocket.target.startswith("/socket.io/")


async def test_a_proxy_with_tls_behind_it(make_client, sessions, flavour, authority, transport):
    """A tunnel through the proxy is verified as any other connection."""
    async with HttpProxy() as proxy:
        address = f"http://127.0.0.1:{proxy.port}"
        session = _trusting(sessions, flavour, authority.file)
        if flavour.is_asyncio:
            session = sessions(session.connector, proxy=address, connector_owner=False)
        else:
            session.proxies["https"] = address
        await asked(make_client(http_session=session), transport, tls=authority.context)
        assert {request.method for request in proxy.requests} == {"CONNECT"}
        assert len(proxy.requests) >= 1


def _of_environment(sessions, flavour):
    """Return a session that takes proxies from the environment: aiohttp's does so when it is told to."""
    return sessions(trust_env=True) if flavour.is_asyncio else sessions()


@pytest.mark.parametrize(
    ("no_proxy", "host", "goes"),
    [
        (None, "a.example.test", True),
        ("other.test", "a.example.test", True),
        ("example.test", "a.example.test", False),
        (".example.test", "a.example.test", False),
        ("example.test", "example.test", False),
        ("ample.test", "example.test", None),
        ("*", "a.example.test", False),
        ("127.0.0.1", "127.0.0.1", False),
        ("localhost,127.0.0.1", "127.0.0.1", False),
    ],
)
async def test_proxies_of_the_environment(
    make_client, sessions, flavour, transport, monkeypatch, names, no_proxy, host, goes
):
    """http_proxy holds for both transports, and so does NO_PROXY, with domains and all that is in them."""
    async with HttpProxy() as proxy:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        if no_proxy is not None:
            monkeypatch.setenv("no_proxy", no_proxy)
        sio = make_client(http_session=_of_environment(sessions, flavour))
        through = await _through(proxy, sio, transport, f"http://{host}:{{port}}")
        if goes is not None:
            assert through is goes


@threads
@pytest.mark.parametrize(("port", "goes"), [("{port}", False), ("1", True)])
async def test_a_port_that_no_proxy_names(make_client, transport, monkeypatch, names, port, goes):
    """NO_PROXY may name one port of a host, over both transports."""
    peer = UpgradingPeer()
    async with HttpProxy() as proxy, RawServer(peer) as server:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("no_proxy", "a.test:" + port.format(port=server.port))
        sio = make_client()
        await within(CEILING, sio.connect(f"http://a.test:{server.port}", transports=transport.argument))
        peer.connected.set()
        await sio.disconnect()
        assert bool(proxy.requests) is goes


async def test_an_environment_that_does_not_count(make_client, sessions, flavour, transport, monkeypatch):
    """A session with trust_env=False goes by no proxy of the environment, over no transport."""
    for name in ("http_proxy", "ws_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    await asked(make_client(http_session=sessions(trust_env=False)), transport)


@pytest.mark.transports("websocket")
async def test_a_proxy_for_websockets_only(make_client, sessions, flavour, transport, monkeypatch):
    """ws_proxy, where the environment has it, is for the websocket."""
    async with HttpProxy() as proxy:
        monkeypatch.setenv("ws_proxy", f"http://127.0.0.1:{proxy.port}")
        through = await _through(proxy, make_client(http_session=_of_environment(sessions, flavour)), transport)
        assert through


@threads
@pytest.mark.parametrize("option", [{}, {"http_proxy_auth": ("user", "secret")}, {"http_no_proxy": ["127.0.0.1"]}])
async def test_a_proxy_of_the_extra_options(make_client, transport, option):
    """websocket_extra_options may name a proxy for the websocket alone."""
    async with HttpProxy() as proxy:
        options = {"http_proxy_host": "127.0.0.1", "http_proxy_port": proxy.port, **option}
        await asked(make_client(websocket_extra_options=options), transport)
        assert [request.method for request in proxy.requests] == [] if "http_no_proxy" in option else ["CONNECT"]


@threads
@pytest.mark.parametrize(("scheme", "named"), [("socks5", False), ("socks5h", True)])
async def test_a_socks_proxy(make_client, sessions, transport, names, scheme, named):
    """A SOCKS proxy of the session serves both transports; with socks5h it looks the name up."""
    async with SocksProxy() as proxy:
        session = sessions(proxies={"http": f"{scheme}://127.0.0.1:{proxy.port}"})
        assert await _through(proxy, make_client(http_session=session), transport, "http://a.test:{port}")
        assert bool(proxy.names) is named


@threads
async def test_a_socks_proxy_of_the_extra_options(make_client, transport):
    """websocket_extra_options may name one, as websocket-client has it."""
    async with SocksProxy() as proxy:
        options = {"http_proxy_host": "127.0.0.1", "http_proxy_port": proxy.port, "proxy_type": "socks5"}
        await asked(make_client(websocket_extra_options=options), transport)
        assert proxy.ways


# -- TLS options for the websocket alone


@threads
@pytest.mark.transports("websocket")
@pytest.mark.parametrize("proxied", [False, True])
async def test_tls_options_for_the_websocket(make_client, authority, transport, proxied):
    """sslopt holds for the websocket, with a proxy of the options too."""
    options = {"sslopt": {"ca_certs": authority.file}}
    async with HttpProxy() as proxy:
        if proxied:
            options |= {"http_proxy_host": "127.0.0.1", "http_proxy_port": proxy.port}
        await asked(make_client(websocket_extra_options=options), transport, tls=authority.context)
        assert bool(proxy.ways) is proxied


@threads
@pytest.mark.transports("websocket")
async def test_tls_options_that_trust_another_authority(make_client, sessions, authority, transport):
    """What sslopt says of the authority wins over the session's."""
    session = sessions(verify=authority.file)
    options = {"sslopt": {"ca_certs": requests.certs.where()}}
    sio = make_client(http_session=session, websocket_extra_options=options)
    with pytest.raises(exceptions.ConnectionError, match=r"(?i)certificate"):
        await asked(sio, transport, tls=authority.context)


@threads
@pytest.mark.transports("websocket")
@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
async def test_tls_options_do_not_stay_with_the_session(make_client, sessions, authority, transport):
    """A websocket without verification, refused by the server, leaves no connection that polling would use."""
    session = sessions()
    options = {"sslopt": {"cert_reqs": ssl.CERT_NONE}}

    async def refuse(request):
        await request.answer("no", 403)

    async with RawServer(refuse, authority.context) as server:
        sio = make_client(http_session=session, websocket_extra_options=options)
        with pytest.raises(exceptions.ConnectionError, match="403"):
            await within(CEILING, sio.connect(server.url, transports="websocket"))
        sio = make_client(http_session=session)
        for transports in ("polling", "websocket"):
            with pytest.raises(exceptions.ConnectionError, match=r"(?i)certificate"):
                await within(CEILING, sio.connect(server.url, transports=transports))
        assert len(server.requests) == 1


@threads
@pytest.mark.transports("websocket")
async def test_a_name_that_tls_asks_for(make_client, sessions, authority, transport):
    """server_hostname in sslopt is what TLS asks for, and what the certificate has to be for."""
    asked_for = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("other.test").configure_cert(context)
    context.sni_callback = lambda connection, name, context: asked_for.append(name)
    options = {"sslopt": {"ca_certs": authority.file, "server_hostname": "other.test"}}
    await asked(make_client(websocket_extra_options=options), transport, tls=context)
    assert asked_for == ["other.test"]


@threads
@pytest.mark.transports("websocket")
async def test_tls_options_and_another_host(make_client, authority, transport):
    """With options of its own, too, a certificate has to be for the host."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("other.test", "127.0.0.2").configure_cert(context)
    for url in ("https://127.0.0.1:{port}", "https://localhost:{port}"):
        sio = make_client(websocket_extra_options={"sslopt": {"ca_certs": authority.file}})
        with pytest.raises(exceptions.ConnectionError, match=r"(?i)mismatch|not valid for|match"):
            await asked(sio, transport, url, tls=context)


@threads
@pytest.mark.transports("websocket")
async def test_options_of_the_socket(make_client, transport):
    """sockopt and socket are those of the connection."""
    options = {"sockopt": [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]}
    found = await asked(make_client(websocket_extra_options=options), transport)
    assert found.websocket
    peer = UpgradingPeer()
    async with RawServer(peer) as server:
        given = socket.create_connection(("127.0.0.1", server.port))
        address = given.getsockname()
        sio = make_client(websocket_extra_options={"socket": given})
        await within(CEILING, sio.connect("http://a.invalid", transports="websocket"))
        peer.connected.set()
        await sio.disconnect()
        assert server.requests[0].writer.get_extra_info("peername") == address
        assert server.requests[0].headers["host"] == "a.invalid"
