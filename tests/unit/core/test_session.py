"""One session: its namespaces, what is pending, and what every kind of frame does to it."""

from __future__ import annotations

import pytest

from socketio.core.events import (
    RESERVED_EVENTS,
    AckReceived,
    FrameDropped,
    NamespaceConnected,
    NamespaceDisconnected,
    NamespaceRefused,
    ack_result,
    event_arguments,
)
from socketio.core.session import Session
from socketio.exceptions import BadNamespaceError
from socketio.packet import Packet

from ..offset_forms import yeast
from ..sessions import MARK, connected, is_dropped, only, receive, unused

# -- connecting


def test_a_new_session_is_empty():
    """A session begins without namespaces, connected or pending. (A3)"""
    session = Session(Packet)
    assert (session.namespaces, session.pending) == ({}, [])


@pytest.mark.parametrize(
    ("namespace", "auth", "frame"),
    [
        ("/", None, "0{}"),
        ("/", {}, "0{}"),
        ("/", {"token": "x"}, '0{"token":"x"}'),
        ("/", False, "0false"),
        ("/chat", None, "0/chat,{}"),
        ("/chat?a=1", {"token": "x"}, '0/chat?a=1,{"token":"x"}'),
    ],
)
def test_asking_for_a_namespace_carries_the_auth_payload(namespace, auth, frame):
    """connect() gives one CONNECT packet with the auth payload, an empty object without auth. (C11, M34)"""
    session = Session(Packet)
    assert session.connect(namespace, auth) == [frame]
    assert session.pending == [namespace.partition("?")[0]]
    assert session.namespaces == {}


def test_an_acceptance_stores_the_sid_of_the_namespace():
    """A CONNECT reply moves its namespace from pending to connected, with the sid it carries. (C12)"""
    session = Session(Packet, "transport-sid")
    session.connect("/")
    session.connect("/chat?a=1")
    assert receive(session, '0/chat,{"sid":"abc"}') == [NamespaceConnected("/chat", "abc")]
    assert (session.pending, session.namespaces) == (["/"], {"/chat": "abc"})
    assert receive(session, '0{"sid":"def"}') == [NamespaceConnected("/", "def")]
    assert (session.pending, session.namespaces) == ([], {"/chat": "abc", "/": "def"})


@pytest.mark.parametrize("frame", ["0", "0{}", '0{"sid":5}', '0{"sid":null}', "0null", "0[]", '0"abc"', "0/?a=1,"])
def test_an_acceptance_without_sid_gives_the_sid_of_the_transport(frame):
    """A CONNECT reply that carries no sid of its own gives the namespace that of the transport. (M35)"""
    session = Session(Packet, "transport-sid")
    session.connect("/")
    assert receive(session, frame) == [NamespaceConnected("/", "transport-sid")]
    assert session.namespaces == {"/": "transport-sid"}


def test_a_second_acceptance_is_ignored():
    """A second CONNECT for a namespace, or one for a namespace that was not asked for, has no effect. (C12)"""
    session = connected("/")
    assert is_dropped(receive(session, '0{"sid":"other"}'))
    assert is_dropped(receive(session, '0/other,{"sid":"other"}'))
    assert session.namespaces == {"/": "sid-of-/"}


# -- leaving


def test_leaving_a_namespace_tells_the_server():
    """disconnect() gives a DISCONNECT packet and drops the namespace. (F1, N36)"""
    session = connected("/", "/chat")
    assert session.disconnect("/chat") == ["1/chat,"]
    assert session.namespaces == {"/": "sid-of-/"}
    assert session.disconnect("/") == ["1"]
    assert session.namespaces == {}


def test_leaving_what_is_not_connected_sends_nothing():
    """disconnect() of a namespace that is unknown or only pending gives no frames. (M16)"""
    session = Session(Packet)
    session.connect("/")
    assert session.disconnect("/") == []
    assert session.disconnect("/other") == []


def test_closing_returns_the_callbacks_without_answer():
    """close() ends the session: nothing is connected, awaited or half-received; callbacks are handed back. (M26, F7)"""
    session = connected("/", "/chat")
    session.connect("/late")

    def first(*args): ...
    def second(*args): ...

    session.emit("a", (), "/", first)
    session.emit("b", (), "/chat", second)
    receive(session, f'51-["half",{MARK % 0}]')
    assert session.close() == [first, second]
    assert (session.namespaces, session.pending) == ({}, [])
    assert session.close() == []
    assert is_dropped(receive(session, b"the other half"))


