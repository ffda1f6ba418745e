"""What a client sends, and how it waits for acknowledgements."""

from __future__ import annotations

import asyncio
import enum
import math

import orjson
import pytest

from socketio import exceptions
from socketio.core.events import UNSENDABLE_EVENTS
from socketio.msgpack_packet import MsgPackPacket
from socketio.packet import EVENT, AdaptedJson

from .flavours import URL
from .waiting import Gate, within

MARK = '{"_placeholder":true,"num":%d}'


@pytest.fixture
async def sio(make_client):
    """A client that is connected to '/' and '/a', and whose engine has forgotten how."""
    sio = make_client()
    await sio.connect(URL, namespaces=["/", "/a"])
    sio.engine.sent.items.clear()
    return sio


@pytest.mark.parametrize(
    ("data", "frames"),
    [
        ((), ['2["up"]']),
        ((None,), ['2["up",null]']),
        (None, ['2["up"]']),
        (1, ['2["up",1]']),
        ([1, 2], ['2["up",[1,2]]']),
        ((1, [2], None), ['2["up",1,[2],null]']),
        ({"a": "b"}, ['2["up",{"a":"b"}]']),
        (b"x", [f'51-["up",{MARK % 0}]', b"x"]),
        (("a", [b"x", {"k": bytearray(b"y")}]), [f'52-["up","a",[{MARK % 0},{{"k":{MARK % 1}}}]]', b"x", b"y"]),
    ],
)
async def test_how_data_is_sent(sio, data, frames):
    """None is no argument, a tuple several, all else one; bytes go as attachments, in order. (D1, D2, D6, M28)"""
    await sio.emit("up", data)
    assert sio.engine.sent.items == frames


async def test_the_namespace_is_in_the_packet(sio):
    """emit() goes to '/' by default, and to another namespace where one is given. (D3)"""
    await sio.emit("up", namespace="/a")
    await sio.emit("up", 1, "/")
    await sio.emit("up", 1, None)
    assert sio.engine.sent.items == ['2/a,["up"]', '2["up",1]', '2["up",1]']


async def test_send_is_an_event_named_message(sio, calls):
    """send() emits "message" with the same data, namespace and callback. (D7)"""
    await sio.send(("x", 1))
    await sio.send("y", "/a", calls.handler("answer"))
    await sio.send(None)
    assert sio.engine.sent.items == ['2["message","x",1]', '2/a,1["message","y"]', '2["message"]']
    sio.engine.deliver("3/a,1[5]")
    await calls.has(("answer", 5))


@pytest.mark.parametrize("method", ["emit", "send", "call"])
async def test_a_namespace_that_is_not_connected_is_refused(sio, method):
    """emit(), send() and call() to another namespace raise BadNamespaceError, and nothing is sent. (D4)"""
    with pytest.raises(exceptions.BadNamespaceError, match="/other"):
        await getattr(sio, method)("up", namespace="/other")
    assert sio.engine.sent.items == []


async def test_an_unconnected_client_sends_nothing(make_client):
    """Before connect() and after disconnect() emit() raises BadNamespaceError. (D4, N1)"""
    sio = make_client()
    with pytest.raises(exceptions.BadNamespaceError):
        await sio.emit("up")
    await sio.connect(URL)
    await sio.disconnect()
    with pytest.raises(exceptions.BadNamespaceError):
        await sio.emit("up")


async def test_a_connection_that_is_gone_takes_nothing(sio, calls):
    """Where the transport is gone, and the client has yet to hear of it, emit() says so and asks for no answer. (N1)"""
    sio.engine.gone = True
    for method in (sio.emit, sio.call):
        with pytest.raises(exceptions.BadNamespaceError, match=r"not a connected namespace\.$"):
            await method("up")
    with pytest.raises(exceptions.BadNamespaceError):
        await sio.emit("up", callback=calls.handler("answer"))
    sio.engine.gone = False
    sio.engine.deliver("31[]", "32[]")
    await sio.engine.idle()
    assert calls.items == []


@pytest.mark.parametrize("data", [object(), {1, 2}, [object()], (1, object())])
async def test_data_that_cannot_be_encoded_is_refused(sio, data):
    """What JSON does not know raises TypeError in the caller, and breaks nothing. (M28)"""
    for method in (sio.emit, sio.call):
        with pytest.raises(TypeError):
            await method("up", data)
    await sio.emit("next", callback=print)
    assert sio.engine.sent.items == ['21["next"]']


@pytest.mark.parametrize("event", [None, 5, b"up", ["up"]])
async def test_an_event_name_is_a_text(sio, event):
    """An event name that is no str raises TypeError, and nothing is sent. (D1)"""
    with pytest.raises(TypeError, match="event name"):
        await sio.emit(event)
    assert sio.engine.sent.items == []


class Name(str, enum.Enum):
    """Names as some programs keep them."""

    OWN = "own"
    RESERVED = "disconnect"


