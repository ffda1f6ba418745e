"""A chart of the rows that are meant for one, as SVG that follows the reader's light or dark mode.

In: rows. Out: the text of an SVG file without scripts, fonts or images, so that any web page can show it.
"""

from __future__ import annotations

from html import escape

from .peers import BARE, FLAVOURS, JAVASCRIPT, OURS, PYTHON
from .results import Row

TITLES = {
    OURS: "this library",
    PYTHON: "python-socketio",
    JAVASCRIPT: "JavaScript client",
    BARE: "bare websocket library",
}

PANEL = 450  # the width of a flavour's half, of which bars and their labels take all but the margin between the halves
LABELS, BARS = 112, 260
BAR, GAP = 13, 17
TOP = 92

STYLE = """
  text { font: 13px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328; }
  .title { font-size: 16px; font-weight: 600; }
  .flavour { font-weight: 600; }
  .value { font-size: 11px; fill: #59636e; }
  .p0 { fill: #0969da; } .p1 { fill: #bc4c00; } .p2 { fill: #d4a72c; } .p3 { fill: #afb8c1; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .value { fill: #9198a1; }
    .p0 { fill: #4493f8; } .p1 { fill: #f0883e; } .p2 { fill: #e3b341; } .p3 { fill: #656c76; }
  }
"""


def chart(rows: list[Row]) -> str:
    """Return bars of events per second, those of a row as long as they are fast beside the fastest of the row."""
    shown = [row for row in rows if row.in_chart and any(peer in row.medians for peer in TITLES)]
    parts = [_text(0, 16, "Events per second", "title"), *_legend()]
    panels = [[row for row in shown if row.flavour == flavour] for flavour in FLAVOURS]
    bottoms = [TOP]
    for left, panel in zip((0, PANEL), (panel for panel in panels if panel), strict=False):
        parts.append(_text(left, TOP - 18, panel[0].flavour, "flavour"))
        bottom = TOP
        for row in panel:
            parts += _group(left, bottom, row)
            bottom += GAP + BAR * sum(peer in row.medians for peer in TITLES)
        bottoms.append(bottom)
    size = f"-12 -8 {2 * PANEL} {max(bottoms) + 4}"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{size}" role="img">'
    title = "<title>Events per second of Socket.IO clients, more is better</title>"
    return "\n".join([head, title, f"<style>{STYLE}</style>", *parts, "</svg>\n"])


def _legend() -> list[str]:
    parts, left = [], 0
    for number, title in enumerate(TITLES.values()):
        parts.append(f'<rect class="p{number}" x="{left}" y="34" width="12" height="12" rx="2"/>')
        parts.append(_text(left + 18, 45, title, "peer"))
        left += 42 + 7 * len(title)
    return parts


def _group(left: float, top: float, row: Row) -> list[str]:
    """Return the bars of one row, with its name beside them."""
    values = [(number, row.medians[peer]) for number, peer in enumerate(TITLES) if peer in row.medians]
    largest = max(value for _, value in values)
    parts = [_text(left, top + len(values) * BAR / 2 + 3, row.name.removeprefix(f"{row.flavour}: "), "name")]
    for position, (number, value) in enumerate(values):
        width = max(2.0, BARS * value / largest)
        y = top + position * BAR
        bar = f'x="{left + LABELS}" y="{y}" width="{width:.1f}" height="{BAR - 2}" rx="2"'
        parts.append(f'<rect class="p{number}" {bar}/>')
        parts.append(_text(left + LABELS + width + 6, y + BAR - 4, f"{float(f'{value:.3g}'):,.0f}", "value"))
    return parts


def _text(x: float, y: float, text: str, css_class: str) -> str:
    return f'<text class="{css_class}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'
