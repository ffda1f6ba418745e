"""One Socket.IO session: answers CONNECT and calls, and does what the client commands.

In: Engine.IO packets. Out: packets, through the session's outlet, which is a websocket or waiting HTTP requests.
What it knows of Socket.IO is what the benchmarks need: one namespace, events, acks.

The commands are events:

- ``send(kind, count)``: send so many events of this kind;
- ``take(kind, count)``: take so many events, looking at nothing but their frames' headers, and then emit ``done``.

An event with an id is answered at once, with ``"ok"``.
"""

from __future__ import annotations

import json
import queue
from typing import Any, Protocol

import msgpack

from . import wire

EMPTY = b"6"
CLOSED = b"1"
PING = b"2"
PATIENCE = 1.0
# Nobody is pinged while events are measured.
HANDSHAKE = {"pingInterval": 300_000, "pingTimeout": 20_000, "maxPayload": 1_000_000}


class Outlet(Protocol):
    """Where a session's packets go."""

    def send(self, packet: bytes, *, is_binary: bool = False) -> None:
        """Send one packet."""

    def stream(self, kind: str, count: int, *, is_msgpack: bool) -> None:
        """Send so many events."""

    def close(self) -> None:
        """Tell the client that this was all."""


class PollingOutlet:
    """Payloads that wait for GET requests: each element of the queue is the body of one response."""

    def __init__(self) -> None:
        self.payloads: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def send(self, packet: bytes, *, is_binary: bool = False) -> None:
        """Queue one packet as a payload of its own."""
        if is_binary:
            raise AssertionError("no benchmark sends binary packets over polling")
        self.payloads.put(packet)

    def stream(self, kind: str, count: int, *, is_msgpack: bool) -> None:
        """Queue so many events, a hundred in a payload."""
        if is_msgpack:
            raise AssertionError("no benchmark sends MessagePack over polling")
        whole, rest = divmod(count, wire.PACKETS_IN_A_PAYLOAD)
        payload = wire.polling_payload(kind, wire.PACKETS_IN_A_PAYLOAD)
        for _ in range(whole):
            self.payloads.put(payload)
        if rest:
            self.payloads.put(wire.polling_payload(kind, rest))

    def close(self) -> None:
        """Answer the GET request that still waits."""
        self.payloads.put(CLOSED)


class Session:
    """What one client said, from its handshake on.

    :ivar polling: where packets wait for GET requests.
    :ivar to_take: the number of packets that are still to be taken without a look.
    :ivar is_calling: whether a call was answered, so that another may follow; for the reader to clear.
    """

    def __init__(self, sid: str) -> None:
        self.sid = sid
        self.polling = PollingOutlet()
        self.outlet: Outlet = self.polling
        self.to_take = 0
        self.is_calling = False
        self._is_msgpack = False

    def handshake(self, *, upgrades: list[str]) -> bytes:
        """Return the OPEN packet."""
        return b"0" + json.dumps({"sid": self.sid, "upgrades": upgrades, **HANDSHAKE}).encode()

    def upgrade(self, outlet: Outlet) -> None:
        """Send all further packets, and those that nobody fetched, through a websocket."""
        self.outlet = outlet
        while not self.polling.payloads.empty():
            payload = self.polling.payloads.get()
            if payload != EMPTY:
                outlet.send(payload)

    def next_payload(self) -> bytes:
        """Return the body of the response to a GET request: what is to be sent, or a ping after a second of silence.

        python-socketio's asyncio client sometimes leaves without a word, and then waits for its GET request.
        """
        while True:
            try:
                return self.polling.payloads.get(timeout=PATIENCE)
            except queue.Empty:
                if not self.to_take:
                    return PING

    def receive_payload(self, payload: bytes) -> None:
        """Take the body of a POST request."""
        if self.to_take:
            self.took(payload.count(b"\x1e") + 1)
            return
        packets = payload.split(b"\x1e")
        for position, packet in enumerate(packets):
            if self.to_take:
                self.took(len(packets) - position)
                return
            self.receive(packet)

    def receive(self, packet: bytes) -> None:
        """Take one Engine.IO packet that came as text."""
        if packet.startswith(b"42"):
            self._receive_event(packet)
        elif packet.startswith(b"40"):
            self.outlet.send(b'40{"sid":"%b"}' % self.sid.encode())
        elif packet == CLOSED:
            self.outlet.close()

    def receive_binary(self, packet: bytes) -> None:
        """Take one Socket.IO packet of the MessagePack serializer."""
        self._is_msgpack = True
        message = msgpack.unpackb(packet)
        if message["type"] == 0:
            self.outlet.send(wire.msgpack_packet(0, {"sid": self.sid}), is_binary=True)
        elif message["type"] == 2:
            self._command(message["data"])

    def took(self, count: int) -> None:
        """Count packets that were to be taken; emit ``done`` after the last."""
        self.to_take -= count
        if self.to_take < 0:
            raise AssertionError("the client sent more than it said")
        if self.to_take:
            return
        if self._is_msgpack:
            self.outlet.send(wire.msgpack_packet(2, ["done"]), is_binary=True)
        else:
            self.outlet.send(b'42["done"]')

    def _receive_event(self, packet: bytes) -> None:
        start = packet.index(b"[")
        if start > 2:
            self.is_calling = True
            self.outlet.send(b'43%b["ok"]' % packet[2:start])
        else:
            self._command(json.loads(packet[start:]))

    def _command(self, event: list[Any]) -> None:
        command, kind, count = event
        if command == "send":
            self.outlet.stream(kind, count, is_msgpack=self._is_msgpack)
        elif command == "take":
            self.to_take = count * wire.frames_of(kind, is_msgpack=self._is_msgpack)
        else:
            raise AssertionError(f"no such command: {command}")
