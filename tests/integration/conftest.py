"""The fixtures of the scenarios: servers, flavours, transports, and what looks on from outside.

The fault suite has them too.

A scenario that takes ``server``, ``transport`` or a fixture that makes clients runs once for each kind of server, each
transport, each flavour; markers narrow that: ``@pytest.mark.servers("node")``, ``@pytest.mark.transports(...)``,
``@pytest.mark.flavours(...)``. ``@pytest.mark.server_options(...)`` gives the server's options.
"""

from __future__ import annotations

import gc
import json
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from .certificates import Certificates
from .flavours import Flavour
from .installation import install_node_packages, install_python_socketio
from .observer import Observer
from .processes import ServerProcess
from .proxy import Proxy
from .servers.testing_kit import TestingServer
from .waiting import Recorder

PARAMETERS = {
    "server": ("node", "python", "testing"),
    "transport": ("polling", "websocket", "upgrade"),
    "flavour": ("threads", "asyncio"),
}


def pytest_configure(config: pytest.Config) -> None:
    for name, values in PARAMETERS.items():
        config.addinivalue_line("markers", f"{name}s(*names): run with these only, of {', '.join(values)}")
    config.addinivalue_line("markers", "server_options(**options): options of the server")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    parametrize(metafunc, PARAMETERS)


def parametrize(metafunc: pytest.Metafunc, parameters: Mapping[str, Sequence[str]]) -> None:
    """Run a test once for each of these values, or those that its markers name."""
    for name, values in parameters.items():
        if name in metafunc.fixturenames and not _is_given(metafunc, name):
            marker = metafunc.definition.get_closest_marker(f"{name}s")
            metafunc.parametrize(name, marker.args if marker else values, indirect=True)


def _is_given(metafunc: pytest.Metafunc, name: str) -> bool:
    """Return whether a test brings values of its own for a parameter."""
    given = [marker.args[0] for marker in metafunc.definition.iter_markers("parametrize")]
    return any(name in (names.replace(",", " ").split() if isinstance(names, str) else names) for names in given)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Install what the servers need before the first test, where no test's time limit applies."""
    if session.config.option.collectonly:
        return
    if any("servers" in getattr(item, "fixturenames", ()) for item in session.items):
        install_node_packages()
        install_python_socketio()


@pytest.fixture(autouse=True, scope="module")
def _leaks_are_reported_with_their_module() -> Iterator[None]:
    """What a module left open is a warning, and so an error, in that module and not in a later one."""
    yield
    gc.collect()


# -- servers


_RUNNING = pytest.StashKey[dict[str, Any]]()


@pytest.fixture(scope="session")
def servers(request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """Return a function that returns a running server for ``(kind, **options)``, the same one for the same options.

    The folders of tests that have this fixture share the servers.
    """
    running = request.config.stash.setdefault(_RUNNING, {})

    def get(kind: str, **options: Any) -> Any:
        key = json.dumps([kind, options], sort_keys=True)
        if key not in running:
            server_class = TestingServer if kind == "testing" else ServerProcess
            running[key] = server_class(kind, options)
        return running[key]

    yield get
    while running:
        running.popitem()[1].close()


@pytest.fixture
def server(request: pytest.FixtureRequest, servers: Callable[..., Any]) -> Any:
    """A server with the kit of events; it has ``url``, ``port`` and ``kind``."""
    marker = request.node.get_closest_marker("server_options")
    return servers(request.param, **(marker.kwargs if marker else {}))


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates, for the server's option ``tls`` and for clients."""
    return Certificates.make(tmp_path_factory.mktemp("tls"))


@pytest.fixture
async def observer(server: Any) -> AsyncIterator[Observer]:
    """A client of the same server that tells what the server saw."""
    async with Observer(server.url) as observer:
        yield observer


@pytest.fixture
async def proxy(server: Any) -> AsyncIterator[Proxy]:
    """A proxy before the server, that fails on command."""
    async with Proxy(server.port) as proxy:
        yield proxy


# -- clients


@dataclass(frozen=True)
class Transport:
    """How a client connects.

    :ivar argument: the argument ``transports`` of ``connect()``.
    :ivar final: the transport that is in use then.
    """

    name: str
    argument: list[str] | None
    final: str


@pytest.fixture
def transport(request: pytest.FixtureRequest) -> Transport:
    """A transport."""
    if request.param == "upgrade":
        return Transport("upgrade", None, "websocket")
    return Transport(request.param, [request.param], request.param)


@pytest.fixture
async def flavour(request: pytest.FixtureRequest) -> AsyncIterator[Flavour]:
    """A flavour."""
    flavour = Flavour(request.param)
    yield flavour
    await flavour.close()


@pytest.fixture
def make_client(flavour: Flavour) -> Callable[..., Any]:
    """Return a function that makes a client, which is disconnected after the test."""
    return flavour.client


@pytest.fixture
def make_simple_client(flavour: Flavour) -> Callable[..., Any]:
    """Return a function that makes a simple client, which is disconnected after the test."""
    return flavour.simple_client


@pytest.fixture
def recorder() -> Recorder:
    """A recorder of calls."""
    return Recorder()


@pytest.fixture
def key() -> str:
    """A key for notes that nobody else uses."""
    return uuid.uuid4().hex
