"""What a client does with what comes: which handlers it calls, in which order, and what it answers."""

from __future__ import annotations

import asyncio
import math

import pytest

from .flavours import URL
from .waiting import Gate, within

MARK = '{"_placeholder":true,"num":%d}'


@pytest.fixture(params=[False, True], ids=["one-by-one", "together"])
async def sio(make_client, request):
    """A client that is connected to '/' and '/a', and whose engine has forgotten how."""
    sio = make_client()
    await sio.connect(URL, namespaces=["/", "/a"])
    sio.engine.sent.items.clear()
    sio.engine.together = request.param
    return sio


@pytest.mark.parametrize(
    ("frames", "args"),
    [
        (['2["in"]'], ()),
        (['2["in",null]'], (None,)),
        (['2["in",1,[2],{"a":null}]'], (1, [2], {"a": None})),
        ([f'52-["in",{MARK % 1},[{MARK % 0}]]', b"zero", b"one"], (b"one", [b"zero"])),
        ([f'51-["in",{MARK % 0},{MARK % 0}]', b""], (b"", b"")),
    ],
)
async def test_a_handler_gets_the_arguments_unchanged(sio, calls, frames, args):
    """An event calls its handler with the server's arguments, binary ones in their places. (E2, E3, M29)"""
    sio.on("in", calls.handler("in"))
    sio.engine.deliver(*frames)
    await calls.has(("in", *args))


async def test_who_is_called(sio, calls):
    """Exact event, any event of the namespace, any namespace, then what is for all. (E7, E8, E11)"""
    sio.on("known", calls.handler("own"))
    sio.on("*", calls.handler("any event"))
    sio.on("known", calls.handler("any namespace"), namespace="*")
    sio.on("*", calls.handler("anything"), namespace="*")
    sio.engine.deliver('2["known",1]', '2["other",1]', '2/a,["known",1]', '2/a,["other",1]', '2/b,["known",1]')
    await calls.has(("own", 1), ("any event", "other", 1), ("any namespace", "/a", 1), ("anything", "other", "/a", 1))


async def test_namespace_objects_are_called(make_client, flavour, calls):
    """Events go to the methods of the namespace's object, or of that for '*', connect included. (E9, E10, M31)"""

    class Room(flavour.namespace_class):
        def on_connect(self):
            calls.add(("room", "connect"))

        def on_in(self, value):
            calls.add(("room", value))
            return "from the room"

    class Rest(flavour.namespace_class):
        def on_connect(self, namespace):
            calls.add(("rest", "connect", namespace))

        def on_in(self, namespace, value):
            calls.add(("rest", namespace, value))

    sio = make_client()
    sio.register_namespace(Room("/room"))
    sio.register_namespace(Rest("*"))
    await sio.connect(URL, namespaces=["/room", "/x"])
    sio.engine.deliver('2/room,5["in",1]', '2/x,["in",2]', '2/room,["unknown"]', '2/x,6["unknown"]')
    await sio.engine.sent.has("0/room,{}", "0/x,{}", '3/room,5["from the room"]', "3/x,6[]")
    assert calls.items == [("room", "connect"), ("rest", "connect", "/x"), ("room", 1), ("rest", "/x", 2)]


async def test_handlers_may_be_replaced_while_connected(sio, calls):
    """A handler that is registered later handles what comes later. (M32)"""
    sio.on("in", calls.handler("first"))
    sio.engine.deliver('2["in"]')
    await calls.has(("first",))
    sio.on("in", calls.handler("second"))
    sio.on("new", calls.handler("new"), namespace="/a")
    sio.engine.deliver('2["in"]', '2/a,["new"]')
    await calls.has(("first",), ("second",), ("new",))


# -- acknowledgements


@pytest.mark.parametrize(
    ("result", "frames"),
    [
        (None, ["37[]"]),
        ((), ["37[]"]),
        ("x", ['37["x"]']),
        (0, ["37[0]"]),
        ([1, 2], ["37[[1,2]]"]),
        ((1, [2], None), ["37[1,[2],null]"]),
        (b"x", [f"61-7[{MARK % 0}]", b"x"]),
    ],
)
async def test_a_result_is_sent_where_the_server_asked_for_one(sio, flavour, result, frames):
    """The result of a handler is the acknowledgement: None no values, a tuple several, all else one. (E4)"""

    async def handler():
        return result

    sio.on("plain", lambda: result)
    sio.on("waiting", flavour.function(handler))
    sio.engine.deliver('27["plain"]')
    await sio.engine.sent.has(*frames)
    sio.engine.sent.items.clear()
    sio.engine.deliver('27["waiting"]')
    await sio.engine.sent.has(*frames)


