"""TLS: certificates are verified unless the application says otherwise, on every transport."""

from __future__ import annotations

import asyncio
import ssl

import aiohttp
import pytest
import requests

from socketio import exceptions

from .waiting import within


@pytest.fixture(params=["node", "python", "testing"])
def tls_server(request, servers, tls):
    """A server of each kind, behind TLS."""
    return servers(request.param, tls=tls.server_options())


@pytest.fixture
def demanding_server(servers, tls):
    """A server that asks for a client certificate."""
    return servers("node", tls=tls.server_options(client_ca=True))


@pytest.fixture
async def make_session(flavour):
    """Return a function that makes a session of the flavour's HTTP library, closed after the test."""
    sessions = []

    def make(verify, cert=None):
        if not flavour.is_asyncio:
            session = requests.Session()
            session.verify, session.cert = verify, cert
        elif verify is False:
            session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False))
        else:
            context = ssl.create_default_context(cafile=verify)
            if cert is not None:
                context.load_cert_chain(*cert)
            session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context))
        sessions.append(session)
        return session

    yield make
    await flavour.close()
    for session in sessions:
        closing = session.close()
        if closing is not None:
            await closing


async def test_certificates_are_verified_by_default(make_client, tls_server, transport, recorder):
    """A certificate of an unknown authority is refused. (M6)"""
    sio = make_client()
    sio.on("connect_error", recorder.handler("connect_error"))
    with pytest.raises(exceptions.ConnectionError, match=r"(?i)certificate"):
        await within(5, sio.connect(tls_server.url, transports=transport.argument))
    assert len(recorder.calls) == 1


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
async def test_verification_can_be_switched_off(make_client, tls_server, transport):
    """ssl_verify=False accepts any certificate; the host name is not checked either. (M6)"""
    sio = make_client(ssl_verify=False)
    await sio.connect(tls_server.url, transports=transport.argument)
    assert sio.transport() == transport.final
    assert await sio.call("echo", b"secret") == b"secret"


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
async def test_no_environment_variable_switches_it_on_again(
    make_client, tls_server, transport, tls, monkeypatch, variable
):
    """ssl_verify=False skips verification whatever the variables for CA bundles name. (N38)"""
    monkeypatch.setenv(variable, tls.other_ca)
    sio = make_client(ssl_verify=False)
    await sio.connect(tls_server.url, transports=transport.argument)
    assert await sio.call("echo", 1) == 1


async def test_a_session_with_an_authority_of_its_own(make_client, make_session, tls_server, tls, transport):
    """A session that knows the authority is used on every transport; wss: URLs mean the same as https:. (M6, M5, M3)"""
    sio = make_client(http_session=make_session(tls.ca))
    for url in (tls_server.url, tls_server.url.replace("https", "wss")):
        await sio.connect(url, transports=transport.argument)
        assert sio.transport() == transport.final
        assert await sio.call("echo", 1) == 1
        await sio.disconnect()


async def test_a_session_with_another_authority(make_client, make_session, tls_server, tls, transport):
    """A session that knows another authority refuses the server. (M6)"""
    sio = make_client(http_session=make_session(tls.other_ca))
    with pytest.raises(exceptions.ConnectionError, match=r"(?i)certificate"):
        await within(5, sio.connect(tls_server.url, transports=transport.argument))


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
async def test_a_session_that_verifies_nothing(make_client, make_session, tls_server, transport):
    """A session with verification switched off works on every transport. (M6)"""
    sio = make_client(http_session=make_session(False))
    await sio.connect(tls_server.url, transports=transport.argument)
    assert sio.transport() == transport.final
    assert await sio.call("echo", 1) == 1


async def test_a_client_certificate(make_client, make_session, demanding_server, tls, transport):
    """The session's client certificate is shown, on every transport; without one the server refuses. (M6)"""
    sio = make_client(http_session=make_session(tls.ca, (tls.client_cert, tls.client_key)))
    await sio.connect(demanding_server.url, transports=transport.argument)
    assert sio.transport() == transport.final
    assert await sio.call("echo", 1) == 1
    stranger = make_client(http_session=make_session(tls.ca))
    with pytest.raises(exceptions.ConnectionError):
        await within(5, stranger.connect(demanding_server.url, transports=transport.argument))


async def test_both_directions_at_once(make_client, make_session, tls_server, tls, transport, recorder):
    """Sending and receiving at the same time through TLS loses nothing and breaks nothing. (DESIGN 6, M8)"""
    sio = make_client(http_session=make_session(tls.ca))
    sio.on("item", lambda i, data: recorder.record("item", i, len(data)))
    await sio.connect(tls_server.url, transports=transport.argument)
    await sio.emit("burst_binary", (100, 10_000))
    answers = await asyncio.gather(*(sio.call("echo", (i, b"x" * 10_000)) for i in range(50)))
    assert answers == [(i, b"x" * 10_000) for i in range(50)]
    await recorder.wait_for("item", 100)
    assert recorder.of("item") == [(i, 10_000) for i in range(100)]


async def test_megabytes_through_tls(make_client, make_session, tls_server, tls, transport):
    """Large messages pass in both directions. (M8)"""
    sio = make_client(http_session=make_session(tls.ca))
    await sio.connect(tls_server.url, transports=transport.argument)
    data = bytes(range(256)) * 8000
    assert await sio.call("echo", data) == data


@pytest.mark.servers("node")
async def test_plain_http_to_a_tls_server(make_client, servers, tls, transport):
    """An http: URL of a TLS server is a ConnectionError, in time. (C6)"""
    url = servers("node", tls=tls.server_options()).url
    sio = make_client(request_timeout=2)
    with pytest.raises(exceptions.ConnectionError):
        await within(5, sio.connect(url.replace("https", "http"), transports=transport.argument))
