"""Whatever comes as a packet: ValueError is the only error, and the cost is that of what came."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from socketio.packet import ACK, BINARY_ACK, BINARY_EVENT, EVENT, Packet

MEGABYTE = 1_000_000
SECONDS = 3.0  # of this thread: a few hundredths as it is, minutes where the cost is quadratic
MARK = '{"_placeholder":true,"num":%s}'

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
namespaces = st.none() | st.text(st.characters(exclude_characters=",?", exclude_categories=["Cs"])).map("/{}".format)
ids = st.none() | st.integers(0, 10**100 - 1)

pieces = st.lists(
    st.sampled_from(
        ["0", "2", "3", "5", "6", "1-", "99-", "/a", "/a?b=", ",", "12", "-", "[", "]", "{", '"a"', ":", MARK % 0]
    )
    | st.text(max_size=5),
    max_size=12,
)
hostile = (
    st.text()
    | st.binary()
    | pieces.map("".join)
    | st.integers()
    | st.none()
    | st.builds("{}{}".format, st.sampled_from("0123456789"), st.text())
)


def read(frame, attachments=()):
    """Decode a frame and give it attachments; whatever is wrong must be a ValueError."""
    with contextlib.suppress(ValueError):
        received = Packet()
        count = received.decode(frame)
        assert count == received.attachment_count >= 0
        for attachment in attachments:
            received.add_attachment(attachment)
        return received


def is_complete(data):
    """Return whether no placeholder is left."""
    stack = [data]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            if set(value) == {"_placeholder", "num"} and value["_placeholder"] is True:
                return False
            stack.extend(value.values())
        elif isinstance(value, list):
            stack.extend(value)
    return True


@given(packet_type=st.sampled_from([EVENT, ACK]), data=st.lists(values), namespace=namespaces, id=ids)
def test_any_event_comes_back_as_it_was_sent(packet_type, data, namespace, id):
    """Whatever JSON and bytes can express survives, with any namespace and id. (I2, I3, I4, I6, I8, I12)"""
    encoded = Packet(packet_type, data=data, namespace=namespace, id=id).encode()
    header, *attachments = encoded if isinstance(encoded, list) else [encoded]
    received = Packet(encoded_packet=header)
    completed = [received.add_attachment(attachment) for attachment in attachments]
    assert completed == [False] * (len(attachments) - 1) + [True] * bool(attachments)
    assert received.packet_type == packet_type + 3 * bool(attachments)
    assert received.data == data
    assert (received.namespace or "/", received.id) == (namespace or "/", id)


@given(frame=hostile, attachments=st.lists(st.binary(), max_size=3))
@example(frame="", attachments=[])
@example(frame="7[]", attachments=[])
@example(frame="51-" + MARK % 0, attachments=[b""])
@example(frame=True, attachments=[])
@example(frame=-1, attachments=[])
@example(frame='51-["a",' + MARK % -1 + "]", attachments=[b"x"])
@example(frame='51-["a",' + MARK % "true" + "]", attachments=[b"x"])
@example(frame='51-["a",' + MARK % "1.0" + "]", attachments=[b"x"])
@example(frame='51-["a",' + MARK % "[]" + "]", attachments=[b"x"])
@example(frame='2["\\ud800"]', attachments=[])
def test_whatever_comes_is_a_packet_or_a_value_error(frame, attachments):
    """decode() and add_attachment() raise ValueError for what is none, and nothing else ever. (I9, I10, I11)"""
    received = read(frame, attachments)
    if received is not None and attachments and len(attachments) == received.attachment_count:
        assert is_complete(received.data)


@given(
    data=st.lists(values, min_size=1), position=st.integers(0, 200), junk=st.text(max_size=3) | st.binary(max_size=3)
)
def test_whatever_damages_a_packet_is_a_value_error(data, position, junk):
    """A valid frame with something put into it decodes or raises ValueError. (I9, I10, I11)"""
    encoded = Packet(EVENT, data=["event", *data], namespace="/a", id=1).encode()
    header, *attachments = encoded if isinstance(encoded, list) else [encoded]
    read(header[:position] + str(junk) + header[position:], attachments)
    read(header[:position], attachments)


@pytest.mark.parametrize("packet_type", [BINARY_EVENT, BINARY_ACK])
@pytest.mark.parametrize("count", ["1" * 11, "0" * 11, "9" * 1000])
def test_an_attachment_count_of_more_than_ten_digits_is_refused(packet_type, count):
    """An attachment count of eleven digits is a ValueError. (I10)"""
    with pytest.raises(ValueError, match="10 digits"):
        Packet(encoded_packet=f'{packet_type}{count}-["a"]')


def test_an_attachment_count_without_placeholders_is_refused_at_once():
    """A count that no placeholders bear out is a ValueError, so that nobody waits for what will not come. (I10, N33)"""
    with pytest.raises(ValueError, match="placeholders"):
        Packet(encoded_packet=f'59999999999-["a",{MARK % 0}]')


@pytest.mark.parametrize("number", [1, -1, 10**50, "true", "null", "0.0", '"0"', "[]", "{}"])
def test_a_placeholder_for_no_attachment_is_refused(number):
    """A placeholder whose number is none of an attachment is a ValueError. (I11, N35)"""
    with pytest.raises(ValueError, match="placeholder for attachment"):
        Packet(encoded_packet=f'51-["a",{MARK % number}]')


@pytest.mark.parametrize("frame", ['2["a"]', f'51-["a",{MARK % 0}]', '50-["a"]'])
def test_one_attachment_too_many_is_refused(frame):
    """An attachment after the last one is a ValueError, and leaves the data as it was. (I11)"""
    received = Packet(encoded_packet=frame)
    for _ in range(received.attachment_count):
        received.add_attachment(b"x")
    before = list(received.data)
    with pytest.raises(ValueError, match="more attachments than announced"):
        received.add_attachment(b"y")
    assert received.data == before


@pytest.mark.parametrize("number", [1, -1, 5])
def test_putting_back_what_is_not_there_is_refused(number):
    """reconstruct_binary() raises ValueError for a number that no attachment has. (I12)"""
    with pytest.raises(ValueError, match="placeholder for attachment"):
        Packet.reconstruct_binary([{"_placeholder": True, "num": number}], [b"x"])


NO_PACKETS = [
    "",
    "x",
    "-1",
    "7",
    "9[]",
    "\u0662",
    "\u00b2[]",
    "5",
    '5["a"]',
    '6-["a"]',
    '21-["a"]',
    "2[",
    "2x",
    '2"',
    "0{",
]
NO_PACKETS += ["2/a,x", "4 x", "2/a,1x", '2["a"]]', b'2["a"]', None, 7, -1, 2.0, ["2"], True]


@pytest.mark.parametrize("frame", NO_PACKETS)
def test_what_is_no_packet_is_refused(frame):
    """Anything but a packet is a ValueError. (I1, E1)"""
    received = Packet()
    with pytest.raises(ValueError):
        received.decode(frame)


@pytest.mark.parametrize("nesting", ["[", '{"a":', '[{"a":'])
def test_data_nested_too_deeply_is_refused(nesting):
    """A frame that nests deeper than Python can is a ValueError. (I9)"""
    with pytest.raises(ValueError):
        Packet(encoded_packet="2" + nesting * 200_000)


def test_sending_data_nested_too_deeply_is_a_value_error():
    """Data that nests deeper than Python can, or contains itself, cannot be encoded, with bytes or without. (M28)"""
    deep = []
    for _ in range(100_000):
        deep = [deep]
    endless = {"a": [b"x"]}
    endless["a"].append(endless)
    for data in (["a", deep], ["a", deep, b"x"], ["a", endless]):
        with pytest.raises(ValueError):
            Packet(EVENT, data=data).encode()


@pytest.mark.parametrize(
    "frame",
    [
        "2" + "1" * MEGABYTE,
        "5" + "1" * MEGABYTE + "-",
        "5" + "1-" * (MEGABYTE // 2),
        "2/" + "a" * MEGABYTE,
        "2/" + "?" * MEGABYTE,
        "2/" + "1" * MEGABYTE + "," + "1" * MEGABYTE,
        "2[" + "1" * MEGABYTE,
        '2["a",' + "1" * MEGABYTE + "]",
        '2["a",' + ("1" * 100 + ",") * (MEGABYTE // 101) + "1]",
        '2["' + ("1" * 100 + " ") * (MEGABYTE // 101) + '"]',
        "2" + "[" * MEGABYTE,
        "2" + "[" * 500 + "]" * 500 + " " * MEGABYTE,
        "2" + '{"a":' * (MEGABYTE // 5),
        "2" + '"' + "\\" * MEGABYTE,
        "2" + " " * MEGABYTE,
        "59999999999-[" + "{}," * (MEGABYTE // 3) + "{}]",
        f'51-["a",{",".join([MARK % 0] * (MEGABYTE // 30))}]',
        '50-["a",' + "[" * 900 + "]" * 900 + ",{}" * (MEGABYTE // 3) + "]",
        "-" * MEGABYTE,
        "\u0661" * MEGABYTE,
    ],
    ids=lambda frame: f"{frame[:12]}...",
)
def test_a_hostile_megabyte_is_read_quickly(frame):
    """A megabyte that is meant to cost time costs a fraction of a second. (I9, I10)"""
    began = time.thread_time()
    read(frame, [b"x"])
    assert time.thread_time() - began < SECONDS


def test_a_hostile_megabyte_of_attachments_is_read_quickly():
    """Many attachments cost no more than their number. (I4)"""
    count = 30_000
    marks = ",".join(MARK % number for number in range(count))
    began = time.thread_time()
    received = Packet(encoded_packet=f"5{count}-[{marks}]")
    assert [received.add_attachment(b"") for _ in range(count)][-2:] == [False, True]
    assert received.data == [b""] * count
    assert time.thread_time() - began < SECONDS


@pytest.mark.parametrize("frame", ['50-["x",{"_placeholder":true,"num":0}]', '60-[{"_placeholder":true,"num":0}]'])
def test_a_placeholder_where_no_attachment_is_announced_is_refused(frame):
    """A packet of a binary type without attachments has no placeholder: none reaches a handler. (N34)"""
    with pytest.raises(ValueError, match="placeholder"):
        Packet(encoded_packet=frame)