@pytest.mark.parametrize("result", [math.nan, (1, [math.inf]), {"a": -math.inf}, object()])
async def test_a_result_that_cannot_be_encoded_is_logged(sio, caplog, result):
    """No acknowledgement is sent then, as for a handler that raises; the next one is. (M23; issue 10, A6)"""
    results = iter([result, "next"])
    sio.on("in", lambda: next(results))
    sio.engine.deliver('21["in"]', '22["in"]')
    await sio.engine.sent.has('32["next"]')
    assert "Handler of event in of namespace / failed" in caplog.text


async def test_events_may_have_numbers_as_names(sio, calls):
    """A handler for the number gets the event, one for any event too; true and null are no names. (issue 10, A7)"""
    sio.on(42, calls.handler("42"))
    sio.on("*", calls.handler("any"))
    sio.engine.deliver('2[42,"a"]', "2[true]", "2[null]", '2[42.5,"b"]', f"51-[42,{MARK % 0}]", b"x", '21[0,"c"]')
    await calls.has(("42", "a"), ("any", 42.5, "b"), ("42", b"x"), ("any", 0, "c"))
    await sio.engine.sent.has("31[]")


async def test_an_id_of_zero_is_an_id(sio):
    """An event with id 0 is acknowledged, one without id is not, one of nobody is. (M24, M34)"""
    sio.on("in", lambda: 1)
    sio.engine.deliver('2["in"]', '20["in"]', '2/a,3["nobody"]')
    await sio.engine.sent.has("30[1]", "3/a,3[]")


async def test_acknowledgements_are_sent_in_the_order_of_the_events(sio):
    """Results of quick handlers go out in the order in which the events came. (N19, N37)"""
    sio.on("in", lambda number: number)
    sio.engine.deliver(*(f'2{number}["in",{number}]' for number in range(50)))
    await sio.engine.sent.has(*(f"3{number}[{number}]" for number in range(50)))


async def test_any_event_handlers_return_acknowledgements(sio):
    """A '*' handler's result is sent too. (M31)"""
    sio.on("*", lambda event: f"any {event}")
    sio.engine.deliver('21["in"]')
    await sio.engine.sent.has('31["any in"]')


@pytest.mark.parametrize("failing", [lambda: 1 / 0, lambda too, many: None, lambda: object()])
async def test_a_handler_that_fails_sends_nothing_and_ends_nothing(sio, calls, failing):
    """An exception, a wrong number of parameters, a result that JSON does not know: no ack, and events go on. (M23)"""
    sio.on("broken", failing)
    sio.on("last", calls.handler("last", returns="fine"))
    sio.engine.deliver('21["broken"]', '22["last"]')
    await sio.engine.sent.has('32["fine"]')
    assert sio.connected


async def test_a_handler_runs_once(sio, calls):
    """A TypeError inside a handler does not make it run again. (N21)"""

    def handler(*args):
        calls.add(("in", *args))
        raise TypeError("inside")

    sio.on("in", handler)
    sio.on("last", calls.handler("last"))
    sio.engine.deliver('2["in",1]', '2["last"]')
    await calls.has(("in", 1), ("last",))


async def test_a_result_for_a_namespace_that_has_ended_is_dropped(sio, flavour):
    """An acknowledgement goes out while its namespace is connected, and no later. (M34)"""
    gate, last = Gate(), Gate()
    sio.on("in", flavour.function(gate.wait), namespace="/a")
    sio.on("last", last.open)
    sio.engine.deliver('2/a,1["in"]', "1/a,", '2["last"]')
    await last.wait()
    gate.open()
    sio.engine.deliver('25["nobody"]')
    await sio.engine.sent.has("35[]")


async def test_a_result_of_the_connection_before_is_dropped(sio, flavour, calls):
    """An acknowledgement does not go out on the next connection, where its id means something else. (M26)"""
    gate = Gate()

    async def slow():
        await gate.wait()
        return "of the connection before"

    sio.on("slow", flavour.function(slow))
    sio.on("connect", calls.handler("connect"))
    sio.engine.deliver('21["slow"]')
    await sio.engine.idle()
    sio.engine.lose()
    await calls.has(("connect",))
    gate.open()
    sio.engine.sent.items.clear()
    sio.engine.deliver('25["nobody"]')
    await sio.engine.sent.has("35[]")


