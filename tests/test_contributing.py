"""What contributors are told is true: commands, files, and the sessions that CI runs."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def sessions() -> set[str]:
    """Return the names of the sessions in the noxfile."""
    found = set()
    for node in ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            names = [re.search(r"name='([\w-]+)'", ast.unparse(decorator)) for decorator in node.decorator_list]
            found.add(next((match[1] for match in names if match), node.name))
    return found


def test_the_guide_lists_every_session():
    """Each command of the noxfile is in the table, and none that is missing."""
    assert set(re.findall(r"^\| `nox -s ([\w-]+)", GUIDE, re.MULTILINE)) == sessions()


def test_commands_of_the_guide_name_sessions_that_exist():
    """Commands in the text as well."""
    assert set(re.findall(r"nox -s ([\w-]+)", GUIDE.replace("nox -s NAME", ""))) <= sessions()


def test_files_of_the_guide_exist():
    """Files, tests and links that the guide names are there."""
    files = {*re.findall(r"`((?:tests|src|docs|examples|packaging)/[\w/.]+)`", GUIDE)}
    files |= {*re.findall(r"\]\(([\w/.-]+)\)", GUIDE)} | {".ci/run", "fuzz/fuzz.py"}
    files -= {"docs/_build"}  # exists after a build only
    assert not [name for name in files if not (ROOT / name).exists()]
    for path, test in re.findall(r"pytest \"?(tests/[\w/.]+)(?:::(\w+))?", GUIDE):
        assert (ROOT / path).exists()
        assert not test or f"def {test}(" in (ROOT / path).read_text(encoding="utf-8")
    for name in re.findall(r"`(\w+\.py)`", GUIDE):
        assert (ROOT / "tests" / "faults" / name).exists()


def test_the_guide_lists_every_folder_of_tests():
    """The table says what each folder is for."""
    folders = {path.parent.name for path in (ROOT / "tests").glob("*/__init__.py")}
    assert set(re.findall(r"^\| `tests/(\w+)`", GUIDE, re.MULTILINE)) == folders


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_run_sessions_that_exist(path):
    """CI runs what a developer runs: sessions of nox, and .ci/run."""
    text = path.read_text(encoding="utf-8")
    commands = re.findall(r"- run: (.*)", text)
    assert commands
    listed = re.search(r"(?:session|arguments): \[(.*)\]", text)
    named = set(re.findall(r'(?:^|, "?)([\w-]+)', listed[1])) if listed else set()
    for command in commands:
        assert command in (".ci/run", "pip install nox") or command.startswith("nox -s ")
        named |= set(re.findall(r"nox -s ([\w-]+)", command))
    assert named <= sessions()


def test_ci_runs_on_every_supported_version():
    """The versions are those of the classifiers, and later ones."""
    tests = (ROOT / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8")
    supported = re.findall(r"Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert set(supported) <= set(re.findall(r'"(3\.\d+)"', tests))
