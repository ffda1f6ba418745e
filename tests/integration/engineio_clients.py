"""Clients that know nothing but Engine.IO packets, for what a Socket.IO client would hide.

In and out: packets as they are on the wire. Nothing is answered, and no ping looked for, unless a test does.
"""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable
from contextlib import closing
from queue import Queue
from typing import Any

import requests
import websocket

from socketio.testing import Server

CEILING = 10
QUERY = "/socket.io/?EIO=4&transport="


class WebSocketClient:
    """An Engine.IO connection over websocket: packets as they are on the wire."""

    def __init__(self, server: Server, **options: Any) -> None:
        url = server.url.replace("http", "ws", 1) + QUERY + "websocket"
        self.socket = websocket.create_connection(url, timeout=CEILING, **options)
        self.opening = json.loads(self.socket.recv()[1:])

    def send(self, *packets: str | bytes) -> None:
        for packet in packets:
            self.socket.send(packet) if isinstance(packet, str) else self.socket.send_binary(packet)

    def receive(self) -> str | bytes:
        """Return the next packet, an empty one when the connection is closed."""
        return self.socket.recv()

    def join(self, namespace: str = "/") -> str:
        """Connect to a namespace and return the sid."""
        prefix = "40" if namespace == "/" else f"40{namespace},"
        self.send(prefix)
        return str(json.loads(str(self.receive()).removeprefix(prefix))["sid"])

    def close(self) -> None:
        self.socket.close(timeout=1)
        if self.socket.sock is not None:  # close() leaves it to those who have seen the end themselves
            self.socket.sock.close()


class PollingClient:
    """An Engine.IO connection over HTTP long-polling: packets as they are on the wire."""

    def __init__(self, server: Server) -> None:
        self.http = requests.Session()
        self.url = server.url + QUERY + "polling"
        self.opening = json.loads(self.poll()[0][1:])
        self.url += "&sid=" + self.opening["sid"]

    def send(self, *packets: str | bytes) -> int:
        """Send packets in one request and return its HTTP status."""
        body = "\x1e".join(map(str, packets)).encode()
        return self.http.post(self.url, data=body, timeout=CEILING).status_code

    def poll(self) -> list[str]:
        response = self.http.get(self.url, timeout=CEILING)
        response.raise_for_status()
        return response.text.split("\x1e")

    def join(self) -> str:
        self.send("40")
        return str(json.loads(self.poll()[0][2:])["sid"])

    def close(self) -> None:
        self.http.close()


def wait_until(condition: Callable[[], object]) -> None:
    """Wait for what nothing else tells of."""
    deadline = time.monotonic() + CEILING
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.001)


def reasons(server: Server) -> Queue[str]:
    """The reasons of the disconnections from '/', as they come."""
    queue: Queue[str] = Queue()
    server.on("disconnect", lambda sid, reason: queue.put(reason))
    return queue


def pending_poll(server: Server, poller: PollingClient) -> socket.socket:
    """A poll that the server has, on a connection of its own."""
    arrived = len(server.requests)
    host, _, target = poller.url.removeprefix("http://").partition("/")
    connection = socket.create_connection(("127.0.0.1", int(host.rpartition(":")[2])), timeout=CEILING)
    connection.sendall(f"GET /{target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    wait_until(lambda: len(server.requests) > arrived)
    return connection


def answer(poll: socket.socket) -> str:
    """The body of the answer to a pending poll."""
    with closing(http.client.HTTPResponse(poll)) as response:
        response.begin()
        return response.read().decode()
