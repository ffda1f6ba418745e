"""The sizes and the shape of the package: short files and functions, shallow classes, twins with the same names.

What does not hold yet is listed with its figure. A figure may only shrink, and an entry that is no longer needed fails.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import socketio

PACKAGE = Path(socketio.__file__).parent
FILES = {path.relative_to(PACKAGE).as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}
BESIDE = ("testing/", "cli/", "demo")
"""The beginnings of the files that are not part of the client itself."""

LONGEST_FILE = 400
LONGEST_FUNCTION = 40
DEEPEST_CLASS = 2
"""A class and one class of the package that it is made from."""

ALL_LINES = 11_706
"""The lines of the client itself. The goal is 6,000; lower the figure when the package has shrunk."""

LONG_FILES: dict[str, int] = {}
LONG_FUNCTIONS = {}
DEEP_CLASSES: dict[str, int] = {}
WITHOUT_A_TWIN = {
    "engine/asyncio/keep_alive.py",
    "engine/asyncio/loop_end.py",
    "engine/asyncio/reading.py",
    "engine/threads/addresses.py",
    "engine/threads/connections.py",
    "engine/threads/options.py",
    "engine/threads/sessions.py",
}
PRIVATE_NAMES: set[str] = set()

DEPENDENCIES = {"aiohttp", "engineio", "requests", "urllib3", "websocket", "multidict", "yarl"}
ONLY_PLACE_OF_PRIVATE_NAMES = "engine/compat.py"


@cache
def tree(name: str) -> ast.Module:
    return ast.parse(FILES[name].read_text(encoding="utf-8"))


def lines(name: str) -> int:
    return len(FILES[name].read_text(encoding="utf-8").splitlines())


def functions(name: str) -> Iterator[tuple[str, int]]:
    """Yield the name of each function of a file, and its lines with the docstring, without decorators."""

    def walk(node: ast.AST, outer: str) -> Iterator[tuple[str, int]]:
        for child in ast.iter_child_nodes(node):
            inner = outer
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                inner = f"{outer}.{child.name}".lstrip(".")
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield inner, (child.end_lineno or child.lineno) - child.lineno + 1
            yield from walk(child, inner)

    yield from walk(tree(name), "")


@cache
def classes() -> dict[str, type]:
    """Return the classes of the package by file and name, without exceptions."""
    found = {}
    for name in FILES:
        if name in ("__main__.py", "server/__init__.py"):  # programs and refusals, not modules to import
            continue
        module = importlib.import_module("socketio." + module_of(name) if module_of(name) else "socketio")
        for made in vars(module).values():
            is_here = isinstance(made, type) and made.__module__ == module.__name__
            if is_here and not issubclass(made, BaseException):
                found[f"{name} {made.__qualname__}"] = made
    return found


def module_of(name: str) -> str:
    return re.sub(r"(^|/)__init__$", "", name.removesuffix(".py")).replace("/", ".")


def depth(made: type) -> int:
    """Return how many classes of the package stand in the longest line from this class up."""
    if made.__module__.partition(".")[0] != "socketio":
        return 0
    return 1 + max(depth(base) for base in made.__bases__)


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name != "_"


def used_names(node: ast.AST) -> Iterator[str]:
    """Yield the private names that code reads, writes or imports, as attributes and by ``getattr()`` and the like."""
    for child in ast.walk(node):
        if isinstance(child, ast.Attribute):
            yield child.attr
        elif isinstance(child, ast.ImportFrom) and not child.level:
            yield from (alias.name for alias in child.names)
            yield from (child.module or "").split(".")
        elif isinstance(child, ast.Call) and ast.unparse(child.func) in ("getattr", "setattr", "hasattr", "delattr"):
            yield from (str(argument.value) for argument in child.args if isinstance(argument, ast.Constant))


def defined_names(node: ast.AST) -> Iterator[str]:
    """Yield what code defines: functions, classes, variables, attributes of ``self`` and of a class, slots."""
    for child in ast.walk(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield child.name
        elif isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
            yield child.id
        elif isinstance(child, ast.Attribute) and isinstance(child.ctx, ast.Store):
            if ast.unparse(child.value) in ("self", "cls"):
                yield child.attr
        elif isinstance(child, ast.Assign) and ast.unparse(child.targets[0]) == "__slots__":
            yield from (str(part.value) for part in ast.walk(child.value) if isinstance(part, ast.Constant))


def inherited_names(made: type) -> set[str]:
    """Return the private names of the classes of dependencies that a class is made from."""
    found = set()
    for base in made.__mro__:
        if base.__module__.partition(".")[0] in DEPENDENCIES:
            found |= set(vars(base)) | set(re.findall(r"\bself\.(\w+)", inspect.getsource(base)))
    return found


def foreign_names() -> set[str]:
    """Return the private names of others that the package uses, by file, outside of the one place for them."""
    own = {name for file in FILES for name in defined_names(tree(file))}
    found = {f"{file} {name}" for file in FILES for name in used_names(tree(file)) if name not in own}
    for key, made in classes().items():
        file, _, qualified = key.partition(" ")
        body = next(node for node in ast.walk(tree(file)) if isinstance(node, ast.ClassDef) and node.name == qualified)
        theirs = inherited_names(made)
        found |= {f"{file} {name}" for name in (*used_names(body), *defined_names(body)) if name in theirs}
    return {
        entry
        for entry in found
        if is_private(entry.partition(" ")[2]) and not entry.startswith(ONLY_PLACE_OF_PRIVATE_NAMES)
    }


def check(found: dict[str, int], limit: int, exceptions: dict[str, int]) -> None:
    """Hold figures against a limit and its exceptions."""
    over = {name: figure for name, figure in found.items() if figure > limit}
    grown = {name: figure for name, figure in over.items() if figure > exceptions.get(name, limit)}
    assert grown == {}, f"more than {limit}, or than its exception says"
    check_names(set(over), set(exceptions))


def check_names(found: set[str], exceptions: set[str]) -> None:
    """Hold what was found against its exceptions."""
    assert sorted(found - exceptions) == []
    assert sorted(exceptions - found) == [], "these exceptions are no longer needed"


def test_the_package_does_not_grow():
    """The client itself has no more lines than before."""
    assert sum(lines(name) for name in FILES if not name.startswith(BESIDE)) <= ALL_LINES


def test_files_are_short():
    """A file has at most 400 lines."""
    check({name: lines(name) for name in FILES}, LONGEST_FILE, LONG_FILES)


def test_functions_are_short():
    """A function has at most 40 lines, with its docstring."""
    found = {f"{file} {name}": length for file in FILES for name, length in functions(file)}
    check(found, LONGEST_FUNCTION, LONG_FUNCTIONS)


def test_classes_are_shallow():
    """A class is made from one class of the package at most, which is made from none. Exceptions are exempt."""
    check({name: depth(made) for name, made in classes().items()}, DEEPEST_CLASS, DEEP_CLASSES)


def test_the_two_flavours_have_files_of_the_same_names():
    """The engine has a folder for each flavour, with twins; other folders have ``threads.py`` and ``asyncio.py``."""
    threads, asyncio = (
        {name.rpartition("/")[2] for name in FILES if name.startswith(f"engine/{flavour}/")}
        for flavour in ("threads", "asyncio")
    )
    single = {f"engine/threads/{name}" for name in threads - asyncio}
    single |= {f"engine/asyncio/{name}" for name in asyncio - threads}
    for folder in ("dispatch", "lifecycle"):
        names = {name for name in FILES if name.startswith(f"{folder}/")}
        twins = {f"{folder}/threads.py", f"{folder}/asyncio.py"}
        single |= (twins if len(twins & names) == 1 else set()) | {name for name in names if "/async_" in name}
    check_names(single, WITHOUT_A_TWIN)


def test_private_names_of_dependencies_are_in_one_file():
    """What a dependency may change at any time is used in one file, with a way to do without it."""
    check_names(foreign_names(), PRIVATE_NAMES)


def test_unit_tests_are_in_the_folders_of_the_package():
    """Who looks for the tests of a module finds them in the folder of the same name."""
    unit = Path(__file__).parent / "unit"
    folders = {path.parent.relative_to(unit).as_posix() for path in unit.rglob("test_*.py")}
    assert folders <= {Path(name).parent.as_posix() for name in FILES}
    assert len(folders) > 1
