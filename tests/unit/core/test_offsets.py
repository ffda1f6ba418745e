"""Offsets of connection state recovery: those of socket.io's adapters go, and nothing else ever does. (issue 10, A2)"""

from __future__ import annotations

import json
import string
import uuid

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from socketio.core.offsets import MAX_SKEW, MAX_STEP_BACK, Offsets
from socketio.core.session import Session
from socketio.packet import CONNECT, EVENT, Packet

from ..offset_forms import mongo, redis, yeast
from ..sessions import receive

NOW = 1_796_000_000.0
DAY = 24 * 60 * 60.0

times = st.floats(NOW - MAX_SKEW + 1, NOW + MAX_SKEW - 1)
counters = st.integers(0, 10**6)
forms = st.sampled_from(
    [
        lambda seconds, count: yeast(seconds),
        lambda seconds, count: yeast(seconds, count),
        redis,
        lambda seconds, count: mongo(seconds, count),
    ]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
words = st.text(string.ascii_letters + "äöü'", min_size=1) | st.sampled_from(
    ["hello", "Quality", "running", "WebSock", "started", "success", "GET", "ok", "en-GB", "dark_mode", "a.b"]
)
codes = (
    st.uuids().map(str)
    | st.uuids().map(lambda value: value.hex)
    | st.integers(0).map(str)
    | st.floats(allow_nan=False).map(str)
    | st.datetimes().map(lambda value: value.isoformat())
    | st.times().map(str)
    | st.from_regex(r"v?[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}(-rc[0-9])?", fullmatch=True)
    | st.from_regex(r"[A-Z]{3,4}(-[A-Z]{3,4})?", fullmatch=True)
    | st.from_regex(r"[0-9]{1,12}-[0-9]{1,4}", fullmatch=True)
    | st.sampled_from(
        ["12:30", "12:30:00", "BTC-USD", "1234567", "user_42", "room-17", "0000000", "#ff00ff", "507f1f77"]
    )
)


def offsets(now=NOW):
    return Offsets(lambda: now)


def stripped(subject, *args):
    """Return the arguments of an event that are left: those of a list, which are those of the text."""
    data = ["event", *args]
    text = subject.cut(json.dumps(data, separators=(",", ":")))
    return json.loads(text)[1:]


def new_session():
    session = Session(Packet)
    session.connect("/")
    receive(session, Packet(CONNECT, data={"sid": "1", "pid": "2"}).encode())
    return session


# -- what goes


@given(args=st.lists(values, max_size=3), form=forms, seconds=times, count=counters)
def test_offsets_of_the_three_forms_go(args, form, seconds, count):
    """An offset of any adapter goes, whatever stands before it, in a list and in text."""
    data = ["event", *args, form(seconds, count)]
    offsets().strip(data)
    assert data == ["event", *args]
    assert stripped(offsets(), *args, form(seconds, count)) == args


@given(form=forms, steps=st.lists(st.floats(-MAX_STEP_BACK + 1, 3600), min_size=1, max_size=20), count=counters)
def test_each_offset_of_a_connection_goes(form, steps, count):
    """All of one form go, as long as their times do not run backwards by more than a few seconds."""
    subject, seconds = offsets(), NOW - DAY
    for step in steps:
        seconds = max(seconds, seconds + step)
        assert stripped(subject, "value", form(seconds + min(step, 0), count)) == ["value"]


@pytest.mark.parametrize("form", [yeast, redis, mongo])
def test_events_without_offset_come_between(form):
    """Volatile and local events have none; those that follow still have theirs."""
    subject = offsets()
    assert stripped(subject, "hello") == ["hello"]
    assert stripped(subject) == []
    assert stripped(subject, 1, form(NOW)) == [1]
    assert stripped(subject, "hello") == ["hello"]
    assert stripped(subject, "") == [""]
    assert stripped(subject, form(NOW + 1)) == []


def test_a_connection_lasts_longer_than_the_limit():
    """What counts is the time at which an event comes, not that of the connection."""
    now = NOW
    subject = Offsets(lambda: now)
    for _ in range(5):
        assert stripped(subject, 1, yeast(now)) == [1]
        now += MAX_SKEW


# -- what stays


@given(last=words | codes | values, before=st.lists(values, max_size=2))
@example(last="v1.2.3.", before=[])
@example(last=str(uuid.UUID(int=5)), before=[])
def test_nothing_else_goes(last, before):
    """Words, versions, times of day, ids, tickers and numbers stay, alone and behind real offsets."""
    if last == "" or last is None:
        return
    assert stripped(offsets(), *before, last) == [*before, last]
    data = ["event", *before, last]
    offsets().strip(data)
    assert data == ["event", *before, last]
    for form in (yeast, redis, mongo):
        subject = offsets()
        assert stripped(subject, 1, form(NOW)) == [1]
        assert stripped(subject, *before, last) == [*before, last]


@given(form=forms, seconds=st.floats(0, 4e9), count=counters)
def test_times_that_are_not_plausible_stay(form, seconds, count):
    """The very form is not enough: the time has to be within two days."""
    if abs(seconds - NOW) > MAX_SKEW + 1:
        assert stripped(offsets(), form(seconds, count)) == [form(seconds, count)]


@pytest.mark.parametrize("first", [yeast, redis, mongo])
@pytest.mark.parametrize("second", [yeast, redis, mongo])
def test_the_first_offset_fixes_the_form(first, second):
    """What has another form than the offsets of this connection is an argument."""
    subject = offsets()
    assert stripped(subject, first(NOW)) == []
    assert stripped(subject, second(NOW)) == ([] if first is second else [second(NOW)])


@pytest.mark.parametrize("form", [yeast, redis, mongo])
def test_time_does_not_run_backwards(form):
    """A time of a minute before the last offset is none."""
    subject = offsets()
    assert stripped(subject, form(NOW)) == []
    assert stripped(subject, form(NOW - 60)) == [form(NOW - 60)]
    assert stripped(subject, form(NOW - 2)) == []


@pytest.mark.parametrize(
    "text",
    [
        *(
            change.format(yeast(NOW))
            for change in ("{}x", "x{}", "{}.", "{}.00", "{}.1.2", " {}", "{}\n", "-{}", "{:.6}")
        ),
        *(change.format(redis(NOW)) for change in ("{}x", "0{}", "{}-1", "{}1", "{:.14}", "{:.13}", "{} ")),
        *(change.format(mongo(NOW)) for change in ("{}x", "{}0", "0{}", "{:.23}", "0x{}")),
        mongo(NOW).upper(),
    ],
)
def test_almost_an_offset_stays(text):
    """Only the exact form is an offset."""
    assert stripped(offsets(), text) == [text]


@pytest.mark.parametrize(
    "last", [[], {}, [yeast(NOW)], {"a": yeast(NOW)}, 5, True, f"a,{yeast(NOW)}", f'","{yeast(NOW)}']
)
def test_only_a_text_at_the_end_is_an_offset(last):
    """What stands inside of a list, an object or another text is none."""
    assert stripped(offsets(), last) == [last]


def test_the_name_of_an_event_stays():
    """Even one that looks like an offset."""
    data = [yeast(NOW)]
    offsets().strip(data)
    assert data == [yeast(NOW)]
    assert offsets().cut(f'2["{yeast(NOW)}"]') == f'2["{yeast(NOW)}"]'


# -- adapters that append an empty text, or null


@pytest.mark.parametrize("filler", ["", None])
def test_what_every_event_ends_in_goes(filler):
    """Cluster adapters and the one for Postgres keep no events, and append the same to each."""
    subject = offsets()
    for args in ([], [1], ["hello"], [filler]):
        assert stripped(subject, *args, filler) == args


@pytest.mark.parametrize("filler", ["", None])
@pytest.mark.parametrize("other", [[], [1], ["hello"], [yeast(NOW)], [0], [False], [[]]])
def test_what_one_event_does_not_end_in_stays(filler, other):
    """As soon as one event ends in something else, it is an argument, until the end of the connection."""
    subject = offsets()
    stripped(subject, *other)
    assert stripped(subject, filler) == [filler]
    subject = offsets()
    assert stripped(subject, filler) == []
    stripped(subject, *other)
    for _ in range(3):
        assert stripped(subject, filler) == [filler]


def test_both_fillers_are_none():
    """No adapter appends now this and now that."""
    subject = offsets()
    assert stripped(subject, "") == []
    assert stripped(subject, None) == [None]
    assert stripped(subject, "") == [""]


# -- in a session


def test_events_with_an_id_have_no_offset():
    """They keep all arguments, and say nothing about the others."""
    session = new_session()
    now = yeast()
    assert receive(session, f'25["a","{now}"]') == [("/", "a", (now,), 5)]
    assert receive(session, '25["a",1]') == [("/", "a", (1,), 5)]
    assert receive(session, '2["a",""]') == [("/", "a", (), None)]
    assert receive(session, '25["a",""]') == [("/", "a", ("",), 5)]


@pytest.mark.parametrize("pid", ["null", "5", "true", "{}", "[]"])
def test_a_pid_is_a_text(pid):
    """A server that gives anything else keeps no events."""
    session = Session(Packet)
    session.connect("/")
    receive(session, f'0{{"sid":"1","pid":{pid}}}')
    now = yeast()
    assert receive(session, f'2["a","{now}"]') == [("/", "a", (now,), None)]


def test_each_namespace_has_its_own():
    """What one namespace sends is no reason for another."""
    session = new_session()
    session.connect("/chat")
    receive(session, '0/chat,{"sid":"1","pid":"2"}')
    assert receive(session, '2["a",1]') == [("/", "a", (1,), None)]
    assert receive(session, '2/chat,["a",""]') == [("/chat", "a", (), None)]
    assert receive(session, '2["a",""]') == [("/", "a", ("",), None)]


def five(last):
    """Return the frames of an event that is received at once, for its many attachments."""
    placeholders = [{"_placeholder": True, "num": number} for number in range(5)]
    return f"55-{json.dumps(['five', placeholders, last], separators=(',', ':'))}", *[b"x"] * 5


ends = st.sampled_from(["", "null", '""', "1", '"word"', f'"{yeast()}"', f'"{redis()}"', f'"{yeast()}.1"'])
many = st.lists(
    st.builds(
        lambda name, id, end: f'2{id}["{name}"{"," if end else ""}{end}]',
        st.sampled_from(["a", "b"]),
        st.sampled_from(["", "", "", "7"]),
        ends,
    )
    | st.builds('51-["c",{{"_placeholder":true,"num":0}},{}]'.format, ends.filter(bool)).map(lambda text: (text, b"x"))
    | st.sampled_from([("0/other,{}",), five(yeast()), five("word"), five("")]),
    max_size=12,
).map(lambda items: [frame for item in items for frame in (item if isinstance(item, tuple) else (item,))])


@given(frames=many, cuts=st.lists(st.integers(1, 4), max_size=12))
def test_when_events_are_read_makes_no_difference(frames, cuts):
    """The same frames give the same events, however they are split, and read in whatever order."""
    one_by_one = new_session()
    expected = [event for frame in frames for event in receive(one_by_one, frame)]
    together = new_session()
    unread = []
    rest = frames
    while rest:
        size = cuts.pop() if cuts else len(rest)
        part, rest = rest[:size], rest[size:]
        while part:
            received, part = together.receive(part)
            unread += [event for each in received for event in (each if isinstance(each, list) else [each])]
    late = [together.read(event) for event in reversed(unread)]
    assert late[::-1] == expected


def test_data_that_is_no_list_is_dropped():
    """A packet of an event without a list has no arguments to look at."""
    assert len(receive(new_session(), "2{}")) == len(receive(new_session(), "2")) == 1
    assert Packet(EVENT, data={}).encode() == "2{}"
