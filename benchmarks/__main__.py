"""``python -m benchmarks``: measures, and prints a table; writes JSON, Markdown and a chart where asked.

In: the command line. Out: files, and an exit code that is 1 if a peer failed; what is slow fails nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import sys
from pathlib import Path
from typing import Any

from .chart import chart
from .peers import NAMES, Peer, other_version, peers
from .publication import publish
from .results import Row, table
from .running import Settings, measure
from .workloads import WORKLOADS, Workload

FULL = Settings(rounds=5, seconds=0.5, count=0, clients=300)
QUICK = Settings(rounds=3, seconds=0.15, count=0, clients=100)


def parser() -> argparse.ArgumentParser:
    """Return what understands the command line."""
    options = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure this library beside others.")
    options.add_argument("--quick", action="store_true", help="fewer rounds, fewer events")
    options.add_argument(
        "--only", metavar="PATTERN", default="", help="workloads whose name has this regular expression"
    )
    options.add_argument("--rounds", type=int, help=f"how often each peer runs ({FULL.rounds}, quick: {QUICK.rounds})")
    options.add_argument(
        "--seconds", type=float, help=f"about how long a run is ({FULL.seconds}, quick: {QUICK.seconds})"
    )
    options.add_argument("--count", type=int, default=0, help="events in a run, instead of as many as fit")
    options.add_argument("--clients", type=int, help=f"idle clients ({FULL.clients}, quick: {QUICK.clients})")
    options.add_argument("--peers", nargs="+", choices=NAMES, default=list(NAMES), help="who takes part (all)")
    options.add_argument("--also", metavar="NAME=FOLDER", action="append", default=[], help="another version of ours")
    options.add_argument("--list", action="store_true", help="print the names of the workloads")
    options.add_argument(
        "--load", metavar="PATH", type=Path, help="measure nothing: take the figures of this JSON file"
    )
    options.add_argument("--json", metavar="PATH", type=Path, help="write all figures")
    options.add_argument("--markdown", metavar="PATH", type=Path, help="write the table, without the targets")
    options.add_argument("--svg", metavar="PATH", type=Path, help="write the chart")
    options.add_argument("--publish", action="store_true", help="write the figures of README, docs and latest.json")
    return options


def settings(arguments: argparse.Namespace) -> Settings:
    """Return how much is measured."""
    default = QUICK if arguments.quick else FULL
    return Settings(
        arguments.rounds or default.rounds,
        arguments.seconds or default.seconds,
        arguments.count,
        arguments.clients or default.clients,
    )


def machine(taking_part: list[Peer]) -> dict[str, Any]:
    """Return what the figures depend on."""
    return {
        "versions": {peer.name: peer.version for peer in taking_part},
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "load": list(os.getloadavg()) if hasattr(os, "getloadavg") else [],
    }


def about(results: dict[str, Any]) -> str:
    """Return the line below the table: what its figures depend on."""
    facts, how = results["machine"], results["settings"]
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    return (
        f"{versions}; Python {facts['python']}, {facts['cores']} cores, {facts['system']}; "
        f"medians of {how['rounds']} rounds, {how['clients']} idle clients.\n"
    )


def measure_all(workloads: list[Workload], arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the figures of these workloads, and what they depend on."""
    wanted = settings(arguments)
    taking_part = [*peers(arguments.peers), *(other_version(text) for text in arguments.also)]
    about = machine(taking_part)
    rows: list[Row] = []
    for number, workload in enumerate(workloads, 1):
        print(f"[{number}/{len(workloads)}] {workload.name}", file=sys.stderr, flush=True)
        rows += measure(workload, taking_part, wanted)
    return {
        "machine": about,
        "settings": {"rounds": wanted.rounds, "seconds": wanted.seconds, "clients": wanted.clients},
        "rows": [row.as_json() for row in rows],
    }


def main() -> int:
    """Do what the command line says."""
    arguments = parser().parse_args()
    if arguments.publish and (arguments.only or set(arguments.peers) != set(NAMES)):
        parser().error("--publish needs all workloads and all peers: leave out --only and --peers")
    workloads = [workload for workload in WORKLOADS if re.search(arguments.only, workload.name)]
    if arguments.list:
        print("\n".join(workload.name for workload in workloads))
        return 0
    results = json.loads(arguments.load.read_text()) if arguments.load else measure_all(workloads, arguments)
    rows = [Row.of_json(row) for row in results["rows"]]
    print(table(rows, with_targets=True), about(results), sep="\n", end="")
    files = {
        arguments.json: json.dumps(results, indent=1) + "\n",
        arguments.markdown: table(rows, with_targets=False) + "\n" + about(results),
        arguments.svg: chart(rows),
    }
    for path, text in files.items():
        if path is not None:
            path.write_text(text, encoding="utf-8")
    if arguments.publish:
        publish(results)
    return 0 if all(figures for row in rows for figures in row.values.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
