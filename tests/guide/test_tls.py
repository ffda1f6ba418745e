"""Guide: "TLS/SSL Support", of the simple and the event-driven clients."""

from __future__ import annotations

import asyncio
import os
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import certifi
import pytest
import requests
import trustme

import socketio
from socketio.exceptions import ConnectionError
from socketio.testing import Server

from .waiting import CEILING

TRANSPORTS = pytest.mark.parametrize("transports", [None, "polling", "websocket"])


@dataclass(frozen=True)
class Authority:
    """A certificate authority of our own, and paths of PEM files that come from it."""

    authority: trustme.CA
    ca: str
    cert: str
    key: str

    def serve(self, client_certificates: bool = False) -> Server:
        """Return a server with a certificate of this authority, which may ask its clients for theirs."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
        if client_certificates:
            context.verify_mode = ssl.CERT_REQUIRED
            self.authority.configure_trust(context)
        return Server(ssl_context=context)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority with a certificate for a client."""
    folder = tmp_path_factory.mktemp("tls")
    made = Authority(trustme.CA(), *(str(folder / name) for name in ("ca.pem", "cert.pem", "key.pem")))
    client = made.authority.issue_cert("client@example.org")
    made.authority.cert_pem.write_to_path(made.ca)
    client.private_key_pem.write_to_path(made.key)
    for index, pem in enumerate(client.cert_chain_pems):
        pem.write_to_path(made.cert, append=index > 0)
    return made


@pytest.fixture(scope="module")
def secure(authority: Authority) -> Iterator[Server]:
    """A server of https."""
    with authority.serve() as server:
        yield server


@pytest.fixture(scope="module")
def strict(authority: Authority) -> Iterator[Server]:
    """A server of https that wants a certificate from its clients."""
    with authority.serve(client_certificates=True) as server:
        yield server


@asynccontextmanager
async def session(connector: aiohttp.TCPConnector) -> AsyncIterator[aiohttp.ClientSession]:
    """Make a session and close it, with all of its connections.

    aiohttp's ``close()`` does not wait until TLS connections are closed, and leaves that to the program.
    """
    async with aiohttp.ClientSession(connector=connector) as session:
        yield session
    selector: Any = getattr(asyncio.get_running_loop(), "_selector", None)
    deadline = time.monotonic() + CEILING
    while selector is not None and len(selector.get_map()) > 1 and time.monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.001)  # nothing tells when


@TRANSPORTS
def test_certificates_are_verified(secure: Server, sio: socketio.Client, transports: str | None) -> None:
    """The server's certificate is verified by default."""
    with pytest.raises(ConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
        sio.connect(secure.url, transports=transports)
    with socketio.SimpleClient() as simple:
        with pytest.raises(ConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
            simple.connect(secure.url, transports=transports)


@TRANSPORTS
async def test_certificates_are_verified_with_asyncio(
    secure: Server, async_sio: socketio.AsyncClient, transports: str | None
) -> None:
    """The server's certificate is verified by default."""
    with pytest.raises(ConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
        await async_sio.connect(secure.url, transports=transports)
    async with socketio.AsyncSimpleClient() as simple:
        with pytest.raises(ConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
            await simple.connect(secure.url, transports=transports)


TRUSTING_PROGRAM = """
import asyncio, sys, socketio

url = sys.argv[1]
with socketio.SimpleClient() as sio:
    sio.connect(url)
    print(sio.transport)

async def main():
    async with socketio.AsyncSimpleClient() as sio:
        await sio.connect(url)
        print(sio.transport)

asyncio.run(main())
"""


def test_a_certificate_that_the_system_trusts_needs_no_option(secure: Server, authority: Authority) -> None:
    """An ``https://`` URL is enough, for both flavours, where the authority is one of the system's."""
    environment = {**os.environ, "REQUESTS_CA_BUNDLE": authority.ca, "SSL_CERT_FILE": authority.ca}
    # Python 3.10's TLS transports do not know that they were aborted, which is how aiohttp closes them.
    warnings = ["-W", "error", "-W", "ignore:unclosed transport <asyncio.sslproto:ResourceWarning"]
    command = [sys.executable, *warnings, "-c", TRUSTING_PROGRAM, secure.url]
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert (finished.stdout.split(), finished.stderr) == (["websocket", "websocket"], "")


@TRANSPORTS
@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_verification_can_be_switched_off(secure: Server, transports: str | None) -> None:
    """A session with ``verify = False`` accepts any certificate; urllib3 warns of it, over polling."""
    with requests.Session() as http_session:
        http_session.verify = False
        sio = socketio.Client(http_session=http_session)
        sio.connect(secure.url, transports=transports)
        assert sio.connected
        sio.disconnect()


@TRANSPORTS
async def test_verification_can_be_switched_off_with_asyncio(secure: Server, transports: str | None) -> None:
    """So does a connector with ``ssl=False``."""
    connector = aiohttp.TCPConnector(ssl=False)
    async with session(connector) as http_session:
        sio = socketio.AsyncClient(http_session=http_session)
        await sio.connect(secure.url, transports=transports)
        assert sio.connected
        await sio.disconnect()


@TRANSPORTS
def test_an_authority_of_your_own(
    secure: Server, authority: Authority, transports: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session that names an authority verifies against that one, whatever the environment names."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())
    with requests.Session() as http_session:
        http_session.verify = authority.ca
        sio = socketio.Client(http_session=http_session)
        sio.connect(secure.url, transports=transports)
        assert sio.connected
        sio.disconnect()


@TRANSPORTS
async def test_an_authority_of_your_own_with_asyncio(
    secure: Server, authority: Authority, transports: str | None
) -> None:
    """A connector with an SSL context that has loaded the authority verifies against it."""
    ssl_context = ssl.create_default_context()
    ssl_context.load_verify_locations(authority.ca)
    connector = aiohttp.TCPConnector(ssl=ssl_context)
    async with session(connector) as http_session:
        sio = socketio.AsyncClient(http_session=http_session)
        await sio.connect(secure.url, transports=transports)
        assert sio.connected
        await sio.disconnect()


@TRANSPORTS
def test_a_client_certificate(strict: Server, authority: Authority, transports: str | None) -> None:
    """The certificate of the session is shown to a server that asks for one."""
    with requests.Session() as http_session:
        http_session.verify = authority.ca
        sio = socketio.Client(http_session=http_session)
        with pytest.raises(ConnectionError):
            sio.connect(strict.url, transports=transports)
        http_session.cert = (authority.cert, authority.key)
        sio.connect(strict.url, transports=transports)
        assert sio.connected
        sio.disconnect()


@TRANSPORTS
async def test_a_client_certificate_with_asyncio(strict: Server, authority: Authority, transports: str | None) -> None:
    """The certificate of the connector's SSL context is shown, one made to connect to servers."""
    ssl_context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=authority.ca)
    async with session(aiohttp.TCPConnector(ssl=ssl_context)) as http_session:
        with pytest.raises(ConnectionError):
            await socketio.AsyncClient(http_session=http_session).connect(strict.url, transports=transports)
    ssl_context.load_cert_chain(authority.cert, authority.key)
    async with session(aiohttp.TCPConnector(ssl=ssl_context)) as http_session:
        sio = socketio.AsyncClient(http_session=http_session)
        await sio.connect(strict.url, transports=transports)
        assert sio.connected
        await sio.disconnect()
