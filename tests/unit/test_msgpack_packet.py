"""Packets as MessagePack: what is written, what is read back, and what is refused."""

from __future__ import annotations

import contextlib
import datetime
import time

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from socketio import AsyncClient, Client
from socketio.core.session import Session
from socketio.msgpack_packet import MsgPackPacket
from socketio.packet import ACK, BINARY_ACK, BINARY_EVENT, CONNECT, EVENT

from .sessions import receive

MEGABYTE = 1_000_000
SECONDS = 3.0

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def decoded(frame):
    return MsgPackPacket(encoded_packet=frame)


@pytest.mark.parametrize("packet_type", [EVENT, ACK])
@pytest.mark.parametrize(
    ("namespace", "read"), [(None, "/"), ("/", "/"), ("/chat-1", "/chat-1"), ("/chat?a=1", "/chat")]
)
@pytest.mark.parametrize("id", [None, 0, 7, 2**63])
def test_all_fields_come_back(packet_type, namespace, read, id):
    """Type, data, id and namespace survive, the query of the namespace aside. (J1)"""
    data = ["name", {"a": [1, 2.5, None, True]}, "ünï"]
    received = decoded(MsgPackPacket(packet_type, data=data, namespace=namespace, id=id).encode())
    assert (received.packet_type, received.data) == (packet_type, data)
    assert (received.namespace, received.id) == (read, id)


@given(data=st.lists(values))
def test_any_event_comes_back_as_it_was_sent(data):
    """Whatever MessagePack can express survives. (J1, J2)"""
    assert decoded(MsgPackPacket(EVENT, data=data).encode()).data == data


def test_a_packet_without_arguments_is_an_empty_event():
    """A packet built without arguments is an EVENT that carries nothing. (J1)"""
    received = decoded(MsgPackPacket().encode())
    assert (received.packet_type, received.namespace, received.id, received.data) == (EVENT, "/", None, None)


def test_the_frame_is_that_of_the_javascript_parser():
    """A packet is a map of type, nsp and, if there are, data and id. (J1)"""
    assert msgpack.unpackb(MsgPackPacket(CONNECT, data={"token": "x"}, namespace="/a").encode()) == {
        "type": CONNECT,
        "nsp": "/a",
        "data": {"token": "x"},
    }
    assert msgpack.unpackb(MsgPackPacket(ACK, data=[1], id=0).encode()) == {
        "type": ACK,
        "nsp": "/",
        "data": [1],
        "id": 0,
    }


@pytest.mark.parametrize("packet_type", [CONNECT, EVENT, ACK])
def test_bytes_travel_inside(packet_type):
    """Bytes stay in the one frame, and the type stays as it is. (J2)"""
    sent = MsgPackPacket(packet_type, data=["up", b"one", {"k": b"two"}])
    frame = sent.encode()
    assert isinstance(frame, bytes)
    received = decoded(frame)
    assert (sent.packet_type, received.packet_type, received.attachment_count) == (packet_type, packet_type, 0)
    assert received.data == ["up", b"one", {"k": b"two"}]


@pytest.mark.parametrize("packet_type", [BINARY_EVENT, BINARY_ACK])
def test_the_binary_types_have_no_attachments_either(packet_type):
    """A server that marks a packet as binary sends it in one frame all the same. (J2)"""
    received = decoded(MsgPackPacket(packet_type, data=["up", b"x"]).encode())
    assert (received.packet_type, received.attachment_count, received.data) == (packet_type, 0, ["up", b"x"])


def test_the_frame_may_be_a_bytearray():
    """A frame is bytes or bytearray, and no attachments follow it. (J1, J2)"""
    received = MsgPackPacket()
    assert received.decode(bytearray(MsgPackPacket(EVENT, data=["a", b"x"]).encode())) == 0
    assert received.data == ["a", b"x"]


# -- values that MessagePack does not know


def to_ext(value):
    if isinstance(value, datetime.date):
        return msgpack.ExtType(7, value.isoformat().encode())
    raise TypeError("unknown")


def from_ext(code, data):
    return datetime.date.fromisoformat(data.decode()) if code == 7 else msgpack.ExtType(code, data)


TODAY = datetime.date(2024, 2, 29)