@pytest.mark.parametrize("name", [*sorted(UNSENDABLE_EVENTS), Name.RESERVED])
async def test_a_reserved_name_is_refused(make_client, name):
    """A name for which a server closes the connection raises ValueError, connected or not. (issue 10, A6)"""
    sio = make_client()
    for method in (sio.emit, sio.call):
        with pytest.raises(ValueError, match="reserved"):
            await method(name, 1)
    await sio.connect(URL)
    for method in (sio.emit, sio.call):
        with pytest.raises(ValueError, match="reserved"):
            await method(name, 1)
    assert sio.engine.sent.items == ["0{}"]


async def test_a_name_may_be_of_a_subclass_of_str(sio):
    """Whatever it is, it is sent as the text that it is. (D1)"""
    await sio.emit(Name.OWN, 1)
    assert sio.engine.sent.items == ['2["own",1]']


@pytest.mark.parametrize("data", [math.nan, (1, math.inf), [{"a": -math.inf}], (b"x", math.nan), {math.nan: 1}])
async def test_numbers_that_json_does_not_have_are_refused(sio, data):
    """nan and inf raise ValueError anywhere, nothing is sent, and no id is used up. (issue 10, A6)"""
    for method in ("emit", "call"):
        with pytest.raises(ValueError, match="JSON"):
            await getattr(sio, method)("up", data)
    with pytest.raises(ValueError, match="JSON"):
        await sio.send(data)
    with pytest.raises(ValueError, match="JSON"):
        await sio.emit("up", data, callback=print)
    await sio.emit("next", callback=print)
    assert sio.engine.sent.items == ['21["next"]']


@pytest.mark.parametrize("name", ["ünï côdé", "a-b/c,d", '"', "", "\x00"])
async def test_any_text_is_an_event_name(sio, calls, name):
    """Events with any name go out and come in. (M33)"""
    sio.on(name, calls.handler("in"))
    await sio.emit(name, 1)
    sio.engine.deliver(*sio.engine.sent.items)
    await calls.has(("in", 1))


# -- acknowledgements


async def test_ids_count_up_from_one_in_each_namespace(sio):
    """A callback makes the packet ask for an acknowledgement, by the next id of its namespace. (D5, D8)"""
    for namespace in ("/", "/a", "/", "/a"):
        await sio.emit("up", namespace=namespace, callback=print)
    await sio.emit("no callback")
    assert sio.engine.sent.items == ['21["up"]', '2/a,1["up"]', '22["up"]', '2/a,2["up"]', '2["no callback"]']


async def test_a_callback_gets_the_values_once(sio, calls):
    """An ACK calls the callback with its values, and never again. (E5, M26)"""
    sio.on("last", calls.handler("last"))
    await sio.emit("up", callback=calls.handler("answer"))
    sio.engine.deliver('31["x",[1],null]', '31["again"]', '2["last"]')
    await calls.has(("answer", "x", [1], None), ("last",))


async def test_callbacks_get_their_own_answers(sio, calls):
    """Answers in any order reach the callbacks of their ids and namespaces; unknown ones are ignored. (E6, M26, M38)"""
    await sio.emit("up", callback=calls.handler("1"))
    await sio.emit("up", callback=calls.handler("2"))
    await sio.emit("up", namespace="/a", callback=calls.handler("a"))
    sio.engine.deliver("37[0]", '3/a,1["a"]', "32[2]", "3/b,1[0]", "31[1]")
    await calls.has(("a", "a"), ("2", 2), ("1", 1))


async def test_callbacks_are_called_in_the_order_of_the_answers(sio, calls):
    """Answers are handled in the order in which they come, whatever that of the requests was. (N11)"""
    for number in range(1, 51):
        await sio.emit("up", callback=calls.handler(number))
    sio.engine.deliver(*(f"3{number}[]" for number in range(50, 0, -1)))
    await calls.has(*((number,) for number in range(50, 0, -1)))


async def test_a_callback_that_fails_ends_nothing(sio, calls):
    """An exception in a callback is logged, and the next event comes. (M23)"""
    sio.on("last", calls.handler("last"))
    await sio.emit("up", callback=lambda: 1 / 0)
    await sio.emit("up", callback=lambda: 1 / 0)
    sio.engine.deliver('31["one value too many"]', "32[]", '2["last"]')
    await calls.has(("last",))
    assert sio.connected


async def test_binary_answers_are_whole(sio, calls):
    """An acknowledgement with attachments reaches its callback when they are there. (E2, E5)"""
    await sio.emit("up", callback=calls.handler("answer"))
    sio.engine.deliver(f"61-1[{MARK % 0},2]", b"x")
    await calls.has(("answer", b"x", 2))


