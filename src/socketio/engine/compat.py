"""What this package needs from the inside of its dependencies, each with a fallback to their public API.

python-engineio: ``import engineio`` loads its clients and its servers, and so aiohttp, requests and websocket-client.
Importing this module defers that until a program asks for a name of ``engineio`` itself, such as ``engineio.Server``.
Its submodules are imported one by one. Seen in python-engineio 4.13 to 4.15.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
from importlib.abc import Loader
from types import ModuleType
from typing import Any

# -- python-engineio


def defer_init(package: str) -> None:
    """Put a package into ``sys.modules``, to run its ``__init__`` when a name is asked for that it defines.

    As the recipe "Implementing lazy imports" in the documentation of ``importlib``, whose ``LazyLoader`` is not for
    packages: it loads them when a submodule is imported.
    """
    if package in sys.modules:
        return
    spec = importlib.util.find_spec(package)
    if spec is None or spec.loader is None:
        return
    module = importlib.util.module_from_spec(spec)
    vars(module).update(_DeferredInit(module, spec.loader).hooks)
    sys.modules.setdefault(package, module)


class _DeferredInit:
    """The ``__getattr__`` and ``__dir__`` (PEP 562) of a package until its ``__init__`` has run."""

    def __init__(self, module: ModuleType, loader: Loader) -> None:
        self._module = module
        self._loader = loader
        self._lock = threading.RLock()
        self._is_running = False
        self.hooks = {"__getattr__": self._find, "__dir__": self._list}

    def _find(self, name: str) -> Any:
        submodule = f"{self._module.__name__}.{name}"
        if importlib.util.find_spec(submodule):
            return importlib.import_module(submodule)
        self._run()
        return getattr(self._module, name)

    def _list(self) -> list[str]:
        self._run()
        return dir(self._module)

    def _run(self) -> None:
        names = vars(self._module)
        with self._lock:
            if self._is_running:
                raise AttributeError(f"{self._module.__name__!r} has not defined this name yet")
            if not self.hooks:  # another thread has run it meanwhile
                return
            self._is_running = True
            try:
                self._loader.exec_module(self._module)
            finally:
                self._is_running = False
            for name, hook in self.hooks.items():
                if names[name] == hook:  # else __init__ has defined one
                    del names[name]
            self.hooks = {}


def engineio_class(module: str, name: str) -> Any:
    """Return a class of python-engineio from its submodule, or else from the package itself, which loads all of it."""
    try:
        return getattr(importlib.import_module(f"engineio.{module}"), name)
    except (ImportError, AttributeError):
        return getattr(importlib.import_module("engineio"), name)


defer_init("engineio")
