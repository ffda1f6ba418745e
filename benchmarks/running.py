"""Runs clients against the raw server, each in a process of its own, in rounds: what disturbs one, disturbs all.

In: workloads, peers. Out: rows of figures. Everything ends in bounded time, and a client that fails is told and left
out.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .peers import ROOT, Peer
from .results import Row
from .workloads import Workload

CLIENT_TIMEOUT = 180


class ClientFailed(Exception):
    """A client's process reported no figures."""


@dataclass(frozen=True)
class Settings:
    """How much is measured.

    :ivar rounds: how often each peer runs.
    :ivar seconds: how long a rate is measured, about.
    :ivar count: the number of events, instead of as many as fit into ``seconds``; 0 for those.
    :ivar clients: the number of idle clients.
    """

    rounds: int
    seconds: float
    count: int
    clients: int


def measure(workload: Workload, peers: list[Peer], settings: Settings) -> list[Row]:
    """Return a row for each measure of the workload, with the figures of all peers that take part in it."""
    taking_part = [peer for peer in peers if takes_part(peer, workload)]
    if not taking_part:
        return []
    reports: dict[str, list[dict[str, Any]]] = {peer.name: [] for peer in taking_part}
    with running_server() as url:
        for number in range(settings.rounds):
            start = number % len(taking_part)
            for peer in taking_part[start:] + taking_part[:start]:
                try:
                    reports[peer.name].append(run_client(peer, workload, url, settings))
                except ClientFailed as failure:
                    print(f"{workload.name}: {peer.name} failed: {failure}", file=sys.stderr)
    return [Row.of_reports(workload, measure, reports) for measure in workload.measures]


def takes_part(peer: Peer, workload: Workload) -> bool:
    """Return whether the workload is for this peer."""
    return peer.role in workload.peers


@contextlib.contextmanager
def running_server() -> Iterator[str]:
    """Have the raw server run in a process of its own, and give its URL."""
    command = [sys.executable, "-m", "benchmarks.server"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.stdin.close()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()


def run_client(peer: Peer, workload: Workload, url: str, settings: Settings) -> dict[str, Any]:
    """Return the report of one client, run once."""
    job = {
        **workload.job(peer.role),
        "url": url,
        "seconds": settings.seconds,
        "count": settings.count,
        "clients": settings.clients,
    }
    try:
        done = subprocess.run(
            [*peer.programs[workload.flavour], json.dumps(job)],
            cwd=ROOT,
            env={**os.environ, **peer.environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=CLIENT_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ClientFailed(f"no report within {CLIENT_TIMEOUT} s") from None
    if done.returncode or not done.stdout:
        raise ClientFailed(f"exit code {done.returncode}\n{done.stderr.strip()}")
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if peer.source is not None and not Path(report["library"]).is_relative_to(peer.source):
        raise AssertionError(f"{peer.name} was imported from {report['library']}")
    return report
