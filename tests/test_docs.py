"""The documentation knows everything that there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import socketio

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "socketio"


def page(name: str) -> str:
    """Return the text of a page."""
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def modules(folder: Path) -> set[str]:
    """Return the names of the modules in a folder, private ones and the roof aside."""
    return {path.stem for path in folder.glob("*.py")} - {"__init__"}


@pytest.mark.parametrize("folder", [PACKAGE, PACKAGE / "engine"])
def test_how_it_works_names_every_module(folder: Path) -> None:
    """A module that is added, renamed or removed is so on the page, too."""
    named = set(re.findall(r"``(\w+)``", page("how-it-works.rst")))
    assert modules(folder) <= named


def test_the_api_reference_has_every_public_class() -> None:
    """Each class that the package exports has its entry."""
    entries = set(re.findall(r"^\.\. autoclass:: socketio\.(\w+)$", page("api.rst"), re.MULTILINE))
    assert entries == set(socketio.__all__) - {"exceptions"}


def test_programs_on_the_pages_come_from_the_examples() -> None:
    """Each example is shown from its file, so that what is read is what is tested; the server only serves them."""
    shown = {
        name
        for path in (ROOT / "docs").rglob("*.rst")
        for name in re.findall(r"literalinclude:: \S*examples/(\w+\.py)", path.read_text(encoding="utf-8"))
    }
    assert shown == {path.name for path in (ROOT / "examples").glob("*.py")} - {"server.py"}


def test_the_readme_has_the_commands_that_are_promised() -> None:
    """The two commands to begin with stand there as they are to be typed."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for command in (
        "python3 -m venv .venv && .venv/bin/pip install -e '.[all]' && .venv/bin/python -m socketio demo",
        "python3 -m venv .venv && .venv/bin/pip install -e '.[test]' && .venv/bin/pytest",
    ):
        assert f"\n```\n{command}\n```\n" in readme


def test_the_tests_that_are_promised_exist() -> None:
    """Each test that stands beside a guarantee is there."""
    source = ""
    for path, name in re.findall(r"``((?:\w+/)+test_\w+\.py)?(?:::(\w+))?``", page("guarantees.rst")):
        if path:
            source = (ROOT / "tests" / path).read_text(encoding="utf-8")
        assert not name or f"def {name}(" in source, name
