"""Draws the folders for "How it works": ``python docs/draw_modules.py`` writes ``docs/modules.txt``.

Each folder and module is described by the first line of its docstring.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "src" / "socketio"
DRAWING = Path(__file__).with_name("modules.txt")
NAMES = 36


def drawing() -> str:
    """Return the tree of the package as text, a line for each folder and module."""
    return f"{'socketio/':<{NAMES}}{first_line(PACKAGE / '__init__.py')}\n" + "\n".join(tree(PACKAGE, 1)) + "\n"


def tree(folder: Path, depth: int) -> Iterator[str]:
    """Yield the lines of what is in a folder: its modules, then its folders."""
    for path in sorted(folder.glob("*.py")):
        if path.name != "__init__.py":
            yield f"{'    ' * depth + path.name:<{NAMES}}{first_line(path)}"
    for path in sorted(folder.glob("*/__init__.py")):
        yield f"{'    ' * depth + path.parent.name + '/':<{NAMES}}{first_line(path)}"
        yield from tree(path.parent, depth + 1)


def first_line(path: Path) -> str:
    """Return the first line of a module's docstring, without its markup."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0].replace("``", "").rstrip(".")


if __name__ == "__main__":
    DRAWING.write_text(drawing(), encoding="utf-8")
