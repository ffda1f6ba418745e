"""One session, frame by frame: what calls become, and what events are."""

from __future__ import annotations

import json

import pytest

from socketio.core.events import (
    RESERVED_EVENTS,
    AckReceived,
    FrameDropped,
    NamespaceConnected,
    NamespaceDisconnected,
    NamespaceRefused,
)
from socketio.core.session import Session
from socketio.exceptions import BadNamespaceError
from socketio.msgpack_packet import MsgPackPacket
from socketio.packet import EVENT, Packet

from ..offset_forms import mongo, redis, yeast
from ..sessions import MARK, connected, is_dropped, only, receive, unused

# -- sending events


@pytest.mark.parametrize(
    ("args", "namespace", "frames"),
    [
        ((), "/", ['2["up"]']),
        ((1,), "/", ['2["up",1]']),
        (([1, 2],), "/", ['2["up",[1,2]]']),
        ((1, None, {"a": "ü"}), "/", ['2["up",1,null,{"a":"\\u00fc"}]']),
        ((1,), "/chat", ['2/chat,["up",1]']),
        ((b"x", [b"y"]), "/chat", [f'52-/chat,["up",{MARK % 0},[{MARK % 1}]]', b"x", b"y"]),
    ],
)
def test_an_event_becomes_its_frames(args, namespace, frames):
    """emit() gives one text frame, or with bytes a header and the attachments in order. (D1, D2, D3, D6, M34)"""
    assert connected("/", "/chat").emit("up", args, namespace)[1] == frames


def test_the_serializer_encodes_the_frames():
    """With another packet class the frames are its own. (A4, J2)"""
    frame = only(connected(packet_class=MsgPackPacket).emit("up", (b"x",), "/")[1])
    received = MsgPackPacket(encoded_packet=frame)
    assert (received.packet_type, received.data) == (EVENT, ["up", b"x"])


@pytest.mark.parametrize("namespace", ["/other", "/pending", ""])
def test_nothing_is_sent_to_a_namespace_that_is_not_connected(namespace):
    """emit() raises BadNamespaceError for a namespace that is unknown or pending. (D4, M12)"""
    session = connected("/")
    session.connect("/pending")
    with pytest.raises(BadNamespaceError, match="not a connected namespace"):
        session.emit("up", (), namespace)
    with pytest.raises(BadNamespaceError, match="not a connected namespace"):
        session.emit("up", (), namespace, unused)


def test_ids_count_up_from_one_in_each_namespace():
    """emit() numbers the packets with a callback from 1, independently for each namespace. (D5, D8, M34)"""
    session = connected("/", "/chat")
    assert session.emit("a", (), "/", unused) == (1, ['21["a"]'])
    assert session.emit("b", (), "/chat", unused) == (1, ['2/chat,1["b"]'])
    assert session.emit("c", (b"x",), "/", unused) == (2, [f'51-2["c",{MARK % 0}]', b"x"])
    assert session.emit("d", (), "/chat", unused) == (2, ['2/chat,2["d"]'])


def test_data_that_cannot_be_encoded_changes_nothing():
    """An emit() that raises uses up no id and keeps no callback. (M28)"""
    session = connected("/")
    for send in (lambda: session.emit("a", (object(),), "/"), lambda: session.emit("a", ({1},), "/", unused)):
        with pytest.raises(TypeError):
            send()
    assert session.emit("b", (), "/", unused)[0] == 1
    assert len(session.close()) == 1


def test_namespaces_are_pending_in_the_order_of_the_calls():
    """Several namespaces can be asked for before one is accepted. (C11, M34)"""
    session = Session(Packet)
    frames = [session.connect(name) for name in ("/b", "/", "/a")]
    assert frames == [["0/b,{}"], ["0{}"], ["0/a,{}"]]
    assert session.pending == ["/b", "/", "/a"]


def test_auth_that_cannot_be_encoded_changes_nothing():
    """A connect() that raises leaves no namespace pending. (C11)"""
    session = Session(Packet)
    with pytest.raises(TypeError):
        session.connect("/", object())
    with pytest.raises(ValueError, match="bytes"):
        session.connect("/", {"key": b"x"})
    assert session.pending == []


def test_the_ids_of_a_new_session_begin_anew():
    """A new connection is a new object: pending requests of the one before do not meet its ids. (M26)"""
    before, after = connected("/"), connected("/")
    before.emit("a", (), "/", unused)
    assert is_dropped(receive(after, "31[]"))
    assert after.emit("b", (), "/", unused)[0] == 1


# -- acknowledging


