"""The websocket handshake for threads, over a socket that is connected: a request, and the server's answer, checked.

In: a socket, the URL, the options of ``websocket.create_connection``. Out: what came after the answer. Every refusal is
``engineio.exceptions.ConnectionError`` with what the server said. Source: RFC 6455, section 4.

Replaces the handshake of websocket-client: there, a redirect is followed with all headers, cookies of any server go to
all later connections of the process, the answer is read without end, and its headers are in the text of exceptions.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import io
import os
import re
import socket
import time
from collections.abc import Mapping
from typing import Any

import websocket
from engineio.exceptions import ConnectionError
from requests.structures import CaseInsensitiveDict

from .handshake import describe, status_error

_MAX_SIZE = 65536
"""Bytes in the head of an answer, and of its body where it is a refusal."""
_INFORMATIONAL = re.compile(rb"HTTP/[\d.]+ 1(?!01)\d\d ")
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def shake_hands(
    connection: socket.socket, url: str, place: tuple[str, int, str], timeout: float, options: Mapping[str, Any]
) -> bytes:
    """Ask for a websocket; return what the server sent after its answer, the first of the frames.

    :param place: host, port and resource.
    :param timeout: seconds for all of it.
    """
    key = base64.b64encode(os.urandom(16)).decode()
    answer = _Answer(connection, time.monotonic() + timeout)
    connection.sendall("\r\n".join([*_request(url, place, key, options), "", ""]).encode("utf-8"))
    status, headers = answer.read_head()
    if status != 101:
        raise status_error(status, answer.read_body(), headers)
    expected = base64.b64encode(hashlib.sha1((key + _GUID).encode()).digest()).decode()
    if (
        headers.get("Upgrade", "").lower() != "websocket"
        or "upgrade" not in headers.get("Connection", "").lower()
        or headers.get("Sec-WebSocket-Accept", "").strip() != expected
    ):
        raise ConnectionError("the server's answer to the websocket request is none of a websocket")
    return answer.rest


def _request(url: str, place: tuple[str, int, str], key: str, options: Mapping[str, Any]) -> list[str]:
    host, port, resource = place
    host = f"[{host}]" if ":" in host else host
    host = host if port in (80, 443) else f"{host}:{port}"
    lines = [f"GET {resource} HTTP/1.1", "Upgrade: websocket"]
    if not options.get("suppress_host"):
        lines.append(f"Host: {options.get('host') or host}")
    if not options.get("suppress_origin"):
        origin = options.get("origin")
        lines.append(f"Origin: {origin or ('https' if url.startswith('wss') else 'http') + '://' + host}")
    lines += [
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
        options.get("connection") or "Connection: Upgrade",
    ]
    if options.get("subprotocols"):
        lines.append(f"Sec-WebSocket-Protocol: {','.join(options['subprotocols'])}")
    lines += [f"{name}: {value}" for name, value in options.get("header", {}).items() if value is not None]
    if options.get("cookie"):
        lines.append(f"Cookie: {options['cookie']}")
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a header with a line break in it")
    return lines


class _Answer:
    """What a server answers, read in bounded time and memory.

    :ivar rest: what was read and not taken yet.
    """

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._connection = connection
        self._deadline = deadline
        self._head = b""
        self.rest = b""

    def read_head(self) -> tuple[int, Mapping[str, str]]:
        """Return status and headers."""
        self._take_head()
        while _INFORMATIONAL.match(self._head):  # the answer is still to come
            self._take_head()
        response = self._parsed(b"")
        return response.status, CaseInsensitiveDict(response.headers.items())

    def _take_head(self) -> None:
        while b"\r\n\r\n" not in self.rest:
            if len(self.rest) > _MAX_SIZE:
                raise ConnectionError("the server's answer to the websocket request has no end")
            if not self._read():
                sent = describe(self.rest)
                raise websocket.WebSocketConnectionClosedException(f"the server closed the connection, it sent {sent}")
        self._head, _, self.rest = self.rest.partition(b"\r\n\r\n")

    def read_body(self) -> bytes:
        """Return the body of a refusal, or the beginning of it."""
        length = self._parsed(b"").length  # none where it is chunked, or goes on until the connection ends
        with contextlib.suppress(OSError, websocket.WebSocketException):
            while len(self.rest) < min(_MAX_SIZE, _MAX_SIZE if length is None else length):
                if (length is None and self.rest.endswith(b"0\r\n\r\n")) or not self._read():
                    break
        try:
            return self._parsed(self.rest).read()
        except http.client.IncompleteRead as exc:
            return exc.partial

    def _parsed(self, body: bytes) -> http.client.HTTPResponse:
        response = http.client.HTTPResponse(_Received(self._head + b"\r\n\r\n" + body))  # type: ignore[arg-type]
        try:
            response.begin()
        except http.client.HTTPException as exc:
            raise ConnectionError(f"not an HTTP server: it sent {describe(self._head)}") from exc
        return response

    def _read(self) -> bool:
        """Read more; return whether there was more."""
        rest = self._deadline - time.monotonic()
        if rest <= 0:
            raise websocket.WebSocketTimeoutException("timed out")
        self._connection.settimeout(rest)
        data = self._connection.recv(_MAX_SIZE)
        self.rest += data
        return bool(data)


class _Received:
    """In place of a socket, for ``http.client``: what has come."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, mode: str) -> io.BytesIO:
        return io.BytesIO(self._data)
