"""Undocumented names of other packages: the clients work without each of them.

Source: issue 11, points 2 and 3. A name is taken away by looking for another one in its place.
"""

from __future__ import annotations

import inspect

import aiohttp
import engineio
import pytest
import urllib3
from engineio.async_drivers import aiohttp as aiohttp_driver

import socketio
from faults.hostile import RawServer
from integration import test_connecting, test_disconnecting, test_events, test_reconnection, test_requests
from integration.conftest import (  # noqa: F401
    flavour,
    make_client,
    parametrize,
    proxy,
    recorder,
    server,
    servers,
    transport,
)
from integration.waiting import CEILING, within
from socketio import exceptions
from socketio.engine import compat
from socketio.engine.threads import connections
from socketio.testing import Server

OF_THREADS = {"MAKE_SOCKET", "DNS_HOST"}
NAMES = [name for name in vars(compat) if name.isupper()]
SCENARIOS = [
    test_connecting.test_each_transport_connects,
    test_requests.test_headers_go_with_every_request,
    test_events.test_values_arrive_unchanged_in_both_directions,
    test_reconnection.test_a_lost_connection_is_restored,
    test_disconnecting.test_disconnect_is_quick,
]


def pytest_generate_tests(metafunc):
    parametrize(metafunc, {"server": ["testing"], "transport": ["polling", "websocket", "upgrade"]})


@pytest.fixture
def without():
    """Return a function that takes a name away."""
    with pytest.MonkeyPatch.context() as patch:

        def take(name):
            patch.setattr(compat, name, "name_that_is_gone")
            connections._tracked.cache_clear()

        yield take
    connections._tracked.cache_clear()  # after the names are back: clients that still connect fill it


@pytest.mark.parametrize(
    ("name", "flavour"),
    [(name, "threads" if name in OF_THREADS else "asyncio") for name in NAMES],
    indirect=["flavour"],
)
async def test_the_clients_work_without_each_name(
    without,
    name,
    make_client,  # noqa: F811
    server,  # noqa: F811
    proxy,  # noqa: F811
    transport,  # noqa: F811
    recorder,  # noqa: F811
):
    """Scenarios of the integration tests pass: connecting, events, a lost connection."""
    without(name)
    fixtures = {
        "make_client": make_client,
        "server": server,
        "proxy": proxy,
        "transport": transport,
        "recorder": recorder,
    }
    for scenario in SCENARIOS:
        recorder.calls.clear()
        await scenario(**{name: fixtures[name] for name in inspect.signature(scenario).parameters})


@pytest.mark.parametrize("flavour", ["asyncio"], indirect=True)
@pytest.mark.parametrize("status", [302, 403])
@pytest.mark.parametrize("options", [{}, {"compress": 15}])
async def test_a_refusal_of_a_websocket_that_aiohttp_opens(without, make_client, status, options):  # noqa: F811
    """No redirect is followed by ws_connect() either, and the error has what the server said."""
    without("SET_PARSER")
    contacts = []

    async def other(request):
        contacts.append(request)
        await request.answer("", 200)

    async with RawServer(other) as elsewhere:

        async def refuse(request):
            location = [f"Location: {elsewhere.url}/there?secret"] if status == 302 else []
            await request.answer("not here", status, *location)

        async with RawServer(refuse) as server:
            sio = make_client(websocket_extra_options=options)
            expected = f"{elsewhere.url}/there" if status == 302 else "not here"
            with pytest.raises(exceptions.ConnectionError, match=f"status code {status}.*{expected}") as caught:
                await within(CEILING, sio.connect(server.url, transports="websocket"))
    assert "secret" not in str(caught.value)
    assert contacts == []


@pytest.mark.parametrize("name", ["DRIVER", "RESPONSE"])
def test_the_server_for_tests_works_without_each_name(without, name):
    """A server that is started without it accepts clients over each transport."""
    without(name)
    with Server() as started:
        for transports in (["polling"], ["websocket"], None):
            with socketio.SimpleClient() as sio:
                sio.connect(started.url, transports=transports)


@pytest.mark.parametrize("flavour", ["threads"], indirect=True)
@pytest.mark.parametrize("transport", ["polling"], indirect=True)
async def test_threads_connect_by_urllib3_without_its_method(without, make_client, server, transport):  # noqa: F811
    """The fallback is urllib3's own way: no function of ours makes a socket."""
    without("MAKE_SOCKET")
    sio = make_client()
    await sio.connect(server.url, transports=transport.argument)
    assert "_new_conn" not in vars(connections._tracked(urllib3.connection.HTTPConnection))


def test_a_method_of_urllib3_that_comes_back_is_used(monkeypatch):
    """Each connection looks for it: a class that was made without it does not keep the fallback."""
    plain = urllib3.connection.HTTPConnection
    with monkeypatch.context() as patch:
        patch.delattr(plain, compat.MAKE_SOCKET)
        made = compat.connecting_by(lambda connection, own, host: host, plain, plain)
    assert made[compat.MAKE_SOCKET](plain("a.test")) == "a.test"


async def test_the_names_are_there():
    """The installed versions have them: where one is gone, all users have the fallback."""
    async with aiohttp.ClientSession() as session:
        assert all(hasattr(session.connector, name) for name in (compat.IDLE, compat.BUSY, compat.TLS))
        assert hasattr(session, compat.RETRY)
    assert hasattr(aiohttp.connector.Connection, compat.PROTOCOL)
    assert hasattr(aiohttp.client_proto.ResponseHandler, compat.SET_PARSER)
    assert hasattr(urllib3.connection.HTTPConnection, compat.MAKE_SOCKET)
    assert hasattr(urllib3.connection.HTTPConnection("a"), compat.DNS_HOST)
    assert hasattr(engineio.AsyncServer(async_mode="aiohttp"), compat.DRIVER)
    assert hasattr(aiohttp_driver.WebSocket(None, None), compat.RESPONSE)