@pytest.mark.parametrize(
    ("namespace", "ack_id", "args", "frames"),
    [
        ("/", 1, (), ["31[]"]),
        ("/", 0, (), ["30[]"]),
        ("/", 12, ("a", [1]), ['312["a",[1]]']),
        ("/chat", 10**99, (None,), [f"3/chat,{10**99}[null]"]),
        ("/chat", 1, (b"x",), [f"61-/chat,1[{MARK % 0}]", b"x"]),
    ],
)
def test_an_acknowledgement_becomes_its_frames(namespace, ack_id, args, frames):
    """acknowledge() gives a list of the values under the id, 0 too, binary where they are. (E4, M34)"""
    assert connected("/", "/chat").acknowledge(namespace, ack_id, args) == frames


def test_nothing_is_acknowledged_to_a_namespace_that_has_ended():
    """acknowledge() gives no frames for a namespace that is not connected any more. (M34)"""
    assert connected("/").acknowledge("/chat", 1, ()) == []


def test_a_value_that_cannot_be_encoded_is_raised():
    """acknowledge() raises TypeError for a value that JSON does not know. (M28)"""
    with pytest.raises(TypeError):
        connected("/").acknowledge("/", 1, (object(),))


# -- receiving events


@pytest.mark.parametrize(
    ("frame", "event"),
    [
        ('2["a"]', ("/", "a", (), None)),
        ('2["a",1,null,["x"],{"b":2.5}]', ("/", "a", (1, None, ["x"], {"b": 2.5}), None)),
        ('27["a"]', ("/", "a", (), 7)),
        ('20["a"]', ("/", "a", (), 0)),
        ('2/chat,12["a-b","12-x"]', ("/chat", "a-b", ("12-x",), 12)),
        ('2/chat?a=1,["a"]', ("/chat", "a", (), None)),
        (
            '2 [ "ünï \\u0000\\n" , 12345678901234567890 ]',
            ("/", "ünï \x00\n", (12345678901234567890,), None),
        ),
        ('2[""]', ("/", "", (), None)),
        ('2["*"]', ("/", "*", (), None)),
        ('50-["a"]', ("/", "a", (), None)),
    ],
)
def test_an_event_is_what_the_server_sent(frame, event):
    """An EVENT gives its namespace, name, arguments unchanged in number, and id. (E1, E3, M29, M33, M37)"""
    assert receive(connected("/", "/chat"), frame) == [event]


def test_a_binary_event_is_held_until_it_is_complete():
    """An event with attachments comes with the last of them, each in the place of its number. (E2)"""
    session = connected("/")
    assert receive(session, f'52-5["a",{MARK % 1},{{"k":{MARK % 0}}}]') == []
    assert receive(session, b"zero") == []
    assert receive(session, b"one") == [("/", "a", (b"one", {"k": b"zero"}), 5)]


def test_events_come_in_the_order_of_their_frames():
    """Binary and plain events of several namespaces come in order, each with its own attachments. (N13, N17, N32)"""
    session = connected("/", "/chat")
    frames = []
    for number in range(20):
        namespace = ["/", "/chat"][number % 2]
        encoded = Packet(EVENT, data=["n", number, bytes([number])][: 2 + number % 3], namespace=namespace).encode()
        frames += encoded if isinstance(encoded, list) else [encoded]
    events = [event for frame in frames for event in receive(session, frame)]
    assert [args[0] for _, _, args, _ in events] == list(range(20))
    assert all(args[1:] == ((bytes([args[0]]),) if len(args) > 1 else ()) for _, _, args, _ in events)


def test_with_another_serializer_binary_is_no_attachment():
    """With a packet class that has no attachments every binary frame is a packet. (J2, A4)"""
    session = connected("/", packet_class=MsgPackPacket)
    frame = MsgPackPacket(EVENT, data=["a", b"x"], id=3).encode()
    assert receive(session, frame) == [("/", "a", (b"x",), 3)]
    assert is_dropped(receive(session, '2["a"]'))
    assert is_dropped(receive(session, b"\xc1"))


def test_a_binary_packet_may_follow_an_incomplete_one():
    """Attachments go to the packet they follow, not to the one that was never completed. (N32)"""
    session = connected("/")
    receive(session, f'51-["half",{MARK % 0}]')
    assert is_dropped(receive(session, f'51-["whole",{MARK % 0}]'))
    assert receive(session, b"x") == [("/", "whole", (b"x",), None)]


@pytest.mark.parametrize("frame", ["", "7", "9[]", "x", "2[", '51-["a"]', f'51-["a",{MARK % 1}]'])
def test_a_broken_frame_after_an_incomplete_packet_drops_both(frame):
    """Each of the two is worth a word, and the session goes on. (N33, E1)"""
    session = connected("/")
    receive(session, f'51-["half",{MARK % 0}]')
    assert [type(event) for event in receive(session, frame)] == [FrameDropped, FrameDropped]
    assert receive(session, '2["a"]') == [("/", "a", (), None)]


