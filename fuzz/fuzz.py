"""Invariant: whatever bytes come, the core gives events or drops them, raises nothing, and goes on working.

The bytes of one run are a packet class, and frames. In detail: every event is one of the documented; only namespaces
that were asked for are connected; what is read later, on another thread, is what would have been read at once; bytes of
a websocket give the same messages however they are cut; and a good event that comes after all of it is delivered.

With atheris (``pip install atheris``), until something is found, or as long as it is told::

    python fuzz/fuzz.py -max_total_time=1800

Without it, the same with random changes of good frames, for so many seconds; the tests do so for two::

    python fuzz/fuzz.py --random 60
"""

from __future__ import annotations

import contextlib
import random
import sys
import time
import typing
from collections.abc import Iterable, Sequence
from typing import Any

with contextlib.suppress(ImportError):
    import atheris

from socketio.core.events import RESERVED_EVENTS, Event, FrameDropped
from socketio.core.session import Session
from socketio.engine import handshake, payload
from socketio.engine.frames import FrameReader
from socketio.msgpack_packet import MsgPackPacket
from socketio.packet import ACK, CONNECT, EVENT, Packet

EVENTS = [typing.get_origin(kind) or kind for kind in typing.get_args(Event)]
PACKET_CLASSES = [Packet, MsgPackPacket]
MAX_SIZE = 100_000
SEPARATOR = b"\n\n"
"""Between the frames of one run. A frame that begins with ``b`` is a binary one."""


def fuzz(data: bytes) -> None:
    """Check the invariant for the bytes of one run."""
    frames = [_frame(part) for part in data[1:].split(SEPARATOR)]
    fuzz_session(PACKET_CLASSES[data[:1] == b"m"], frames)
    fuzz_engine(data[1:])


def fuzz_session(packet_class: type[Packet], frames: list[str | bytes]) -> None:
    """Check it for the session."""
    session = _session(packet_class)
    received: list[Event] = []
    for frame in frames:
        pending = set(session.pending)
        was_connected = set(session.namespaces)
        events = _receive(session, [frame])
        assert all(type(event) in EVENTS for event in events), events
        assert set(session.namespaces) <= was_connected | pending
        for event in events:
            if isinstance(event, tuple):
                assert event[0] in session.namespaces
                assert event[1] not in RESERVED_EVENTS
        received += events
    _check_that_it_works(session, packet_class)
    assert _told(_receive(_session(packet_class), frames)) == _told(received)


def _receive(session: Session, frames: Sequence[str | bytes]) -> list[Event]:
    """Return what frames mean that come together, decoded in the end."""
    received: list[Any] = []
    while frames:
        events, frames = session.receive(frames)
        for each in events:
            received += each if isinstance(each, list) else [each]
    return [session.read(each) if isinstance(each, (str, list)) else each for each in received]


def _session(packet_class: type[Packet]) -> Session:
    session = Session(packet_class, "sid", MAX_SIZE)
    for namespace in ("/", "/chat", "/late"):
        session.connect(namespace)
    for namespace in ("/", "/chat"):
        _receive(session, _encode(packet_class, CONNECT, {"sid": "1"}, namespace))
    session.emit("question", (), "/", print)
    return session


def _told(events: Iterable[Any]) -> list[str]:
    """Return events as text; but for attachments whose packet was dropped, which is told once, or of each."""
    return [repr(event) for event in events if event != FrameDropped("an attachment without a packet")]


def _check_that_it_works(session: Session, packet_class: type[Packet]) -> None:
    session.connect("/good")
    _receive(session, _encode(packet_class, CONNECT, {"sid": "2"}, "/good"))
    frames = _encode(packet_class, EVENT, ["good", b"bytes"], "/good", 7)
    assert _receive(session, frames)[-1] == ("/good", "good", (b"bytes",), 7)
    ack_id, _ = session.emit("question", (), "/good", print)
    (answer,) = _receive(session, _encode(packet_class, ACK, [1], "/good", ack_id))
    assert getattr(answer, "args", None) == (1,)


