"""What users import, and what an import does not do."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import socketio
from socketio import packet


def run(code: str, *, expect: int = 0) -> str:
    """Run a program in a fresh interpreter; return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == expect, done.stderr
    return done.stdout + done.stderr


# -- names


def test_the_names_of_the_package():
    """__all__ is the clients, the namespaces and the exceptions, and each is there. (M52)"""
    assert sorted(socketio.__all__) == [
        "AsyncClient",
        "AsyncClientNamespace",
        "AsyncSimpleClient",
        "Client",
        "ClientNamespace",
        "DisconnectDetails",
        "DisconnectKind",
        "SimpleClient",
        "exceptions",
    ]
    assert all(hasattr(socketio, name) for name in socketio.__all__)


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("client", ["Client"]),
        ("async_client", ["AsyncClient"]),
        ("simple_client", ["SimpleClient"]),
        ("async_simple_client", ["AsyncSimpleClient"]),
        ("namespace", ["ClientNamespace"]),
        ("async_namespace", ["AsyncClientNamespace"]),
        ("base_client", ["BaseClient"]),
        ("base_namespace", ["BaseClientNamespace"]),
        ("packet", ["Packet", "packet_names", *packet.packet_names]),
        ("msgpack_packet", ["MsgPackPacket"]),
        ("exceptions", ["SocketIOError", "ConnectionError", "ConnectionRefusedError", "TimeoutError"]),
        ("exceptions", ["BadNamespaceError", "DisconnectedError"]),
    ],
)
def test_the_import_paths_of_python_socketio_hold(module, names):
    """Modules and names are where users of python-socketio import them from. (M52)"""
    found = importlib.import_module(f"socketio.{module}")
    assert all(hasattr(found, name) for name in names)


@pytest.mark.parametrize("name", ["Client", "AsyncClient", "SimpleClient", "AsyncSimpleClient"])
def test_names_are_the_same_at_both_places(name):
    """The package's names are those of its modules. (M52)"""
    module = {"Client": "client", "AsyncClient": "async_client"}.get(name)
    module = module or ("async_simple_client" if name.startswith("Async") else "simple_client")
    assert getattr(socketio, name) is getattr(importlib.import_module(f"socketio.{module}"), name)


OF_THE_SERVER = ["Server", "AsyncServer", "ASGIApp", "WSGIApp", "Middleware", "Namespace", "AsyncNamespace", "Manager"]
OF_THE_SERVER += ["AsyncManager", "PubSubManager", "RedisManager", "AsyncRedisManager", "KombuManager"]


@pytest.mark.parametrize("name", [*OF_THE_SERVER, "get_tornado_handler"])
def test_names_of_the_server_say_where_they_are(name):
    """Asking for a part of the server raises AttributeError that names both packages. (M52)"""
    with pytest.raises(AttributeError, match="holds the clients") as caught:
        getattr(socketio, name)
    assert "python-socketio " in str(caught.value)
    assert "python-socketio-client" in str(caught.value)
    with pytest.raises(ImportError, match=name):
        exec(f"from socketio import {name}", {})


def test_other_names_are_unknown():
    """Asking for anything else raises the usual AttributeError. (M52)"""
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = socketio.nonsense
    assert not hasattr(socketio, "__path_to_nowhere__")


# -- the distribution


def test_the_version_is_that_of_the_distribution():
    """__version__ is what the installed distribution says. (M52)"""
    assert socketio.__version__ == importlib.metadata.version("python-socketio-client")


def test_the_package_is_typed():
    """The marker for type checkers is part of the package. (M52)"""
    assert (Path(socketio.__file__).parent / "py.typed").is_file()


