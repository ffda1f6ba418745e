"""Events that are read later: the same events as those read at once, and only where nothing else depends on them."""

from __future__ import annotations

import json
import re

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from socketio.core.events import AckReceived, FrameDropped, NamespaceConnected
from socketio.core.session import Session
from socketio.msgpack_packet import MsgPackPacket
from socketio.packet import ACK, CONNECT, CONNECT_ERROR, DISCONNECT, EVENT, AdaptedJson, DefaultJson, Packet

from ..offset_forms import yeast
from ..sessions import MARK, connected, receive, unused

NOW = yeast()
UNSEEN = ("_codec", "_encode", "read", "_offsets", "_event_prefixes")

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["", NOW, b"x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
encoded = st.builds(
    lambda name, args, namespace, id: Packet(EVENT, data=[name, *args], namespace=namespace, id=id).encode(),
    st.sampled_from(["a", "connect", "disconnect", "", 'quo"te', "__disconnect_final"]),
    st.lists(values, max_size=3),
    st.sampled_from(["/", "/chat", "/late", "/other", "/chat?a=1", "/recovered"]),
    st.none() | st.integers(0, 10**100),
).map(lambda frames: frames[0] if isinstance(frames, list) else frames)
frames = (
    encoded
    | st.builds("{}{}".format, st.sampled_from("0123456"), st.text('[]{}",:-/?019anultchea ', max_size=20))
    | st.builds("2{}{}".format, st.sampled_from(["", "/chat,", "/chat?a=1,", "/chat", "/recovered,7"]), st.text())
    | st.builds(lambda frame, cut: frame[:cut], encoded, st.integers(0, 30))
    | st.text()
    | st.binary()
)


def new_session(packet_class=Packet):
    """Return a session with two namespaces, one that can be recovered, and one that is pending."""
    session = connected("/", "/chat", packet_class=packet_class)
    session.connect("/recovered")
    receive(session, packet_class(CONNECT, data={"sid": "1", "pid": "2"}, namespace="/recovered").encode())
    session.connect("/late")
    session.emit("a", (), "/", unused)
    return session


def deferred(session, frame):
    """Return whether a frame is left to be read later."""
    return session.receive([frame]) == ([[frame]], [])


def state(session):
    """Return what a session remembers, but for the offsets it has seen, which are tested with frames that are valid."""
    return {
        **{name: repr(value) for name, value in vars(session).items() if name not in UNSEEN},
        "_early_events": vars(session._early_events),
    }


@given(frame=frames)
@example(frame="2")
@example(frame="2[")
@example(frame="2/chat")
@example(frame="2/chat?,")
@example(frame="2[" + "[" * 100_000)
@example(frame=f'2/recovered,["a","{NOW}"]')
@example(frame='2/recovered,["a",""]')
@example(frame='2["a",%s]' % ("1" * 101))
@example(frame='2["a",%s]' % (MARK % 0))
@example(frame="2" + "1" * 101 + '["a"]')
@example(frame='2\u0661["a"]')
@example(frame='2-["a"]')
@example(frame='21-["a"]')
def test_what_is_read_later_is_what_came(frame):
    """To leave an event unread changes nothing, and to read it neither, now or after the end. (E1)"""
    session = new_session()
    before = state(session)
    received, rest = session.receive([frame])
    assert not rest
    if received and isinstance(received[0], list) and isinstance(received[0][0], str):
        assert state(session) == before
        read = session.read(received[0][0])
        assert state(session) == before
        session.close()
        assert session.read(received[0][0]) == read
        packet = Packet(encoded_packet=frame) if isinstance(read, tuple) else None
        assert packet is None or read[:2] == (packet.namespace or "/", packet.data[0])


def without_strays(events):
    """Return events but for those that tell of attachments whose packet was dropped, which is told once or twice.

    Where in a frame the JSON ends is left out of the reasons: a text that looks like an offset is cut off before.
    """
    kept = [event for event in events if event != FrameDropped("an attachment without a packet")]
    return [
        FrameDropped(re.sub(r"column \d+ \(char \d+\)", "", event.reason)) if isinstance(event, FrameDropped) else event
        for event in kept
    ]


others = st.sampled_from(
    [
        f'51-["a",{MARK % 0}]',
        f'51-["a",{MARK % 0}] ',
        f'52-["a",{MARK % 1},{MARK % 0}]',
        f'51-/chat,["a",[{MARK % 0},{{"b":{MARK % 0}}}]]',
        f'51-["connect",{MARK % 0}]',
        f'51-["{"a" * 100}",{MARK % 0}]',
        "31[]",
        "1/chat,",
        "0/late,",
    ]
)


plain = st.builds(
    "{}{}".format, st.sampled_from(["2[", "2/chat,["]), st.sampled_from(['"a"]', "7]", "]", '"b",{}]', '"'])
)


@example(many=['2/recovered,[0,[0.0,""]'])
@given(many=st.lists(frames | others | st.sampled_from([b"x", b""]), max_size=8) | st.lists(plain, max_size=4))
def test_many_frames_mean_what_each_of_them_means(many):
    """Frames that come together give the events that they give one by one, in their order. (E1, N13)"""
    one_by_one, together = new_session(), new_session()
    expected = [event for frame in many for event in receive(one_by_one, frame)]
    assert without_strays(receive(together, *many)) == without_strays(expected)
    assert (together._partial is None) == (one_by_one._partial is None)
    together._partial = one_by_one._partial
    assert state(together) == state(one_by_one)


def test_what_the_server_sends_before_it_knows_of_the_leaving_is_no_nonsense():
    """Events for a namespace that this side has left are ignored, without a warning: they were on their way."""
    session = new_session()
    session.disconnect("/chat")
    assert receive(session, '2/chat,["late"]') == []
    assert receive(session, f'51-/chat,["late",{MARK % 0}]') == []
    assert receive(session, b"x") == []
    assert len(receive(session, '2["in"]')) == 1


@pytest.mark.parametrize("change", ["1/chat,", '0/late,{"sid":"1"}', '4/late,"no"'])
def test_what_changes_the_namespaces_ends_what_is_received_at_a_time(change):
    """What comes after it is received when the client has seen the change. (M10, N25)"""
    session = new_session()
    (events, notice), rest = session.receive(['2["a"]', change, '2["b"]'])
    assert events == ['2["a"]']
    assert not isinstance(notice, (list, AckReceived, FrameDropped))
    assert rest == ['2["b"]']
    assert session.receive(rest) == ([rest], [])


def test_events_that_follow_each_other_come_together():
    """What is no event comes between them, in its turn. (N13)"""
    received, rest = new_session().receive(['2["a"]', '2/chat,["b"]', "31[]", '27["c"]', "x", '2["d"]'])
    assert received[:3] == [['2["a"]', '2/chat,["b"]'], AckReceived("/", unused, (), 1), [("/", "c", (), 7)]]
    assert isinstance(received[3], FrameDropped)
    assert received[4:] == [['2["d"]']]
    assert not rest


@pytest.mark.parametrize("namespace", ["/", "/chat", "/recovered"])
def test_events_of_connected_namespaces_are_read_later(namespace):
    """An event that asks for no acknowledgement can be read on another thread. (N15)"""
    frame = Packet(EVENT, data=["a", 1], namespace=namespace).encode()
    session = new_session()
    assert deferred(session, frame)
    assert session.read(frame) == (namespace, "a", (1,), None)


@pytest.mark.parametrize("count", [1, 2])
def test_events_are_read_later_with_their_attachments(count):
    """So can one whose attachments have come along with it. (E2, N32)"""
    frames = [f'5{count}-/chat,["a",{",".join(MARK % number for number in range(count))}]', *[b"x", b"y"][:count]]
    session = new_session()
    assert session.receive([*frames, '2["b"]']) == ([[frames, '2["b"]']], [])
    assert session.read(frames) == ("/chat", "a", (b"x", b"y")[:count], None)


def test_attachments_that_come_later_or_are_too_large_are_received_one_by_one():
    """What is not there yet is waited for, and what is too much is refused. (N32, N34)"""
    session = new_session()
    assert session.receive([f'51-["a",{MARK % 0}]']) == ([], [])
    assert session.receive([b"x"]) == ([[("/", "a", (b"x",), None)]], [])
    session._max_message_size = 1
    (dropped,), _ = session.receive([f'51-["a",{MARK % 0}]', b"xx"])
    assert "1 bytes" in dropped.reason


@pytest.mark.parametrize(
    "frame",
    [
        Packet(CONNECT, data={"sid": "1"}, namespace="/late").encode(),
        Packet(DISCONNECT, namespace="/chat").encode(),
        Packet(DISCONNECT).encode(),
        Packet(CONNECT_ERROR, data={"message": "no"}, namespace="/late").encode(),
        Packet(ACK, data=[1], id=1).encode(),
        Packet(EVENT, data=["a", b"x"]).encode()[0],
        Packet(ACK, data=[b"x"], id=1).encode()[0],
        '50-["a"]',
        Packet(EVENT, data=["a"], id=0).encode(),
        Packet(EVENT, data=["a"], namespace="/chat", id=7).encode(),
        Packet(EVENT, data=["a"], namespace="/other").encode(),
        b'2["a"]',
        b"",
        "",
    ],
)
def test_what_the_session_depends_on_is_received_at_once(frame):
    """Acknowledgements, namespaces, attachments, and events that nobody may get are not deferred. (N11, N32, M12)"""
    assert not deferred(new_session(), frame)


def test_nothing_is_deferred_while_attachments_are_awaited():
    """The packet before an event is dropped first, where its attachments did not come. (N32)"""
    session = new_session()
    receive(session, f'51-["half",{MARK % 0}]')
    (dropped, events), _ = session.receive(['2["a"]', '2["b"]'])
    assert isinstance(dropped, FrameDropped)
    assert events == [("/", "a", (), None), '2["b"]']


def test_a_namespace_that_has_ended_defers_nothing():
    """After disconnect(), a DISCONNECT, or close(), its events are received, and dropped. (M12, M26)"""
    for end in (
        lambda session: session.disconnect("/chat"),
        lambda session: receive(session, "1/chat,"),
        Session.close,
    ):
        session = new_session()
        end(session)
        assert not deferred(session, '2/chat,["a"]')


def test_an_event_is_of_the_time_when_it_came():
    """What was deferred is read as it was then, though its namespace has ended meanwhile. (N13)"""
    session = new_session()
    ((frame,),), _ = session.receive([f'2/recovered,["a",1,"{NOW}"]'])
    assert isinstance(frame, str)
    session.close()
    assert session.read(frame) == ("/recovered", "a", (1,), None)


# -- other packet classes and json modules


class Own(Packet):
    """A packet class that decodes by itself."""

    def decode(self, encoded_packet):
        return super().decode(encoded_packet)


@pytest.mark.parametrize("packet_class", [Own, MsgPackPacket])
def test_other_packet_classes_are_never_deferred(packet_class):
    """What a packet class of the application does is done in its turn. (A4, J2)"""
    session = connected(packet_class=packet_class)
    frame = packet_class(EVENT, data=["a"]).encode()
    assert session.receive([frame]) == ([[("/", "a", (), None)]], [])


class Accepting:
    """A json module that takes bytes for text, as some do."""

    @staticmethod
    def dumps(value):
        return json.dumps(value, separators=(",", ":"), default=lambda value: value.decode())

    loads = staticmethod(json.loads)


class Failing:
    """A json module that fails in its own way."""

    @staticmethod
    def dumps(value):
        raise OSError("no dumps")

    @staticmethod
    def loads(text):
        raise OSError("no loads")


def with_json(module):
    return type("AdaptedPacket", (Packet,), {"json": AdaptedJson(module)})


def test_whatever_a_json_module_raises_is_dropped_later_too():
    """Reading a deferred event raises nothing, whatever json raises. (E1, A5)"""
    session = Session(with_json(Failing))
    session.pending = ["/"]
    assert receive(session, "0") == [NamespaceConnected("/", "")]
    assert deferred(session, '2["a"]')
    event = session.read('2["a"]')
    assert isinstance(event, FrameDropped)
    assert "no loads" in event.reason


@pytest.mark.parametrize(("module", "refuses"), [(json, True), (orjson, True), (Accepting, False), (Failing, False)])
def test_whether_a_json_module_refuses_bytes_is_tried(module, refuses):
    """Only of a module that raises TypeError for bytes can one know that text has none. (A5, D2)"""
    assert AdaptedJson(module).refuses_bytes is refuses
    assert DefaultJson.refuses_bytes


nested = st.recursive(
    st.integers(0, 9) | st.text("ab", max_size=3) | st.binary(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text("ab", max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)


@pytest.mark.parametrize("packet_class", [Packet, with_json(json), with_json(orjson), with_json(Accepting)])
@given(args=st.lists(nested, max_size=3))
@example(args=[b""])
@example(args=[bytearray(b"x"), {"a": [(b"y",)]}])
def test_bytes_anywhere_become_attachments(packet_class, args):
    """emit() gives what a packet gives that was searched for bytes first, whatever json does with bytes. (D2, I7)"""
    expected = packet_class(EVENT, data=["a", *args]).encode()
    got = connected(packet_class=packet_class).emit("a", tuple(args), "/")[1]
    assert got == (expected if isinstance(expected, list) else [expected])
    assert len(got) == 1 + len(Packet.deconstruct_binary(args)[1])


class Constructed(Packet):
    """A packet class with a constructor of its own."""

    def __init__(self, packet_type=EVENT, data=None, namespace=None, id=None, binary=None, encoded_packet=None):
        assert binary is not False
        super().__init__(packet_type, data, namespace, id, binary, encoded_packet)


class Wrapped(Packet):
    """A packet class that encodes in its own way."""

    def encode(self):
        assert not self.data_is_binary(self.data) or self.packet_type > EVENT
        return super().encode()


@pytest.mark.parametrize("packet_class", [Constructed, Wrapped])
def test_other_packet_classes_are_searched_for_bytes_first(packet_class):
    """A packet class that makes or encodes packets itself is never told that there are no bytes. (A4)"""
    session = connected(packet_class=packet_class)
    assert session.emit("a", (b"x",), "/")[1] == [f'51-["a",{MARK % 0}]', b"x"]
    assert session.emit("a", ("x",), "/")[1] == ['2["a","x"]']


@pytest.mark.parametrize("value", [object(), {1}, {(1, 2): 3}, [b"x", object()], {"a": b"x", "b": {1}}])
def test_what_json_refuses_is_refused_with_and_without_bytes(value):
    """TypeError is raised, no attachment is left behind, and the next event is as it should be. (M28)"""
    session = connected()
    with pytest.raises(TypeError):
        session.emit("a", (value,), "/")
    assert session.emit("b", (1,), "/")[1] == ['2["b",1]']


def test_a_list_that_contains_itself_is_a_value_error():
    """As json has it, also where there are bytes in it. (M28)"""
    for start in ([], [b"x"]):
        start.append(start)
        with pytest.raises(ValueError):
            connected().emit("a", (start,), "/")[1]
