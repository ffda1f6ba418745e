"""A program for the asyncio clients, written to the API of python-socketio: run once with each library.

In: a job, see measuring.py. Out: a report. Which ``socketio`` it measures is for PYTHONPATH to say.
"""

from __future__ import annotations

import asyncio
import gc
import time
from typing import Any

import engineio.payload

import socketio

from . import measuring
from .measuring import PATIENCE, Job, Plan

IN_FLIGHT = 100


def options(job: Job) -> dict[str, Any]:
    """Return the arguments of the client's constructor."""
    if job.serializer == "orjson":
        import orjson

        return {"reconnection": False, "json": orjson}
    return {"reconnection": False, "serializer": "msgpack" if job.serializer == "msgpack" else "default"}


async def connected(job: Job) -> socketio.AsyncClient:
    """Return a client that is connected."""
    sio = socketio.AsyncClient(**options(job))
    await sio.connect(job.url, transports=job.transports, wait_timeout=PATIENCE)
    return sio


async def wait(event: asyncio.Event) -> None:
    """Wait for an event that will come, unless something is broken."""
    await asyncio.wait_for(event.wait(), PATIENCE)
    event.clear()


class Receiver:
    """Handlers that count their calls."""

    def __init__(self) -> None:
        self._calls = 0
        self._goal = 0
        self._done = asyncio.Event()
        self._ended = 0.0
        self.last: Any = None

    def handle(self, data: Any) -> None:
        """Handle one event."""
        self._calls += 1
        if self._calls == self._goal:
            self._ended = time.perf_counter()
            self.last = data
            self._done.set()

    async def handle_in_coroutine(self, data: Any) -> None:
        """Handle one event as most handlers do, in a coroutine."""
        self.handle(data)

    def expect(self, count: int) -> None:
        """Expect so many calls more."""
        self._goal += count

    async def wait(self) -> float:
        """Return the time of the last call that was expected."""
        await wait(self._done)
        return self._ended


async def receive(job: Job) -> dict[str, Any]:
    """Measure from the request for the events to the handler's last call."""
    sio = await connected(job)
    receiver = Receiver()
    sio.on(job.kind, receiver.handle_in_coroutine if job.handler == "coroutine" else receiver.handle)
    plan = Plan(job)
    while not plan.is_finished:
        receiver.expect(plan.count)
        started = time.perf_counter()
        await sio.emit("send", (job.kind, plan.count))
        plan.took(await receiver.wait() - started)
    job.check(receiver.last)
    await sio.disconnect()
    return plan.rate()


async def emit(job: Job) -> dict[str, Any]:
    """Measure from the first emit until the server has told that it got them all."""
    sio = await connected(job)
    done = asyncio.Event()
    sio.on("done", lambda: done.set())
    plan = Plan(job)
    while not plan.is_finished:
        await sio.emit("take", (job.kind, plan.count))
        started = time.perf_counter()
        for _ in range(plan.count):
            await sio.emit(job.kind, job.data)
        await wait(done)
        plan.took(time.perf_counter() - started)
    await sio.disconnect()
    return plan.rate()


async def call(job: Job, in_flight: int = 1) -> dict[str, Any]:
    """Measure calls: each task makes one when its call before has been answered."""
    sio = await connected(job)
    plan = Plan(job)

    async def caller(count: int) -> None:
        for _ in range(count):
            if await sio.call(job.kind, job.data) != "ok":
                raise SystemExit("the server answered something else")

    while not plan.is_finished:
        share, rest = divmod(plan.count, in_flight)
        started = time.perf_counter()
        if in_flight == 1:
            await caller(plan.count)
        else:
            await asyncio.gather(*(caller(share + (number < rest)) for number in range(in_flight)))
        plan.took(time.perf_counter() - started)
    await sio.disconnect()
    return plan.rate()


async def calls_in_flight(job: Job) -> dict[str, Any]:
    """Measure calls of which a hundred wait for their answers at any time."""
    return await call(job, IN_FLIGHT)


async def connect(job: Job) -> dict[str, Any]:
    """Measure ``connect()``, and it together with ``disconnect()``, in seconds."""
    plan = Plan(job)
    connecting = cycles = 0.0
    while not plan.is_finished:
        count, connecting, cycles = plan.count, 0.0, 0.0
        for _ in range(count):
            sio = socketio.AsyncClient(**options(job))
            started = time.perf_counter()
            await sio.connect(job.url, transports=job.transports, wait_timeout=PATIENCE)
            connecting += time.perf_counter() - started
            await sio.disconnect()
            cycles += time.perf_counter() - started
        plan.took(cycles)
    return {"connect": connecting / plan.count, "cycle": cycles / plan.count, "count": plan.count}


async def idle(job: Job) -> dict[str, Any]:
    """Measure what a process holds for each connected client that has nothing to do."""
    await (await connected(job)).disconnect()
    gc.collect()
    before = measuring.resident_and_threads()
    clients = [await connected(job) for _ in range(job.clients)]
    gc.collect()
    await asyncio.sleep(2)  # until those that were busy a moment ago are idle, too
    after = measuring.resident_and_threads()
    if not all(sio.connected for sio in clients):
        raise SystemExit("not all clients are connected")
    return measuring.per_client(before, after, job.clients)


MODES = {
    "receive": receive,
    "emit": emit,
    "call": call,
    "calls_in_flight": calls_in_flight,
    "connect": connect,
    "idle": idle,
}


async def main() -> None:
    """Do the job."""
    job = Job.read()
    if job.transports == ["polling"]:
        # python-engineio's documented limit is 16 packets in a payload, which a server knows nothing of.
        engineio.payload.Payload.max_decode_packets = 1000
    measuring.finish(await MODES[job.mode](job), str(socketio.__file__))


if __name__ == "__main__":
    asyncio.run(main())