# -- receiving acknowledgements


@pytest.mark.parametrize(
    ("frame", "args"),
    [("31[]", ()), ("31", ()), ("31null", ()), ('31["a"]', ("a",)), ('31["a",null,[1]]', ("a", None, [1]))],
)
def test_an_acknowledgement_finds_its_callback_once(frame, args):
    """An ACK gives the callback of its id with the values; the second time nobody waits for it. (E5, D9)"""
    session = connected("/")
    session.emit("a", (), "/", unused)
    assert receive(session, frame) == [AckReceived("/", unused, args, 1)]
    assert is_dropped(receive(session, frame))
    assert session.close() == []


def test_acknowledgements_come_in_any_order():
    """Each ACK finds the callback of its namespace and id. (M26)"""
    session = connected("/", "/chat")
    callbacks = {key: (lambda *args: None) for key in [("/", 1), ("/", 2), ("/chat", 1)]}
    for (namespace, number), callback in callbacks.items():
        assert session.emit("a", (), namespace, callback)[0] == number
    events = [only(receive(session, frame)) for frame in ("32[2]", '3/chat,1["chat"]', "31[1]")]
    assert events == [
        AckReceived("/", callbacks["/", 2], (2,), 2),
        AckReceived("/chat", callbacks["/chat", 1], ("chat",), 1),
        AckReceived("/", callbacks["/", 1], (1,), 1),
    ]


@pytest.mark.parametrize("frame", ["32[]", "30[]", "3[]", "3/chat,1[]", "3/other,1[]", '31{"a":1}', '31"a"', "311"])
def test_an_acknowledgement_that_nobody_waits_for_is_ignored(frame):
    """An ACK with an unknown id, another namespace, no id or no list leaves what is pending. (E6, M38)"""
    session = connected("/", "/chat")
    session.emit("a", (), "/", unused)
    assert is_dropped(receive(session, frame))
    assert receive(session, "31[]") == [AckReceived("/", unused, (), 1)]


def test_a_binary_acknowledgement_takes_its_attachments():
    """A BINARY_ACK is held until it is complete, also one that nobody waits for. (E2, M38)"""
    session = connected("/")
    session.emit("a", (), "/", unused)
    assert receive(session, f"61-7[{MARK % 0}]") == []
    assert is_dropped(receive(session, b"for nobody"))
    assert receive(session, f"61-1[{MARK % 0}]") == []
    assert receive(session, b"x") == [AckReceived("/", unused, (b"x",), 1)]


def test_a_forgotten_request_has_no_answer():
    """After forget() an answer is ignored, and so is forgetting twice or what was never asked. (D10, M26)"""
    session = connected("/")
    ack_id, _ = session.emit("a", (), "/", unused)
    session.forget("/", ack_id)
    session.forget("/", ack_id)
    session.forget("/other", 5)
    assert is_dropped(receive(session, "31[]"))
    assert session.close() == []


# -- refusals


@pytest.mark.parametrize(
    ("payload", "args", "data"),
    [
        ("", (), None),
        ("null", (), None),
        ('"no"', ("no",), "no"),
        (
            '{"message":"no","data":{"a":1}}',
            ({"message": "no", "data": {"a": 1}},),
            {"message": "no", "data": {"a": 1}},
        ),
        ('["no",1]', ("no", 1), ["no", 1]),
        ("[]", (), []),
        ("5", (5,), 5),
    ],
)
def test_a_refusal_carries_what_the_server_sent(payload, args, data):
    """A CONNECT_ERROR gives no argument, one, or one per list element, and ends the waiting. (F5, E1, M36)"""
    session = Session(Packet)
    session.connect("/chat?a=1")
    assert receive(session, f"4/chat,{payload}") == [NamespaceRefused("/chat", args, data, ())]
    assert (session.pending, session.namespaces) == ([], {})


def test_a_refusal_of_one_namespace_leaves_the_others():
    """A CONNECT_ERROR on a namespace other than '/' has no effect on the others. (F6, M12)"""
    session = connected("/", "/chat")
    session.connect("/late")
    session.connect("/later")
    assert receive(session, '4/late,"no"') == [NamespaceRefused("/late", ("no",), "no", ())]
    assert (list(session.namespaces), session.pending) == (["/", "/chat"], ["/later"])


