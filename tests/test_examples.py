"""The examples: each runs as it stands, in a process of its own, warnings as errors."""

from __future__ import annotations

import runpy
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from socketio.testing import Server

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
PYTHON = [sys.executable, "-W", "error", "-X", "dev"]

EXPECTED = {
    "client.py": ["connected over websocket", "welcome, Ada", "disconnected: client disconnect"],
    "async_client.py": ["connected over websocket", "welcome, Ada", "disconnected: client disconnect"],
    "simple_client.py": ["connected over websocket", "welcome, Ada", "2 + 3 = 5", "disconnected"],
    "async_simple_client.py": ["connected over websocket", "welcome, Ada", "2 + 3 = 5", "disconnected"],
    "namespaces.py": ["the news are connected", "/chat: hello", "/news: weather: nothing happened"],
    "async_namespaces.py": ["the news are connected", "/chat: hello", "/news: weather: nothing happened"],
    "acknowledgements.py": [
        "call() returned 5",
        "the callback got 42",
        "asked: What is 6 times 7?",
        "verdict: 42 is right",
    ],
}
OTHERS = {"server.py", "tls.py"}


def run(*command: str) -> list[str]:
    """Return the lines that a program prints; fail if it complains, or ends with another exit code than 0."""
    finished = subprocess.run([*PYTHON, *command], capture_output=True, text=True, timeout=30, check=False)
    # The debug mode of asyncio tells of steps that take long, as they do on a busy machine.
    assert [line for line in finished.stderr.splitlines() if not line.startswith("Executing <")] == []
    assert finished.returncode == 0
    return finished.stdout.splitlines()


def free_port() -> int:
    """Return a port where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def start(ssl_context: ssl.SSLContext | None = None) -> Server:
    """Return a server with the handlers that the examples need."""
    server = Server(ssl_context=ssl_context)
    runpy.run_path(str(EXAMPLES / "server.py"))["register"](server)
    return server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server that the examples can talk to."""
    with start() as server:
        yield server


@pytest.mark.parametrize("name", EXPECTED)
def test_an_example_prints_what_it_should_and_ends(server: Server, name: str) -> None:
    """Run against a server that has its events, an example ends by itself, with exit code 0."""
    assert run(str(EXAMPLES / name), server.url) == EXPECTED[name]


def test_the_tls_example_trusts_its_own_authority_only(tmp_path: Path) -> None:
    """A server with a certificate of an unknown authority is refused; with that authority it is accepted."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with start(context) as server:
        assert run(str(EXAMPLES / "tls.py"), server.url, str(tmp_path / "ca.pem")) == [
            "without the authority: ConnectionError",
            "with the authority: connected over websocket",
            "2 + 3 = 5",
        ]


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_the_server_for_the_examples_runs_without_a_terminal(end: signal.Signals) -> None:
    """``server.py`` listens on the given port, says so, and serves until a signal, without standard input too."""
    port = free_port()
    command = [*PYTHON, str(EXAMPLES / "server.py"), str(port)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == f"Listening on http://127.0.0.1:{port}. Press Ctrl-C to stop.\n"
        assert run(str(EXAMPLES / "simple_client.py"), f"http://localhost:{port}") == EXPECTED["simple_client.py"]
        server.send_signal(end)
        server.wait(30)


def test_examples_are_short_and_all_tested() -> None:
    """Each example has fewer than 40 lines, and none is left out here."""
    lengths = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in EXAMPLES.glob("*.py")}
    assert lengths.keys() == EXPECTED.keys() | OTHERS
    assert max(lengths.values()) < 40