async def test_a_callback_may_wait(sio, flavour, calls):
    """A callback that blocks, or a coroutine for asyncio, is run to its end, and others go on. (E5, M22)"""
    gate = Gate()

    async def answer(value):
        await gate.wait()
        calls.add(("answer", value))

    sio.on("next", calls.handler("next"))
    await sio.emit("up", callback=flavour.function(answer))
    sio.engine.deliver("31[5]", '2["next"]')
    await calls.has(("next",))
    gate.open()
    await calls.has(("next",), ("answer", 5))


# -- call()


async def called(sio, *args, **kwargs):
    """Return a call() that waits for its answer."""
    count = len(sio.engine.sent.items)
    task = asyncio.ensure_future(sio.call(*args, **kwargs))
    await sio.engine.sent.until(lambda: len(sio.engine.sent.items) > count)
    return task


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        ("31[]", None),
        ("31", None),
        ("31[null]", None),
        ("31[5]", 5),
        ("31[[1,2]]", [1, 2]),
        ("31[1,[2],null]", (1, [2], None)),
    ],
)
async def test_call_returns_the_acknowledgement(sio, answer, result):
    """call() returns several values as a tuple, one as itself, none as None. (D9)"""
    calling = await called(sio, "up", ("x", 1))
    assert sio.engine.sent.items == ['21["up","x",1]']
    sio.engine.deliver(answer)
    assert await within(calling) == result


async def test_calls_wait_beside_each_other(sio):
    """Each call() gets the answer to its own request, in whatever order they come. (D9, M26)"""
    first, second = await called(sio, "up"), await called(sio, "up", namespace="/a")
    sio.engine.deliver('3/a,1["second"]', '31["first"]')
    assert await within(first) == "first"
    assert await within(second) == "second"


async def test_call_gives_up_when_its_time_is_over(sio, calls):
    """Without an answer in time call() raises TimeoutError; a late one is ignored. (D10, M26)"""
    sio.on("last", calls.handler("last"))
    with pytest.raises(exceptions.TimeoutError, match=r"'up' within 0\.01 s") as caught:
        await within(sio.call("up", timeout=0.01))
    assert not isinstance(caught.value, exceptions.DisconnectedError)
    sio.engine.deliver('31["late"]', '2["last"]')
    await calls.has(("last",))


async def test_call_may_wait_for_ever(sio):
    """With timeout=None call() has no limit but the connection's end. (D9)"""
    calling = await called(sio, "up", timeout=None)
    sio.engine.deliver("31[5]")
    assert await within(calling) == 5


@pytest.mark.parametrize("end", ["loss", "disconnect"])
async def test_call_ends_with_the_connection(sio, end):
    """When the connection ends call() raises at once what is both TimeoutError and DisconnectedError. (M27)"""
    calling = await called(sio, "up")
    if end == "loss":
        sio.engine.lose()
    else:
        await sio.disconnect()
    with pytest.raises(exceptions.CallInterruptedError):
        await within(calling)


async def test_callbacks_of_a_lost_connection_are_never_called(sio, calls):
    """What was pending when the connection ended does not meet the ids of the next one. (M26)"""
    sio.on("connect", calls.handler("connect"))
    await sio.emit("up", callback=calls.handler("answer"))
    sio.engine.lose()
    await calls.has(("connect",))
    await sio.emit("up", callback=calls.handler("new answer"))
    sio.engine.deliver("31[5]")
    await calls.has(("connect",), ("new answer", 5))


async def test_a_handler_may_emit_and_call(sio, flavour, calls):
    """emit() and call() work in handlers, the connect handler included. (M22, M10)"""

    async def relay(value):
        await sio.emit("seen", value)
        calls.add(await sio.call("question"))

    sio.on("relay", flavour.function(relay))
    sio.engine.deliver('2["relay",7]')
    await sio.engine.sent.has('2["seen",7]', '21["question"]')
    sio.engine.deliver('31["answer"]')
    await calls.has("answer")


# -- serializers


async def test_a_client_speaks_messagepack(make_client, calls):
    """With serializer='msgpack' every packet is one binary frame, in both directions. (A4, M48)"""
    sio = make_client(serializer="msgpack")
    sio.engine.server.packet_class = MsgPackPacket
    sio.on("in", calls.handler("in"))
    await sio.connect(URL)
    await sio.emit("up", b"x")
    sent = MsgPackPacket(encoded_packet=sio.engine.sent.items[-1])
    assert (sent.packet_type, sent.data) == (EVENT, ["up", b"x"])
    sio.engine.deliver(MsgPackPacket(EVENT, data=["in", b"y"]).encode())
    await calls.has(("in", b"y"))


async def test_a_client_uses_its_json_module(make_client, calls):
    """With json=orjson its text goes out, and its values come in. (A5, M49)"""
    sio = make_client(json=orjson)
    assert isinstance(sio.packet_class.json, AdaptedJson)
    sio.on("in", calls.handler("in"))
    await sio.connect(URL)
    await sio.emit("up", "ü")
    assert sio.engine.sent.items[-1] == '2["up","ü"]'
    sio.engine.deliver('2["in","ü"]')
    await calls.has(("in", "ü"))
