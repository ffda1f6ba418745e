"""One session under fire: whatever frames come, it gives events, raises nothing, and goes on working."""

from __future__ import annotations

import typing

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from socketio.core.events import RESERVED_EVENTS, AckReceived, Event, NamespaceConnected
from socketio.core.session import Session
from socketio.msgpack_packet import MsgPackPacket
from socketio.packet import ACK, CONNECT, CONNECT_ERROR, DISCONNECT, EVENT, Packet

from ..sessions import MARK, connected, receive, unused

EVENTS = [typing.get_origin(kind) or kind for kind in typing.get_args(Event)]

names = st.sampled_from(["/", "/chat", "/late", "/other", "/chat?a=1"])
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=5) | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
event_data = st.tuples(st.sampled_from(["a", "connect", "", "*"]), st.lists(values, max_size=3)).map(
    lambda pair: [pair[0], *pair[1]]
)
text_values = values.filter(lambda value: not Packet.data_is_binary(value))
packets = (
    st.tuples(st.just(EVENT), event_data, names, st.none() | st.integers(0, 3))
    | st.tuples(st.just(ACK), st.lists(values, max_size=3), names, st.none() | st.integers(0, 3))
    | st.tuples(st.sampled_from([CONNECT, DISCONNECT, CONNECT_ERROR]), text_values, names, st.none())
)


def frames_of(fields, packet_class=Packet):
    packet_type, data, namespace, id = fields
    encoded = packet_class(packet_type, data=data, namespace=namespace, id=id).encode()
    return encoded if isinstance(encoded, list) else [encoded]


@st.composite
def damaged_frames(draw, packet_class=Packet):
    """Frames of valid packets, some of them damaged, lost, repeated or swapped."""
    frames = [frame for fields in draw(st.lists(packets, max_size=6)) for frame in frames_of(fields, packet_class)]
    for _ in range(draw(st.integers(0, 3))):
        if not frames:
            break
        index = draw(st.integers(0, len(frames) - 1))
        frame, position = frames[index], draw(st.integers(0, 30))
        junk = draw(st.text(max_size=3)) if isinstance(frame, str) else draw(st.binary(max_size=3))
        change = draw(st.sampled_from(["insert", "cut", "drop", "repeat", "swap", "turn"]))
        if change == "insert":
            frames[index] = frame[:position] + junk + frame[position:]
        elif change == "cut":
            frames[index] = frame[:position]
        elif change == "drop":
            del frames[index]
        elif change == "repeat":
            frames.insert(index, frame)
        elif change == "swap":
            frames[index - 1], frames[index] = frames[index], frames[index - 1]
        else:
            frames[index] = frame.encode() if isinstance(frame, str) else frame.decode("latin-1")
    return frames


hostile = st.lists(
    st.text(max_size=20)
    | st.binary(max_size=20)
    | st.builds("{}{}".format, st.sampled_from("0123456"), st.text('[]{}",:-/?019anull', max_size=20))
    | st.sampled_from(
        ['0{"sid":"1"}', "0/late,", "1", "4", "1/chat,", '51-["a",%s]' % (MARK % 0), "31[]", "6-", '2["a"]']
    ),
    max_size=12,
)


def busy(packet_class):
    """Return a session with all there can be: connected and pending namespaces, requests, recovery."""
    session = connected("/", "/chat", packet_class=packet_class)
    session.connect("/recovered")
    accepted = packet_class(CONNECT, data={"sid": "1", "pid": "2"}, namespace="/recovered")
    receive(session, accepted.encode())
    session.connect("/late")
    for namespace in ("/", "/", "/chat"):
        session.emit("a", (), namespace, unused)
    return session


def check(session, frames):
    """Give a session frames; whatever they are, each gives a list of events, and the state stays in order."""
    for frame in frames:
        was_connected, pending = set(session.namespaces), list(session.pending)
        for event in receive(session, frame):
            assert type(event) in EVENTS
            if isinstance(event, tuple):
                namespace, name, args, _ = event
                assert namespace in session.namespaces
                assert name not in RESERVED_EVENTS
                assert type(args) is tuple
            elif isinstance(event, AckReceived):
                assert event.callback is unused
            elif isinstance(event, NamespaceConnected):
                assert event.namespace in pending
                assert session.namespaces[event.namespace] == event.sid
        assert set(session.namespaces) <= was_connected | set(pending)
        assert not set(session.namespaces) & set(session.pending)
        assert all(type(sid) is str for sid in session.namespaces.values())


def check_that_it_works(session, packet_class):
    """An event for a connected namespace is still delivered, with its attachment, and so are calls."""
    if not session.namespaces:
        session.connect("/")
        receive(session, packet_class(CONNECT, data={"sid": "1"}, namespace="/").encode())
    namespace = next(iter(session.namespaces))
    expected = (namespace, "valid", (b"x", 1), 9)
    *before, last = frames_of((EVENT, ["valid", b"x", 1], namespace, 9), packet_class)
    events = [event for frame in before for event in receive(session, frame)]
    assert expected not in events
    assert receive(session, last)[-1] == expected
    ack_id, _ = session.emit("a", (), namespace, unused)
    answer = packet_class(ACK, data=[5], namespace=namespace, id=ack_id).encode()
    assert receive(session, answer) == [AckReceived(namespace, unused, (5,), ack_id)]


@pytest.mark.parametrize("packet_class", [Packet, MsgPackPacket])
@given(data=st.data())
def test_damaged_frames_give_events_and_leave_a_session_that_works(packet_class, data):
    """Valid frames that were damaged, lost, repeated or swapped raise nothing, and break nothing. (E1, N33)"""
    session = busy(packet_class)
    check(session, data.draw(damaged_frames(packet_class)))
    check_that_it_works(session, packet_class)


@pytest.mark.parametrize("packet_class", [Packet, MsgPackPacket])
@given(frames=hostile)
@example(frames=["2[" + "[" * 100_000])
@example(frames=["51-" + MARK % 0, b"x"])
@example(frames=['51-["connect",%s]' % (MARK % 0), b"x", b"y"])
@example(frames=['2["\\ud800"]', "4", "0", "1"])
def test_any_frames_give_events_and_leave_a_session_that_works(packet_class, frames):
    """Any sequence of texts and bytes raises nothing, and a valid event after it is delivered. (E1, N33, N34, N35)"""
    session = busy(packet_class)
    check(session, frames)
    check_that_it_works(session, packet_class)


@given(frames=hostile)
def test_a_session_that_was_closed_connects_nothing(frames):
    """After close() no frame connects a namespace, delivers an event or finds a callback. (M26, F7)"""
    session = busy(Packet)
    session.close()
    for frame in frames:
        kinds = {type(event) for event in receive(session, frame)}
        assert not kinds & {NamespaceConnected, tuple, AckReceived}
    assert (session.namespaces, session.pending) == ({}, [])


def test_a_session_that_never_asked_has_nothing():
    """Without a connect() no reply connects anything. (C12)"""
    session = Session(Packet)
    check(session, ['0{"sid":"1"}', '0/chat,{"sid":"1"}', '2["a"]', "31[]"])
    assert session.namespaces == {}
