"""Programs as users write them, read by mypy: the right ones pass in strict mode, the wrong ones do not."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent / "typing_examples"
RIGHT = sorted(path.name for path in EXAMPLES.glob("*.py") if path.name != "wrong.py")


@pytest.fixture(scope="module")
def findings(tmp_path_factory):
    """What mypy finds in the examples: ``(file, line, code)`` of each error. Takes seconds: mypy reads the package."""
    cache = tmp_path_factory.getbasetemp().parent / "mypy-of-typing-examples"
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--no-error-summary", "--no-color-output"]
    command += [f"--cache-dir={cache}", "--python-version=3.10", "--show-error-codes", str(EXAMPLES)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert not done.stderr, done.stderr
    lines = [line for line in done.stdout.splitlines() if ": error: " in line]
    found = [re.fullmatch(r"(.*):(\d+): error: .*\[([\w-]+)\]", line) for line in lines]
    assert all(found), done.stdout
    return sorted((Path(match[1]).name, int(match[2]), match[3]) for match in found)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", RIGHT)
def test_a_right_program_passes(findings, name):
    """A program that uses the API as it is documented has no error in strict mode. (M52)"""
    assert [finding for finding in findings if finding[0] == name] == []


@pytest.mark.timeout(300)
def test_a_wrong_program_does_not_pass(findings):
    """Each wrong use of the API is found, and nothing else is. (M52)"""
    lines = (EXAMPLES / "wrong.py").read_text(encoding="utf-8").splitlines()
    comments = [(number, re.search(r"# error: (.*)", line)) for number, line in enumerate(lines, 1)]
    expected = sorted(("wrong.py", number, comment[1]) for number, comment in comments if comment)
    assert [finding for finding in findings if finding[0] == "wrong.py"] == expected
