"""The commands of a developer: ``nox -l`` lists them, ``nox -s NAME`` runs one. They need Python and a registry."""

from __future__ import annotations

import nox

nox.options.sessions = ["lint", "types", "test-fast"]
nox.options.reuse_existing_virtualenvs = True


@nox.session(venv_backend="none")
def setup(session: nox.Session) -> None:
    """Make the environment .venv, with everything that development needs."""
    session.run("python", "-m", "venv", ".venv")
    session.run(".venv/bin/pip", "install", "-e", ".[dev]")


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
    """Check the types with mypy."""
    session.install("-e", ".[test]")
    session.run("mypy", "--strict", "src", "benchmarks")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation, with warnings as errors."""
    session.install("-e", ".[docs]")
    session.run("sphinx-build", "-W", "docs", "docs/_build")