def fuzz_engine(data: bytes) -> None:
    """Check it for what is below the session: bodies, handshakes, websocket frames."""
    with contextlib.suppress(ValueError):
        payload.decode(data, MAX_SIZE)
    with contextlib.suppress(handshake.ConnectionError):
        handshake.read_open_body(data, "text/plain")
    whole, cut = FrameReader(MAX_SIZE), FrameReader(MAX_SIZE)
    at_once = whole.feed(data)
    piecemeal: list[Any] = []
    for position in range(len(data)):
        if cut.error is None:
            piecemeal += cut.feed(data[position : position + 1])
    assert at_once == piecemeal
    assert (whole.error is None) == (cut.error is None)


def _frame(part: bytes) -> str | bytes:
    return part[1:] if part.startswith(b"b") else part.decode("utf-8", "replace")


def _encode(
    packet_class: type[Packet], packet_type: int, data: Any, namespace: str, id: int | None = None
) -> list[str | bytes]:
    encoded = packet_class(packet_type, data=data, namespace=namespace, id=id).encode()
    return encoded if isinstance(encoded, list) else [encoded]


# -- without atheris

PLACE = b'{"_placeholder":true,"num":0}'
SEEDS = [
    b"j"
    + SEPARATOR.join([b'2["a",1,{"b":[null,1.5]}]', b'2/chat,7["a"]', b'31["x"]', b'0/late,{"sid":"3"}', b"1/chat,"]),
    b"j" + SEPARATOR.join([b'51-["a",%s]' % PLACE, b"bbytes", b'4{"message":"no"}', b"61-1[%s]" % PLACE, b"b"]),
    b"j4" + b"\x1e".join([b'2["a"]', b"4" + b'2["b"]', b"bAAEC", b"2", b"1"]),
    b'j0{"sid":"s","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}',
    b'j\x81\x0842["a",1]\x01\x0242\x89\x01x\x80\x05["b"]\x82\x7e\x01\x00' + bytes(256) + b"\x88\x02\x03\xe8",
    b"m"
    + SEPARATOR.join(b"b" + bytes(_encode(MsgPackPacket, 2, ["a", 1, b"x", {"k": None}], "/", i)[0]) for i in (0, 1)),
    b"m" + b"b" + bytes(_encode(MsgPackPacket, 3, [1, "x"], "/", 1)[0]),
]
PIECES = [
    b"",
    b"[",
    b"]" * 3,
    b"{" * 50,
    b'"',
    b"\xff",
    b"\x00",
    b"-",
    b"9" * 101,
    b"1e999",
    b"/",
    b",",
    b"?",
    PLACE,
    SEPARATOR,
]


def changed(data: bytes, rng: random.Random) -> bytes:
    """Return good bytes with a few of them changed, lost, repeated or put elsewhere."""
    changing = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        position = rng.randrange(len(changing) + 1)
        end = min(len(changing), position + rng.choice([1, 1, 2, 8, 40]))
        kind = rng.randrange(5)
        if kind == 0:
            changing[position:end] = rng.choice(PIECES)
        elif kind == 1:
            changing[position:position] = rng.choice(PIECES)
        elif kind == 2:
            changing[position:end] = rng.randbytes(end - position)
        elif kind == 3:
            changing[position:position] = changing[position:end] * rng.choice([1, 2, 50])
        else:
            other = rng.choice(SEEDS)
            changing[position:end] = other[rng.randrange(len(other)) :]
    return bytes(changing)


def run(seconds: float, seed: int = 0) -> int:
    """Check the invariant for changes of good bytes, the same ones for the same seed; return how many."""
    rng = random.Random(seed)
    deadline = time.monotonic() + seconds
    count = 0
    for data in SEEDS:
        fuzz(data)
    while time.monotonic() < deadline:
        data = changed(rng.choice(SEEDS), rng)
        try:
            fuzz(data)
        except BaseException:
            print(f"failed for {data!r}", file=sys.stderr)
            raise
        count += 1
    return count


def main() -> None:
    """Run as the command line says."""
    if sys.argv[1:2] == ["--random"]:
        print(run(float(sys.argv[2]), seed=int(time.time())), "runs, nothing found")
        return
    atheris.instrument_all()
    atheris.Setup(sys.argv, fuzz)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
