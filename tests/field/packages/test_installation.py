"""The installations in the README, run as they stand in a copy of the checkout. (issue 10, E1)"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from reader import Reader
from test_readme import INSTALLATIONS, TESTS

ROOT = Path(__file__).parents[3]


@pytest.mark.timeout(900)
def test_the_installations_of_the_readme(tmp_path: Path) -> None:
    """Each command succeeds in order; the demonstration and the documentation are what they print and leave.

    The run of the tests is only collected here, because CI has just run it. Takes a minute for the downloads.
    """
    checkout = tmp_path / "checkout"
    ignored = shutil.ignore_patterns(".*", "__pycache__", "build", "node_modules", "*.egg-info")
    shutil.copytree(ROOT, checkout, ignore=ignored)
    reader = Reader(checkout)
    printed = ""
    for command in INSTALLATIONS:
        collected = command.replace(".venv/bin/pytest", ".venv/bin/pytest --collect-only -q")
        printed += reader.run_command(collected if command in TESTS else command, 600)
    assert "AsyncSimpleClient" in printed
    assert " tests collected" in printed
    assert (checkout / "docs" / "_build" / "index.html").is_file()
