"""Packets as text: what is written, and what is read back."""

from __future__ import annotations

import json
import math

import orjson
import pytest

from socketio import packet
from socketio.packet import (
    ACK,
    BINARY_ACK,
    BINARY_EVENT,
    CONNECT,
    CONNECT_ERROR,
    DISCONNECT,
    EVENT,
    AdaptedJson,
    DefaultJson,
    Packet,
)


def decoded(frame, *attachments):
    received = Packet(encoded_packet=frame)
    for attachment in attachments:
        received.add_attachment(attachment)
    return received


def fields(received):
    return received.packet_type, received.namespace, received.id, received.data


# -- without binary


def test_the_packet_types_have_their_numbers_and_names():
    """The constants are the digits of the protocol, and packet_names has their names in that order. (I1)"""
    numbers = [getattr(packet, name) for name in packet.packet_names]
    assert numbers == list(range(7))
    assert tuple(numbers) == (CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR, BINARY_EVENT, BINARY_ACK)


def test_a_packet_without_arguments_is_an_empty_event():
    """A packet built without arguments is an EVENT that carries nothing, and is written as its digit. (I1)"""
    empty = Packet()
    assert fields(empty) == (EVENT, None, None, None)
    assert empty.attachment_count == 0
    assert empty.encode() == "2"


@pytest.mark.parametrize("frame", ["2", 2])
def test_a_lone_digit_is_a_packet(frame):
    """A lone digit decodes, also when the transport has turned it into an integer. (I1)"""
    assert fields(decoded(frame)) == (EVENT, None, None, None)


@pytest.mark.parametrize("packet_type", [EVENT, ACK])
def test_json_is_compact_and_comes_back(packet_type):
    """Events and acknowledgements are a digit and JSON without spaces, and decode to the same. (I2)"""
    data = ["name", {"a": [1, 2.5, None, True], "b": "ünï"}, []]
    frame = Packet(packet_type, data=data).encode()
    assert frame == str(packet_type) + json.dumps(data, separators=(",", ":"))
    assert fields(decoded(frame)) == (packet_type, None, None, data)


@pytest.mark.parametrize(
    ("namespace", "id", "data", "frame"),
    [
        (None, None, ["a"], '2["a"]'),
        ("/", None, ["a"], '2["a"]'),
        ("/chat", None, ["a"], '2/chat,["a"]'),
        ("/chat", None, None, "2/chat,"),
        ("/chat-room-1", None, ["a"], '2/chat-room-1,["a"]'),
        ("/räume/été!", None, ["a"], '2/räume/été!,["a"]'),
        (None, 7, ["a"], '27["a"]'),
        (None, 0, ["a"], '20["a"]'),
        (None, 7, None, "27"),
        ("/chat", 7, ["a"], '2/chat,7["a"]'),
        ("/chat", 7, None, "2/chat,7"),
    ],
)
def test_namespace_and_id_come_before_the_data(namespace, id, data, frame):
    """A namespace other than '/' and a comma, then the id, then the data, each only if there is one. (I6, I8)"""
    assert Packet(EVENT, data=data, namespace=namespace, id=id).encode() == frame
    received = decoded(frame)
    assert fields(received) == (EVENT, None if namespace == "/" else namespace, id, data)


@pytest.mark.parametrize(
    ("frame", "namespace", "data"),
    [
        ('0/chat?token=x,{"sid":"1"}', "/chat", {"sid": "1"}),
        ("0/chat?token=x,", "/chat", None),
        ("0/chat?token=x", "/chat", None),
        ("0/chat", "/chat", None),
        ('0/,{"sid":"1"}', "/", {"sid": "1"}),
        ("1/chat-room,", "/chat-room", None),
    ],
)
def test_the_query_of_a_namespace_is_dropped(frame, namespace, data):
    """A namespace is read up to its query string, with and without data and comma. (I6, M35)"""
    received = decoded(frame)
    assert (received.namespace, received.data) == (namespace, data)


def test_the_query_of_a_namespace_is_written():
    """A namespace is written with its query string, which is for the server. (I6)"""
    assert Packet(CONNECT, data={}, namespace="/chat?token=x").encode() == "0/chat?token=x,{}"


