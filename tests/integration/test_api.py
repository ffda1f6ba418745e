"""The public names, parameters and defaults, as users of python-socketio's clients know them."""

from __future__ import annotations

import inspect

import pytest

import socketio
import socketio.exceptions
from socketio import packet

CLIENT_METHODS = {
    "__init__": "self, reconnection=True, reconnection_attempts=0, reconnection_delay=1, reconnection_delay_max=5,"
    " randomization_factor=0.5, logger=False, serializer='default', json=None, handle_sigint=True",
    "connect": "self, url, headers={}, auth=None, transports=None, namespaces=None, socketio_path='socket.io',"
    " wait=True, wait_timeout=20, retry=False",
    "emit": "self, event, data=None, namespace=None, callback=None",
    "send": "self, data, namespace=None, callback=None",
    "call": "self, event, data=None, namespace=None, timeout=60",
    "disconnect": "self",
    "shutdown": "self",
    "wait": "self",
    "sleep": "self, seconds=0",
    "start_background_task": "self, target, *args, **kwargs",
    "on": "self, event, handler=None, namespace=None",
    "register_namespace": "self, namespace_handler",
    "get_sid": "self, namespace=None",
    "transport": "self",
    "is_asyncio_based": "self",
}
SIMPLE_METHODS = {
    "connect": "self, url, headers={}, auth=None, transports=None, namespace='/', socketio_path='socket.io',"
    " wait_timeout=20",
    "emit": "self, event, data=None",
    "call": "self, event, data=None, timeout=60",
    "receive": "self, timeout=None",
    "disconnect": "self",
}
NAMESPACE_METHODS = {
    "__init__": "self, namespace=None",
    "trigger_event": "self, event, *args",
    "emit": "self, event, data=None, namespace=None, callback=None",
    "send": "self, data, namespace=None, callback=None",
    "call": "self, event, data=None, namespace=None, timeout=60",
    "disconnect": "self",
}
BLOCKING = {"connect", "emit", "send", "call", "disconnect", "shutdown", "wait", "sleep", "receive", "trigger_event"}


def _signature(function) -> str:
    """Return the parameters of a function as text, without annotations."""
    signature = inspect.signature(function)
    parameters = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in signature.parameters.values()]
    return str(signature.replace(parameters=parameters, return_annotation=inspect.Signature.empty))[1:-1]


@pytest.mark.parametrize(
    ("sync", "asyncio", "methods"),
    [
        (socketio.Client, socketio.AsyncClient, CLIENT_METHODS),
        (socketio.SimpleClient, socketio.AsyncSimpleClient, SIMPLE_METHODS),
        (socketio.ClientNamespace, socketio.AsyncClientNamespace, NAMESPACE_METHODS),
    ],
    ids=["client", "simple client", "namespace"],
)
def test_methods_and_their_parameters(sync, asyncio, methods):
    """Names, order and defaults of all parameters are the documented ones; new ones come behind them. (M52, L4)"""
    for name, expected in methods.items():
        for owner in (sync, asyncio):
            assert _signature(getattr(owner, name)).startswith(expected), f"{owner.__name__}.{name}"
        assert inspect.iscoroutinefunction(getattr(asyncio, name)) is (name in BLOCKING), name
        assert not inspect.iscoroutinefunction(getattr(sync, name)), name


def test_attributes():
    """The documented attributes are there. (M52, A1, A2, A3)"""
    for client_class, is_asyncio in ((socketio.Client, False), (socketio.AsyncClient, True)):
        sio = client_class(reconnection=False, reconnection_attempts=3, request_timeout=7)
        assert sio.is_asyncio_based() is is_asyncio
        assert (sio.reconnection, sio.reconnection_attempts, sio.eio.request_timeout) == (False, 3, 7)
        assert (sio.connected, sio.namespaces, sio.failed_namespaces, sio.sid) == (False, {}, [], None)
        assert (sio.handlers, sio.namespace_handlers, sio.connection_namespaces) == ({}, {}, [])
        assert (sio.connection_url, sio.connection_headers, sio.connection_auth) == (None, None, None)
        assert (sio.connection_transports, sio.socketio_path) == (None, None)
        assert {"connect", "connect_error", "disconnect", "__disconnect_final"} <= set(sio.reserved_events)
        assert sio.packet_class is packet.Packet
        assert sio.reason.CLIENT_DISCONNECT == "client disconnect"
        assert sio.reason.SERVER_DISCONNECT == "server disconnect"
        assert sio.reason.TRANSPORT_ERROR == "transport error"


def test_the_tree_of_exceptions():
    """The exceptions form the documented tree. (M52)"""
    exceptions = socketio.exceptions
    for error in ("ConnectionError", "TimeoutError", "BadNamespaceError", "DisconnectedError"):
        assert issubclass(getattr(exceptions, error), exceptions.SocketIOError)
    assert issubclass(exceptions.ConnectionRefusedError, exceptions.ConnectionError)


def test_names_of_the_server():
    """Asking for a name of the server is an AttributeError that says where servers are. (API: import paths)"""
    for name in ("Server", "AsyncServer", "ASGIApp", "WSGIApp", "Namespace"):
        with pytest.raises(AttributeError, match="python-socketio"):
            getattr(socketio, name)
    with pytest.raises(AttributeError):
        _ = socketio.no_such_name