def test_a_later_refusal_ends_its_namespace():
    """A CONNECT_ERROR for a connected namespace removes it, and says that it was connected. (M36)"""
    session = connected("/", "/chat")
    assert receive(session, '4/chat,"no"') == [NamespaceRefused("/chat", ("no",), "no", ("/chat",))]
    assert list(session.namespaces) == ["/"]


def test_a_refusal_of_the_root_ends_all_namespaces():
    """A CONNECT_ERROR on '/' drops all namespaces, whether '/' itself was connected or pending. (F6)"""
    session = connected("/chat", "/", "/news")
    assert receive(session, '4"no"') == [NamespaceRefused("/", ("no",), "no", ("/chat", "/", "/news"))]
    assert session.namespaces == {}
    session = connected("/chat")
    session.connect("/")
    assert receive(session, "4") == [NamespaceRefused("/", (), None, ("/chat",))]
    assert (session.namespaces, session.pending) == ({}, [])


def test_a_refusal_of_what_was_not_asked_for_is_ignored():
    """A CONNECT_ERROR for a namespace that is neither connected nor pending has no effect. (F6)"""
    session = connected("/chat")
    assert is_dropped(receive(session, '4/other,"no"'))
    assert is_dropped(receive(session, '4"no"'))
    assert list(session.namespaces) == ["/chat"]


# -- disconnections by the server


def test_a_disconnection_ends_its_namespace():
    """A DISCONNECT removes its namespace, and no other. (F2, N23)"""
    session = connected("/", "/chat")
    assert receive(session, "1/chat,") == [NamespaceDisconnected("/chat")]
    assert list(session.namespaces) == ["/"]
    assert receive(session, "1") == [NamespaceDisconnected("/")]
    assert session.namespaces == {}


def test_a_disconnection_while_nothing_is_connected_is_ignored():
    """A DISCONNECT that comes when no namespace is connected or pending has no effect. (F3)"""
    assert is_dropped(receive(Session(Packet), "1"))
    session = connected("/")
    session.disconnect("/")
    assert is_dropped(receive(session, "1"))


@pytest.mark.parametrize(("frame", "namespace"), [("1", "/"), ("1/other", "/other"), ("1/other,", "/other")])
def test_a_disconnection_of_what_is_not_there_is_reported(frame, namespace):
    """A DISCONNECT for a namespace the client does not have is reported, and leaves all others. (F4)"""
    session = connected("/chat")
    assert receive(session, frame) == [NamespaceDisconnected(namespace)]
    assert list(session.namespaces) == ["/chat"]


def test_a_disconnection_before_the_acceptance_ends_the_waiting():
    """A DISCONNECT for a namespace that is pending takes it out: it will not be accepted any more. (F4, N23)"""
    session = Session(Packet)
    session.connect("/")
    assert receive(session, "1") == [NamespaceDisconnected("/")]
    assert is_dropped(receive(session, '0{"sid":"late"}'))
    assert session.namespaces == {}


# -- what breaks the protocol


def test_a_stray_attachment_is_dropped():
    """A binary frame without a packet before it has no effect. (N34, E1)"""
    session = connected("/")
    assert is_dropped(receive(session, b"stray"))
    assert receive(session, '2["a"]') == [("/", "a", (), None)]


def test_a_text_frame_is_never_an_attachment():
    """A text frame where an attachment must come drops the packet before it, and is itself received. (N35, N33)"""
    session = connected("/")
    assert receive(session, f'52-["half",{MARK % 0},{MARK % 1}]') == []
    assert receive(session, b"zero") == []
    dropped, event = receive(session, '2["whole"]')
    assert isinstance(dropped, FrameDropped)
    assert event == ("/", "whole", (), None)
    assert is_dropped(receive(session, b"one"))


class Picky(Packet):
    def add_attachment(self, attachment):
        raise LookupError("never")


def test_what_a_packet_class_does_not_take_is_dropped():
    """An application's packet class that fails with an attachment loses its packet, not the session. (E2, M48)"""
    session = connected("/", packet_class=Picky)
    assert receive(session, f'51-["a",{MARK % 0}]') == []
    assert is_dropped(receive(session, b"x"))
    assert receive(session, '2["b"]') == [("/", "b", (), None)]


