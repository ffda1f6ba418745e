"""The environment of the packages, the servers that they talk to, and how their programs are run."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from integration.installation import install_python_socketio

from .environment import install_packages

HERE = Path(__file__).parent


def pytest_collection_finish(session: pytest.Session) -> None:
    """Install everything before the first test, where no test's time limit applies."""
    if not session.config.option.collectonly:
        install_packages()
        install_python_socketio()


@pytest.fixture(scope="session")
def python() -> str:
    """The Python of the environment that has the packages."""
    return str(install_packages())


@pytest.fixture
def run(python: str) -> Callable[..., list[str]]:
    """A function that runs a program of ``programs/`` in that environment and returns the lines that it printed."""

    def run(name: str, *arguments: str, seconds: float = 20) -> list[str]:
        command = [python, "-X", "dev", str(HERE / "programs" / name), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.splitlines()

    return run


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """A function that starts a server of ``servers/`` and returns its URL; python-socketio's server is what it runs."""
    with contextlib.ExitStack() as running:

        def serve(name: str) -> str:
            environment = {**os.environ, "PYTHONPATH": str(install_python_socketio())}
            command = [sys.executable, str(HERE / "servers" / name)]
            server = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
            )
            running.callback(_end, server)
            assert server.stdout is not None
            url = server.stdout.readline().strip()
            assert url, "the server ended before it listened"
            return url

        yield serve


def _end(server: subprocess.Popen[str]) -> None:
    """End a server by closing its standard input."""
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.close()
    try:
        server.wait(5)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait(5)
    server.stdout.close()
