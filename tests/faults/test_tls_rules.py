"""TLS: what is demanded of a server over polling is demanded over websocket, or the websocket is refused."""

from __future__ import annotations

import asyncio
import datetime
import hashlib
import ssl
import time
from typing import Any

import aiohttp
import pytest
import requests
import trustme
from requests.adapters import BaseAdapter, HTTPAdapter

from integration.waiting import CEILING, within
from socketio import exceptions

from .watching import Lines

HOUR = datetime.timedelta(hours=1)


class Hosts:
    """A TLS server for each certificate, all of one authority."""

    def __init__(self, folder, servers):
        self.authority = trustme.CA()
        self.ca = str(folder / "ca.pem")
        self.authority.cert_pem.write_to_path(self.ca)
        self._folder, self._servers = folder, servers

    def serve(self, *names, **options):
        """Return a server with a certificate for these names, and the fingerprint of that."""
        number = len(list(self._folder.iterdir()))
        issued = self.authority.issue_cert(*names, **options)
        cert, key = (str(self._folder / f"{kind}-{number}.pem") for kind in ("cert", "key"))
        for pem in issued.cert_chain_pems:
            pem.write_to_path(cert, append=True)
        issued.private_key_pem.write_to_path(key)
        server = self._servers("testing", tls={"cert": cert, "key": key, "client_ca": None})
        der = ssl.PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode())
        return server, hashlib.sha256(der).digest()


@pytest.fixture(scope="module")
def hosts(tmp_path_factory, servers):
    return Hosts(tmp_path_factory.mktemp("hosts"), servers)


@pytest.fixture(scope="module")
def good(hosts):
    """A server with a good certificate, and its fingerprint."""
    return hosts.serve("127.0.0.1", "localhost")


@pytest.fixture
async def make_session(flavour, hosts):
    """Return a function that makes a session which trusts the authority; closed after the test."""
    sessions = []

    def make(adapter=None, connector=None):
        if flavour.is_asyncio:
            context = ssl.create_default_context(cafile=hosts.ca)
            session = aiohttp.ClientSession(connector=connector or aiohttp.TCPConnector(ssl=context))
        else:
            session = requests.Session()
            session.verify = hosts.ca
            if adapter is not None:
                session.mount("https://", adapter)
        sessions.append(session)
        return session

    yield make
    await flavour.close()
    for session in sessions:
        closing = session.close()
        if closing is not None:
            await closing
    # aiohttp's close() does not wait until TLS connections are closed, and leaves that to the program.
    selector: Any = getattr(asyncio.get_running_loop(), "_selector", None)
    deadline = time.monotonic() + CEILING
    while selector is not None and len(selector.get_map()) > 1 and time.monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.001)  # nothing tells when


async def _is_refused(sio, server, transport, match):
    with pytest.raises(exceptions.ConnectionError, match=match) as caught:
        await within(CEILING, sio.connect(server.url, transports=transport.argument))
    assert caught.value.__cause__ is not None
    assert not sio.connected


@pytest.mark.parametrize(
    ("names", "options", "reason"),
    [
        (["example.org"], {}, r"(?i)mismatch|not valid for"),
        (["10.0.0.1", "localhost"], {}, r"(?i)mismatch|not valid for"),
        (
            ["127.0.0.1"],
            {
                "not_before": datetime.datetime.now(datetime.timezone.utc) - 48 * HOUR,
                "not_after": datetime.datetime.now(datetime.timezone.utc) - HOUR,
            },
            "(?i)expired",
        ),
        (
            ["127.0.0.1"],
            {
                "not_before": datetime.datetime.now(datetime.timezone.utc) + 24 * HOUR,
                "not_after": datetime.datetime.now(datetime.timezone.utc) + 48 * HOUR,
            },
            "(?i)not yet valid",
        ),
    ],
    ids=["another name", "another address", "expired", "not yet valid"],
)
async def test_a_certificate_that_is_not_good(make_client, make_session, hosts, transport, names, options, reason):
    """A certificate of a trusted authority, but for another host or time, is refused, and the error says why."""
    server, _ = hosts.serve(*names, **options)
    await _is_refused(make_client(http_session=make_session()), server, transport, reason)


class FingerprintAdapter(HTTPAdapter):
    """As that of requests_toolbelt."""

    def __init__(self, fingerprint):
        self.fingerprint = fingerprint
        super().__init__()

    def init_poolmanager(self, *args, **kwargs):
        super().init_poolmanager(*args, assert_fingerprint=self.fingerprint, **kwargs)


class ContextAdapter(HTTPAdapter):
    """An adapter with an SSL context of its own."""

    def __init__(self, context):
        self.context = context
        super().__init__()

    def init_poolmanager(self, *args, **kwargs):
        super().init_poolmanager(*args, ssl_context=self.context, **kwargs)


