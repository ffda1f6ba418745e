"""Sessions to begin a test with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from socketio.core.events import Event, FrameDropped, NamespaceConnected
from socketio.core.session import Session
from socketio.packet import CONNECT, Frame, Packet

MARK = '{"_placeholder":true,"num":%d}'
"""A placeholder for an attachment, as it stands in a frame."""


def connected(*namespaces: str, packet_class: type[Packet] = Packet) -> Session:
    """Return a session that has these namespaces, ``'/'`` by default."""
    session = Session(packet_class, "transport-sid")
    for namespace in namespaces or ("/",):
        session.connect(namespace)
        frame = packet_class(CONNECT, data={"sid": f"sid-of-{namespace}"}, namespace=namespace).encode()
        assert receive(session, frame) == [NamespaceConnected(namespace, f"sid-of-{namespace}")]
    return session


def receive(session: Session, *frames: Frame) -> list[Event]:
    """Return what frames mean that come together, decoded."""
    events: list[Event] = []
    rest: Sequence[Frame] = frames
    while rest:
        received, rest = session.receive(rest)
        for each in received:
            events += map(session.read, each) if isinstance(each, list) else [each]
    return events


def only(events: list[Event]) -> Event:
    """Return the one event in a list."""
    assert len(events) == 1, events
    return events[0]


def is_dropped(events: list[Event]) -> bool:
    """Return whether all that came of a frame is a word for the log."""
    event = only(events)
    return isinstance(event, FrameDropped) and bool(event.reason)


def unused(*args: Any) -> None:
    """Stand in for a callback: a session calls nobody."""
    raise AssertionError("the session calls nobody")
