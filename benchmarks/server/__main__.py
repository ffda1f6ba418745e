"""``python -m benchmarks.server``: prints its port, and ends with its standard input."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading

from .connection import Connection, Sessions


def serve(stream: socket.socket, sessions: Sessions) -> None:
    """Serve one TCP connection to its end."""
    with stream, contextlib.suppress(ConnectionError):
        Connection(stream, sessions).run()


def accept(listener: socket.socket) -> None:
    """Give each TCP connection a thread."""
    sessions = Sessions()
    while True:
        stream, _ = listener.accept()
        threading.Thread(target=serve, args=(stream, sessions), daemon=True).start()


def main() -> None:
    """Serve on a free port of 127.0.0.1 until standard input ends."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    threading.Thread(target=accept, args=(listener,), daemon=True).start()
    print(listener.getsockname()[1], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
