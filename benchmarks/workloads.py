"""What is measured: the conversations, what each yields, and the ratios that are aimed at.

Out: the list of workloads. A name is what ``--only`` searches, and the first column of the table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .payloads import as_job
from .peers import BARE, JAVASCRIPT, ORJSON, OURS, PYTHON, RAW


@dataclass(frozen=True)
class Measure:
    """One figure of a client's report.

    :ivar key: its name in the report.
    :ivar factor: what a report's figure is multiplied by to be in ``unit``.
    :ivar title: what is added to the workload's name, if a workload has more than one measure.
    """

    key: str
    unit: str
    more_is_better: bool
    factor: float = 1.0
    title: str = ""


RATE = (Measure("rate", "1/s", True),)
CONNECT = (
    Measure("connect", "ms", False, 1000.0),
    Measure("cycle", "ms", False, 1000.0, ", with disconnect"),
)
IDLE = (
    Measure("memory", "KiB", False, 1 / 1024, ", memory"),
    Measure("threads", "threads", False, 1.0, ", threads"),
)

# By what factor the first of a pair of peers should be better than the second.
Targets = dict[tuple[str, str], float]


@dataclass(frozen=True)
class Workload:
    """One conversation, held by several peers.

    :ivar mode: the function of the client programs.
    :ivar targets: by (peer of ours, other peer), the factor by which the first should be better.
    :ivar in_chart: whether the chart shows it.
    """

    name: str
    flavour: str
    mode: str
    kind: str = "small"
    transports: tuple[str, ...] = ("websocket",)
    is_msgpack: bool = False
    handler: str = "plain"
    peers: tuple[str, ...] = (OURS, PYTHON, JAVASCRIPT)
    measures: tuple[Measure, ...] = RATE
    targets: Targets = field(default_factory=dict)
    in_chart: bool = False

    def job(self, peer: str) -> dict[str, Any]:
        """Return the part of a client's job that the workload says."""
        serializer = "msgpack" if self.is_msgpack else "orjson" if peer == ORJSON else "json"
        return {
            "mode": self.mode,
            "transports": list(self.transports),
            "serializer": serializer,
            "handler": self.handler,
            **as_job(self.kind),
        }


def _targets(python: float, javascript: float = 0, orjson: float = 0) -> Targets:
    targets = {(OURS, PYTHON): python, (OURS, JAVASCRIPT): javascript, (ORJSON, JAVASCRIPT): orjson}
    return {pair: factor for pair, factor in targets.items() if factor}


ALL = (OURS, ORJSON, PYTHON, JAVASCRIPT, BARE, RAW)
WITHOUT_ORJSON = (OURS, PYTHON, JAVASCRIPT, BARE, RAW)


def _events(flavour: str, targets: dict[str, Targets]) -> Iterator[Workload]:
    """Yield what is measured of events in the default serializer over websocket; ``targets`` by mode and kind."""
    for mode in ("receive", "emit"):
        for kind in ("small", "medium", "binary"):
            yield Workload(
                f"{flavour}: {mode} {kind}",
                flavour,
                mode,
                kind,
                peers=WITHOUT_ORJSON if kind == "binary" else ALL,
                targets=targets[f"{mode} {kind}"],
                in_chart=True,
            )
    yield Workload(f"{flavour}: call", flavour, "call", peers=WITHOUT_ORJSON, targets=targets["call"], in_chart=True)


def _others(flavour: str) -> Iterator[Workload]:
    """Yield what is measured of MessagePack, polling, connecting, and idle clients."""
    for mode in ("receive", "emit"):
        for kind in ("small", "binary"):
            yield Workload(f"{flavour}: {mode} {kind}, MessagePack", flavour, mode, kind, is_msgpack=True)
    for mode in ("receive", "emit"):
        peers = (OURS, PYTHON, JAVASCRIPT, RAW)
        yield Workload(f"{flavour}: {mode} small, polling", flavour, mode, transports=("polling",), peers=peers)
    for title, transports in (
        ("polling", ("polling",)),
        ("websocket", ("websocket",)),
        ("upgrade", ("polling", "websocket")),
    ):
        name = f"{flavour}: connect, {title}"
        yield Workload(name, flavour, "connect", transports=transports, measures=CONNECT, targets=_targets(1))
    yield Workload(f"{flavour}: idle client", flavour, "idle", measures=IDLE, targets=_targets(1))


THREADS = {
    "receive small": _targets(40, 0.9, 1),
    "receive medium": _targets(15, 0.6, 1),
    "receive binary": _targets(15, 0.6),
    "emit small": _targets(2, 0.8, 1),
    "emit medium": _targets(2, 0, 1),
    "emit binary": _targets(2),
    "call": _targets(2.5, 0.8),
}
ASYNCIO = {
    "receive small": _targets(5, 1, 1),
    "receive medium": _targets(3, 0.8, 1),
    "receive binary": _targets(3, 0.8),
    "emit small": _targets(1.5, 0.8, 1),
    "emit medium": _targets(1.5, 0, 1),
    "emit binary": _targets(1.5, 0.8),
    "call": _targets(1.6, 0.9),
}
SIMPLE_CLIENT = Workload("SimpleClient: receive small", "threads", "simple_receive", targets=_targets(40, 0.9))
COROUTINE = Workload(
    "asyncio: receive small, coroutine", "asyncio", "receive", handler="coroutine", targets=ASYNCIO["receive small"]
)
IN_FLIGHT = Workload(
    "asyncio: 100 calls in flight",
    "asyncio",
    "calls_in_flight",
    peers=(OURS, PYTHON, JAVASCRIPT, RAW),
    targets=_targets(3.5),
)

WORKLOADS: tuple[Workload, ...] = (
    *_events("threads", THREADS),
    SIMPLE_CLIENT,
    *_others("threads"),
    *_events("asyncio", ASYNCIO),
    COROUTINE,
    IN_FLIGHT,
    *_others("asyncio"),
)
