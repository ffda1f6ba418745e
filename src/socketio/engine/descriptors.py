"""Closes the sockets of a parent process in its child, without sending anything.

A process that forks leaves copies of its sockets to the child. There they are closed, and nothing else: to send
something, or to shut down the connection, would happen to that of the parent.
"""

from __future__ import annotations

import contextlib
import os
import socket
import weakref
from typing import Any

_connections: weakref.WeakSet[Any] = weakref.WeakSet()


def shut_down(sock: Any) -> None:
    """Cut a connection, below TLS: a session that another thread is in must not be entered."""
    with contextlib.suppress(OSError):
        if hasattr(socket.socket, "shutdown"):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
        else:  # eventlet's sockets have it each for itself; there no thread is in another's TLS session
            sock.shutdown(socket.SHUT_RDWR)


def note(connection: Any) -> None:
    """Register an object that has a socket in its attribute ``sock``, or will have one."""
    _connections.add(connection)


def close_copies() -> None:
    """Close the copies of all sockets, in a child process. What had them has none any more."""
    for connection in list(_connections):
        sock, connection.sock = connection.sock, None
        if sock is not None:
            close_copy(sock.fileno())
            with contextlib.suppress(Exception):
                sock.close()


def close_copy(descriptor: int) -> None:
    """Close the copy of a descriptor; its number stands for the null device then.

    So it is not given to another file as long as something still takes it for the socket.
    """
    if descriptor < 0:
        return
    null = os.open(os.devnull, os.O_RDWR)
    try:
        os.dup2(null, descriptor, inheritable=False)
    finally:
        os.close(null)
