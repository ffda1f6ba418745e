"""A Socket.IO client, for threads and for asyncio."""

from typing import Any

from . import exceptions
from .async_client import AsyncClient
from .async_namespace import AsyncClientNamespace
from .async_simple_client import AsyncSimpleClient
from .client import Client
from .core.details import DisconnectDetails, DisconnectKind
from .namespace import ClientNamespace
from .runtime import conflict
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

_OF_THE_SERVER = {
    "ASGIApp",
    "AsyncAioPikaManager",
    "AsyncManager",
    "AsyncNamespace",
    "AsyncRedisManager",
    "AsyncServer",
    "KafkaManager",
    "KombuManager",
    "Manager",
    "Middleware",
    "Namespace",
    "PubSubManager",
    "RedisManager",
    "Server",
    "WSGIApp",
    "ZmqManager",
    "get_tornado_handler",
}

conflict.warn_of_python_socketio(2)


def __getattr__(name: str) -> Any:
    if name in _OF_THE_SERVER:
        raise AttributeError(
            f"socketio.{name} is part of the server, and this package (python-socketio-client) holds the clients:"
            " install python-socketio for the server, in another environment"
        )
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