def test_a_configured_class_sends_and_reads_more():
    """configure() gives a class with a default function and a hook for extension types. (J3)"""
    packet_class = MsgPackPacket.configure(dumps_default=to_ext, ext_hook=from_ext)
    received = packet_class(encoded_packet=packet_class(EVENT, data=["up", [TODAY]]).encode())
    assert issubclass(packet_class, MsgPackPacket)
    assert received.data == ["up", [TODAY]]


def test_each_option_of_configure_stands_by_itself():
    """With one option only, the other keeps its default. (J3, J4)"""
    writing, reading = MsgPackPacket.configure(dumps_default=to_ext), MsgPackPacket.configure(ext_hook=from_ext)
    frame = writing(EVENT, data=[TODAY]).encode()
    assert writing(encoded_packet=frame).data == [msgpack.ExtType(7, b"2024-02-29")]
    assert reading(encoded_packet=frame).data == [TODAY]
    with pytest.raises(TypeError):
        reading(EVENT, data=[TODAY]).encode()


def test_configuring_leaves_the_base_class_alone():
    """A configured class is a class of its own, and can be configured further. (J3)"""
    packet_class = MsgPackPacket.configure(dumps_default=to_ext)
    assert MsgPackPacket.dumps_default is None
    assert packet_class.configure().dumps_default is None


@pytest.mark.parametrize("client_class", [Client, AsyncClient])
def test_a_configured_class_can_be_the_serializer(client_class):
    """A client takes a configured class as its serializer. (J3, A4)"""
    packet_class = MsgPackPacket.configure(dumps_default=to_ext)
    assert client_class(serializer=packet_class).packet_class is packet_class


@pytest.mark.parametrize("value", [TODAY, object(), {1, 2}])
def test_without_a_default_unknown_values_are_type_errors(value):
    """A value that MessagePack cannot express raises TypeError on encoding. (J4)"""
    with pytest.raises(TypeError):
        MsgPackPacket(EVENT, data=["up", value]).encode()


def test_without_a_hook_extension_types_are_ext_type():
    """An extension type arrives as msgpack.ExtType, a timestamp as msgpack.Timestamp. (J4)"""
    data = [msgpack.ExtType(5, b"abc"), msgpack.Timestamp(1, 2)]
    assert decoded(MsgPackPacket(EVENT, data=data).encode()).data == data


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1])
def test_integers_that_do_not_fit_are_refused_on_encoding(value):
    """An integer beyond 64 bits raises ValueError in the caller. (J4, M28)"""
    with pytest.raises(ValueError):
        MsgPackPacket(EVENT, data=["up", value]).encode()


def test_sending_data_nested_too_deeply_is_a_value_error():
    """Data that nests deeper than MessagePack allows cannot be encoded. (J4)"""
    deep = []
    for _ in range(2000):
        deep = [deep]
    with pytest.raises(ValueError):
        MsgPackPacket(EVENT, data=deep).encode()


# -- what is no packet

BROKEN_FIELDS = [
    [],
    "text",
    None,
    2,
    {},
    {"type": "2"},
    {"type": True},
    {"type": -1},
    {"type": 7},
    {"type": 2.0},
    {"type": 2, "nsp": 1},
    {"type": 2, "nsp": None},
    {"type": 2, "nsp": b"/a"},
    {"type": 2, "id": "1"},
    {"type": 2, "id": -1},
    {"type": 2, "id": True},
    {"type": 2, "id": 1.0},
]


@pytest.mark.parametrize("content", BROKEN_FIELDS, ids=repr)
def test_a_map_that_is_no_packet_is_refused(content):
    """A frame whose fields are not those of a packet is a ValueError. (E1)"""
    with pytest.raises(ValueError):
        decoded(msgpack.packb(content))


@pytest.mark.parametrize("frame", [b"", b"\xc1", b"\x81", b"\x82\xa4type\x02", b"\x81\x90\x01", "2[]", 2, None])
def test_what_is_no_messagepack_is_refused(frame):
    """A frame that is broken, cut off, or a text is a ValueError. (E1)"""
    received = MsgPackPacket()
    with pytest.raises(ValueError):
        received.decode(frame)


@given(frame=st.binary() | st.text() | values.map(msgpack.packb))
def test_whatever_comes_is_a_packet_or_a_value_error(frame):
    """decode() raises ValueError for what is no packet, and nothing else ever. (E1)"""
    with contextlib.suppress(ValueError):
        assert MsgPackPacket().decode(frame) == 0


