"""``python -m socketio`` as users run it: a process of its own, in which every warning is an error."""

from __future__ import annotations

import subprocess
import sys

import pytest

from socketio import demo
from socketio.testing import Server


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Return the finished process ``python -m socketio`` with these arguments."""
    command = [sys.executable, "-W", "error", "-X", "dev", "-m", "socketio", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


@pytest.fixture(scope="module")
def demonstration() -> subprocess.CompletedProcess[str]:
    """The demonstration, run once."""
    return run("demo")


def test_the_demonstration_succeeds_and_complains_about_nothing(
    demonstration: subprocess.CompletedProcess[str],
) -> None:
    """The exit code is 0, and stderr is empty: no warning, no log line, no resource left open."""
    # The debug mode of asyncio tells of steps that take long, as they do on a busy machine.
    assert [line for line in demonstration.stderr.splitlines() if not line.startswith("Executing <")] == []
    assert demonstration.returncode == 0
    assert demonstration.stdout.endswith("All 8 conversations went as they should.\n")


@pytest.mark.parametrize("transport", ["polling", "websocket"])
@pytest.mark.parametrize("client", ["Client", "AsyncClient", "SimpleClient", "AsyncSimpleClient"])
def test_each_client_does_everything_over_each_transport(
    demonstration: subprocess.CompletedProcess[str], client: str, transport: str
) -> None:
    """One line for each client and transport shows what it emitted, received, was answered, and that it left."""
    (line,) = [line for line in demonstration.stdout.splitlines() if line.split()[:2] == [client, transport]]
    sid, rest = line.split(maxsplit=3)[2:]
    assert len(sid) == 20
    assert rest.split() == ["greet", "Ada", "welcome", "Ada", "add(2,3)", "=", "5", "done"]


def test_the_lines_are_aligned_and_fit_a_terminal(demonstration: subprocess.CompletedProcess[str]) -> None:
    """Columns begin at the same place in every line, and no line is longer than 100 characters."""
    lines = demonstration.stdout.splitlines()
    table = [line for line in lines if line.startswith(("client ", "Client", "Async", "Simple"))]
    assert len(table) == 9
    starts = [line.index(word) for line, word in zip(table, ["disconnect"] + ["done"] * 8, strict=True)]
    assert len(set(starts)) == 1
    assert max(map(len, lines)) <= 100


def test_what_goes_wrong_is_told_and_ends_the_demonstration(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A server that cannot add makes the first conversation fail, with exit code 1 and the reason on stderr."""
    serve = demo._serve

    def serve_wrongly(server: Server) -> object:
        farewells = serve(server)
        server.on("add", lambda sid, a, b: a * b)
        return farewells

    monkeypatch.setattr(demo, "_serve", serve_wrongly)
    assert demo.run() == 1
    assert capsys.readouterr().err == "FAILED: Client over polling: the answer to add(2, 3) is 6, not 5\n"


def test_what_does_not_happen_is_told_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A server that never welcomes anybody makes the demonstration fail after its patience, not wait for ever."""
    serve = demo._serve

    def serve_coldly(server: Server) -> object:
        farewells = serve(server)
        server.on("greet", lambda sid, name: None)
        return farewells

    monkeypatch.setattr(demo, "_serve", serve_coldly)
    monkeypatch.setattr(demo, "PATIENCE", 0.1)
    assert demo.run() == 1
    assert capsys.readouterr().err == "FAILED: Client over polling: nothing came within 0.1 s\n"


def test_without_a_command_the_help_is_shown() -> None:
    """``python -m socketio`` alone tells which commands there are."""
    shown = run()
    assert shown.returncode == 0
    assert "demo" in shown.stdout
    assert shown.stdout == run("--help").stdout


def test_an_unknown_command_is_refused() -> None:
    """A command that does not exist ends with exit code 2, as usual for wrong usage."""
    refused = run("demonstrate")
    assert refused.returncode == 2
    assert "invalid choice: 'demonstrate'" in refused.stderr


def test_the_version_is_told() -> None:
    """``--version`` names the package, which shares its import name with another, and the version."""
    assert run("--version").stdout.startswith("python-socketio-client 0.")
