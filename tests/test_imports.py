"""What is imported, when, and how long it takes: each program here runs in a fresh interpreter.

No program loads the packages of the other flavour, and python-engineio works for programs that import it themselves.
"""

from __future__ import annotations

import os
import pickle
import re
import statistics
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

import socketio
from integration.installation import install_python_socketio
from socketio.testing import Server

ROOT = Path(__file__).parent.parent
OF_THREADS = {"requests", "urllib3", "websocket"}
OF_ASYNCIO = {"asyncio", "aiohttp", "multidict", "yarl"}
OF_SERVERS = {"engineio.server", "engineio.async_server", "bidict", "msgpack"}
SHOW = f"""
import sys
print("loaded:", *sorted({OF_THREADS | OF_ASYNCIO | OF_SERVERS} & set(sys.modules)))
"""


def run(program: str, *arguments: str) -> str:
    """Return what a program prints."""
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(program), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def loaded(program: str, *arguments: str) -> set[str]:
    """Return the heavy modules that a program has loaded at its end."""
    return set(run(textwrap.dedent(program) + SHOW, *arguments).rpartition("loaded:")[2].split())


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The URL of a server in this process, which answers the event ``add``."""
    with Server(log=False) as server:
        server.on("add", lambda sid, a, b: a + b)
        yield server.url


# -- what is loaded


@pytest.mark.parametrize("name", ["", "exceptions", "DisconnectKind", "packet", "namespace", "async_namespace"])
def test_an_import_loads_no_packages(name):
    """import socketio, and what does no I/O, load the standard library only. (issue 11, 6)"""
    assert loaded(f"import socketio; {name and f'socketio.{name}'}") == set()


@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_a_program_with_threads_loads_nothing_of_asyncio(url, transport):
    """Clients that connect, emit, call and disconnect over each transport load no asyncio. (issue 11, 6)"""
    program = """
        import sys
        import socketio

        url, transport = sys.argv[1:]
        sio = socketio.Client()
        sio.connect(url, transports=[transport])
        assert sio.call("add", (1, 2)) == 3
        sio.emit("add", (1, 2))
        sio.disconnect()
        with socketio.SimpleClient() as simple:
            simple.connect(url, transports=[transport])
            assert simple.call("add", (1, 2)) == 3
        """
    assert loaded(program, url, transport) == OF_THREADS


@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_a_program_with_asyncio_loads_nothing_of_threads(url, transport):
    """Clients that connect, emit, call and disconnect over each transport load no requests. (issue 11, 6)"""
    program = """
        import asyncio, sys
        import socketio

        async def main(url, transport):
            sio = socketio.AsyncClient()
            await sio.connect(url, transports=[transport])
            assert await sio.call("add", (1, 2)) == 3
            await sio.emit("add", (1, 2))
            await sio.disconnect()
            async with socketio.AsyncSimpleClient() as simple:
                await simple.connect(url, transports=[transport])
                assert await simple.call("add", (1, 2)) == 3

        asyncio.run(main(*sys.argv[1:]))
        """
    assert loaded(program, url, transport) == OF_ASYNCIO


def test_the_server_for_tests_loads_nothing_of_threads():
    """A test with asyncio and the server of socketio.testing loads no requests, and no websocket-client."""
    program = """
        import socketio.testing
        with socketio.testing.Server() as server:
            pass
        """
    assert not loaded(program) & OF_THREADS


# -- names


def test_a_star_import_has_all_names():
    """from socketio import * defines the names of __all__. (issue 11, 6)"""
    run("""
        from socketio import *
        import socketio
        assert all(globals()[name] is getattr(socketio, name) for name in socketio.__all__)
        """)


def test_dir_has_all_names_and_loads_nothing():
    """Completion in a shell shows what was not imported yet."""
    program = """
        import socketio
        assert {*socketio.__all__, "__version__", "testing", "client", "packet"} <= set(dir(socketio))
        """
    assert loaded(program) == set()


NAMES = [
    "async_client.AsyncClient",
    "async_namespace.AsyncClientNamespace",
    "async_simple_client.AsyncSimpleClient",
    "base_client.BaseClient",
    "base_namespace.BaseClientNamespace",
    "client.Client",
    "exceptions.ConnectionError",
    "msgpack_packet.MsgPackPacket",
    "namespace.ClientNamespace",
    "packet.Packet",
    "simple_client.SimpleClient",
    "testing.Server",
]


def test_modules_are_attributes():
    """A module needs no import of its own, as with python-socketio."""
    run(f"""
        import socketio, sys
        for name in {NAMES}:
            module, _, name = name.partition(".")
            sys.modules.pop(f"socketio.{{module}}", None)
            vars(socketio).pop(module, None)
            assert isinstance(getattr(getattr(socketio, module), name), type)
        """)


def test_names_can_be_pickled_and_inspected():
    """A pickle made in one process is read in another, where nothing was imported."""
    pickles = {name: pickle.dumps(getattr(socketio, name)) for name in socketio.__all__ if name != "exceptions"}
    run(f"""
        import inspect, pickle
        found = {{name: pickle.loads(value) for name, value in {pickles!r}.items()}}
        import socketio
        members = dict(inspect.getmembers(socketio))
        for name, value in found.items():
            assert value is getattr(socketio, name) is members[name]
            assert inspect.getmodule(value).__name__ == value.__module__
            assert inspect.getsource(value).startswith(("class", "@"))
        """)


@pytest.mark.parametrize("name", ["Client", "AsyncClient", "exceptions"])
def test_a_name_can_be_patched(name):
    """Tests of programs replace names before and after their first use."""
    program = f"""
        from unittest import mock
        for _ in range(2):
            with mock.patch("socketio.{name}") as patched:
                import socketio
                assert socketio.{name} is patched
            assert not isinstance(socketio.{name}, mock.Mock)
            assert socketio.{name} is getattr(socketio, {name!r})
        """
    run(program)
    with mock.patch(f"socketio.{name}") as patched:
        assert getattr(socketio, name) is patched
    assert not isinstance(getattr(socketio, name), mock.Mock)


@pytest.mark.parametrize("name", ["Client", "AsyncClient"])
def test_threads_import_at_the_same_time(name):
    """The first use of a name may be in many threads at a time."""
    run(f"""
        import socketio, threading
        found, start = [], threading.Barrier(8)

        def look():
            start.wait()
            import engineio
            found.append((socketio.{name}, isinstance(socketio.{name}().eio, engineio.{name}), engineio.Server))

        threads = [threading.Thread(target=look) for _ in range(8)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        import engineio
        assert found == [(socketio.{name}, True, engineio.Server)] * 8
        """)


# -- python-engineio

USES = [
    "engineio.Server, engineio.AsyncServer, engineio.WSGIApp, engineio.ASGIApp, engineio.Middleware",
    "from engineio import *; Server, AsyncClient",
    "import engineio.async_server; engineio.async_server.AsyncServer is engineio.AsyncServer or 1/0",
    "from engineio.async_drivers import asgi; asgi.ASGIApp is engineio.ASGIApp or 1/0",
    "from engineio import server, payload, json; engineio.payload.Payload, server.Server",
    "engineio.async_client.AsyncClient is engineio.AsyncClient or 1/0",
    "import inspect; {*engineio.__all__} <= {*dir(engineio)} & {*dict(inspect.getmembers(engineio))} or 1/0",
    "import importlib; importlib.reload(engineio); engineio.Server",
    "from unittest import mock; mock.patch('engineio.Client').start(); mock.patch.stopall(); engineio.Client()",
    "engineio.__path__, engineio.__file__, engineio.__spec__.loader.get_data; hasattr(engineio, 'nonsense') and 1/0",
    "eio = socketio.Client().eio; isinstance(eio, engineio.Client) or 1/0",
    "eio = socketio.AsyncClient().eio; isinstance(eio, engineio.AsyncClient) or 1/0",
]


def test_a_program_may_replace_how_urllib3_connects():
    """A program that does so after ``import socketio``, as recipes for source addresses do, has its function called."""
    run("""
        import socketio
        import urllib3.util.connection

        def create_connection(address, *args, **kwargs):
            raise ConnectionRefusedError("by the program")

        urllib3.util.connection.create_connection = create_connection
        try:
            socketio.Client().connect("http://127.0.0.1:1", transports=["polling"])
        except socketio.exceptions.ConnectionError as exc:
            assert "by the program" in str(exc), exc
        else:
            raise AssertionError
        """)


def test_engineio_is_as_ever():
    """A program that imports python-engineio after it made a client finds all of it. (issue 11, 6)

    Takes seconds: each use has its own process, a copy of one that has made a client.
    """
    run(f"""
        import os, traceback
        import socketio
        sio = socketio.Client()
        import engineio
        for use in {USES}:
            if not (child := os.fork()):
                try:
                    exec(use, globals())
                except BaseException:
                    traceback.print_exc()
                    os._exit(1)
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0, use
        """)


def test_engineio_may_be_imported_first():
    """What the program has imported is used as it is. (issue 11, 6)"""
    run("\n".join(["import engineio, socketio", *USES[-2:], *USES[:-2]]))


def test_an_unknown_name_of_engineio_has_the_usual_error():
    """AttributeError and ImportError say what they say otherwise."""
    run("""
        import socketio
        socketio.Client
        import engineio
        for _ in range(2):
            try:
                engineio.nonsense
            except AttributeError as exc:
                assert str(exc) == "module 'engineio' has no attribute 'nonsense'", exc
        try:
            from engineio import nonsense
        except ImportError as exc:
            assert "cannot import name 'nonsense' from 'engineio'" in str(exc), exc
        """)


# -- how long it takes


def milliseconds(folder: Path | None) -> float:
    """Return how long ``import socketio`` takes, of the package in ``folder`` or of this one."""
    environment = {**os.environ, **({"PYTHONPATH": str(folder)} if folder else {})}
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import socketio; print(socketio.__file__)"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.startswith(str(folder or ROOT / "src"))
    line = re.search(r"\|\s*(\d+) \| socketio$", done.stderr, re.MULTILINE)
    assert line is not None
    return int(line[1]) / 1000


def test_an_import_takes_a_tenth_of_the_time_of_python_socketio(record_property):
    """The two are measured in turns in one run. (issue 11, 6)

    Takes seconds: it starts six interpreters.
    """
    folder = install_python_socketio()
    rounds = [(milliseconds(None), milliseconds(folder)) for _ in range(3)]
    ours, theirs = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(f"import socketio: {ours:.1f} ms, python-socketio: {theirs:.1f} ms")
    record_property("import_ms", (ours, theirs))
    assert ours < theirs / 10
    assert min(column[0] for column in rounds) < 60
