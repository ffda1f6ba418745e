"""The benchmarks run: conversations of every kind, a few events long, by this library alone. No time is asserted."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from benchmarks.publication import BEGIN, END, LATEST, README, pages

ROOT = Path(__file__).parent.parent
COUNT = 20
CLIENTS = 3
# One of each kind, to be quick; idle clients are measured where the system tells about threads as Linux does.
CONVERSATIONS = ["receive small", "emit binary", "call", "emit small, MessagePack", "receive small, polling"]
CONVERSATIONS += ["connect, websocket", "connect, upgrade", *(["idle client"] if sys.platform == "linux" else [])]
ONLY = rf"^(threads|asyncio): ({'|'.join(CONVERSATIONS)})$|^SimpleClient|in flight$"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Return the finished process ``python -m benchmarks`` with these arguments."""
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=50, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with all that a run wrote: figures.json, table.md, chart.svg, and what it printed in printed.txt.

    Takes seconds: each conversation is measured in a process of its own, with a server of its own.
    """
    folder = tmp_path_factory.mktemp("benchmarks")
    files = ["--json", f"{folder}/figures.json", "--markdown", f"{folder}/table.md", "--svg", f"{folder}/chart.svg"]
    size = ["--rounds", "1", "--count", str(COUNT), "--clients", str(CLIENTS)]
    done = run("--peers", "ours", "--only", ONLY, *size, *files)
    assert done.returncode == 0, done.stderr
    (folder / "printed.txt").write_text(done.stdout)
    return folder


@pytest.fixture(scope="module")
def rows(folder: Path) -> list[dict[str, Any]]:
    """The rows of figures.json."""
    figures: dict[str, Any] = json.loads((folder / "figures.json").read_text())
    return list(figures["rows"])


def test_each_conversation_is_measured_with_as_many_events_as_were_asked_for(rows: list[dict[str, Any]]) -> None:
    """A figure above 0 and the count of events for each, and for idle clients the number of those."""
    figured = {row["name"] for row in rows}
    assert len(figured) == 2 * (len(CONVERSATIONS) + 2 + ("idle client" in CONVERSATIONS)) + 2
    for row in rows:
        is_idle = "idle" in row["name"]
        assert row["counts"] == {"ours": [CLIENTS if is_idle else COUNT]}, row["name"]
        (figure,) = row["values"]["ours"]
        assert figure > 0 or is_idle, row["name"]
        assert row["medians"] == {"ours": figure}


def test_the_table_has_a_line_for_each_row(folder: Path, rows: list[dict[str, Any]]) -> None:
    """The same aligned table is printed and written, without ratios where there is nobody to compare with."""
    printed = (folder / "printed.txt").read_text()
    assert (folder / "table.md").read_text() == printed
    *lines, empty, about = printed.splitlines()
    assert empty == ""
    assert about.startswith("ours 0.")
    assert "medians of 1 rounds" in about
    assert len({len(line) for line in lines}) == 1
    assert [cell.strip() for cell in lines[0].split("|")] == ["", "", "unit", "ours", ""]
    assert [line.split("|")[1].strip() for line in lines[2:]] == [row["name"] for row in rows]


def test_the_chart_has_a_bar_for_each_row_that_is_meant_for_it(folder: Path, rows: list[dict[str, Any]]) -> None:
    """It is XML that browsers show, for the light and the dark mode, with the figures beside the bars."""
    text = (folder / "chart.svg").read_text()
    names = [element.text for element in ElementTree.fromstring(text).iter() if element.get("class") == "name"]
    assert names == [row["name"].split(": ")[1] for row in rows if row["in_chart"]]
    assert len(re.findall('class="value"', text)) == len(names)
    assert "prefers-color-scheme: dark" in text


def test_figures_that_were_written_can_be_shown_again(folder: Path) -> None:
    """``--load`` measures nothing, and prints the same table."""
    done = run("--load", str(folder / "figures.json"))
    assert done.stdout == (folder / "printed.txt").read_text()


def test_the_names_of_the_workloads_can_be_asked_for() -> None:
    """``--list`` prints those that ``--only`` finds."""
    done = run("--list", "--only", "call")
    assert done.stdout.splitlines() == ["threads: call", "asyncio: call", "asyncio: 100 calls in flight"]


# -- what is published (issue 10, E3)


def test_every_published_figure_comes_from_the_result_file() -> None:
    """README, documentation and chart show what ``latest.json`` holds; ``--publish`` writes them."""
    for path, text in pages(json.loads(LATEST.read_text(encoding="utf-8"))).items():
        assert path.read_text(encoding="utf-8") == text, (
            f"{path} differs: python -m benchmarks --publish --load {LATEST}"
        )


@pytest.mark.parametrize("path", [README, *sorted((ROOT / "docs").rglob("*.rst"))], ids=lambda path: path.name)
def test_no_comparison_is_written_by_hand(path: Path) -> None:
    """Outside of the tables there is no claim such as "three times as fast" or "5 % less memory"."""
    text = re.sub(rf"{BEGIN}.*{END}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    claims = r"(\w+) (?:times|percent|%) (?:as|faster|slower|less|more)\b|weighs (?:less|more)|microseconds"
    found = [match[0] for match in re.finditer(claims, text) if "50 %" not in match[0]]
    assert found == []


def test_figures_of_a_part_are_not_published() -> None:
    """``--publish`` with ``--only`` or ``--peers`` measures nothing and says why."""
    for part in (["--only", "call"], ["--peers", "ours"]):
        done = run("--publish", *part)
        assert done.returncode == 2
        assert "--publish needs all workloads and all peers" in done.stderr


def test_the_result_file_has_the_memory_of_idle_clients() -> None:
    """Measured for both flavours, for this library and for python-socketio's clients."""
    rows = {row["name"]: row["medians"] for row in json.loads(LATEST.read_text(encoding="utf-8"))["rows"]}
    for flavour in ("threads", "asyncio"):
        assert rows[f"{flavour}: idle client, memory"].keys() >= {"ours", "python-socketio"}
