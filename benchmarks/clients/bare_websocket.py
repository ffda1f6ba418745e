"""The conversation of sync_client.py with websocket-client and json alone: how fast it would be without a library.

In: a job, see measuring.py. Out: a report.
"""

from __future__ import annotations

import time
from typing import Any

import websocket

from . import bare, measuring
from .measuring import PATIENCE, Job, Plan


def connected(job: Job) -> websocket.WebSocket:
    """Return a websocket on which the namespace is connected."""
    socket = websocket.create_connection(bare.websocket_url(job), timeout=PATIENCE)
    socket.recv()
    socket.send("40")
    socket.recv()
    return socket


def receive_event(socket: websocket.WebSocket) -> list[Any]:
    """Return the next event."""
    text: Any = socket.recv()
    event = bare.parse(text)
    if text.startswith("45"):
        event[1] = socket.recv()
    return event


def receive(job: Job) -> dict[str, Any]:
    """Measure from the request for the events to the handler's last call."""
    socket = connected(job)
    plan = Plan(job)
    last: Any = None

    def handle(data: Any) -> None:
        nonlocal last
        last = data

    while not plan.is_finished:
        started = time.perf_counter()
        socket.send(bare.event_text("send", job.kind, plan.count))
        for _ in range(plan.count):
            handle(receive_event(socket)[1])
        plan.took(time.perf_counter() - started)
    job.check(last)
    return plan.rate()


def emit(job: Job) -> dict[str, Any]:
    """Measure from the first event until the server has told that it got them all."""
    socket = connected(job)
    plan = Plan(job)
    while not plan.is_finished:
        socket.send(bare.event_text("take", job.kind, plan.count))
        started = time.perf_counter()
        for _ in range(plan.count):
            if job.attachment:
                socket.send(bare.binary_event_text(job.kind))
                socket.send_binary(job.data)
            else:
                socket.send(bare.event_text(job.kind, job.data))
        receive_event(socket)
        plan.took(time.perf_counter() - started)
    return plan.rate()


def call(job: Job) -> dict[str, Any]:
    """Measure calls, each made when the one before has been answered."""
    socket = connected(job)
    plan = Plan(job)
    while not plan.is_finished:
        started = time.perf_counter()
        for ack_id in range(plan.count):
            socket.send(bare.event_text(job.kind, job.data, ack_id=ack_id))
            receive_event(socket)
        plan.took(time.perf_counter() - started)
    return plan.rate()


if __name__ == "__main__":
    given = Job.read()
    measuring.finish({"receive": receive, "emit": emit, "call": call}[given.mode](given), str(websocket.__file__))
