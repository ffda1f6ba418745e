"""A build backend (PEP 517) that builds the project in ``../..`` under another import name.

It writes an ordinary setuptools project to a temporary folder: the source as ``src/socketio_client`` and the metadata
with the names replaced. setuptools builds the wheel or the source distribution there. The source needs no change, since
all imports in the package are relative.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from setuptools import build_meta

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DISTRIBUTION, PACKAGE = "socketio-client-beside", "socketio_client"


def build_wheel(wheel_directory: str, config_settings: Any = None, metadata_directory: str | None = None) -> str:
    """Build the wheel; return its file name."""
    with _project():
        return build_meta.build_wheel(wheel_directory, config_settings)


def build_sdist(sdist_directory: str, config_settings: Any = None) -> str:
    """Build the source distribution, which needs this backend no more; return its file name."""
    with _project():
        return build_meta.build_sdist(sdist_directory, config_settings)


@contextlib.contextmanager
def _project() -> Iterator[None]:
    """Make the project in a temporary folder the working directory."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder)
        ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
        shutil.copytree(ROOT / "src" / "socketio", project / "src" / PACKAGE, ignore=ignored)
        shutil.copy(ROOT / "LICENSE", project)
        shutil.copy(HERE / "README.md", project)
        metadata = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
        (project / "pyproject.toml").write_text(_renamed(metadata), encoding="utf-8")
        os.chdir(project)
        try:
            yield
        finally:
            os.chdir(before)


def _renamed(metadata: str) -> str:
    """Return the text of ``pyproject.toml`` with the name of the distribution and of the package replaced."""
    kept = [
        section for section in re.split(r"(?m)^(?=\[)", metadata) if not re.match(r"\[+tool\.(?!setuptools)", section)
    ]
    text = "".join(kept).replace("python-socketio-client", DISTRIBUTION)
    text = re.sub(r'"socketio(?=[.:]\w)', f'"{PACKAGE}', text)  # entry points: "socketio.cli:main"
    return re.sub(r"(?m)^socketio(?= = )", PACKAGE, text)  # package data: socketio = ["py.typed"]
