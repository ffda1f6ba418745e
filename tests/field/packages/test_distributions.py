"""The distributions of this checkout, installed with pip beside and instead of python-socketio. (issue 10, D7)"""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import socketio

from .environment import ROOT, STAND_IN, python_of

# pip takes its time on a busy machine, and all tests of this file share what it has installed.
pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("distributions")]
PROGRAMS = Path(__file__).parent / "programs"
DEPENDENCIES = ["aiohttp", "bidict", "msgpack", "python-engineio", "requests", "setuptools>=77", "websocket-client"]
UNINSTALL = ["-m", "pip", "uninstall", "--quiet", "--yes", "python-socketio", "python-socketio-client"]
SHOW = "import socketio, importlib.metadata as m; print(socketio.Client.__name__, m.version('python-socketio'))"


def copy_of_checkout(target: Path) -> Path:
    """Copy what the distributions are made of: setuptools packs what earlier builds left in a checkout."""
    target.mkdir()
    ignored = shutil.ignore_patterns("__pycache__", "build", "*.egg-info")
    for name in ("src", "packaging"):
        shutil.copytree(ROOT / name, target / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, target)
    return target


class Environment:
    """A virtual environment with the dependencies, and the wheels of this checkout.

    :ivar python: its Python.
    :ivar checkout: a copy of the checkout.
    :ivar wheels: the folder of the wheels.
    """

    def __init__(self, folder: Path) -> None:
        self.wheels = folder / "wheels"
        subprocess.run([sys.executable, "-m", "venv", str(folder / "environment")], timeout=100, check=True)
        self.python = str(python_of(folder / "environment"))
        self.pip("install", *DEPENDENCIES)
        self.checkout = copy_of_checkout(folder / "checkout")
        projects = ["", "packaging/python-socketio", "packaging/socketio-client-beside"]
        paths = [str(self.checkout / project) for project in projects]
        self.pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(self.wheels), *paths)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run its Python with these arguments; fail if that fails."""
        done = subprocess.run([self.python, *arguments], capture_output=True, text=True, timeout=200, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def pip(self, command: str, *arguments: str) -> None:
        """Run pip in it."""
        self.run("-m", "pip", command, "--quiet", "--disable-pip-version-check", *arguments)

    def wheel(self, name: str) -> str:
        """Return the path of the wheel of a distribution."""
        (path,) = self.wheels.glob(f"{name.replace('-', '_')}-*.whl")
        return str(path)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment for all tests of this file, since its installation takes seconds."""
    return Environment(tmp_path_factory.mktemp("distributions"))


@pytest.fixture(autouse=True)
def _clean(environment: Environment) -> Iterator[None]:
    """After each test nothing named socketio is installed."""
    yield
    environment.run(*UNINSTALL, "socketio-client-beside")


def test_the_documented_command_replaces_python_socketio(environment: Environment) -> None:
    """After it pip is content, and an import is this library and warns of nothing."""
    environment.pip("install", "--no-deps", "python-socketio==5.16.0")
    environment.run(*UNINSTALL)
    checkout = environment.checkout
    environment.pip("install", str(checkout), str(checkout / "packaging" / "python-socketio"))
    environment.run("-m", "pip", "check")
    done = environment.run("-W", "error", "-c", SHOW + "; import socketio.runtime.conflict")
    assert (done.stdout, done.stderr) == ("Client 5.18.1.post1\n", "")
    with zipfile.ZipFile(environment.wheel("python-socketio")) as wheel:
        assert not [name for name in wheel.namelist() if ".dist-info/" not in name]


def test_pip_keeps_it_for_packages_that_require_python_socketio(environment: Environment) -> None:
    """Requirements with extras are met, so that pip does not install python-socketio."""
    environment.pip("install", environment.wheel("python-socketio-client"), environment.wheel("python-socketio"))
    environment.pip("install", "--no-index", "python-socketio[client,asyncio_client]<6,>=5.14.1")
    assert environment.run("-c", SHOW).stdout == "Client 5.18.1.post1\n"


