"""A host with several addresses, the first of them dead.

Source: issue 10, B7. With threads, a silent first address used up request_timeout at every attempt over polling, and
over websocket only a refusal went on to the next. A socket that listens, and whose backlog is full, answers nothing.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time

import aiohttp
import pytest
import requests

from faults.hostile import RawServer
from faults.watching import in_time
from integration.waiting import CEILING, within
from socketio import exceptions
from socketio.engine.threads import addresses

from .recording import UpgradingPeer

pytestmark = pytest.mark.transports("polling", "websocket", "upgrade")
DEAD = ["127.0.0.31", "127.0.0.32", "127.0.0.33"]


class Host:
    """A name with several addresses; all of them have the same port.

    :ivar looked_up: set when it was.
    """

    name = "several.test"

    def __init__(self, monkeypatch):
        self.looked_up = threading.Event()
        self.addresses = []
        self._resolve = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self._getaddrinfo)

    def _getaddrinfo(self, host, port, *args, **kwargs):
        if (host.decode() if isinstance(host, bytes) else host) != self.name:
            return self._resolve(host, port, *args, **kwargs)
        self.looked_up.set()
        found = []
        for address in self.addresses:
            found += self._resolve(address, port, type=socket.SOCK_STREAM)
        return found


@pytest.fixture
def host(monkeypatch):
    return Host(monkeypatch)


@pytest.fixture
def silent():
    """Return a function that makes addresses silent: what connects to them gets no answer at all."""
    with contextlib.ExitStack() as opened:

        def make(address, port):
            listener = opened.enter_context(socket.create_server((address, port), backlog=0))
            for _ in range(4):  # as many as fit into the backlog, and more
                client = opened.enter_context(socket.socket())
                client.setblocking(False)
                client.connect_ex(listener.getsockname())
            probe = opened.enter_context(socket.socket())
            probe.settimeout(0.05)
            with pytest.raises(TimeoutError):
                probe.connect(listener.getsockname())

        yield make


async def _connects(sio, host, dead, transport, make_dead, seconds):
    peer = UpgradingPeer()
    async with RawServer(peer) as server:
        for address in dead:
            make_dead(address, server.port)
        host.addresses = [*dead, "127.0.0.1"]
        with in_time(seconds):
            await within(CEILING, sio.connect(f"http://{host.name}:{server.port}", transports=transport.argument))
        assert sio.transport() == transport.final
        peer.connected.set()
        await sio.disconnect()


def _refusing(address, port):
    """Do nothing: where nothing listens, the kernel refuses."""


@pytest.mark.parametrize("count", [1, 3])
async def test_addresses_that_refuse(make_client, transport, host, count):
    """An address that refuses costs no time."""
    await _connects(make_client(), host, DEAD[:count], transport, _refusing, 2)


@pytest.mark.parametrize("count", [1, 3])
async def test_addresses_that_are_silent(make_client, transport, host, silent, count):
    """A silent one costs a quarter of a second, long before request_timeout is over."""
    await _connects(make_client(request_timeout=4), host, DEAD[:count], transport, silent, 3.5)


@pytest.mark.transports("polling", "websocket")
async def test_an_ipv6_address_that_is_dead(make_client, transport, host):
    """A name with both kinds of address works where one kind does not."""
    await _connects(make_client(), host, ["::1"], transport, _refusing, 2)


@pytest.mark.transports("polling", "websocket")
async def test_sessions_of_the_program(make_client, flavour, transport, host, silent):
    """So it is with a session of the program."""
    session = aiohttp.ClientSession() if flavour.is_asyncio else requests.Session()
    sio = make_client(http_session=session, request_timeout=3)
    await _connects(sio, host, DEAD[:1], transport, silent, 2.5)
    closing = session.close()
    if closing is not None:
        await closing


@pytest.mark.transports("polling", "websocket")
async def test_all_addresses_are_silent(make_client, transport, host, silent):
    """Where all are, connecting takes request_timeout, once for all of them."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    for address in DEAD:
        silent(address, port)
    host.addresses = DEAD
    with in_time(3), pytest.raises(exceptions.ConnectionError, match=r"(?i)time|no answer"):
        await make_client(request_timeout=1).connect(f"http://{host.name}:{port}", transports=transport.argument)


@pytest.mark.transports("polling", "websocket")
async def test_all_addresses_refuse(make_client, transport, host):
    """Where all refuse, the error says so at once."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    host.addresses = DEAD
    with in_time(2), pytest.raises(exceptions.ConnectionError, match="ConnectionRefusedError"):
        await make_client().connect(f"http://{host.name}:{port}", transports=transport.argument)


@pytest.mark.transports("polling", "websocket")
@pytest.mark.flavours("threads")
def test_disconnect_ends_the_connecting(make_client, flavour, transport, host, silent):
    """disconnect() ends an attempt that waits for silent addresses, long before its time is over."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    silent(DEAD[0], port)
    host.addresses = DEAD[:1]
    sio = flavour.native(make_client(request_timeout=8))
    ended = threading.Event()

    def connect():
        with contextlib.suppress(exceptions.ConnectionError):
            sio.connect(f"http://{host.name}:{port}", transports=transport.argument)
        ended.set()

    thread = threading.Thread(target=connect)
    thread.start()
    assert host.looked_up.wait(CEILING)
    with in_time(4):
        sio.disconnect()
        assert ended.wait(CEILING)
    thread.join(CEILING)


# -- the addresses themselves


def _connect(name, port, seconds=1.0, ended=lambda: False, **options):
    return addresses.connect(name, port, time.monotonic() + seconds, ended, **options)


@pytest.mark.transports("polling")
@pytest.mark.flavours("threads")
def test_a_socket_is_connected_as_it_is_told_to_be(host):
    """Options and the source address are those of the caller; the socket blocks."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host.addresses = [DEAD[0], "127.0.0.1"]
        options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
        with _connect(host.name, listener.getsockname()[1], source_address=("127.0.0.9", 0), options=options) as s:
            assert s.getsockname()[0] == "127.0.0.9"
            assert s.getpeername() == listener.getsockname()
            assert s.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_the_preferred_family_is_first_and_they_take_turns():
    """Addresses are tried in the resolver's order, but for the families, which take turns."""
    found = [(10, n) for n in range(3)] + [(2, n) for n in range(2)]
    assert addresses._interleaved(found) == [(10, 0), (2, 0), (10, 1), (2, 1), (10, 2)]


def test_an_attempt_that_was_ended():
    """An attempt that was ended before it began raises an OSError, and leaves nothing open."""
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(OSError, match="ended"):
        _connect("127.0.0.1", listener.getsockname()[1], ended=lambda: True)
