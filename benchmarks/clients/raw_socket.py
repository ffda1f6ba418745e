"""The server's own ceiling: a TCP socket that reads and writes prepared bytes, and looks at none of them.

In: a job, see measuring.py. Out: a report. No client can be faster than this against the same server, and one that
comes near measures the server instead of itself.
"""

from __future__ import annotations

import json
import socket
import time
from typing import Any
from urllib.parse import urlsplit

from . import measuring
from .measuring import PATIENCE, Job, Plan

RECEIVE_SIZE = 262144
EMIT_SIZE = 65536


def masked(payload: bytes, opcode: int = 1) -> bytes:
    """Return a frame as a client sends it, with the mask 0, which is free."""
    size = len(payload)
    header = bytes((128 | opcode, 128 | size)) if size < 126 else bytes((128 | opcode, 254)) + size.to_bytes(2, "big")
    return header + bytes(4) + payload


def open_socket(job: Job) -> socket.socket:
    """Return a socket to the server."""
    address = urlsplit(job.url)
    stream = socket.create_connection((str(address.hostname), int(str(address.port))), PATIENCE)
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return stream


def connected(job: Job) -> socket.socket:
    """Return a socket after the websocket's upgrade, with the namespace connected."""
    stream = open_socket(job)
    head = ["GET /socket.io/?EIO=4&transport=websocket HTTP/1.1", "Host: localhost", "Upgrade: websocket"]
    head += ["Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="]
    stream.sendall("\r\n".join([*head, "", ""]).encode())
    read_until(stream, b'"maxPayload"')
    stream.sendall(masked(b"40"))
    read_until(stream, b'"sid"')
    return stream


def read_until(stream: socket.socket, end: bytes) -> bytes:
    """Read until these bytes were seen; return what was read."""
    data = b""
    while end not in data:
        received = stream.recv(RECEIVE_SIZE)
        if not received:
            raise SystemExit("the server closed the connection")
        data += received
    return data


def compact(data: Any) -> bytes:
    """Return JSON without spaces, as the server writes it."""
    return json.dumps(data, separators=(",", ":")).encode()


def command(name: str, kind: str, count: int) -> bytes:
    """Return the frame of a command."""
    return masked(b"42" + compact([name, kind, count]))


def event_frames(job: Job) -> bytes:
    """Return the frames of one emitted event."""
    if job.attachment:
        text = b"451-" + compact([job.kind, {"_placeholder": True, "num": 0}])
        return masked(text) + masked(job.data, 2)
    return masked(b"42" + compact([job.kind, job.data]))


def received_size(job: Job) -> int:
    """Return the number of bytes of one event, as the server sends it: without masks."""
    return len(event_frames(job)) - (8 if job.attachment else 4)


def receive(job: Job) -> dict[str, Any]:
    """Measure from the request for the events to their last byte."""
    stream = connected(job)
    size = received_size(job)
    buffer = memoryview(bytearray(RECEIVE_SIZE))
    plan = Plan(job)
    while not plan.is_finished:
        missing = plan.count * size
        started = time.perf_counter()
        stream.sendall(command("send", job.kind, plan.count))
        while missing > 0:
            missing -= stream.recv_into(buffer)
        plan.took(time.perf_counter() - started)
        if missing:
            raise SystemExit("received more than there is")
    return plan.rate()


def emit(job: Job) -> dict[str, Any]:
    """Measure from the first byte until the server has told that it got all events."""
    stream = connected(job)
    frames = event_frames(job)
    in_a_chunk = max(1, EMIT_SIZE // len(frames))
    chunk = frames * in_a_chunk
    plan = Plan(job)
    while not plan.is_finished:
        whole, rest = divmod(plan.count, in_a_chunk)
        stream.sendall(command("take", job.kind, plan.count))
        started = time.perf_counter()
        for _ in range(whole):
            stream.sendall(chunk)
        stream.sendall(frames * rest)
        read_until(stream, b'["done"]')
        plan.took(time.perf_counter() - started)
    return plan.rate()


def call(job: Job, in_flight: int = 1) -> dict[str, Any]:
    """Measure batches of calls, each sent when the one before has been answered."""
    stream = connected(job)
    frame = masked(b"427" + compact([job.kind, job.data]))
    size = len(b'\x81\x0a437["ok"]') * in_flight
    plan = Plan(job)
    while not plan.is_finished:
        plan.count = max(1, plan.count // in_flight) * in_flight
        started = time.perf_counter()
        for _ in range(plan.count // in_flight):
            stream.sendall(frame * in_flight)
            missing = size
            while missing:
                missing -= len(stream.recv(RECEIVE_SIZE))
        plan.took(time.perf_counter() - started)
    return plan.rate()


def calls_in_flight(job: Job) -> dict[str, Any]:
    """Measure calls of which a hundred are sent at once."""
    return call(job, 100)


class Polling:
    """A session over HTTP requests, all through one socket."""

    def __init__(self, job: Job) -> None:
        self._stream = open_socket(job)
        self._path = "/socket.io/?EIO=4&transport=polling"
        handshake = json.loads(self.get()[1:])
        self._path += f"&sid={handshake['sid']}"
        self.post(b"40")
        self.get()

    def get(self) -> bytes:
        """Return the body of the response to a GET request."""
        return self._request(f"GET {self._path} HTTP/1.1\r\n\r\n".encode())

    def post(self, body: bytes) -> None:
        """Send a POST request, and read the response."""
        self._request(f"POST {self._path} HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)

    def _request(self, request: bytes) -> bytes:
        self._stream.sendall(request)
        head, _, body = read_until(self._stream, b"\r\n\r\n").partition(b"\r\n\r\n")
        size = int(head.rpartition(b":")[2])
        while len(body) < size:
            body += self._stream.recv(RECEIVE_SIZE)
        return body


def polling_receive(job: Job) -> dict[str, Any]:
    """Measure from the request for the events to the last payload."""
    polling = Polling(job)
    plan = Plan(job)
    while not plan.is_finished:
        missing = plan.count
        started = time.perf_counter()
        polling.post(b"42" + compact(["send", job.kind, plan.count]))
        while missing > 0:
            missing -= polling.get().count(b"\x1e") + 1
        plan.took(time.perf_counter() - started)
    return plan.rate()


def polling_emit(job: Job) -> dict[str, Any]:
    """Measure from the first request until the server has told that it got all events."""
    polling = Polling(job)
    packet = b"42" + compact([job.kind, job.data])
    in_a_payload = EMIT_SIZE // len(packet)
    payload = b"\x1e".join([packet] * in_a_payload)
    plan = Plan(job)
    while not plan.is_finished:
        plan.count = max(1, plan.count // in_a_payload) * in_a_payload
        polling.post(b"42" + compact(["take", job.kind, plan.count]))
        started = time.perf_counter()
        for _ in range(plan.count // in_a_payload):
            polling.post(payload)
        polling.get()
        plan.took(time.perf_counter() - started)
    return plan.rate()


MODES = {"receive": receive, "emit": emit, "call": call, "calls_in_flight": calls_in_flight}
POLLING_MODES = {"receive": polling_receive, "emit": polling_emit}


def main() -> None:
    """Do the job."""
    job = Job.read()
    modes = POLLING_MODES if job.transports == ["polling"] else MODES
    measuring.finish(modes[job.mode](job), str(socket.__file__))


if __name__ == "__main__":
    main()
