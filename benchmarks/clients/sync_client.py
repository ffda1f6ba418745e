"""A program for the clients with threads, written to the API of python-socketio: run once with each library.

In: a job, see measuring.py. Out: a report. Which ``socketio`` it measures is for PYTHONPATH to say.
"""

from __future__ import annotations

import gc
import itertools
import threading
import time
from typing import Any

import engineio.payload

import socketio

from . import measuring
from .measuring import PATIENCE, Job, Plan


def options(job: Job) -> dict[str, Any]:
    """Return the arguments of the client's constructor."""
    if job.serializer == "orjson":
        import orjson

        return {"reconnection": False, "json": orjson}
    return {"reconnection": False, "serializer": "msgpack" if job.serializer == "msgpack" else "default"}


def connected(job: Job) -> socketio.Client:
    """Return a client that is connected."""
    sio = socketio.Client(**options(job))
    sio.connect(job.url, transports=job.transports, wait_timeout=PATIENCE)
    return sio


def wait(event: threading.Event) -> None:
    """Wait for an event that will come, unless something is broken."""
    if not event.wait(PATIENCE):
        raise SystemExit("not all events arrived")
    event.clear()


class Receiver:
    """A handler that counts its calls. It may be called on many threads at once: only ``next`` counts safely."""

    def __init__(self) -> None:
        self._calls = itertools.count(1)
        self._goal = 0
        self._done = threading.Event()
        self._ended = 0.0
        self.last: Any = None

    def handle(self, data: Any) -> None:
        """Handle one event."""
        if next(self._calls) == self._goal:
            self._ended = time.perf_counter()
            self.last = data
            self._done.set()

    def expect(self, count: int) -> None:
        """Expect so many calls more."""
        self._goal += count

    def wait(self) -> float:
        """Return the time of the last call that was expected."""
        wait(self._done)
        return self._ended


def receive(job: Job) -> dict[str, Any]:
    """Measure from the request for the events to the handler's last call."""
    sio = connected(job)
    receiver = Receiver()
    sio.on(job.kind, receiver.handle)
    plan = Plan(job)
    while not plan.is_finished:
        receiver.expect(plan.count)
        started = time.perf_counter()
        sio.emit("send", (job.kind, plan.count))
        plan.took(receiver.wait() - started)
    job.check(receiver.last)
    sio.disconnect()
    return plan.rate()


def simple_receive(job: Job) -> dict[str, Any]:
    """Measure from the request for the events to the last ``receive()``."""
    sio = socketio.SimpleClient(**options(job))
    sio.connect(job.url, transports=job.transports, wait_timeout=PATIENCE)
    plan = Plan(job)
    event: list[Any] = []
    while not plan.is_finished:
        started = time.perf_counter()
        sio.emit("send", (job.kind, plan.count))
        for _ in range(plan.count):
            event = sio.receive(timeout=PATIENCE)
        plan.took(time.perf_counter() - started)
    job.check(event[1])
    sio.disconnect()
    return plan.rate()


def emit(job: Job) -> dict[str, Any]:
    """Measure from the first emit until the server has told that it got them all."""
    sio = connected(job)
    done = threading.Event()
    sio.on("done", lambda: done.set())
    plan = Plan(job)
    while not plan.is_finished:
        sio.emit("take", (job.kind, plan.count))
        started = time.perf_counter()
        for _ in range(plan.count):
            sio.emit(job.kind, job.data)
        wait(done)
        plan.took(time.perf_counter() - started)
    sio.disconnect()
    return plan.rate()


def call(job: Job) -> dict[str, Any]:
    """Measure calls, each made when the one before has been answered."""
    sio = connected(job)
    plan = Plan(job)
    answer = None
    while not plan.is_finished:
        started = time.perf_counter()
        for _ in range(plan.count):
            answer = sio.call(job.kind, job.data)
        plan.took(time.perf_counter() - started)
    if answer != "ok":
        raise SystemExit(f"the answer was {answer!r}")
    sio.disconnect()
    return plan.rate()


def connect(job: Job) -> dict[str, Any]:
    """Measure ``connect()``, and it together with ``disconnect()``, in seconds."""
    plan = Plan(job)
    connecting = cycles = 0.0
    while not plan.is_finished:
        count, connecting, cycles = plan.count, 0.0, 0.0
        for _ in range(count):
            sio = socketio.Client(**options(job))
            started = time.perf_counter()
            sio.connect(job.url, transports=job.transports, wait_timeout=PATIENCE)
            connecting += time.perf_counter() - started
            sio.disconnect()
            cycles += time.perf_counter() - started
        plan.took(cycles)
    return {"connect": connecting / plan.count, "cycle": cycles / plan.count, "count": plan.count}


def idle(job: Job) -> dict[str, Any]:
    """Measure what a process holds for each connected client that has nothing to do."""
    connected(job).disconnect()
    gc.collect()
    before = measuring.resident_and_threads()
    clients = [connected(job) for _ in range(job.clients)]
    gc.collect()
    time.sleep(2)  # until those that were busy a moment ago are idle, too
    after = measuring.resident_and_threads()
    if not all(sio.connected for sio in clients):
        raise SystemExit("not all clients are connected")
    return measuring.per_client(before, after, job.clients)


MODES = {
    "receive": receive,
    "simple_receive": simple_receive,
    "emit": emit,
    "call": call,
    "connect": connect,
    "idle": idle,
}


def main() -> None:
    """Do the job."""
    job = Job.read()
    if job.transports == ["polling"]:
        # python-engineio's documented limit is 16 packets in a payload, which a server knows nothing of.
        engineio.payload.Payload.max_decode_packets = 1000
    measuring.finish(MODES[job.mode](job), str(socketio.__file__))


if __name__ == "__main__":
    main()
