"""The examples, and the programs in the README: each runs as it stands, in a process of its own, warnings as errors."""

from __future__ import annotations

import re
import runpy
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
    assert finished.stderr == ""
    assert finished.returncode == 0
    return finished.stdout.splitlines()


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


def test_the_server_for_the_examples_serves_them_until_it_is_told_to_stop() -> None:
    """``server.py`` prints its URL first, answers an example there, and ends when Enter is pressed."""
    command = [*PYTHON, str(EXAMPLES / "server.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        assert run(str(EXAMPLES / "simple_client.py"), url) == EXPECTED["simple_client.py"]
        server.stdin.write("\n")
        server.stdin.close()
        assert server.wait(30) == 0


def test_examples_are_short_and_all_tested() -> None:
    """Each example has fewer than 40 lines, and none is left out here."""
    lengths = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in EXAMPLES.glob("*.py")}
    assert lengths.keys() == EXPECTED.keys() | OTHERS
    assert max(lengths.values()) < 40


@pytest.mark.parametrize("number", range(4))
def test_a_program_of_the_readme_runs(server: Server, tmp_path: Path, number: int) -> None:
    """Each Python block of the README is a whole program that does what its last line prints."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 4
    program = tmp_path / "program.py"
    program.write_text(blocks[number].replace("http://localhost:5000", server.url))
    assert run(str(program)) == ["welcome Ada"]
