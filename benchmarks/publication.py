"""The published figures: one result file, and what the README and the documentation show of it.

In: the results of a run. Out: ``latest.json``, the chart, the table of the documentation, and the table in the README.
A test compares the last three with ``latest.json``, so that no figure is written by hand.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .chart import chart
from .peers import BARE, JAVASCRIPT, ORJSON, OURS, PYTHON
from .results import Row, figure

ROOT = Path(__file__).parent.parent
LATEST = ROOT / "benchmarks" / "latest.json"
README = ROOT / "README.md"

COLUMNS = {
    OURS: "this library",
    ORJSON: "with orjson",
    PYTHON: "python-socketio",
    JAVASCRIPT: "JavaScript",
    BARE: "bare",
}
IN_README = {
    "threads: receive small": "threads: events received",
    "threads: emit small": "threads: events emitted",
    "threads: call": "threads: calls, one after the other",
    "threads: idle client, memory": "threads: memory of an idle client",
    "asyncio: receive small": "asyncio: events received",
    "asyncio: emit small": "asyncio: events emitted",
    "asyncio: call": "asyncio: calls, one after the other",
    "asyncio: idle client, memory": "asyncio: memory of an idle client",
}
BEGIN = "<!-- The table is written by: python -m benchmarks --publish -->\n"
END = "<!-- end of the table -->\n"


def publish(results: dict[str, Any]) -> None:
    """Write the result file and everything that shows its figures."""
    LATEST.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    for path, text in pages(results).items():
        path.write_text(text, encoding="utf-8")


def pages(results: dict[str, Any]) -> dict[Path, str]:
    """Return the files that show figures, with the text that each has for these results."""
    rows = [Row.of_json(row) for row in results["rows"]]
    readme = README.read_text(encoding="utf-8")
    before, _, rest = readme.partition(BEGIN)
    after = rest.partition(END)[2]
    return {
        ROOT / "docs" / "_static" / "benchmarks.svg": chart(rows),
        ROOT / "docs" / "figures.inc": _page(rows, results),
        README: before + BEGIN + _readme_table(rows) + END + after,
    }


def _readme_table(rows: list[Row]) -> str:
    """Return the few rows that the README has, as a Markdown table."""
    by_name = {row.name: row for row in rows}
    peers = (OURS, PYTHON, JAVASCRIPT)
    lines = [["", *(COLUMNS[peer] for peer in peers)], ["---", *("--:" for _ in peers)]]
    for name, title in IN_README.items():
        lines.append([title, *(_with_unit(by_name[name], peer) for peer in peers)])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _page(rows: list[Row], results: dict[str, Any]) -> str:
    """Return all rows as a table in reStructuredText, with what they depend on below it."""
    header = ["Conversation", *COLUMNS.values(), "to python-socketio", "to JavaScript"]
    lines = [".. Written by: python -m benchmarks --publish", "", ".. list-table::", "   :header-rows: 1", ""]
    for first, *others in [header, *(_cells(row) for row in rows)]:
        lines += [f"   * - {first}", *(f"     - {cell}".rstrip() for cell in others)]
    return "\n".join([*lines, "", _about(results)])


def _cells(row: Row) -> list[str]:
    ratios = [row.ratios.get((OURS, other)) for other in (PYTHON, JAVASCRIPT)]
    return [row.name, *(_with_unit(row, peer) for peer in COLUMNS), *(figure(ratio) for ratio in ratios)]


def _with_unit(row: Row, peer: str) -> str:
    """Return a median as it is read: rates without a unit, since they are events per second everywhere."""
    value = row.medians.get(peer)
    if value is None or row.unit == "1/s":
        return figure(value)
    return f"{value:.0f}" if row.unit == "threads" else f"{figure(value)} {row.unit}"


def _about(results: dict[str, Any]) -> str:
    """Return the sentences on what was measured where."""
    facts, rounds = results["machine"], results["settings"]["rounds"]
    versions = facts["versions"]
    return (
        f"Python {facts['python']}, {facts['cores']} cores; python-socketio {versions[PYTHON]}; "
        f"socket.io-client {versions[JAVASCRIPT]}; {versions[BARE]}. Medians of {rounds} rounds.\n"
    )