@pytest.mark.parametrize(
    "frame",
    ['2["a-b"]', '2["a","5-x"]', '2/a-b,["5-x"]', '2/a-b,12["5-x"]', '212["1-2"]', '4"1-2"', '4/a-1,{"b":"1-"}'],
)
def test_hyphens_elsewhere_are_no_attachment_count(frame):
    """Hyphens in namespaces, event names or payloads leave a packet without attachments. (I7)"""
    received = decoded(frame)
    assert received.attachment_count == 0
    assert received.packet_type == int(frame[0])


@pytest.mark.parametrize("digits", ["0", "1", "12345678901234567890", "9" * 100])
def test_ids_of_up_to_100_digits_are_read(digits):
    """An id has up to 100 digits. (I9)"""
    assert decoded(f'2{digits}["a"]').id == int(digits)
    assert decoded(f"3/chat,{digits}[]").id == int(digits)


@pytest.mark.parametrize("frame", ['2{}["a"]', "3/chat,{}[]", "2{}"])
def test_ids_of_more_than_100_digits_are_refused(frame):
    """An id of 101 digits is a ValueError. (I9)"""
    with pytest.raises(ValueError, match="100 digits"):
        decoded(frame.format("1" * 101))


@pytest.mark.parametrize(
    ("frame", "data"),
    [
        ("4", None),
        ('4"not authorized"', "not authorized"),
        ('4{"message":"no","data":{"a":1}}', {"message": "no", "data": {"a": 1}}),
        ('4["no",1]', ["no", 1]),
        ("4null", None),
        ("45", 5),
        ("4/a,5", 5),
        ("0/a,5.5", 5.5),
        ('0{"sid":"abc","pid":"def"}', {"sid": "abc", "pid": "def"}),
    ],
)
def test_the_payload_of_other_types_has_any_form(frame, data):
    """A CONNECT or CONNECT_ERROR carries nothing, a text, an object or a list. (E1, M36)"""
    assert decoded(frame).data == data


# -- binary


@pytest.mark.parametrize(("given", "written"), [(EVENT, BINARY_EVENT), (ACK, BINARY_ACK)])
@pytest.mark.parametrize("kind", [bytes, bytearray])
def test_bytes_become_placeholders_and_attachments(given, written, kind):
    """Bytes make a packet binary: a header with count and placeholders, then the raw attachments in order. (I3, D6)"""
    sent = Packet(given, data=["up", kind(b"one"), {"k": [kind(b"two"), kind(b"")]}], namespace="/x", id=3)
    header = f'{written}3-/x,3["up",%s,{{"k":[%s,%s]}}]'
    placeholders = tuple(f'{{"_placeholder":true,"num":{number}}}' for number in range(3))
    assert sent.packet_type == written
    assert sent.encode() == [header % placeholders, b"one", b"two", b""]
    assert all(type(part) is bytes for part in sent.encode()[1:])


def test_encoding_leaves_the_data_as_it_is():
    """The caller's lists and dicts are not edited by an encoding, which can be repeated. (I3)"""
    inner = {"k": b"x"}
    data = ["up", inner]
    sent = Packet(EVENT, data=data)
    assert sent.encode() == sent.encode()
    assert data == ["up", inner]
    assert inner == {"k": b"x"}


def test_a_binary_packet_is_complete_with_its_last_attachment():
    """Each attachment but the last reports False, the last True, and then the data is whole. (I4)"""
    sent = Packet(EVENT, data=["up", b"one", {"k": b"two"}, b"three"])
    header, *attachments = sent.encode()
    received = Packet(encoded_packet=header)
    assert received.attachment_count == 3
    assert [received.add_attachment(attachment) for attachment in attachments] == [False, False, True]
    assert received.data == ["up", b"one", {"k": b"two"}, b"three"]


def test_placeholders_may_come_in_any_order():
    """Each placeholder is replaced by the attachment of its number, wherever it stands and however often. (E2, M29)"""
    mark = '{"_placeholder":true,"num":%d}'
    header = f'52-["up",{mark % 1},[{{"k":{mark % 0}}},{mark % 1}]]'
    assert decoded(header, b"zero", b"one").data == ["up", b"one", [{"k": b"zero"}, b"one"]]


