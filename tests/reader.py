"""Does what a reader of the README does: runs its commands in a checkout, and its programs beside the server.

In: the folder of a checkout with an environment in ``.venv``. Out: what each block printed. A block that starts the
example server goes on in the background, and the port in it is replaced only when another program has it.
"""

from __future__ import annotations

import contextlib
import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"
PORT = "5000"


def blocks() -> list[tuple[str, str]]:
    """Return the code blocks of the README in order, each as its language (``""`` for commands) and its text."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


class Reader:
    """Runs blocks in a checkout.

    :ivar port: the port of the example server.
    """

    def __init__(self, checkout: Path) -> None:
        self.checkout = checkout
        self.port = PORT if _is_free(PORT) else _free_port()

    def run_command(self, text: str, seconds: float) -> str:
        """Return what a block of commands prints; fail if it fails."""
        return self._run(["bash", "-e", "-c", text], seconds)

    def run_program(self, text: str) -> list[str]:
        """Return the lines that a program prints; fail if it fails, or warns."""
        program = self.checkout / "program.py"
        program.write_text(text.replace(f":{PORT}", f":{self.port}"))
        return self._run([".venv/bin/python", "-W", "error", "program.py"], 30).splitlines()

    @contextlib.contextmanager
    def server(self, text: str) -> Iterator[None]:
        """Keep the example server running, started by a block of the README, without a terminal."""
        command = text.strip() if self.port == PORT else f"{text.strip()} {self.port}"
        with subprocess.Popen(
            ["bash", "-c", f"exec {command}"],
            cwd=self.checkout,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                assert process.stdout is not None
                assert f"http://127.0.0.1:{self.port}" in process.stdout.readline()
                yield
                assert process.poll() is None
            finally:
                process.terminate()

    def _run(self, command: list[str], seconds: float) -> str:
        done = subprocess.run(
            command,
            cwd=self.checkout,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout


def _is_free(port: str) -> bool:
    try:
        socket.create_server(("127.0.0.1", int(port))).close()
    except OSError:
        return False
    return True


def _free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return str(listener.getsockname()[1])