# -- order


async def test_handlers_run_in_the_order_of_the_events(sio, calls):
    """Events of all namespaces, plain and binary, are handled in the order in which they came. (N18, N13, N17)"""
    for namespace in ("/", "/a"):
        sio.on("in", calls.handler("in"), namespace=namespace)
    frames, expected = [], []
    for number in range(100):
        prefix = "/a," if number % 2 else ""
        if number % 3:
            frames.append(f'2{prefix}["in",{number}]')
            expected.append(("in", number))
        else:
            frames += [f'51-{prefix}["in",{number},{MARK % 0}]', bytes([number])]
            expected.append(("in", number, bytes([number])))
    sio.engine.deliver(*frames)
    await calls.has(*expected)


async def test_a_handler_that_waits_does_not_hold_up_the_others(sio, flavour, calls):
    """Other events go on while a handler blocks, or awaits, and started before them. (M22, N18)"""
    gate = Gate()

    async def slow(number):
        calls.add(("began", number))
        await gate.wait()
        calls.add(("ended", number))

    sio.on("slow", flavour.function(slow))
    sio.on("quick", calls.handler("quick"))
    sio.engine.deliver('2["slow",1]', '2["slow",2]', '2["quick"]')
    await calls.has(("began", 1), ("began", 2), ("quick",))
    gate.open()
    await calls.until(lambda: len(calls.items) == 5)
    assert sorted(calls.items[3:]) == [("ended", 1), ("ended", 2)]


async def test_async_handlers_false_is_one_at_a_time(make_client, flavour, calls):
    """With async_handlers=False the next handler starts when the one before has ended. (N18)"""
    sio, gate = make_client(async_handlers=False), Gate()

    async def slow(number):
        calls.add(("began", number))
        await gate.wait()
        calls.add(("ended", number))

    sio.on("slow", flavour.function(slow))
    await sio.connect(URL)
    sio.engine.deliver('2["slow",1]', '2["slow",2]')
    await calls.has(("began", 1))
    await sio.engine.idle()
    gate.open()
    await calls.has(("began", 1), ("ended", 1), ("began", 2), ("ended", 2))


async def test_connect_comes_before_events(make_client, calls):
    """The connect handler starts before the events that follow the acceptance. (N20)"""
    sio = make_client()
    sio.engine.server.silent = {"/"}
    sio.on("connect", calls.handler("connect"))
    sio.on("in", calls.handler("in"))
    connecting = asyncio.ensure_future(sio.connect(URL))
    await sio.engine.sent.until(lambda: sio.engine.sent.items)
    sio.engine.deliver('0{"sid":"abc"}', '2["in",1]', '2["in",2]')
    await within(connecting)
    await calls.has(("connect",), ("in", 1), ("in", 2))


async def test_events_before_a_disconnection_come_before_it(sio, calls):
    """What the server sent before it ended a namespace is handled before the disconnect handler. (N25)"""
    sio.on("in", calls.handler("in"), namespace="/a")
    sio.on("disconnect", calls.handler("disconnect"), namespace="/a")
    sio.engine.deliver('2/a,["in",1]', '2/a,["in",2]', "1/a,", '2/a,["in",3]', '2["x"]')
    await calls.has(("in", 1), ("in", 2), ("disconnect", "server disconnect"))
    await sio.engine.idle()
    assert len(calls.items) == 3


# -- what breaks the protocol


@pytest.mark.parametrize(
    "frames",
    [
        ["9[]"],
        [""],
        ["2["],
        [b"stray"],
        ['51-["half",%s]' % (MARK % 0)],
        ['51-["half",%s]' % (MARK % 0), '2["x"]', b"late"],
        ['2["connect"]', '2["disconnect"]', '2["__disconnect_final"]'],
        ['59999999999-["x"]'],
        ["4/unknown,", "0/unknown,", "3/unknown,1[]"],
    ],
    ids=lambda frames: repr(frames[0])[:20],
)
async def test_frames_that_break_the_protocol_are_dropped(sio, calls, frames):
    """Whatever a server sends, no handler is called for it, and the next event comes. (E1, N33, N34, N35)"""
    for event in ("half", "connect", "disconnect"):
        sio.on(event, calls.handler(event))
    sio.on("valid", calls.handler("valid"))
    sio.engine.deliver(*frames, '2["valid",1]')
    await calls.has(("valid", 1))
    assert sio.connected
