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
    :ivar hopes: by what factor better the first of a pair is hoped to be.
    """

    name: str
    flavour: str
    unit: str
    more_is_better: bool
    values: dict[str, list[float]]
    counts: dict[str, list[int]]
    hopes: dict[tuple[str, str], float] = field(default_factory=dict)
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
            workload.hopes,
            workload.in_chart,
        )

    @classmethod
    def of_json(cls, row: dict[str, Any]) -> Row:
        """Return what ``as_json`` gave."""
        hopes = {(ours, other): factor for ours, other, factor in row["hopes"]}
        names = ("name", "flavour", "unit", "more_is_better", "values", "counts", "in_chart")
        return cls(**{name: row[name] for name in names}, hopes=hopes)

    def as_json(self) -> dict[str, Any]:
        """Return all there is to know, medians and ratios included."""
        return {
            "name": self.name,
            "flavour": self.flavour,
            "unit": self.unit,
            "more_is_better": self.more_is_better,
            "medians": self.medians,
            "ratios": [[ours, other, ratio] for (ours, other), ratio in self.ratios.items()],
            "hopes": [[ours, other, factor] for (ours, other), factor in self.hopes.items()],
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
        for ours, other in RATIOS:
            if ours in medians and other in medians:
                better, worse = (ours, other) if self.more_is_better else (other, ours)
                if medians[worse]:
                    ratios[ours, other] = medians[better] / medians[worse]
        return ratios


def table(rows: list[Row], *, with_hopes: bool) -> str:
    """Return a Markdown table, aligned so that it is readable as it is."""
    names = {name: None for row in rows for name in row.medians}
    peers = [name for name in NAMES if name in names] + [name for name in names if name not in NAMES]
    ratios = [pair for pair in RATIOS if any(pair in row.ratios for row in rows)]
    lines = [["", "unit", *peers, *(f"{ours} / {other}" for ours, other in ratios)]]
    for row in rows:
        figures = [_figure(row.medians.get(peer)) for peer in peers]
        lines.append([row.name, row.unit, *figures, *(_ratio(row, pair, with_hopes=with_hopes) for pair in ratios)])
    return _aligned(lines)


def _figure(value: float | None) -> str:
    """Return a figure with three significant digits."""
    if value is None:
        return ""
    if abs(value) >= 100:
        digits = len(str(int(abs(value))))
        return f"{round(value, 3 - digits):,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _ratio(row: Row, pair: tuple[str, str], *, with_hopes: bool) -> str:
    ratio, hope = row.ratios.get(pair), row.hopes.get(pair)
    if ratio is None:
        return ""
    if not with_hopes or hope is None:
        return _figure(ratio)
    return f"{_figure(ratio)} {'>=' if ratio >= hope else '<'} {hope:g}"


def _aligned(lines: list[list[str]]) -> str:
    """Return cells as a Markdown table: the first two columns to the left, figures to the right."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    rule = [
        "-" * width if column < 2 else "-" * (width - 1) + ":" for column, width in enumerate(max(w, 3) for w in widths)
    ]
    padded = [
        [
            cell.ljust(max(width, 3)) if column < 2 else cell.rjust(max(width, 3))
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        for line in [lines[0], rule, *lines[1:]]
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in padded) + "\n"
