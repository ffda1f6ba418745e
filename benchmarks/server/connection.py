"""One TCP connection, on a thread of its own: HTTP requests, and websocket frames after an upgrade.

In: a socket. Out: packets for a session, and the session's packets as responses and frames. A thread that blocks in
``recv`` answers a call in less time than an event loop, which is what keeps this server out of the measurements.
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import time
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from . import wire
from .session import CLOSED, EMPTY, Session

RECEIVE_SIZE = 262144
# After a call, the next one is waited for without sleep: to wake up a thread takes longer than to answer.
SPIN_SECONDS = 0.002
DO_NOT_WAIT = getattr(socket, "MSG_DONTWAIT", 0)


class Sessions:
    """The sessions of the server, by sid."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._sessions: dict[str, Session] = {}

    def open(self) -> Session:
        """Return a new session."""
        session = Session(f"session-{next(self._numbers)}")
        self._sessions[session.sid] = session
        return session

    def find(self, sid: str) -> Session | None:
        """Return the session with this sid, if there is one."""
        return self._sessions.get(sid)

    def close(self, session: Session) -> None:
        """Forget a session."""
        self._sessions.pop(session.sid, None)


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request."""

    method: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


class Connection:
    """One TCP connection: HTTP first, a websocket perhaps."""

    def __init__(self, stream: socket.socket, sessions: Sessions) -> None:
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = stream
        self._sessions = sessions
        self._unread = b""

    def run(self) -> None:
        """Answer requests until the client has gone."""
        while (request := self._read_request()) is not None:
            if "upgrade" in request.headers:
                self._run_websocket(request)
                return
            self._answer(request)

    def _read_request(self) -> Request | None:
        while b"\r\n\r\n" not in self._unread:
            if not self._read():
                return None
        head, _, self._unread = self._unread.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        size = int(headers.get("content-length", 0))
        while len(self._unread) < size:
            if not self._read():
                return None
        body, self._unread = self._unread[:size], self._unread[size:]
        return Request(method, dict(parse_qsl(urlsplit(target).query)), headers, body)

    def _read(self) -> bool:
        data = self._socket.recv(RECEIVE_SIZE)
        self._unread += data
        return bool(data)

    def _answer(self, request: Request) -> None:
        if "sid" not in request.query:
            self._respond(self._sessions.open().handshake(upgrades=["websocket"]))
            return
        session = self._sessions.find(request.query["sid"])
        if session is None:
            self._respond(b'{"code":1,"message":"Session ID unknown"}', "400 Bad Request")
        elif request.method == "GET":
            self._respond(session.next_payload())
        else:
            if request.body == CLOSED or request.body.endswith(b"\x1e" + CLOSED):
                self._sessions.close(session)
            session.receive_payload(request.body)
            self._respond(b"ok")

    def _respond(self, body: bytes, status: str = "200 OK") -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Length: {len(body)}\r\n\r\n"
        self._socket.sendall(head.encode() + body)

    def _run_websocket(self, request: Request) -> None:
        key = wire.accept_key(request.headers["sec-websocket-key"])
        head = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
        self._socket.sendall("\r\n".join([*head, f"Sec-WebSocket-Accept: {key}", "", ""]).encode())
        session = self._sessions.find(request.query.get("sid", "")) or self._sessions.open()
        websocket = WebSocket(self._socket, session)
        if "sid" not in request.query:
            session.outlet = websocket
            websocket.send(session.handshake(upgrades=[]))
        try:
            websocket.run(self._unread)
        finally:
            self._sessions.close(session)


class WebSocket:
    """The websocket of a session: its outlet, and the loop that reads."""

    def __init__(self, stream: socket.socket, session: Session) -> None:
        self._socket = stream
        self._session = session
        self._is_closing = False
        self._is_over = False

    def send(self, packet: bytes, *, is_binary: bool = False) -> None:
        """Send one packet as a frame."""
        self._socket.sendall(wire.frame(wire.BINARY if is_binary else wire.TEXT, packet))

    def stream(self, kind: str, count: int, *, is_msgpack: bool) -> None:
        """Send so many events, in chunks of 64 KiB."""
        in_a_chunk, chunk = wire.burst(kind, is_msgpack=is_msgpack)
        whole, rest = divmod(count, in_a_chunk)
        for _ in range(whole):
            self._socket.sendall(chunk)
        self._socket.sendall(wire.event_frames(kind, is_msgpack=is_msgpack) * rest)

    def close(self) -> None:
        """Send a close frame, once."""
        if not self._is_closing:
            self._is_closing = True
            self._socket.sendall(wire.frame(wire.CLOSE, b"\x03\xe8"))

    def run(self, unread: bytes) -> None:
        """Read frames until the client has closed the websocket."""
        while not self._is_over:
            unread = unread[self._take_frames(unread) :]
            data = b"" if self._is_over else self._receive()
            if not data:
                return
            unread = unread + data if unread else data

    def _receive(self) -> bytes:
        if self._session.is_calling:
            self._session.is_calling = False
            end = time.perf_counter() + SPIN_SECONDS
            while time.perf_counter() < end:
                with contextlib.suppress(BlockingIOError):
                    return self._socket.recv(RECEIVE_SIZE, DO_NOT_WAIT)
        return self._socket.recv(RECEIVE_SIZE)

    def _take_frames(self, data: bytes) -> int:
        """Take all frames that are complete; return where the rest begins.

        This loop is what an emitting client runs against: headers only, while packets are to be taken.
        """
        session = self._session
        position, end = 0, len(data)
        while end - position >= 6:
            opcode = data[position] & 15
            size = data[position + 1] & 127
            start = position + 6
            if size == 126:
                start += 2
                size = int.from_bytes(data[position + 2 : position + 4], "big")
            elif size == 127:
                start += 8
                size = int.from_bytes(data[position + 2 : position + 10], "big")
            stop = start + size
            if stop > end:
                break
            if session.to_take and opcode < wire.CLOSE:
                if session.to_take == 1:
                    session.took(1)
                else:
                    session.to_take -= 1
            else:
                self._take_frame(opcode, wire.unmasked(data[start:stop], data[start - 4 : start]))
            position = stop
        return position

    def _take_frame(self, opcode: int, payload: bytes) -> None:
        if opcode == wire.TEXT:
            self._take_text(payload)
        elif opcode == wire.BINARY:
            self._session.receive_binary(payload)
        elif opcode == wire.PING:
            self._socket.sendall(wire.frame(wire.PONG, payload))
        elif opcode == wire.CLOSE:
            self.close()
            self._is_over = True

    def _take_text(self, packet: bytes) -> None:
        if packet == b"2probe":
            self.send(b"3probe")
            # The client waits for its GET request before it upgrades.
            self._session.polling.send(EMPTY)
        elif packet == b"5":
            self._session.upgrade(self)
        else:
            self._session.receive(packet)
