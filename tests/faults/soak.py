"""Four clients under random faults, for as long as it is told; run by hand, in the folder of the tests::

    python -m faults.soak --seconds 600

Each client calls without a pause, and notes what was acknowledged. It must all have reached the server, once and in
order, and in the end there are no more threads, tasks, descriptors and megabytes than after the first minute.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import os
import random
import threading
import time
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import socketio
from integration.flavours import Flavour
from integration.processes import ServerProcess
from integration.proxy import Proxy
from integration.waiting import within

WAYS = [(name, transport) for name in ("threads", "asyncio") for transport in ("polling", "websocket")]
OPTIONS = {"ping_interval": 1, "ping_timeout": 1}
QUICK = {"reconnection_delay": 0.05, "reconnection_delay_max": 0.3, "request_timeout": 3}
ERRORS = (socketio.exceptions.SocketIOError,)


class Worker:
    """One client that calls, and calls again."""

    def __init__(self, flavour: Flavour, transport: str, log: Callable[[str], None]) -> None:
        self.key = f"soak-{flavour.name}-{transport}"
        self.acknowledged = array("q")
        self.failed = 0
        self.connects = 0
        self._transport = transport
        self._sio = flavour.client(**QUICK)
        self._sio.on("connect", self._connected)
        self._log = log

    def _connected(self) -> None:
        self.connects += 1

    async def run(self, url: str, stop: asyncio.Event) -> None:
        await self._sio.connect(url, transports=self._transport, retry=True)
        number = 0
        while not stop.is_set():
            number += 1
            try:
                await within(20, self._sio.call("note", (self.key, number, b"x" * (number % 300)), timeout=5))
                self.acknowledged.append(number)
            except ERRORS:
                self.failed += 1
                await asyncio.sleep(0.02)

    async def check(self) -> None:
        """Look whether all that was acknowledged has reached the server."""
        for _ in range(100):
            with contextlib.suppress(*ERRORS):
                noted = await self._sio.call("notes", self.key, timeout=5)
                break
            await asyncio.sleep(0.1)
        assert noted == sorted(set(noted)), f"{self.key}: not in order, or twice"
        missing = set(self.acknowledged) - set(noted)
        assert not missing, f"{self.key}: acknowledged and not there: {sorted(missing)[:10]}"
        self._log(
            f"{self.key}: {len(self.acknowledged)} acknowledged, {self.failed} failed, {self.connects} connections"
        )


async def misbehave(proxy: Proxy, stop: asyncio.Event) -> dict[str, int]:
    """Do something bad to the network, let it be good for a moment, and again; return how often what was done."""
    done: dict[str, int] = {}

    async def cut() -> None:
        proxy.cut()

    async def close() -> None:
        proxy.close()

    async def drop() -> None:
        await proxy.drop()
        await asyncio.sleep(random.uniform(0, 1))
        await proxy.accept()

    async def pause() -> None:
        proxy.pause()
        await asyncio.sleep(random.uniform(0, 4))
        proxy.resume()

    async def cut_in_the_middle() -> None:
        random.choice((proxy.to_server, proxy.to_client)).cut_after(random.randrange(200), random.random() < 0.5)
        await asyncio.sleep(0.2)

    async def drip() -> None:
        for flow in (proxy.to_server, proxy.to_client):
            flow.piece, flow.delay = random.randrange(1, 50), random.uniform(0, 0.01)
        await asyncio.sleep(random.uniform(0, 2))
        for flow in (proxy.to_server, proxy.to_client):
            flow.piece, flow.delay = None, 0.0

    while not stop.is_set():
        fault = random.choice((cut, close, drop, pause, cut_in_the_middle, drip))
        done[fault.__name__] = done.get(fault.__name__, 0) + 1
        await fault()
        await asyncio.sleep(random.uniform(0.2, 2))
    return done


def resources() -> dict[str, Any]:
    """Return how much of everything the process uses."""
    gc.collect()
    return {
        "threads": threading.active_count(),
        "tasks": len(asyncio.all_tasks()),
        "descriptors": len(os.listdir("/proc/self/fd")),
        "MiB": int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 2**20,
    }


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    arguments = parser.parse_args()
    random.seed(arguments.seed)
    print("seed", arguments.seed)
    server = await asyncio.to_thread(ServerProcess, "node", OPTIONS)
    try:
        async with Proxy(server.port) as proxy:
            flavours = [Flavour(name) for name, _ in WAYS]
            workers = [Worker(flavour, way[1], print) for flavour, way in zip(flavours, WAYS, strict=True)]
            stop = asyncio.Event()
            running = [asyncio.ensure_future(worker.run(proxy.url, stop)) for worker in workers]
            faults = asyncio.ensure_future(misbehave(proxy, stop))
            await asyncio.sleep(min(60, arguments.seconds / 4))
            print("begun with", resources())
            await asyncio.sleep(arguments.seconds - min(60, arguments.seconds / 4))
            stop.set()
            print("faults", await faults)
            await asyncio.gather(*running)
            print("ended with", resources())
            for worker in workers:
                await worker.check()
            for flavour in flavours:
                await flavour.close()
        await asyncio.sleep(1.5)  # threads of handlers end after a second without anything to do
        print("after disconnect()", resources())
    finally:
        server.close()


if __name__ == "__main__":
    asyncio.run(main())
