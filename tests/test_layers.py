"""Modules are in layers and import only from lower ones: a table of the layers, compared with the imports."""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

import socketio

PACKAGE = Path(socketio.__file__).parent

# The lowest layer first: a module may import from the lines above its own, and from nothing else in the package.
LAYERS = """
    0   runtime  core  dispatch  lifecycle  engine.threads  engine.asyncio
    0   runtime.timeouts  runtime.async_time_limit
    0   runtime.conflict  exceptions  core.backoff  core.signatures  runtime.logs  overrides
    0   runtime.async_condition  runtime.steps
    0   core.details  runtime.process_hooks
    1   packet  core.events  core.offsets
    1   msgpack_packet  core.codec  core.early_events
    1   core.session  core.handlers
    1   core.event_log  core.inbox  core.attempt  core.lifecycle
    1   options
    2   base_namespace  dispatch.threads  dispatch.calls
    2   dispatch.asyncio
    2   namespace  async_namespace
    2   engine.compat
    2   engine.frames
    2   engine.errors  engine.keep_alive
    2   engine.packet_log
    2   engine.payload  engine.headers  engine.send_queue
    2   engine.threads.addresses
    2   engine.asyncio.reading
    2   engine.descriptors  engine.handshake  engine.asyncio.keep_alive
    2   engine.connection  engine.base_polling
    2   engine.asyncio.loop_end  engine.threads.sessions  engine.threads.wire  engine.websocket  engine.opening
    2   engine.threads.connections  engine.asyncio.wire
    2   engine.threads.options
    2   engine.threads.websocket_handshake  engine.asyncio.websocket_handshake
    2   engine.base
    2   engine.threads.polling  engine.threads.websocket  engine.asyncio.polling  engine.asyncio.websocket
    2   engine.threads.opening  engine.asyncio.opening
    2   engine.threads.client  engine.asyncio.client
    2   engine
    3   lifecycle.channel  connect_arguments
    3   base_client
    4   lifecycle.attempts
    4   lifecycle.base
    4   lifecycle.threads  lifecycle.asyncio
    4   client  async_client
    5   base_simple_client
    5   simple_client  async_simple_client
    6   testing.engine
    6   testing.session  testing.web
    6   testing.server
    6   testing
    6   demo
    7   socketio
    7   server
    7   __main__
"""
LEVELS = {name: number for number, line in enumerate(LAYERS.strip().splitlines()) for name in line.split()[1:]}

# Who may import what from elsewhere; all else is the standard library.
OUTSIDE = {
    "engineio": ("engine", "testing"),
    "requests": ("engine.threads",),
    "urllib3": ("engine.threads",),
    "websocket": ("engine.threads",),
    "aiohttp": ("engine.asyncio", "testing"),
    "multidict": ("engine.asyncio", "testing"),
    "yarl": ("engine.asyncio", "testing"),
    "bidict": ("testing",),
    "msgpack": ("msgpack_packet",),
    "prompt_toolkit": ("__main__", "cli"),
}
# What may be imported inside a function, because it needs an optional package.
OPTIONAL = {"msgpack", "prompt_toolkit", "msgpack_packet"}


@dataclass(frozen=True)
class Import:
    """One imported module: its name, within the package or not, and where the import stands."""

    module: str
    is_own: bool
    line: int
    in_function: bool
    for_types_only: bool


