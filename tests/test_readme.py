"""Every command and every program of the README runs as it stands. (issue 10, E1)"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from reader import Reader, blocks

ROOT = Path(__file__).parent.parent
SERVER = ".venv/bin/python examples/server.py\n"
INSTALLATIONS = [text for language, text in blocks() if not language and "pip install" in text]
TESTS = [text for language, text in blocks() if not language and ".venv/bin/pytest" in text]
PROGRAMS = [text for language, text in blocks() if language == "python"]


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    """A reader in a checkout whose environment is the one that runs the tests."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    return Reader(tmp_path)


def test_every_block_of_the_readme_is_tested() -> None:
    """Each is a program, the server, an installation, or a run of the tests."""
    tested = [*PROGRAMS, SERVER, *INSTALLATIONS, *TESTS]
    assert [text for _, text in blocks() if text not in tested] == []
    assert len(PROGRAMS) == 4


def test_the_programs_talk_to_the_server(reader: Reader) -> None:
    """The server is started first, on its default port and without a terminal; each program greets it."""
    with reader.server(SERVER):
        for program in PROGRAMS:
            assert reader.run_program(program) == ["welcome Ada"]


def test_the_tests_are_run_as_in_ci() -> None:
    """CI runs all tests by the command of the README. The quick part of them is one folder."""
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    everything, quick = TESTS
    assert everything.strip() in ci.replace("pip install -q", "pip install").replace("pytest -q", "pytest")
    assert quick == f".venv/bin/pytest {Path('tests/unit')}\n"
    assert (ROOT / "tests" / "unit").is_dir()


def test_installations_are_run_by_the_field_tests() -> None:
    """They need the registry and take a while, so ``nox -s field`` runs them."""
    assert "INSTALLATIONS" in (ROOT / "tests" / "field" / "packages" / "test_installation.py").read_text(
        encoding="utf-8"
    )