def test_uv_overrides_the_requirement(environment: Environment, tmp_path: Path) -> None:
    """The documented line keeps uv from installing python-socketio for a package that requires it."""
    page = (ROOT / "docs" / "replacing.rst").read_text(encoding="utf-8")
    (override,) = [line.strip() for line in page.splitlines() if "override-dependencies" in line and "=" in line]
    (tmp_path / "pyproject.toml").write_text(
        f"""
        [project]
        name = "program"
        version = "1"
        requires-python = ">=3.10"
        dependencies = ["uptime-kuma-api==1.2.1", "python-socketio-client"]
        [tool.uv]
        {override}
        [tool.uv.sources]
        python-socketio-client = {{ path = {json.dumps(str(environment.checkout))} }}
        """
    )
    environment.pip("install", "uv")
    variables = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    uv = [environment.python, "-m", "uv", "sync", "--quiet", "--python", sys.executable]
    subprocess.run(uv, cwd=tmp_path, env=variables, timeout=200, check=True)
    show = "import uptime_kuma_api, socketio; print(socketio.__version__)"
    command = [str(python_of(tmp_path / ".venv")), "-c", show]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == socketio.__version__


@pytest.mark.parametrize("last", ["this one", "python-socketio"])
def test_an_import_warns_of_both(environment: Environment, last: str) -> None:
    """Whichever pip installed last, one warning names both; the command in it leaves a clean environment."""
    installations = [environment.wheel("python-socketio-client"), "python-socketio>=5.16,<6"]
    for wanted in installations if last == "python-socketio" else reversed(installations):
        environment.pip("install", "--no-deps", wanted)
    warned = environment.run("-c", SHOW)
    assert warned.stdout.startswith("Client 5.")
    assert warned.stderr.count("RuntimeWarning: python-socketio and python-socketio-client are both installed") == 1
    assert "<string>:1" in warned.stderr
    environment.run(*UNINSTALL)
    environment.pip("install", "--no-deps", environment.wheel("python-socketio-client"))
    assert environment.run("-c", "import socketio; socketio.Client").stderr == ""


def test_the_second_name_lives_beside_python_socketio(environment: Environment) -> None:
    """``socketio_client`` talks to python-socketio's server in the same process; neither touches the other."""
    environment.pip("install", environment.wheel("socketio-client-beside"), "python-socketio>=5.16,<6")
    done = environment.run("-W", "error", str(PROGRAMS / "beside.py"))
    assert (done.stdout[:2], done.stderr) == ("5.", "")
    assert done.stdout.endswith(f" and {socketio.__version__}\n")
    environment.run("-W", "error", "-m", "socketio_client", "demo")


def test_the_second_name_has_every_file(environment: Environment, tmp_path: Path) -> None:
    """Its wheel and its source distribution hold the package's files under the other name, and no others."""
    with zipfile.ZipFile(environment.wheel("python-socketio-client")) as wheel:
        files = {name for name in wheel.namelist() if name.startswith("socketio/")}
        sources = {name: wheel.read(name) for name in files}
    with zipfile.ZipFile(environment.wheel("socketio-client-beside")) as wheel:
        beside = {name: wheel.read(name) for name in wheel.namelist() if ".dist-info/" not in name}
    renamed = {name.replace("socketio/", "socketio_client/", 1): content for name, content in sources.items()}
    assert beside == renamed
    assert "socketio_client/py.typed" in beside

    build = f"import sys; sys.path.insert(0, '.'); import backend; print(backend.build_sdist({str(tmp_path)!r}))"
    folder = environment.checkout / "packaging" / "socketio-client-beside"
    subprocess.run([environment.python, "-c", build], cwd=folder, capture_output=True, timeout=100, check=True)
    (sdist,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archived = {name.partition("/src/")[2] for name in archive.getnames() if name.endswith((".py", ".typed"))}
    assert archived == set(beside)
    environment.pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path), str(sdist))


def test_the_stand_in_asks_for_this_version_series() -> None:
    """A version of this library that its requirement excludes could not be installed with it."""
    (requirement,) = [
        line for line in (STAND_IN / "pyproject.toml").read_text().splitlines() if line.startswith("dependencies")
    ]
    major, minor, _ = importlib.metadata.version("python-socketio-client").split(".", 2)
    assert f">={major}.{minor}.0,<1" in requirement