def modules() -> dict[str, Path]:
    """Return the files of the package by the name that they have in the plan."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        found[name or "socketio"] = path
    return found


MODULES = modules()


@cache
def imports_of(name: str) -> list[Import]:
    """Return all imports of a file."""
    path = MODULES[name]
    package = name.split(".") if path.name == "__init__.py" and name != "socketio" else name.split(".")[:-1]
    found: list[Import] = []

    def note(node: ast.Import | ast.ImportFrom, in_function: bool, for_types_only: bool) -> None:
        for module, is_own in resolve(node, package):
            found.append(Import(module, is_own, node.lineno, in_function, for_types_only))

    def walk(node: ast.AST, in_function: bool, for_types_only: bool) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.Import, ast.ImportFrom)):
                note(child, in_function, for_types_only)
                continue
            is_function = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            is_guard = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
            walk(child, in_function or is_function, for_types_only or is_guard)

    walk(ast.parse(path.read_text(encoding="utf-8")), False, False)
    return found


def resolve(node: ast.Import | ast.ImportFrom, package: list[str]) -> list[tuple[str, bool]]:
    """Return the modules that an import names, and whether each is one of the package."""
    if isinstance(node, ast.Import):
        return [(alias.name.partition(".")[0], False) for alias in node.names]
    if node.level == 0:
        return [((node.module or "").partition(".")[0], False)]
    base = package[: len(package) - node.level + 1]
    if node.module:
        return [(".".join([*base, *node.module.split(".")]), True)]
    names = (".".join([*base, alias.name]) for alias in node.names)
    return [(name if name in MODULES else ".".join(base) or "socketio", True) for name in names]


def runtime_imports(name: str) -> list[Import]:
    return [found for found in imports_of(name) if not found.for_types_only]


def test_every_file_has_its_layer():
    """The table names the files that there are, each once."""
    named = [name for line in LAYERS.strip().splitlines() for name in line.split()[1:]]
    assert sorted(named) == sorted(MODULES)


@pytest.mark.parametrize("name", MODULES)
def test_a_file_imports_only_from_layers_below_it(name):
    """Imports within the package go down, so that there are no cycles; imports for types only are exempt."""
    too_high = [
        f"line {found.line}: {found.module}"
        for found in runtime_imports(name)
        if found.is_own and LEVELS[found.module] >= LEVELS[name]
    ]
    assert not too_high, f"{name} imports from its own layer, or above"


@pytest.mark.parametrize("name", MODULES)
def test_imports_for_types_only_name_what_there_is(name):
    """An import under TYPE_CHECKING is one of the package, or of the standard library."""
    for found in imports_of(name):
        if found.for_types_only:
            assert found.module in MODULES if found.is_own else found.module not in OUTSIDE


@pytest.mark.parametrize("name", MODULES)
def test_other_packages_are_known_where_they_belong(name):
    """Only engine/, and testing/ for its server, know python-engineio; what does the I/O is known to one flavour."""
    for found in imports_of(name):
        if found.module in OUTSIDE and not found.is_own:
            is_known = any(f"{name}.".startswith(f"{folder}.") for folder in OUTSIDE[found.module])
            assert is_known, f"{name}, line {found.line}: {found.module}"


@pytest.mark.parametrize("name", MODULES)
def test_no_other_packages_are_needed(name):
    """What is imported is the package itself, the standard library, or one of the packages in the table."""
    known = {*OUTSIDE, *sys.stdlib_module_names}
    assert {found.module for found in imports_of(name) if not found.is_own} <= known


@pytest.mark.parametrize("name", MODULES)
def test_functions_import_nothing_but_optional_packages(name):
    """An import stands at the top of its file, but for what needs a package that may be missing."""
    inside = {found.module for found in runtime_imports(name) if found.in_function}
    assert inside <= OPTIONAL, f"{name} imports inside a function"


def test_no_flavour_imports_the_other():
    """What the client for threads imports, directly or not, imports no asyncio; and the other way round."""
    for client, other in (("simple_client", ".asyncio"), ("async_simple_client", ".threads")):
        reached, waiting = set(), [client]
        while waiting:
            name = waiting.pop()
            if name not in reached:
                reached.add(name)
                waiting += [found.module for found in runtime_imports(name) if found.is_own]
        assert not [name for name in reached if other in name]
        if other == ".asyncio":
            assert not [name for name in reached if any(found.module == "asyncio" for found in runtime_imports(name))]


def test_the_names_of_the_package_are_the_same_for_type_checkers():
    """The tables of names that are imported when used are what a type checker reads as imports."""
    tree = ast.parse(MODULES["socketio"].read_text(encoding="utf-8"))
    guard = next(node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    imports = [node for node in guard.body if isinstance(node, ast.ImportFrom)]
    assert imports == guard.body
    names = {alias.name: node.module for node in imports for alias in node.names}
    assert {name: module for name, module in names.items() if module} == socketio._MODULES
    assert {name for name, module in names.items() if module is None} == set(socketio._SUBMODULES.split())
    assert {*socketio._MODULES, "exceptions"} == set(socketio.__all__)


@pytest.mark.parametrize("name", [name for name in MODULES if name != "socketio"])
def test_nobody_imports_the_roof(name):
    """The package's own namespace is for users; inside, only the command line takes the version from it."""
    from_roof = [found for found in runtime_imports(name) if found.is_own and found.module == "socketio"]
    assert not from_roof or name == "__main__"
