"""The suite itself: it passes where it is started in the background, with Ctrl-C ignored."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PROGRAM = """
import signal, sys, pytest
signal.signal(signal.SIGINT, signal.SIG_IGN)
sys.exit(pytest.main(sys.argv[1:]))
"""


def test_ctrl_c_ends_programs_where_it_is_ignored() -> None:
    """A test that presses Ctrl-C passes under ``nohup pytest &``, say. (issue 10, E2)

    Takes seconds: it starts a suite with a server.
    """
    test = "tests/faults/test_interrupts.py::test_ctrl_c_while_connected"
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "-q", "-n0", "-p", "no:cacheprovider", test, "-k", "wait"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


def test_this_process_can_be_told_to_stop() -> None:
    """What a shell has not ignored is left as Python sets it."""
    assert signal.getsignal(signal.SIGINT) is not signal.SIG_IGN


def test_the_tests_that_run_alone_exist() -> None:
    """A test that is renamed is renamed in the list of those that run alone, too."""
    tests = ROOT / "tests"
    listed = (tests / "conftest.py").read_text(encoding="utf-8").partition("ALONE = ")[2].partition(")")[0]
    files = [path.read_text(encoding="utf-8") for path in tests.glob("*/**/test_*.py")]
    names = re.findall(r"test_\w+", listed)
    assert names
    assert [name for name in names if not any(f"def {name}(" in text for text in files)] == []