@pytest.mark.parametrize(
    "lookalike",
    [
        {"_placeholder": True, "num": 0, "more": 1},
        {"_placeholder": False, "num": 0},
        {"_placeholder": 1, "num": 0},
        {"_placeholder": True},
        {"num": 0},
    ],
)
def test_what_only_looks_like_a_placeholder_is_data(lookalike):
    """A dict with other keys or values than a placeholder has stays what it is. (M29)"""
    header, attachment = Packet(EVENT, data=["up", lookalike, b"x"]).encode()
    assert decoded(header, attachment).data == ["up", lookalike, b"x"]


def test_a_binary_packet_without_attachments_is_complete_at_once():
    """A count of zero is allowed: no attachment follows. (I4)"""
    assert decoded('50-["up",1]').attachment_count == 0
    assert Packet(EVENT, data=["up", 1], binary=True).encode() == ['50-["up",1]']


@pytest.mark.parametrize("packet_type", [BINARY_EVENT, BINARY_ACK])
@pytest.mark.parametrize("binary", [None, True])
def test_a_binary_type_stays_what_it_is(packet_type, binary):
    """A packet that is given a binary type keeps it. (I3)"""
    sent = Packet(packet_type, data=["up", b"x"], binary=binary)
    assert sent.packet_type == packet_type
    assert sent.encode()[1:] == [b"x"]


def test_a_caller_that_knows_can_save_the_search():
    """With binary=False nobody looks for bytes, and the packet stays an EVENT. (I3)"""
    assert Packet(EVENT, data=["up", b"x"], binary=False).packet_type == EVENT


@pytest.mark.parametrize("packet_type", [CONNECT, DISCONNECT, CONNECT_ERROR])
def test_other_types_refuse_bytes(packet_type):
    """Bytes in a packet that is neither an event nor an acknowledgement are a ValueError. (I5)"""
    with pytest.raises(ValueError, match="cannot carry bytes"):
        Packet(packet_type, data={"a": [b"x"]})


@pytest.mark.parametrize(
    "data",
    [
        b"x",
        [b"x", b"y"],
        {"a": b"x", "b": {"c": [b"y", [bytearray(b"z")]]}},
        ["a", (1, (b"x",)), None],
        [],
        {},
        ["text", 1, None],
        "text",
    ],
)
def test_taking_bytes_out_and_putting_them_back_changes_nothing(data):
    """deconstruct_binary() and reconstruct_binary() are each other's inverse, but that tuples become lists. (I12)"""
    without, attachments = Packet.deconstruct_binary(data)
    assert not Packet.data_is_binary(without)
    assert Packet.reconstruct_binary(without, attachments) == as_lists(data)


def as_lists(data):
    if isinstance(data, (list, tuple)):
        return [as_lists(item) for item in data]
    return {key: as_lists(value) for key, value in data.items()} if isinstance(data, dict) else data


@pytest.mark.parametrize("data", [b"", bytearray(), [b"x"], (b"x",), {"a": b"x"}, [[{"a": ([bytearray(b"x")],)}]]])
def test_bytes_are_found_wherever_they_are(data):
    """data_is_binary() finds bytes and bytearray at any depth of lists, tuples and dicts. (I13)"""
    assert Packet.data_is_binary(data) is True


@pytest.mark.parametrize(
    "data", [None, "", "x", 1, [], {}, (), ["x", {"a": [1, None]}], {b"key": "value"}, memoryview(b"x")]
)
def test_what_has_no_bytes_is_not_binary(data):
    """data_is_binary() finds nothing in what is empty or has other values only. (I13)"""
    assert Packet.data_is_binary(data) is False


def test_a_list_that_contains_itself_is_searched_once():
    """The search for bytes ends, whatever contains whatever. (I13)"""
    data = ["x"]
    data.append(data)
    assert Packet.data_is_binary(data) is False


# -- values


@pytest.mark.parametrize("value", [object(), {1, 2}, memoryview(b"x")])
def test_what_json_does_not_know_is_a_type_error(value):
    """A value that JSON cannot express raises TypeError in the caller. (M28)"""
    with pytest.raises(TypeError):
        Packet(EVENT, data=["up", value]).encode()


