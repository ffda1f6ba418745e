"""Undocumented names of other packages, each with a fallback to their public API.

No other module uses a name that another package does not document. Each is listed with the versions that it was seen
in; if a later version does not have it, the functions here fall back to public API.
``tests/contract/test_compat.py`` removes each name and connects.

python-engineio: ``import engineio`` loads its clients and its servers, and so aiohttp, requests and websocket-client.
Importing this module defers that until a program asks for a name of ``engineio`` itself, such as ``engineio.Server``.
Its submodules are imported one by one. Seen in python-engineio 4.15.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import sys
import threading
from collections.abc import Callable, Iterable
from functools import partial
from importlib.abc import Loader
from types import ModuleType
from typing import Any

# aiohttp 3.11 to 3.14
IDLE = "_conns"  # BaseConnector: idle connections by key, each with the time since when it is idle
BUSY = "_acquired"  # BaseConnector: connections in use
TLS = "_ssl"  # TCPConnector: its option ``ssl``
RETRY = "_retry_connection"  # ClientSession: whether a GET is repeated whose connection breaks
PROTOCOL = "protocol"  # Connection: the protocol that the event loop's transport calls
SET_PARSER = "set_parser"  # that protocol: passes what follows an answer to a parser
# urllib3 1.26 to 2.8
MAKE_SOCKET = "_new_conn"  # HTTPConnection: connects a socket
DNS_HOST = "_dns_host"  # HTTPConnection: the host, with a dot at its end
# python-engineio 4.13 to 4.15, of which the server for tests is made
DRIVER = "_async"  # AsyncServer: what it uses of its framework, by name
RESPONSE = "_sock"  # WebSocket of aiohttp's driver: the response
# asyncio of Python 3.10 to 3.14
LOG_PENDING = "_log_destroy_pending"  # Task: whether it is logged when it is deleted before it ends
TLS_PROTOCOL = "_ssl_protocol"  # TLS transports: the protocol
BELOW = "_transport"  # that protocol: the transport of the TCP connection
CONNECTION_LOST = "_call_connection_lost"  # transports: closes the socket


# -- aiohttp


def idle_connections(connector: Any) -> list[tuple[Any, Any, float]]:
    """Return a connector's idle connections: key, protocol, and the time since when it is idle. Otherwise none."""
    try:
        kept = getattr(connector, IDLE, {}).items()
        return [(key, protocol, since) for key, each in kept for protocol, since in each]
    except (AttributeError, TypeError, ValueError):
        return []


def transports_of(connector: Any) -> list[Any]:
    """Return asyncio's transports of a connector's connections, in use or not. Otherwise none."""
    protocols = [protocol for _, protocol, _ in idle_connections(connector)] + list(getattr(connector, BUSY, ()))
    found = [getattr(protocol, "transport", None) for protocol in protocols]
    return [transport for transport in found if transport is not None]


def tls_of(connector: Any) -> Any:
    """Return the option ``ssl`` of a connector. Otherwise ``True``, which is its default: certificates are verified."""
    return getattr(connector, TLS, True)


def do_not_repeat(session: Any) -> None:
    """Make a session send a GET once: what the server had sent into a connection that broke would be lost.

    Otherwise a GET may be repeated.
    """
    if hasattr(session, RETRY):
        setattr(session, RETRY, False)


def connection_of(response: Any) -> tuple[Any, Any, Callable[[Any, Any], None]] | None:
    """Return what is needed to take over a connection after the server has switched protocols. Otherwise ``None``.

    That is the event loop's transport, its protocol, and a method that passes received data to a parser.
    """
    connection = getattr(response, "connection", None)
    transport, protocol = getattr(connection, "transport", None), getattr(connection, PROTOCOL, None)
    set_parser = getattr(protocol, SET_PARSER, None)
    return None if transport is None or set_parser is None else (transport, protocol, set_parser)


# -- urllib3


def connecting_by(
    connect: Callable[[Any, Callable[[], Any], str], Any], connection_class: Any, plain_class: Any
) -> dict[str, Any]:
    """Return the attributes of a subclass of ``connection_class`` that connects its sockets with a function.

    :param connect: called with the connection, what urllib3 does, and the host.
    :param plain_class: urllib3's; a class that connects in another way is not changed.
    """
    name = MAKE_SOCKET

    def make_socket(connection: Any) -> Any:
        own = getattr(connection_class, name)
        if own != getattr(plain_class, name, None):
            return own(connection)
        host = getattr(connection, DNS_HOST, connection.host)
        return connect(connection, partial(own, connection), host.strip("[]"))

    return {name: make_socket}


# -- asyncio


def keep_silent(tasks: Iterable[Any]) -> None:
    """Keep asyncio from logging pending tasks when they are deleted. Otherwise it logs them."""
    for task in tasks:
        if hasattr(task, LOG_PENDING):
            setattr(task, LOG_PENDING, False)


def close_transport(transport: Any) -> None:
    """Close a transport whose event loop is closed. Otherwise its socket is closed when it is deleted."""
    with contextlib.suppress(Exception):  # RuntimeError where the loop is closed
        transport.abort()
    for each in (transport, getattr(getattr(transport, TLS_PROTOCOL, None), BELOW, None)):
        with contextlib.suppress(Exception):
            getattr(each, CONNECTION_LOST)(None)  # what the loop would do next


# -- python-engineio


def use_websocket(server: Any, websocket_class: type) -> None:
    """Make a server create its websockets with a class. Otherwise it makes plain ones."""
    if hasattr(server, DRIVER):
        setattr(server, DRIVER, {**getattr(server, DRIVER), "websocket": websocket_class})


def response_of(websocket: Any) -> Any:
    """Return the response of a server's websocket. Otherwise ``None``."""
    return getattr(websocket, RESPONSE, None)


def defer_init(package: str) -> None:
    """Put a package into ``sys.modules``, and run its ``__init__`` when a name that it defines is used.

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
            if not self.hooks:  # another thread has run it
                return
            self._is_running = True
            try:
                self._loader.exec_module(self._module)
            finally:
                self._is_running = False
            for name, hook in self.hooks.items():
                if names[name] == hook:  # otherwise __init__ has defined one
                    del names[name]
            self.hooks = {}


def engineio_class(module: str, name: str) -> Any:
    """Return a class of python-engineio from its submodule, or from the package itself, which loads all of it."""
    try:
        return getattr(importlib.import_module(f"engineio.{module}"), name)
    except (ImportError, AttributeError):
        return getattr(importlib.import_module("engineio"), name)


defer_init("engineio")
