"""Clients work with other layouts of python-engineio: ``engine/compat`` falls back to what the package exports."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import engineio
import pytest

from socketio.engine import compat
from socketio.testing import Server

MODULES = ("client", "async_client")
USE = """
import asyncio, sys
import socketio

url = sys.argv[1]
with socketio.SimpleClient() as sio:
    sio.connect(url)
    assert sio.call("add", (1, 2)) == 3

async def main():
    async with socketio.AsyncSimpleClient() as sio:
        await sio.connect(url)
        assert await sio.call("add", (1, 2)) == 3

asyncio.run(main())

import engineio
assert isinstance(socketio.Client().eio, engineio.Client)
assert isinstance(socketio.AsyncClient().eio, engineio.AsyncClient)
assert engineio.Server.__name__ in dir(engineio)
print(engineio.__file__, engineio.client.__name__ if hasattr(engineio, "client") else None)
"""


def change(path: Path, edit: Callable[[str], str]) -> None:
    path.write_text(edit(path.read_text()))


def as_it_is(package: Path) -> None:
    """Leave the copy alone."""


def with_other_modules(package: Path) -> None:
    """Have the classes in modules with other names."""
    for name in MODULES:
        (package / f"{name}.py").rename(package / f"the_{name}.py")
        change(package / "__init__.py", lambda text, name=name: text.replace(f"from .{name} ", f"from .the_{name} "))


def with_modules_that_need_the_package(package: Path) -> None:
    """Have the modules take a name from the package, which defines it before it imports them."""
    change(package / "__init__.py", lambda text: "NAME = 1\n" + text)
    for name in MODULES:
        change(package / f"{name}.py", lambda text: "from engineio import NAME\n" + text)


def with_names_that_are_imported_later(package: Path) -> None:
    """Have the package import its names when they are first used."""
    (package / "__init__.py").write_text("""
import importlib

_modules = {"Client": "client", "AsyncClient": "async_client", "Server": "server"}
__all__ = [*_modules]

def __getattr__(name):
    if name not in _modules:
        raise AttributeError(name)
    return getattr(importlib.import_module("." + _modules[name], __name__), name)

def __dir__():
    return __all__
""")


LAYOUTS = [as_it_is, with_other_modules, with_modules_that_need_the_package, with_names_that_are_imported_later]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The URL of a server that answers the event ``add``."""
    with Server(log=False) as server:
        server.on("add", lambda sid, a, b: a + b)
        yield server.url


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_clients_connect_whatever_the_layout_of_engineio(tmp_path, url, layout):
    """Both flavours work, and ``eio`` is an instance of the package's classes. (issue 11, 6)"""
    package = tmp_path / "engineio"
    shutil.copytree(Path(engineio.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    layout(package)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", USE, url],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(package))


# -- any package


@pytest.fixture
def package(tmp_path, monkeypatch) -> Iterator[Path]:
    """A package named ``deferred`` with a module ``part``, to be found and not loaded yet."""
    folder = tmp_path / "deferred"
    folder.mkdir()
    (folder / "__init__.py").write_text("from .part import VALUE\nHIDDEN = 2\n")
    (folder / "part.py").write_text("from . import other\nVALUE = other.VALUE\n")
    (folder / "other.py").write_text("VALUE = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] == "deferred"]:
        del sys.modules[name]


def test_init_runs_when_a_name_is_asked_for(package):
    """A submodule is imported without its package; then the package runs once, and is as any other."""
    compat.defer_init("deferred")
    deferred = sys.modules["deferred"]
    assert "deferred.part" not in sys.modules
    assert deferred.part.VALUE == 1
    assert "HIDDEN" not in vars(deferred)
    assert (deferred.HIDDEN, deferred.VALUE) == (2, 1)
    assert not {"__getattr__", "__dir__"} & {*vars(deferred)}
    with pytest.raises(AttributeError, match="module 'deferred' has no attribute 'nonsense'"):
        _ = deferred.nonsense


def test_dir_runs_init(package):
    """All names are listed, as if the package had been imported."""
    compat.defer_init("deferred")
    assert {"HIDDEN", "VALUE", "part"} <= set(dir(sys.modules["deferred"]))


def test_an_init_that_fails_is_tried_again(package):
    """The error is that of the package, each time, until the package can be run."""
    (package / "__init__.py").write_text("import missing_module_of_deferred\n")
    compat.defer_init("deferred")
    for _ in range(2):
        with pytest.raises(ModuleNotFoundError, match="missing_module_of_deferred"):
            _ = sys.modules["deferred"].HIDDEN
    assert sys.modules["deferred"].part.VALUE == 1


def test_what_is_loaded_is_left_alone(package):
    """A package that the program has imported before is not replaced."""
    before = sys.modules["engineio"]
    compat.defer_init("engineio")
    assert sys.modules["engineio"] is before


def test_a_package_that_is_missing_is_not_put_anywhere():
    """An import then raises the usual ModuleNotFoundError."""
    compat.defer_init("nowhere_to_be_found")
    assert "nowhere_to_be_found" not in sys.modules
