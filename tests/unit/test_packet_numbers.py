"""Numbers that take too long to read, and the short cuts in reading JSON: what they let through, and what not."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from socketio.packet import EVENT, DefaultJson, Packet

LIMIT = 100
spaces = st.text(" \t\n\r", max_size=30)
surroundings = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)


def around(before, after, text):
    """Return JSON text of a list with other values on both sides of ``text``."""
    return "[" + ",".join([*map(json.dumps, before), text, *map(json.dumps, after)]) + "]"


@given(
    before=st.lists(surroundings, max_size=4),
    after=st.lists(surroundings, max_size=4),
    digits=st.integers(LIMIT + 1, LIMIT + 60),
    first=st.sampled_from("123456789"),
    sign=st.sampled_from(["", "-"]),
    padding=st.integers(0, 60),
)
@example(before=[], after=[], digits=LIMIT + 1, first="1", sign="", padding=0)
@example(before=[], after=[], digits=5000, first="1", sign="-", padding=24)
def test_no_long_integer_gets_through(before, after, digits, first, sign, padding):
    """An integer of more than 100 digits is a ValueError, wherever it stands and whatever stands beside it. (I10)"""
    number = sign + first + "0" * (digits - 1)
    with pytest.raises(ValueError, match="100 digits"):
        DefaultJson.loads(" " * padding + around(before, after, number))


@pytest.mark.parametrize("start", range(51))
@pytest.mark.parametrize("digits", [LIMIT + 1, LIMIT + 24, LIMIT + 25])
def test_no_position_hides_a_long_integer(start, digits):
    """The search that looks at every 25th character finds it from wherever it begins. (I10)"""
    for text in (" " * start + "7" * digits, '["' + "x" * start + '",' + "7" * digits + "]"):
        with pytest.raises(ValueError, match="100 digits"):
            DefaultJson.loads(text)


@given(
    before=st.lists(surroundings, max_size=3),
    numbers=st.lists(
        st.integers(-(10**LIMIT) + 1, 10**LIMIT - 1) | st.integers(10 ** (LIMIT - 1), 10**LIMIT - 1),
        min_size=1,
        max_size=5,
    ),
    text=st.text("0123456789", max_size=300),
)
@example(before=[], numbers=[10**LIMIT - 1] * 3, text="1" * 300)
def test_integers_of_up_to_100_digits_are_exact(before, numbers, text):
    """Also beside rows of digits in a text, that make the search look closer. (I10, I12)"""
    assert DefaultJson.loads(around(before, [text], json.dumps(numbers))) == [*before, numbers, text]


@pytest.mark.parametrize(
    "number", ["1." + "3" * 200, "1e" + "0" * 150 + "5", "0." + "0" * 300 + "1", "-1.5" + "0" * 150]
)
def test_long_fractions_are_numbers(number):
    """Digits behind a point, or of an exponent, take no longer than their number: they are read. (I12)"""
    assert DefaultJson.loads(f"[{number}]") == [float(number)]


def test_a_long_integer_before_a_point_is_a_number():
    """What float() reads is no integer, however long. (I12)"""
    assert DefaultJson.loads("[" + "9" * 150 + ".0]") == [1e150]


@given(value=surroundings, before=spaces, after=spaces)
def test_space_around_changes_nothing(value, before, after):
    """Space before and after is skipped, as the standard library does. (I12)"""
    assert DefaultJson.loads(before + json.dumps(value) + after) == value
    assert Packet(encoded_packet="2" + before + json.dumps(["a", value]) + after).data == ["a", value]


@given(
    text=st.builds("{}{}{}".format, spaces, surroundings.map(json.dumps), st.text(max_size=5)) | st.text(max_size=20)
)
@example(text="")
@example(text="[]]")
@example(text="[] []")
@example(text='"a"x')
@example(text="1 2")
@example(text="nul")
@example(text="\ufeff[]")
@example(text="\u00a0[]")
@example(text="[]\x00")
@example(text="NaN")
@example(text="-Infinity")
@example(text="01")
@example(text="[" + "1," * 200 + "1]x")
def test_what_is_read_is_what_the_standard_library_reads(text):
    """The same value, or the same error in the same words. (I12)"""
    assume(not re.search(r"\d{101}", text))
    try:
        expected = json.JSONDecoder().decode(text)
    except ValueError as exc:
        with pytest.raises(type(exc), match=f"^{re.escape(str(exc))}$"):
            DefaultJson.loads(text)
    else:
        assert repr(DefaultJson.loads(text)) == repr(expected)


@given(value=surroundings, garbage=st.text(max_size=5).filter(lambda text: text.strip(" \t\n\r")))
def test_what_comes_after_the_data_is_refused(value, garbage):
    """A packet with anything but space behind its data is none. (I9)"""
    with pytest.raises(ValueError):
        Packet(encoded_packet="2" + json.dumps(["a", value]) + garbage)


@given(
    data=st.lists(surroundings, max_size=4),
    namespace=st.sampled_from([None, "/", "/chat"]),
    id=st.none() | st.integers(0, 9),
)
def test_the_short_way_reads_what_the_long_way_reads(data, namespace, id):
    """Events without namespace and id, which have a way of their own, are read like all others. (I2, I4)"""
    received = Packet(encoded_packet=Packet(EVENT, data=data, namespace=namespace, id=id).encode())
    longer = Packet(encoded_packet=Packet(EVENT, data=data, namespace="/other", id=5).encode())
    assert (received.packet_type, received.data, received.id) == (EVENT, data, id)
    assert (longer.packet_type, longer.data) == (received.packet_type, received.data)
    assert (received.namespace or "/", received.attachment_count) == (namespace or "/", 0)