def _pinned(flavour, make_session, fingerprint):
    if flavour.is_asyncio:
        return make_session(connector=aiohttp.TCPConnector(ssl=aiohttp.Fingerprint(fingerprint)))
    return make_session(FingerprintAdapter(fingerprint.hex()))


async def test_a_pinned_certificate(make_client, make_session, flavour, good, transport):
    """A session that pins the server's certificate connects over every transport."""
    server, fingerprint = good
    sio = make_client(http_session=_pinned(flavour, make_session, fingerprint))
    await within(CEILING, sio.connect(server.url, transports=transport.argument))
    assert sio.transport() == transport.final
    assert await sio.call("echo", b"x" * 100_000) == b"x" * 100_000


async def test_another_pinned_certificate(make_client, make_session, flavour, good, transport):
    """A session that pins another certificate connects over no transport, whoever has signed the server's."""
    server, fingerprint = good
    other = hashlib.sha256(fingerprint).digest()
    sio = make_client(http_session=_pinned(flavour, make_session, other))
    await _is_refused(sio, server, transport, "(?i)fingerprint")


@pytest.mark.flavours("threads")
@pytest.mark.parametrize("trusted", [True, False])
async def test_an_adapter_with_a_context(make_client, make_session, hosts, good, transport, trusted):
    """The SSL context of a session's adapter decides over websocket as it does over polling."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not trusted:
        context.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")  # the server's certificate has no RSA key
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    sio = make_client(http_session=make_session(ContextAdapter(context)))
    if trusted:
        await within(CEILING, sio.connect(good[0].url, transports=transport.argument))
        assert sio.transport() == transport.final
        assert await sio.call("echo", 1) == 1
    else:
        await _is_refused(sio, good[0], transport, "SSL")


@pytest.mark.flavours("threads")
async def test_an_adapter_that_connects_in_its_own_way(make_client, make_session, good):
    """An adapter whose rules cannot be known opens no websocket."""

    class OwnAdapter(BaseAdapter):
        def close(self):
            pass

    sio = make_client(http_session=make_session(OwnAdapter()))
    with pytest.raises(exceptions.ConnectionError, match="OwnAdapter"):
        await within(CEILING, sio.connect(good[0].url, transports="websocket"))


@pytest.mark.flavours("threads")
@pytest.mark.parametrize("transports", ["websocket", None])
async def test_options_that_would_void_a_pin(make_client, make_session, flavour, good, transports):
    """TLS options for the websocket do not stand beside an adapter that pins: no websocket is opened with them."""
    lines = Lines()
    server, fingerprint = good
    sio = make_client(
        http_session=_pinned(flavour, make_session, fingerprint),
        websocket_extra_options={"sslopt": {"cert_reqs": ssl.CERT_NONE, "check_hostname": False}},
        engineio_logger=lines.logger,
    )
    if transports == "websocket":
        with pytest.raises(exceptions.ConnectionError, match="sslopt"):
            await within(CEILING, sio.connect(server.url, transports=transports))
        return
    await within(CEILING, sio.connect(server.url, transports=transports))
    assert sio.transport() == "polling"
    assert len(lines.warnings) == 1


def _unverified_context():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _unchecked_context(ca):
    context = ssl.create_default_context(cafile=ca)
    context.check_hostname = False
    return context


@pytest.mark.parametrize("kind", ["no verification", "a context", "no host name"])
async def test_no_upgrade_to_an_unverified_websocket(make_client, make_session, flavour, hosts, good, kind):
    """A client whose polling is verified stays on polling where its websocket would not be."""
    options = {
        ("no verification", True): {"ssl": False},
        ("a context", True): {"ssl": _unverified_context()},
        ("no host name", True): {"ssl": _unchecked_context(hosts.ca)},
        ("no verification", False): {"sslopt": {"cert_reqs": ssl.CERT_NONE, "check_hostname": False}},
        ("a context", False): {"sslopt": {"context": _unverified_context()}},
        ("no host name", False): {"sslopt": {"check_hostname": False}},
    }
    lines = Lines()
    sio = make_client(
        http_session=make_session(),
        websocket_extra_options=options[kind, flavour.is_asyncio],
        engineio_logger=lines.logger,
    )
    await within(CEILING, sio.connect(good[0].url))
    assert sio.transport() == "polling"
    assert len(lines.warnings) == 1
    assert "verified" in lines.warnings[0]


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
async def test_an_unverified_connection_upgrades(make_client, flavour, good):
    """Where verification is switched off for all, the websocket options may say so once more."""
    options = (
        {"ssl": False} if flavour.is_asyncio else {"sslopt": {"cert_reqs": ssl.CERT_NONE, "check_hostname": False}}
    )
    sio = make_client(ssl_verify=False, websocket_extra_options=options)
    await within(CEILING, sio.connect(good[0].url))
    assert sio.transport() == "websocket"