class Unreadable(Packet):
    def decode(self, encoded_packet):
        raise {"k": KeyError, "e": Exception}[encoded_packet]()


class OfTheFuture(Packet):
    def decode(self, encoded_packet):
        self.packet_type, self.namespace, self.data = 9, "/", []
        return 0


@pytest.mark.parametrize(("packet_class", "frame"), [(Unreadable, "k"), (Unreadable, "e"), (OfTheFuture, "x")])
def test_what_a_packet_class_cannot_read_is_dropped(packet_class, frame):
    """Whatever an application's packet class raises or reads, the session says why the frame is dropped. (E1, M48)"""
    assert is_dropped(receive(Session(packet_class), frame))


# -- events


def test_an_event_is_what_the_server_sent():
    """An EVENT gives its namespace, name, arguments and id; one with bytes when they have come. (E1, E2, E3)"""
    session = connected("/", "/chat")
    assert receive(session, '2/chat,5["a",1,null]') == [("/chat", "a", (1, None), 5)]
    assert receive(session, f'51-["b",{MARK % 0}]') == []
    assert receive(session, b"x") == [("/", "b", (b"x",), None)]


@pytest.mark.parametrize("frame", ["2", "2[]", "2{}", "2[true]", '2["connect"]', '2/other,["a"]'])
def test_an_event_without_a_name_or_a_namespace_is_dropped(frame):
    """An EVENT that names nothing that can be handled has no effect. (E1, E7, N33)"""
    assert is_dropped(receive(connected("/"), frame))


def test_calls_become_frames():
    """Events, requests and acknowledgements go to namespaces that are connected, and no others. (D3, D4, D5, E4)"""
    session = connected("/", "/chat")
    assert session.emit("a", (1,), "/")[1] == ['2["a",1]']
    assert session.emit("a", (b"x",), "/chat", unused) == (1, [f'51-/chat,1["a",{MARK % 0}]', b"x"])
    assert session.acknowledge("/", 0, (1,)) == ["30[1]"]
    assert session.acknowledge("/other", 1, ()) == []
    with pytest.raises(BadNamespaceError):
        session.emit("a", (), "/other")


@pytest.mark.parametrize(
    ("data", "args"),
    [
        (None, ()),
        ((), ()),
        (1, (1,)),
        ([1, 2], ([1, 2],)),
        ((1, 2), (1, 2)),
        ((None,), (None,)),
        ("a", ("a",)),
        (0, (0,)),
    ],
)
def test_how_data_becomes_arguments(data, args):
    """None is no argument, a tuple several, anything else, lists too, one. (D1, D2, E4)"""
    assert event_arguments(data) == args


@pytest.mark.parametrize(
    ("args", "result"), [((), None), ((1,), 1), ((None,), None), (([1, 2],), [1, 2]), ((1, 2), (1, 2))]
)
def test_how_an_acknowledgement_becomes_a_result(args, result):
    """Several values are a tuple, one is itself, none is None. (D9)"""
    assert ack_result(args) == result


def test_the_offset_of_a_recoverable_namespace_is_taken_off():
    """Where the server gave a pid, the offset that it appends to an event is no argument; elsewhere it is. (E3)"""
    session = connected("/plain")
    session.connect("/")
    receive(session, '0{"sid":"abc","pid":"private"}')
    offset = yeast()
    assert receive(session, f'2["a",1,"{offset}"]') == [("/", "a", (1,), None)]
    assert receive(session, f'2/plain,["a",1,"{offset}"]') == [("/plain", "a", (1, offset), None)]


def test_the_reserved_names():
    """The reserved names are those of the handlers, and the one behind them. (E7)"""
    assert RESERVED_EVENTS == ("connect", "connect_error", "disconnect", "__disconnect_final")


def test_a_session_that_refuses_events():
    """It sends none any more; its namespaces stay connected, acknowledgements go on. (issue 10, B4)"""
    session = connected()
    session.emit("before", (), "/", unused)
    session.refuse_events()
    with pytest.raises(BadNamespaceError):
        session.emit("after", (), "/")
    with pytest.raises(BadNamespaceError):
        session.emit("after", (), "/", unused)
    assert list(session.namespaces) == ["/"]
    assert session.acknowledge("/", 1, ("x",)) == ['31["x"]']
    assert isinstance(only(receive(session, '31["answer"]')), AckReceived)
    assert session.disconnect("/") == ["1"]