@pytest.mark.parametrize("data", [None, [], {}, "a", 5, [None], [True], [["a"]], [{"a": 1}], {"0": "a"}, True])
def test_an_event_without_a_name_is_dropped(data):
    """An EVENT whose data is no list with a name in front is dropped. (E1, N33)"""
    assert is_dropped(receive(connected("/"), "2" + json.dumps(data)))
    assert is_dropped(receive(connected("/"), "2"))


@pytest.mark.parametrize("name", RESERVED_EVENTS)
@pytest.mark.parametrize("form", ["2[%s]", "21[%s]", "50-[%s,1]"])
def test_an_event_with_a_reserved_name_is_dropped(name, form):
    """A server cannot send what handlers know as the client's own life. (E7)"""
    assert is_dropped(receive(connected("/"), form % json.dumps(name)))


@pytest.mark.parametrize("namespace", ["/other", "/chat"])
def test_an_event_for_a_namespace_that_is_not_connected_is_dropped(namespace):
    """Events of namespaces that are unknown, or that the server has ended, have no effect. (E1, M12)"""
    session = connected("/", "/chat")
    receive(session, "1/chat,")
    assert is_dropped(receive(session, f'2{namespace},["a"]'))


# -- connection state recovery


NOW = yeast()


def recovering(packet_class=Packet):
    """Return a session with '/', which can be recovered, and '/plain', which cannot."""
    session = connected("/plain", packet_class=packet_class)
    session.connect("/")
    receive(session, '0{"sid":"abc","pid":"private"}')
    return session


@pytest.mark.parametrize(
    "offset", [yeast(), yeast(counter=70), redis(), mongo()], ids=["yeast", "yeast with counter", "redis", "mongo"]
)
def test_the_offset_of_a_recoverable_namespace_is_taken_off(offset):
    """Where the server gave a pid, the offset that it appends to an event is no argument. (E3)"""
    session = recovering()
    assert receive(session, f'2["a",1,"{offset}"]') == [("/", "a", (1,), None)]
    assert receive(session, f'2["a","{offset}"]') == [("/", "a", (), None)]
    assert receive(session, f'2["a","{offset}"]', f'2["b",[1],"{offset}"]') == [
        ("/", "a", (), None),
        ("/", "b", ([1],), None),
    ]
    assert receive(session, f'51-["a",{MARK % 0},"{offset}"]') == []
    assert receive(session, b"x") == [("/", "a", (b"x",), None)]


@pytest.mark.parametrize(
    ("frame", "args"),
    [
        pytest.param(f'2/plain,["a",1,"{NOW}"]', (1, NOW), id="without recovery"),
        pytest.param(f'25["a",1,"{NOW}"]', (1, NOW), id="with an id"),
        ('2["a"]', ()),
        ('2["a",1]', (1,)),
        ('2["a",["x"]]', (["x"],)),
        ('2["a","no offset"]', ("no offset",)),
        (f'2["a","{"x" * 65}"]', ("x" * 65,)),
        ('2["a","\u00fc"]', ("ü",)),
    ],
)
def test_what_is_no_offset_stays(frame, args):
    """Other namespaces, events with an id, and last arguments that are no offset are left alone. (E3)"""
    assert only(receive(recovering(), frame))[2] == args


# -- the events themselves


@pytest.mark.parametrize(
    "event",
    [
        NamespaceConnected("/", "sid"),
        NamespaceRefused("/", (), None, ()),
        NamespaceDisconnected("/"),
        ("/", "a", (), None),
        AckReceived("/", unused, (), 1),
        FrameDropped("why"),
    ],
)
def test_events_cannot_be_changed(event):
    """The words in which a session speaks are frozen and have no further attributes. (E1)"""
    with pytest.raises((AttributeError, TypeError)):
        event.namespace = "/other"
    with pytest.raises((AttributeError, TypeError)):
        event.more = 1
    if not isinstance(event, tuple):
        assert event == type(event)(*(getattr(event, name) for name in type(event).__slots__))


def test_attachments_have_a_limit_together():
    """An event whose attachments are larger than allowed is dropped with them; the next one is delivered. (N34)"""
    session = Session(Packet, max_message_size=10)
    session.connect("/")
    receive(session, '0{"sid":"1"}')
    header = f'52-["x",{MARK % 0},{MARK % 1}]'
    assert receive(session, header) == receive(session, b"12345") == []
    assert is_dropped(receive(session, b"123456"))
    assert receive(session, header) == receive(session, b"12345") == []
    assert only(receive(session, b"12345")) == ("/", "x", (b"12345", b"12345"), None)