def test_no_file_names_the_package_that_it_is_in():
    """All imports within the package are relative, so that it can be built under another name. (issue 10, D7)"""
    for path in Path(socketio.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                names = re.findall(r"^socketio\.\w+$", node.value)  # a module or logger named in a string
            assert not [name for name in names if name.partition(".")[0] == "socketio"], f"{path}:{node.lineno}"


# -- what an import does


def test_an_import_loads_nothing_that_is_not_needed():
    """import socketio loads neither the server for tests nor optional packages nor the command line. (M52)"""
    unwanted = ["socketio.testing", "socketio.__main__", "socketio.msgpack_packet", "msgpack", "prompt_toolkit"]
    printed = run(f"import sys, socketio; print([name for name in {unwanted} if name in sys.modules])")
    assert printed.strip() == "[]"


def test_an_import_changes_nothing_in_the_process():
    """import socketio starts no thread, sets no signal handler, and leaves the root logger as it is. (A6)"""
    run("""
        import logging, signal, threading

        def state():
            handlers = [signal.getsignal(number) for number in signal.valid_signals()]
            root = logging.getLogger()
            return handlers, threading.active_count(), root.level, list(root.handlers)

        before = state()
        import socketio
        assert state() == before
        assert not logging.getLogger("socketio").handlers
        """)


@pytest.mark.parametrize("name", ["Server", "nonsense"])
def test_asking_for_a_wrong_name_loads_nothing(name):
    """A name that is not there does not load the rest of the package. (M52)"""
    run(f"""
        import sys, socketio
        before = set(sys.modules)
        assert not hasattr(socketio, {name!r})
        assert set(sys.modules) == before
        """)


# -- python-socketio in the same folder (issue 10, D7)

SHOW = """
import sys, warnings
sys.path.insert(0, sys.argv[1])
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import socketio
print(socketio.Client.__module__)
for warning in caught:
    print(warning.category.__name__, warning.filename, warning.message)
"""
THEIRS = "from .server import Server\n\nclass Client: pass\n"


def package_copy(folder: Path, **files: str) -> Path:
    """Copy this package into a folder, as pip would, then write other files over it."""
    package = folder / "socketio"
    shutil.copytree(Path(socketio.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in files.items():
        (package / f"{name}.py").write_text(text)
    return folder


def imported(folder: Path) -> list[str]:
    """Return what ``SHOW`` prints about the package in a folder."""
    command = [sys.executable, "-c", SHOW, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.splitlines()


def test_an_import_alone_warns_of_nothing(tmp_path):
    """Without python-socketio's files there is no warning."""
    assert imported(package_copy(tmp_path)) == ["socketio.client"]


@pytest.mark.parametrize("init", [None, THEIRS], ids=["this one last", "python-socketio last"])
def test_an_import_warns_of_python_socketio_in_the_same_folder(tmp_path, init):
    """Whichever was installed last: one line, in the name of the importing file, says which command repairs it."""
    files = {"server": "class Server: pass\n", **({"__init__": init} if init else {})}
    module, warning = imported(package_copy(tmp_path, **files))
    assert module == ("socketio" if init else "socketio.client")
    assert warning.startswith("RuntimeWarning <string> python-socketio and python-socketio-client are both installed")
    assert str(tmp_path / "socketio") in warning
    assert "run 'pip uninstall -y python-socketio python-socketio-client', then install" in warning


def test_the_server_of_python_socketio_works_although_this_package_is_beneath(tmp_path):
    """``socketio.server`` is python-socketio's module, not the folder of this package that has its name."""
    folder = package_copy(tmp_path, server="class Server: pass\n", __init__=THEIRS)
    run(f"""
        import sys, warnings
        sys.path.insert(0, {str(folder)!r})
        warnings.simplefilter("ignore")
        import socketio.server
        from socketio.server import Server
        assert socketio.server.Server is Server is socketio.Server
        assert socketio.server.__file__ == {str(folder / "socketio" / "server.py")!r}
        """)


def test_there_is_no_server_in_this_package():
    """An import of ``socketio.server`` says which package has it."""
    with pytest.raises(ModuleNotFoundError, match=r"socketio\.server is part of python-socketio's server"):
        importlib.import_module("socketio.server")


# -- without msgpack

WITHOUT_MSGPACK = """
    import sys

    class Blocker:
        def find_spec(self, name, path=None, target=None):
            if name.partition(".")[0] == "msgpack":
                raise ImportError(f"no module named {name}", name=name)

    sys.meta_path.insert(0, Blocker())
    import socketio
"""


@pytest.mark.parametrize("client", ["Client", "AsyncClient"])
def test_without_msgpack_all_else_works(client):
    """A client that does not ask for msgpack does not need it. (A4)"""
    run(textwrap.dedent(WITHOUT_MSGPACK) + f"socketio.{client}()")


@pytest.mark.parametrize(
    "use",
    [
        "socketio.Client(serializer='msgpack')",
        "socketio.AsyncClient(serializer='msgpack')",
        "from socketio.msgpack_packet import MsgPackPacket; MsgPackPacket(data=['a']).encode()",
        "from socketio.msgpack_packet import MsgPackPacket; MsgPackPacket(encoded_packet=b'x')",
    ],
)
def test_without_msgpack_its_use_says_what_to_install(use):
    """The ImportError names the package and the command that installs it. (A4)"""
    printed = run(textwrap.dedent(WITHOUT_MSGPACK) + use, expect=1)
    assert "ImportError" in printed
    assert "'msgpack'" in printed
    assert "pip install msgpack" in printed
