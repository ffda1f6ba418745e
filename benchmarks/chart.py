"""A chart of the rows that are meant for one, as SVG that follows the reader's light or dark mode.

In: rows. Out: the text of an SVG file without scripts, fonts or images, so that it can be shown by any web page.
"""

from __future__ import annotations

from html import escape

from .peers import BARE, JAVASCRIPT, OURS, PYTHON
from .results import Row

SHOWN = (OURS, PYTHON, JAVASCRIPT, BARE)
TITLES = {OURS: "this library", PYTHON: "python-socketio", JAVASCRIPT: "JavaScript client", BARE: "bare library"}

WIDTH = 880
LABELS = 190
BARS = 560
BAR, GAP = 13, 16
TOP = 72

STYLE = """
  text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328; }
  .title { font-size: 16px; font-weight: 600; }
  .value, .note { font-size: 11px; fill: #59636e; }
  .p0 { fill: #0969da; } .p1 { fill: #bc4c00; } .p2 { fill: #9a6700; } .p3 { fill: #afb8c1; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .value, .note { fill: #9198a1; }
    .p0 { fill: #4493f8; } .p1 { fill: #f0883e; } .p2 { fill: #d29922; } .p3 { fill: #656c76; }
  }
"""


def chart(rows: list[Row]) -> str:
    """Return bars of events per second, those of a row as long as they are fast beside the fastest of the row."""
    shown = [row for row in rows if row.in_chart and row.medians]
    peers = [peer for peer in SHOWN if any(peer in row.medians for row in shown)]
    parts = [_text(0, 20, "Events per second, more is better", "title"), *_legend(peers)]
    position = TOP
    for row in shown:
        bars = [peer for peer in peers if peer in row.medians]
        parts.append(_text(LABELS - 12, position + len(bars) * BAR / 2 + 4, row.name, "name", anchor="end"))
        for peer in bars:
            parts += _bar(position, row.medians[peer], max(row.medians[peer] for peer in bars), peers.index(peer))
            position += BAR
        position += GAP
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-16 -12 {WIDTH} {position + 12}" role="img">',
            "<title>Events per second of Socket.IO clients</title>",
            f"<style>{STYLE}</style>",
            *parts,
            "</svg>\n",
        ]
    )


def _legend(peers: list[str]) -> list[str]:
    parts, position = [], 0
    for number, peer in enumerate(peers):
        parts.append(f'<rect class="p{SHOWN.index(peer)}" x="{position}" y="36" width="12" height="12" rx="2"/>')
        parts.append(_text(position + 18, 47, TITLES[peer], "legend"))
        position += 34 + 8 * len(TITLES[peer])
        del number
    return parts


def _bar(top: float, value: float, largest: float, number: int) -> list[str]:
    width = max(1.5, BARS * value / largest)
    return [
        f'<rect class="p{number}" x="{LABELS}" y="{top}" width="{width:.1f}" height="{BAR - 2}" rx="2"/>',
        _text(LABELS + width + 6, top + BAR - 4, f"{float(f'{value:.3g}'):,.0f}", "value"),
    ]


def _text(x: float, y: float, text: str, css_class: str, anchor: str = "start") -> str:
    return f'<text class="{css_class}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
