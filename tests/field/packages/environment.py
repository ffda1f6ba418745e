"""The virtual environment of the packages: they, this checkout, and the distribution that meets their requirement.

Out: the path of its Python. It is made once, and again when the requirements or the project's metadata change. The
checkout is installed editable, so that a change of the source needs no new environment.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from integration.installation import install_once, run_command

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
STAND_IN = ROOT / "packaging" / "python-socketio"


def install_packages() -> Path:
    """Return the Python of an environment that has the packages of ``requirements.txt``."""
    requirements = HERE / "requirements.txt"

    def install(target: Path) -> None:
        run_command([sys.executable, "-m", "venv", str(target)], HERE)
        pip = [str(python_of(target)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        # One command, so that pip finds no other python-socketio for what the packages require.
        run_command([*pip, "-e", str(ROOT), str(STAND_IN), "-r", str(requirements)], HERE)
        # It requires "asyncio", which on PyPI is a copy of the standard library's from Python 3.3.
        run_command([*pip, "--no-deps", "simple-async-mq==0.2.5"], HERE)

    sources = [requirements, ROOT / "pyproject.toml", STAND_IN / "pyproject.toml"]
    wanted = b"".join(path.read_bytes() for path in sources) + sys.version.encode()
    install_once(HERE / ".environment", wanted, install)
    return python_of(HERE / ".environment")


def python_of(environment: Path) -> Path:
    """Return the Python of a virtual environment."""
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