def test_values_are_those_of_the_json_module():
    """White space, escapes, big integers, floats and other keys follow the json module. (M28, M37)"""
    frame = '2 [ "a" ,\t"\\u00fc\\n", 12345678901234567890123, -0.0, 1e300, {"a": NaN} ]'
    assert repr(decoded(frame).data) == repr(json.loads(frame[1:]))
    data = ["a", {1: "x", None: "y", 2.5: ("z",)}, 1e300]
    assert Packet(EVENT, data=data).encode() == "2" + json.dumps(data, separators=(",", ":"))


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: [x], lambda x: {"a": (x,)}, lambda x: {x: 1}])
def test_what_is_no_number_in_json_is_refused(number, wrap):
    """``nan`` and ``inf`` anywhere raise ValueError, in events with bytes too. (issue 10, A6)"""
    for data in (["a", wrap(number)], ["a", b"x", wrap(number)]):
        with pytest.raises(ValueError, match="not JSON compliant"):
            Packet(EVENT, data=data).encode()


def test_integers_of_100_digits_are_read_exactly():
    """An integer in the data has up to 100 digits. (M37)"""
    numbers = [int("9" * 100), -int("9" * 100), 10**100 / 7]
    assert decoded("2" + json.dumps(["a", *numbers])).data == ["a", *numbers]


@pytest.mark.parametrize("number", ["1" * 101, "-" + "1" * 101, "9" * 5000])
def test_integers_of_more_than_100_digits_are_refused(number):
    """An integer of 101 digits in the data is a ValueError. (I9)"""
    with pytest.raises(ValueError, match="100 digits"):
        decoded(f'2["a",{{"b":[{number}]}}]')


def test_a_long_row_of_digits_in_a_text_is_a_text():
    """What is refused is a number, not a text of digits or a float. (M37)"""
    data = ["a", "1" * 200, 0.5, 5, int("9" * 100), -int("9" * 100)]
    assert decoded(Packet(EVENT, data=data).encode()).data == data


# -- other json modules


class Recording:
    """A json module that notes what it is asked."""

    def __init__(self):
        self.calls = []

    def dumps(self, value, **options):
        self.calls.append(("dumps", options))
        return json.dumps(value, **options)

    def loads(self, text):
        self.calls.append(("loads", text))
        return json.loads(text)


def packet_class_with(module):
    return type("Packet", (Packet,), {"json": AdaptedJson(module)})


def test_a_json_module_is_used_in_both_directions():
    """A module with dumps and loads is asked for everything, and for compact text if it knows the word. (A5, M49)"""
    module = Recording()
    packet_class = packet_class_with(module)
    frame = packet_class(EVENT, data=["a", b"x"]).encode()[0]
    assert packet_class(encoded_packet=frame).attachment_count == 1
    assert module.calls[-2:] == [("dumps", {"separators": (",", ":")}), ("loads", frame[3:])]
    assert " " not in frame


def test_orjson_can_be_passed_unchanged():
    """A module whose dumps takes no options and returns UTF-8 does. (A5)"""
    packet_class = packet_class_with(orjson)
    frame = packet_class(EVENT, data=["ü", {"b": [1, b"x"]}]).encode()
    assert frame == ['51-["ü",{"b":[1,{"_placeholder":true,"num":0}]}]', b"x"]
    received = packet_class(encoded_packet=frame[0])
    received.add_attachment(b"x")
    assert received.data == ["ü", {"b": [1, b"x"]}]


@pytest.mark.parametrize("error", [KeyError("x"), RecursionError(), RuntimeError("broken")])
def test_whatever_a_json_module_raises_is_a_value_error(error):
    """A module that fails while it decodes makes decode() raise ValueError, with the cause. (A5)"""

    class Failing(Recording):
        def loads(self, text):
            raise error

    with pytest.raises(ValueError, match="cannot be decoded") as caught:
        packet_class_with(Failing())(encoded_packet='2["a"]')
    assert caught.value.__cause__ is error


def test_text_that_no_frame_can_carry_is_refused():
    """Where a module writes lone surrogates as they are, encode() raises ValueError at once. (M28)"""

    class Plain(Recording):
        def dumps(self, value):
            return json.dumps(value, ensure_ascii=False)

    with pytest.raises(ValueError):
        packet_class_with(Plain())(EVENT, data=["a", "\ud800"]).encode()


def test_one_class_has_its_json_for_itself():
    """Another json module in one packet class leaves all others as they were. (A5)"""
    packet_class_with(Recording())
    assert Packet.json is DefaultJson
    assert Packet(EVENT, data=["a"]).encode() == '2["a"]'
