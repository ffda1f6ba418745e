"""The documentation knows everything that there is."""

from __future__ import annotations

import ast
import re
import runpy
from pathlib import Path

import pytest

import socketio

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "socketio"


def page(name: str) -> str:
    """Return the text of a page."""
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def test_how_it_works_shows_every_module() -> None:
    """docs/modules.txt is what ``python docs/draw_modules.py`` makes of the docstrings, and each fits in its line."""
    script = runpy.run_path(str(ROOT / "docs" / "draw_modules.py"))
    assert page("modules.txt") == script["drawing"]()
    assert all(
        line[script["NAMES"] - 1 : script["NAMES"] + 1].startswith(" ") for line in page("modules.txt").splitlines()
    )
    assert ".. literalinclude:: modules.txt" in page("how-it-works.rst")


def test_how_it_works_names_modules_that_exist() -> None:
    """A module that is renamed or removed is so on the page, too."""
    folders = "|".join(path.parent.name for path in PACKAGE.glob("*/__init__.py"))
    named = set(re.findall(rf"\b((?:{folders})/[\w/]*\w)", page("how-it-works.rst")))
    assert len(named) > 20
    assert not [name for name in named if not exists(PACKAGE / name)]


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("__init__.py")), ids=lambda path: path.parent.name)
def test_folders_list_modules_that_exist(path: Path) -> None:
    """The docstring of a folder names what is in it."""
    listed = re.findall(
        r"^(\w+)  +\w", ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "", re.MULTILINE
    )
    assert not [name for name in listed if not exists(path.parent / name)]
    assert listed or path.parent.name in ("asyncio", "dispatch", "lifecycle", "runtime", "server", "testing", "threads")


def exists(path: Path) -> bool:
    """Return whether a name without its ending is a module or a folder."""
    return path.is_dir() or path.with_suffix(".py").is_file()


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
    for path, name in re.findall(r"``((?:\w+/)*test_\w+\.py)?(?:::(\w+))?``", page("guarantees.rst")):
        if path:
            source = (ROOT / "tests" / path).read_text(encoding="utf-8")
        assert not name or f"def {name}(" in source, name
