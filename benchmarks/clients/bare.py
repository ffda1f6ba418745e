"""What a program without a Socket.IO library writes by hand: packets to and from text, for the bare libraries.

In: a job, frames. Out: frames, events. Only as much of Socket.IO as the measured conversation needs.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from .measuring import Job


def websocket_url(job: Job) -> str:
    """Return where Engine.IO's websocket is."""
    return f"ws://{urlsplit(job.url).netloc}/socket.io/?EIO=4&transport=websocket"


def event_text(event: str, *args: Any, ack_id: int | str = "") -> str:
    """Return the text of an event without attachments."""
    return f"42{ack_id}{json.dumps([event, *args])}"


def binary_event_text(event: str) -> str:
    """Return the text of an event with one attachment."""
    return f"451-{json.dumps([event, {'_placeholder': True, 'num': 0}])}"


def parse(text: str) -> list[Any]:
    """Return the event of a text frame; its attachment is still to come if it has one."""
    event: list[Any] = json.loads(text[text.index("[") :])
    return event
