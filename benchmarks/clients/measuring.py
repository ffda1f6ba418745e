"""What the measured programs in Python share: the job they are given, how many events they measure, and their report.

In: one argument, the job as JSON. Out: one line of JSON on standard output. Nothing here runs while the clock does.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from typing import Any

# No phase takes that long, unless something is broken.
PATIENCE = 60
FIRST_COUNT = 50


@dataclass(frozen=True)
class Job:
    """What to measure.

    :ivar seconds: how long the measured phase shall last, about; used when ``count`` is 0.
    :ivar count: the number of events to measure; 0 means as many as fit.
    :ivar handler: ``"plain"`` or ``"coroutine"``.
    :ivar serializer: ``"json"``, ``"orjson"`` or ``"msgpack"``.
    :ivar clients: the number of idle clients.
    """

    url: str
    mode: str
    kind: str
    data: Any
    attachment: int
    transports: list[str]
    serializer: str
    handler: str
    seconds: float
    count: int
    clients: int

    @classmethod
    def read(cls) -> Job:
        """Return the job on the command line, with the data of its events as the library is given it."""
        job = json.loads(sys.argv[1])
        if job["attachment"]:
            job["data"] = bytes(position % 256 for position in range(job["attachment"]))
        return cls(**job)

    def check(self, received: Any) -> None:
        """Stop unless this is what the server sent."""
        if received != self.data:
            raise SystemExit(f"received {received!r} instead of {self.data!r}")


class Plan:
    """How many events each phase has: more and more, until a phase says how many fit into the job's seconds.

    The phases before the last one warm up the program; only the last one is measured.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._is_last = bool(job.count)
        self._seconds = 0.0
        self.count = job.count or FIRST_COUNT
        self.is_finished = False

    def took(self, seconds: float) -> None:
        """Take how long the phase took, and set the count of the next one."""
        self._seconds = seconds
        if self._is_last:
            self.is_finished = True
            return
        self._is_last = seconds >= self._job.seconds / 5
        growth = self._job.seconds / seconds
        self.count = max(1, int(self.count * (growth if self._is_last else min(growth, 8.0))))

    def rate(self) -> dict[str, Any]:
        """Return the report of the last phase: events per second."""
        return {"rate": self.count / self._seconds, "count": self.count, "seconds": self._seconds}


def resident_and_threads() -> tuple[int, int]:
    """Return the process's resident memory in bytes and its number of threads, as Linux counts them."""
    with open("/proc/self/status") as status:
        fields = dict(line.split(":", 1) for line in status)
    return int(fields["VmRSS"].split()[0]) * 1024, int(fields["Threads"])


def per_client(before: tuple[int, int], after: tuple[int, int], clients: int) -> dict[str, Any]:
    """Return the report on idle clients: what each added to the process."""
    memory, threads = (now - then for now, then in zip(after, before, strict=True))
    return {"memory": memory / clients, "threads": threads / clients, "count": clients}


def finish(report: dict[str, Any], library: str) -> None:
    """Print the report, and end the process, whatever threads the library has left."""
    print(json.dumps({**report, "library": library}), flush=True)
    os._exit(0)
