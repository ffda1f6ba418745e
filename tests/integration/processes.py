"""Starts and ends the servers that run as processes of their own.

A server takes one JSON argument, its options:

- ``serializer``: ``"default"`` or ``"msgpack"``
- ``ping_interval``, ``ping_timeout``: seconds
- ``max_payload``: bytes
- ``transports``: a list of names; ``allow_upgrades``: a bool
- ``tls``: ``{"cert": path, "key": path, "client_ca": path or null}``
- ``cookie``: whether the handshake sets a cookie ``sticky``
- ``path``: the path of Socket.IO, without slashes
- ``recovery``: connection state recovery (Node only)
- ``port``: its port; a free one by default

It prints its port and ends with its standard input, so that none outlives the tests.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from typing import Any

from .installation import SERVERS, install_node_packages, install_python_socketio, node_executable


class ServerProcess:
    """A server in a process of its own, listening on 127.0.0.1.

    :ivar kind: ``node``, ``node-v2`` or ``python``.
    :ivar port: its port.
    :ivar url: its URL.
    """

    def __init__(self, kind: str, options: dict[str, Any]) -> None:
        self.kind = kind
        self.options = options
        self._process = self._start()
        self.port = self._read_port()
        self.url = f"{'https' if options.get('tls') else 'http'}://127.0.0.1:{self.port}"

    def kill(self) -> None:
        """End the process with SIGKILL: its clients are told nothing."""
        self._process.kill()
        self._process.wait(5)
        self._close_pipes()

    def restart(self) -> None:
        """Start a process on the same port, after :meth:`kill`."""
        self.options = {**self.options, "port": self.port}
        self._process = self._start()
        assert self._read_port() == self.port

    def close(self) -> None:
        """End the process: ask it by closing its standard input, then terminate, then kill it."""
        self._close_pipes()
        for end in (None, self._process.terminate, self._process.kill):
            if end is not None:
                end()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
                return

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*self._command(), *self._arguments()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=self._environment(),
        )

    def _close_pipes(self) -> None:
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def _command(self) -> list[str]:
        if self.kind == "python":
            return [sys.executable, str(SERVERS / "python_server.py")]
        script = "server_v2.js" if self.kind == "node-v2" else "server.js"
        return [node_executable(), str(install_node_packages() / script)]

    def _arguments(self) -> list[str]:
        return [json.dumps(self.options)]

    def _environment(self) -> dict[str, str]:
        if self.kind != "python":
            return dict(os.environ)
        return {**os.environ, "PYTHONPATH": str(install_python_socketio())}

    def _read_port(self) -> int:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self.close()
            raise RuntimeError(f"the {self.kind} server ended before it listened, with {self._process.returncode}")
        return int(json.loads(line)["port"])
