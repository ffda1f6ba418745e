"""Closes the sockets of a parent process in its child, without sending anything.

A process that forks leaves copies of its sockets to the child. They are only closed there: sending data, or shutting
down the connection, would affect that of the parent.
"""

from __future__ import annotations

import contextlib
import os
import socket
import weakref
from typing import Any

_connections: weakref.WeakSet[Any] = weakref.WeakSet()


def shut_down(sock: Any) -> None:
    """Cut a connection, below TLS: a TLS session that another thread uses must not be used."""
    with contextlib.suppress(OSError):
        if hasattr(socket.socket, "shutdown"):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
        else:  # only eventlet's instances have it, and its threads do not use a TLS session at the same time
            sock.shutdown(socket.SHUT_RDWR)


def register(connection: Any) -> None:
    """Register an object whose attribute ``sock`` is, or will be, a socket."""
    _connections.add(connection)


def close_copies() -> None:
    """Close the copies of all sockets in a child process, and detach them from their objects."""
    for connection in list(_connections):
        sock, connection.sock = connection.sock, None
        if sock is not None:
            close_copy(sock.fileno())
            with contextlib.suppress(Exception):
                sock.close()


def close_copy(descriptor: int) -> None:
    """Close the copy of a descriptor; its number then refers to the null device.

    So no other file gets it while an object still uses it as a socket.
    """
    if descriptor < 0:
        return
    null = os.open(os.devnull, os.O_RDWR)
    try:
        os.dup2(null, descriptor, inheritable=False)
    finally:
        os.close(null)
