"""A Socket.IO client, for threads and for asyncio.

core        Socket.IO without I/O: decodes frames, chooses handlers, has the lifecycle table
lifecycle   connects, reconnects and disconnects
dispatch    runs handlers in order
engine      Engine.IO: opens connections, reads and writes their bytes
runtime     steps, time limits, logs, forks and the end of the process

Each name is imported when it is first used: a program with threads does not load aiohttp, one with asyncio not
requests.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .runtime import conflict

if TYPE_CHECKING:
    from . import async_client as async_client
    from . import async_namespace as async_namespace
    from . import async_simple_client as async_simple_client
    from . import base_client as base_client
    from . import base_namespace as base_namespace
    from . import client as client
    from . import exceptions as exceptions
    from . import msgpack_packet as msgpack_packet
    from . import namespace as namespace
    from . import packet as packet
    from . import simple_client as simple_client
    from . import testing as testing
    from .async_client import AsyncClient
    from .async_namespace import AsyncClientNamespace
    from .async_simple_client import AsyncSimpleClient
    from .client import Client
    from .core.details import DisconnectDetails, DisconnectKind
    from .namespace import ClientNamespace
    from .simple_client import SimpleClient

__version__ = "0.1.0"

__all__ = [
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

_MODULES = {
    "AsyncClient": "async_client",
    "AsyncClientNamespace": "async_namespace",
    "AsyncSimpleClient": "async_simple_client",
    "Client": "client",
    "ClientNamespace": "namespace",
    "DisconnectDetails": "core.details",
    "DisconnectKind": "core.details",
    "SimpleClient": "simple_client",
}
_SUBMODULES = (
    "async_client async_namespace async_simple_client base_client base_namespace client exceptions msgpack_packet"
    " namespace packet simple_client testing"
)
_OF_THE_SERVER = (
    "ASGIApp AsyncAioPikaManager AsyncManager AsyncNamespace AsyncRedisManager AsyncServer KafkaManager KombuManager"
    " Manager Middleware Namespace PubSubManager RedisManager Server WSGIApp ZmqManager get_tornado_handler"
)

conflict.warn_of_python_socketio(2)

if not TYPE_CHECKING:  # to a type checker, a module with __getattr__ has every name

    def __getattr__(name: str) -> Any:
        if name in _MODULES:
            globals()[name] = value = getattr(import_module(f".{_MODULES[name]}", __name__), name)
            return value
        if name in _SUBMODULES.split():
            return import_module(f".{name}", __name__)
        if name in _OF_THE_SERVER.split():
            raise AttributeError(
                f"socketio.{name} is part of the server, and this package (python-socketio-client) holds the clients:"
                " install python-socketio for the server, in another environment"
            )
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *_MODULES, *_SUBMODULES.split()})