@given(data=st.lists(values), position=st.integers(0, 100), junk=st.binary(max_size=3))
def test_whatever_damages_a_packet_is_a_value_error(data, position, junk):
    """A valid frame with something put into it, or cut off, decodes or raises ValueError. (E1)"""
    frame = MsgPackPacket(EVENT, data=["event", *data], namespace="/a", id=1).encode()
    for damaged in (frame[:position] + junk + frame[position:], frame[:position]):
        with contextlib.suppress(ValueError):
            MsgPackPacket(encoded_packet=damaged)


@pytest.mark.parametrize("error", [KeyError("x"), RecursionError(), ValueError("broken")])
def test_whatever_a_hook_raises_is_a_value_error(error):
    """A hook of the application that fails makes decode() raise ValueError, with the cause. (J3)"""

    def hook(code, data):
        raise error

    packet_class = MsgPackPacket.configure(ext_hook=hook)
    frame = MsgPackPacket(EVENT, data=[msgpack.ExtType(7, b"")]).encode()
    with pytest.raises(ValueError, match="cannot be decoded") as caught:
        packet_class(encoded_packet=frame)
    assert caught.value.__cause__ is error


@pytest.mark.parametrize(
    "frame",
    [
        b"\x91" * MEGABYTE,
        b"\x81" * MEGABYTE,
        b"\xdd\xff\xff\xff\xff" + b"\x01" * MEGABYTE,
        b"\xdf\xff\xff\xff\xff" + b"\x01" * MEGABYTE,
        b"\xc6\xff\xff\xff\xff" + b"\x01" * MEGABYTE,
        (b"\xdd\xff\xff\xff\xff") * (MEGABYTE // 5),
        b"\x81\xa4data\xdd\x00\x0f\x42\x40" + b"\x90" * MEGABYTE,
        b"\x01" * MEGABYTE,
    ],
    ids=lambda frame: frame[:6].hex(),
)
def test_a_hostile_megabyte_is_read_quickly(frame):
    """A megabyte that announces more than it has costs a fraction of a second. (E1)"""
    began = time.thread_time()
    with contextlib.suppress(ValueError):
        decoded(frame)
    assert time.thread_time() - began < SECONDS


# -- undefined


UNDEFINED = msgpack.ExtType(0, b"\x00")


def unpacked(data, packet_class=MsgPackPacket):
    """Return the data of a packet that came with this data."""
    return packet_class(encoded_packet=msgpack.packb({"type": EVENT, "nsp": "/", "data": data})).data


def test_undefined_is_none_wherever_it_stands():
    """The JavaScript server writes it as extension type 0 with one zero byte. (issue 10, A2)"""
    data = ["a", UNDEFINED, [UNDEFINED, {"b": UNDEFINED}], {"c": [UNDEFINED]}]
    assert unpacked(data) == ["a", None, [None, {"b": None}], {"c": [None]}]
    fields = {"type": EVENT, "nsp": "/", "data": ["a"], "id": UNDEFINED}
    assert MsgPackPacket(encoded_packet=msgpack.packb(fields)).id is None


def test_other_extensions_stay():
    """Another type, other data, or a longer one are for the application."""
    others = [msgpack.ExtType(1, b"\x00"), msgpack.ExtType(0, b"\x01"), msgpack.ExtType(0, b"\x00\x00")]
    assert unpacked(["a", *others]) == ["a", *others]


def test_the_hook_of_the_application_gets_the_others():
    """undefined never reaches it: a hook that knows only its own types would lose the server's answers."""
    seen = []

    def hook(code, data):
        seen.append((code, data))
        return f"own {code}"

    own = MsgPackPacket.configure(ext_hook=hook)
    assert unpacked(["a", UNDEFINED, msgpack.ExtType(5, b"x")], own) == ["a", None, "own 5"]
    assert seen == [(5, b"x")]


def test_a_pid_that_is_undefined_is_none():
    """A server without connection state recovery sends one; the last arguments of its events stay."""
    session = Session(MsgPackPacket)
    session.connect("/")
    receive(session, msgpack.packb({"type": CONNECT, "nsp": "/", "data": {"sid": "1", "pid": UNDEFINED}}))
    assert receive(session, MsgPackPacket(EVENT, data=["a", "hello"]).encode()) == [("/", "a", ("hello",), None)]
