"""What was measured: rows of figures, their medians and ratios, as JSON and as a table.

In: the clients' reports. Out: JSON that says all, a Markdown table. A ratio says how many times better ours is: more
events, or less time and memory.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import Any

from .peers import JAVASCRIPT, NAMES, ORJSON, OURS, PYTHON
from .workloads import Measure, Workload

RATIOS = ((OURS, PYTHON), (OURS, JAVASCRIPT), (ORJSON, JAVASCRIPT))


@dataclass(frozen=True)
class Row:
    """One measure of one workload.

    :ivar values: for each peer the figure of each round.
    :ivar counts: for each peer what each round's figure was made from: events, connections or clients.
    :ivar targets: by what factor the first of a pair should be better than the second.
    """

    name: str
    flavour: str
    unit: str
    more_is_better: bool
    values: dict[str, list[float]]
    counts: dict[str, list[int]]
    targets: dict[tuple[str, str], float] = field(default_factory=dict)
    in_chart: bool = False

    @classmethod
    def of_reports(cls, workload: Workload, measure: Measure, reports: dict[str, list[dict[str, Any]]]) -> Row:
        """Return the row of this measure."""
        return cls(
            workload.name + measure.title,
            workload.flavour,
            measure.unit,
            measure.more_is_better,
            {peer: [report[measure.key] * measure.factor for report in of_peer] for peer, of_peer in reports.items()},
            {peer: [report["count"] for report in of_peer] for peer, of_peer in reports.items()},
            workload.targets,
            workload.in_chart,
        )

    @classmethod
    def of_json(cls, row: dict[str, Any]) -> Row:
        """Return what ``as_json`` gave."""
        targets = {(ours, other): factor for ours, other, factor in row["targets"]}
        names = ("name", "flavour", "unit", "more_is_better", "values", "counts", "in_chart")
        return cls(**{name: row[name] for name in names}, targets=targets)

    def as_json(self) -> dict[str, Any]:
        """Return all there is to know, medians and ratios included."""
        return {
            "name": self.name,
            "flavour": self.flavour,
            "unit": self.unit,
            "more_is_better": self.more_is_better,
            "medians": self.medians,
            "ratios": [[ours, other, ratio] for (ours, other), ratio in self.ratios.items()],
            "targets": [[ours, other, factor] for (ours, other), factor in self.targets.items()],
            "values": self.values,
            "counts": self.counts,
            "in_chart": self.in_chart,
        }

    @property
    def medians(self) -> dict[str, float]:
        """The median of each peer that has figures."""
        return {peer: statistics.median(values) for peer, values in self.values.items() if values}

    @property
    def ratios(self) -> dict[tuple[str, str], float]:
        """By what factor the first of a pair is better than the second, by their medians."""
        medians = self.medians
        ratios = {}
        for ours, other in [*RATIOS, *((OURS, name) for name in medians if name not in NAMES)]:
            if ours in medians and other in medians:
                better, worse = (ours, other) if self.more_is_better else (other, ours)
                if medians[worse]:
                    ratios[ours, other] = medians[better] / medians[worse]
        return ratios


def table(rows: list[Row], *, with_targets: bool) -> str:
    """Return a Markdown table, aligned so that it is readable as it is."""
    names = {name: None for row in rows for name in row.medians}
    peers = [name for name in NAMES if name in names] + [name for name in names if name not in NAMES]
    ratios = list({pair: None for row in rows for pair in row.ratios})
    lines = [["", "unit", *peers, *(f"{ours} / {other}" for ours, other in ratios)]]
    for row in rows:
        figures = [figure(row.medians.get(peer)) for peer in peers]
        lines.append([row.name, row.unit, *figures, *(_ratio(row, pair, with_targets=with_targets) for pair in ratios)])
    return _aligned(lines)


def figure(value: float | None) -> str:
    """Return a figure with three significant digits."""
    if value is None:
        return ""
    if abs(value) >= 100:
        digits = len(str(int(abs(value))))
        return f"{round(value, 3 - digits):,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _ratio(row: Row, pair: tuple[str, str], *, with_targets: bool) -> str:
    ratio, target = row.ratios.get(pair), row.targets.get(pair)
    if ratio is None:
        return ""
    if not with_targets or target is None:
        return figure(ratio)
    return f"{figure(ratio)} {'>=' if ratio >= target else '<'} {target:g}"


def _aligned(lines: list[list[str]]) -> str:
    """Return cells as a Markdown table: the first two columns to the left, figures to the right."""
    widths = [max(3, *(len(line[column]) for line in lines)) for column in range(len(lines[0]))]
    rule = ["-" * width if column < 2 else "-" * (width - 1) + ":" for column, width in enumerate(widths)]
    return "".join(f"| {_padded(line, widths)} |\n" for line in [lines[0], rule, *lines[1:]])


def _padded(line: list[str], widths: list[int]) -> str:
    """Return cells, the first two padded on the right and the others on the left."""
    cells = [cell.ljust(width) for cell, width in zip(line[:2], widths[:2], strict=True)]
    cells += [cell.rjust(width) for cell, width in zip(line[2:], widths[2:], strict=True)]
    return " | ".join(cells)
