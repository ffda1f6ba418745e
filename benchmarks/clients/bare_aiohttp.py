"""The conversation of async_client.py with aiohttp and json alone: how fast it would be without a library.

In: a job, see measuring.py. Out: a report.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import aiohttp

from . import bare, measuring
from .measuring import Job, Plan


async def receive_event(socket: aiohttp.ClientWebSocketResponse[Any]) -> list[Any]:
    """Return the next event."""
    text = (await socket.receive()).data
    event = bare.parse(text)
    if text.startswith("45"):
        event[1] = (await socket.receive()).data
    return event


async def receive(job: Job, socket: aiohttp.ClientWebSocketResponse[Any]) -> dict[str, Any]:
    """Measure from the request for the events to the handler's last call."""
    plan = Plan(job)
    last: Any = None

    def handle(data: Any) -> None:
        nonlocal last
        last = data

    while not plan.is_finished:
        started = time.perf_counter()
        await socket.send_str(bare.event_text("send", job.kind, plan.count))
        for _ in range(plan.count):
            handle((await receive_event(socket))[1])
        plan.took(time.perf_counter() - started)
    job.check(last)
    return plan.rate()


async def emit(job: Job, socket: aiohttp.ClientWebSocketResponse[Any]) -> dict[str, Any]:
    """Measure from the first event until the server has told that it got them all."""
    plan = Plan(job)
    while not plan.is_finished:
        await socket.send_str(bare.event_text("take", job.kind, plan.count))
        started = time.perf_counter()
        for _ in range(plan.count):
            if job.attachment:
                await socket.send_str(bare.binary_event_text(job.kind))
                await socket.send_bytes(job.data)
            else:
                await socket.send_str(bare.event_text(job.kind, job.data))
        await receive_event(socket)
        plan.took(time.perf_counter() - started)
    return plan.rate()


async def call(job: Job, socket: aiohttp.ClientWebSocketResponse[Any]) -> dict[str, Any]:
    """Measure calls, each made when the one before has been answered."""
    plan = Plan(job)
    while not plan.is_finished:
        started = time.perf_counter()
        for ack_id in range(plan.count):
            await socket.send_str(bare.event_text(job.kind, job.data, ack_id=ack_id))
            await receive_event(socket)
        plan.took(time.perf_counter() - started)
    return plan.rate()


async def main() -> None:
    """Do the job."""
    job = Job.read()
    async with aiohttp.ClientSession() as session, session.ws_connect(bare.websocket_url(job)) as socket:
        await socket.receive()
        await socket.send_str("40")
        await socket.receive()
        report = await {"receive": receive, "emit": emit, "call": call}[job.mode](job, socket)
        measuring.finish(report, str(aiohttp.__file__))


if __name__ == "__main__":
    asyncio.run(main())
