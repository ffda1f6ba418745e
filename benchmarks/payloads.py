"""What the measured events carry. The same for every peer, which is checked where events are received.

Out: the data of each kind of event, as Python objects and as the entries of a client's job, which is JSON.
"""

from __future__ import annotations

from typing import Any

# 41 bytes on the wire: 42["small",{"id":1815,"name":"Lovelace"}]
SMALL = {"id": 1815, "name": "Lovelace"}


def _row(number: int) -> dict[str, Any]:
    """Return one of the rows that make up most of the medium event."""
    return {
        "id": 4000 + number,
        "symbol": f"ENGINE-{number}",
        "price": 101.25 + number / 8,
        "size": 100 * number,
        "open": number % 2 == 0,
        "venue": None,
        "tags": ["analytical", "difference"],
    }


# 1.6 kB on the wire: what a server of prices or positions sends.
MEDIUM = {
    "sequence": 1843,
    "at": "1843-08-01T12:00:00.000Z",
    "source": {"name": "Menabrea", "notes": ["A", "B", "C", "D", "E", "F", "G"], "final": False},
    "rows": [_row(number) for number in range(12)],
}

ATTACHMENT_SIZE = 1024
ATTACHMENT = bytes(position % 256 for position in range(ATTACHMENT_SIZE))

DATA: dict[str, Any] = {"small": SMALL, "medium": MEDIUM, "binary": ATTACHMENT}


def as_job(kind: str) -> dict[str, Any]:
    """Return how a job tells a client the data of this kind: a client makes an attachment from its size."""
    if kind == "binary":
        return {"kind": kind, "data": None, "attachment": ATTACHMENT_SIZE}
    return {"kind": kind, "data": DATA[kind], "attachment": 0}
