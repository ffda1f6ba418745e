"""The commands of a developer: ``nox -l`` lists them, ``nox -s NAME`` runs one. They need Python and a registry."""

from __future__ import annotations

import os
from pathlib import Path

import nox

nox.options.sessions = ["lint", "types", "test-fast"]
nox.options.reuse_existing_virtualenvs = True

WITHOUT_WHEELS = ("eventlet", "gevent", "orjson")
"""Packages for tests that cannot be installed in a free-threaded build."""


@nox.session(venv_backend="none")
def setup(session: nox.Session) -> None:
    """Make the environment .venv, with everything that development needs."""
    session.run("python", "-m", "venv", ".venv")
    scripts = "Scripts" if os.name == "nt" else "bin"
    session.run(str(Path(".venv", scripts, "python")), "-m", "pip", "install", "-e", ".[dev]")


@nox.session
def test(session: nox.Session) -> None:
    """Run all tests but those of other packages. Takes about five minutes."""
    session.install("-e", ".[test]")
    session.run("pytest", *session.posargs)


@nox.session(name="test-fast")
def test_fast(session: nox.Session) -> None:
    """Run the tests without I/O."""
    session.install("-e", ".[test]")
    session.run("pytest", "tests/unit", *session.posargs)


@nox.session(name="test-free-threaded")
def test_free_threaded(session: nox.Session) -> None:
    """Run the tests without I/O, and the demonstration, with a Python that has no GIL: add --force-python 3.14t."""
    extras = nox.project.load_toml("pyproject.toml")["project"]["optional-dependencies"]
    session.install("-e", ".[msgpack]", *[name for name in extras["test"] if not name.startswith(WITHOUT_WHEELS)])
    tests = [path for path in Path("tests/unit").rglob("test_*.py") if "import orjson" not in path.read_text()]
    session.run("pytest", *map(str, tests), *session.posargs, env={"PYTHON_GIL": "0"})
    session.run("python", "-m", "socketio", "demo", env={"PYTHON_GIL": "0"})


@nox.session
def field(session: nox.Session) -> None:
    """Run packages from the registry that depend on python-socketio, with this library. Takes about three minutes."""
    session.install("-e", ".[test]")
    session.run("pytest", "tests/field/packages", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check the code with ruff, and its format."""
    session.install("ruff")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


@nox.session
def types(session: nox.Session) -> None:
    """Check the types with mypy, and those that users see with pyright."""
    session.install("-e", ".[test]", "pyright")
    session.run("mypy", "--strict", "src", "benchmarks")
    session.run("pyright")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation in docs/_build, with warnings as errors."""
    session.install("-e", ".[docs]")
    session.run("sphinx-build", "-W", "docs", "docs/_build")


@nox.session
def bench(session: nox.Session) -> None:
    """Run the benchmarks, a short run of all unless arguments follow "--"."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "benchmarks", *(session.posargs or ["--quick"]))


@nox.session
def fuzz(session: nox.Session) -> None:
    """Feed the core with random bytes for a minute, unless arguments follow "--"."""
    session.install("-e", ".[msgpack]")
    session.run("python", "fuzz/fuzz.py", *(session.posargs or ["--random", "60"]))
