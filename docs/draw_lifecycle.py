"""Draws the lifecycle table for "How it works": ``python docs/draw_lifecycle.py`` writes ``docs/lifecycle.txt``."""

from __future__ import annotations

from pathlib import Path

from socketio.core.lifecycle import TABLE, Input

DRAWING = Path(__file__).with_name("lifecycle.txt")


def drawing() -> str:
    """Return the table as text: each state with its inputs, the next states and the actions."""
    width = max(len(given.value) for given in Input)
    lines = []
    for state, transitions in TABLE.items():
        lines += ["", state.value]
        for given, (following, actions) in transitions.items():
            target = "(stays)" if following is state else f"-> {following.value}"
            names = ", ".join(action.value for action in actions)
            lines.append(f"    {given.value:<{width}}  {target:<15}  {names}".rstrip())
    return "\n".join(lines[1:]) + "\n"


if __name__ == "__main__":
    DRAWING.write_text(drawing(), encoding="utf-8")
