"""Starts the servers of this suite, each as a process that ends with its standard input."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from integration.installation import (
    install_flask_socketio,
    install_node_packages,
    install_python_socketio,
    node_executable,
)
from integration.processes import ServerProcess

SERVERS = Path(__file__).parent / "servers"


class FieldServer(ServerProcess):
    """A program of ``servers/``; ``kind`` is the beginning of its name, which says what it is made with."""

    def __init__(self, program: str, **options: object) -> None:
        self.program = SERVERS / program
        super().__init__(program.partition("_")[0], options)

    def _command(self) -> list[str]:
        if self.kind == "node":
            return [node_executable(), str(self.program)]
        return [sys.executable, str(self.program)]

    def _arguments(self) -> list[str]:
        folder = [str(install_node_packages() / "package.json")] if self.kind == "node" else []
        return [*super()._arguments(), *folder]

    def _environment(self) -> dict[str, str]:
        if self.kind == "node":
            return dict(os.environ)
        folder = install_flask_socketio() if self.kind == "flask" else install_python_socketio()
        return {**os.environ, "PYTHONPATH": str(folder)}
