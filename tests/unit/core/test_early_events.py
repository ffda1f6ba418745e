"""Events that come before their namespace is connected: kept, bounded, and delivered when it is. (issue 10, A1)"""

from __future__ import annotations

import asyncio
import logging

import pytest

from socketio import exceptions
from socketio.core import early_events
from socketio.core.events import NamespaceConnected, NamespaceDisconnected, NamespaceRefused, SessionFailed
from socketio.core.session import Session
from socketio.msgpack_packet import MsgPackPacket
from socketio.packet import CONNECT, EVENT, Packet

from ..flavours import URL
from ..offset_forms import yeast
from ..sessions import MARK, is_dropped, only, receive
from ..waiting import Gate, within


def one_by_one(session, *frames):
    """Return the events of frames that come one after the other."""
    return [event for frame in frames for event in receive(session, frame)]


ways = pytest.mark.parametrize("way", [one_by_one, receive])


def pending(*namespaces, packet_class=Packet, max_message_size=None):
    session = Session(packet_class, "sid", max_message_size)
    for namespace in namespaces or ("/",):
        session.connect(namespace)
    return session


# -- a session


@ways
@pytest.mark.parametrize("packet_class", [Packet, MsgPackPacket])
@pytest.mark.parametrize("namespace", ["/", "/chat"])
def test_events_come_right_after_their_namespace(way, packet_class, namespace):
    """They are kept in their order, those with bytes and those that ask for an acknowledgement too."""
    args = [["a", 1], ["b", b"x", {"c": [b"y"]}], ["d"], ["e", "ü"]]
    packets = [packet_class(EVENT, data=data, namespace=namespace, id=index or None) for index, data in enumerate(args)]
    packets += [
        packet_class(CONNECT, data={"sid": "5"}, namespace=namespace),
        packet_class(EVENT, data=["last"], namespace=namespace),
    ]
    encoded = [packet.encode() for packet in packets]
    frames = [frame for each in encoded for frame in (each if isinstance(each, list) else [each])]
    assert way(pending(namespace, packet_class=packet_class), *frames) == [
        NamespaceConnected(namespace, "5"),
        (namespace, "a", (1,), None),
        (namespace, "b", (b"x", {"c": [b"y"]}), 1),
        (namespace, "d", (), 2),
        (namespace, "e", ("ü",), 3),
        (namespace, "last", (), None),
    ]


@ways
def test_each_namespace_waits_for_itself(way):
    """What is connected already gets its events at once; what is not waits for its own CONNECT."""
    frames = ["0{}", '2["a"]', '2/one,["b"]', '2/two,["c"]', '2["d"]', "0/two,{}", '2/two,["e"]', "0/one,{}"]
    assert way(pending("/", "/one", "/two"), *frames) == [
        NamespaceConnected("/", "sid"),
        ("/", "a", (), None),
        ("/", "d", (), None),
        NamespaceConnected("/two", "sid"),
        ("/two", "c", (), None),
        ("/two", "e", (), None),
        NamespaceConnected("/one", "sid"),
        ("/one", "b", (), None),
    ]


@ways
def test_broken_events_are_dropped_when_it_is_their_turn(way):
    """Without a name, or with a reserved one, an early event is dropped like a later one."""
    events = way(pending(), "2[null]", '2["connect"]', '2["a"]', "0{}")
    assert events[0] == NamespaceConnected("/", "sid")
    assert is_dropped(events[1:2])
    assert is_dropped(events[2:3])
    assert events[3:] == [("/", "a", (), None)]


@ways
def test_offsets_are_taken_off(way):
    """Events that a server repeats come before the CONNECT which says that there are offsets."""
    frames = [f'2["a",1,"{yeast()}"]', '2["b","word"]', '0{"sid":"1","pid":"2"}', f'2["c","{yeast()}"]']
    assert way(pending(), *frames)[1:] == [
        ("/", "a", (1,), None),
        ("/", "b", ("word",), None),
        ("/", "c", (), None),
    ]


@ways
@pytest.mark.parametrize(
    ("end", "told"),
    [
        ('4/chat,"no"', NamespaceRefused("/chat", ("no",), "no", ())),
        ("1/chat,", NamespaceDisconnected("/chat")),
    ],
)
def test_events_of_a_namespace_that_is_refused_are_dropped(way, end, told):
    """They are dropped, also when the namespace is requested again."""
    session = pending("/", "/chat")
    assert way(session, '2/chat,["a"]', end) == [told]
    session.connect("/chat")
    assert way(session, "0/chat,{}", '2/chat,["b"]') == [
        NamespaceConnected("/chat", "sid"),
        ("/chat", "b", (), None),
    ]


def test_a_session_that_ends_keeps_nothing():
    """close() drops what was kept."""
    session = pending()
    receive(session, '2["a"]')
    session.close()
    session.connect("/")
    assert receive(session, "0{}") == [NamespaceConnected("/", "sid")]


@ways
def test_only_so_many_events_are_kept(way, monkeypatch):
    """With one more than the limit, of all namespaces together, the session fails, and keeps nothing."""
    monkeypatch.setattr(early_events, "MAX_EVENTS", 4)
    frames = ['2["a"]', '2/chat,["b"]'] * 2
    assert len(way(pending("/", "/chat"), *frames, "0{}", "0/chat,{}")) == 6
    session = pending("/", "/chat")
    failed = way(session, *frames, '2["c"]')
    assert isinstance(only(failed), SessionFailed)
    assert failed[0].reason == "the server has sent more than 4 events before it answered the CONNECT of /"
    assert session.pending == []
    assert is_dropped(receive(session, "0{}"))


@ways
def test_only_so_many_bytes_are_kept(way):
    """The limit is that of one message, and counts what came: attachments, and UTF-8."""
    frames = ['2["a"]', '2["ü"]', f'51-["a",{MARK % 0}]', b"123"]
    size = sum(len(frame if isinstance(frame, bytes) else frame.encode()) for frame in frames)
    assert len(way(pending(max_message_size=size), *frames, "0{}")) == 4
    reason = only(way(pending(max_message_size=size - 1), *frames)).reason
    assert reason == f"the server has sent events of more than {size - 1} bytes before it answered the CONNECT of /"


def test_what_was_delivered_makes_room():
    """The limits are those of what is kept, not of what has ever come."""
    names = [f"/{number}" for number in range(20)]
    session = pending(*names, max_message_size=15)
    for name in names:
        assert receive(session, f'2{name},["a"]') == []
        assert len(receive(session, f"0{name},")) == 2


# -- the clients


@pytest.fixture(params=[False, True], ids=["one-by-one", "together"])
async def start(request):
    """Return a function that has a client connect to a server that leaves the answers to the test."""

    async def start(sio, **arguments):
        sio.engine.server.silent = {"/", "/chat"}
        sio.engine.together = request.param
        connecting = asyncio.ensure_future(sio.connect(URL, **arguments))
        await sio.engine.sent.until(lambda: sio.engine.sent.items)
        return connecting

    return start


async def test_the_connect_handler_comes_first(sio, calls, start):
    """Then come the early events, then the later ones; what they return is sent after that."""
    for name in ("connect", "a", "b", "c"):
        sio.on(name, calls.handler(name, name))
    connecting = await start(sio)
    sio.engine.deliver('21["a",1]', f'51-["b",{MARK % 0}]', b"x", "0{}", '22["c"]')
    await within(connecting)
    await calls.has(("connect",), ("a", 1), ("b", b"x"), ("c",))
    await sio.engine.sent.has("0{}", '31["a"]', '32["c"]')


async def test_a_connect_handler_that_waits_has_begun(sio, flavour, calls, start):
    """The early events come when it has begun, not when it has returned."""
    gate = Gate()

    async def connect():
        calls.add("connect")
        await gate.wait()

    sio.on("connect", flavour.function(connect))
    sio.on("a", calls.handler("a"))
    connecting = await start(sio)
    sio.engine.deliver('2["a"]', "0{}")
    await calls.has("connect", ("a",))
    gate.open()
    await within(connecting)


async def test_an_early_event_can_be_answered_with_an_event(sio, flavour, start):
    """The namespace is connected when its handlers are called: emit() works there."""

    async def a():
        await sio.emit("b")
        return "ack"

    sio.on("a", flavour.function(a))
    connecting = await start(sio)
    sio.engine.deliver('21["a"]', "0{}")
    await within(connecting)
    await sio.engine.sent.has("0{}", '2["b"]', '31["ack"]')


async def test_all_kinds_of_handlers_get_early_events(make_client, flavour, calls, start):
    """Those for any event, for any namespace, and the methods of objects."""

    class Chat(flavour.namespace_class):
        def on_connect(self):
            calls.add("on_connect")

        def on_a(self, *args):
            calls.add(("on_a", *args))

    sio = make_client()
    sio.register_namespace(Chat("/chat"))
    sio.on("*", calls.handler("any"))
    connecting = await start(sio)
    sio.engine.deliver('2/chat,["a",1]', "0/chat,{}", '2["b",2]', "0{}")
    await within(connecting)
    await calls.has("on_connect", ("on_a", 1), ("any", "b", 2))


async def test_a_refusal_drops_them(sio, calls, start):
    """Only the connect_error handler is called; other namespaces get theirs."""
    for event, namespace in [("connect_error", "/chat"), ("a", "/chat"), ("a", "/"), ("end", "/")]:
        sio.on(event, calls.handler(event + namespace), namespace=namespace)
    connecting = await start(sio, namespaces=["/", "/chat"], wait=False)
    sio.engine.deliver('2/chat,["a"]', '2["a"]', '4/chat,"no"', "0{}", '2["end"]')
    await within(connecting)
    await calls.has(("connect_error/chat", "no"), ("a/",), ("end/",))


async def test_a_refusal_for_which_connect_waits_drops_them(sio, calls, start):
    """connect() raises; the events of the refused namespace reach no handler."""
    for event in ("connect_error", "a"):
        sio.on(event, calls.handler(event), namespace="/chat")
    connecting = await start(sio, namespaces=["/", "/chat"])
    sio.engine.deliver('2/chat,["a"]', '4/chat,"no"', "0{}")
    with pytest.raises(exceptions.ConnectionError, match="/chat"):
        await within(connecting)
    await calls.has(("connect_error", "no"))


async def test_disconnecting_meanwhile_drops_them(sio, calls, start):
    """disconnect() before the answer: nothing is delivered, to this connection or the next."""
    sio.on("a", calls.handler("a"))
    connecting = await start(sio)
    sio.engine.deliver('2["a"]')
    await sio.engine.idle()
    await sio.disconnect()
    with pytest.raises(exceptions.ConnectionError):
        await within(connecting)
    sio.engine.sent.items.clear()
    connecting = await start(sio)
    sio.engine.deliver("0{}", '2["a",2]')
    await within(connecting)
    await calls.has(("a", 2))


async def test_a_reconnection_has_its_own(sio, calls):
    """What comes before the CONNECT of a reconnection is delivered after it; what was lost is lost."""
    sio.on("connect", calls.handler("connect"))
    sio.on("a", calls.handler("a"))
    await sio.connect(URL)
    sio.engine.server.silent = {"/"}
    for number in (1, 2):
        sio.engine.sent.items.clear()
        sio.engine.lose()
        await sio.engine.sent.has("0{}")
        sio.engine.deliver(f'2["a",{number}]')
        await sio.engine.idle()
    sio.engine.deliver("0{}")
    await calls.has(("connect",), ("connect",), ("a", 2))
    await sio.settled()


async def test_simple_clients_receive_them(make_simple_client, start):
    """receive() returns them, in their order, those with an id too, which is answered."""
    sio = make_simple_client()
    await sio.connect(URL)
    engine = sio.engine
    engine.server.silent = {"/"}
    engine.sent.items.clear()
    engine.lose()
    await engine.sent.has("0{}")
    engine.deliver('2["a",1]', '27["b"]', f'51-["c",{MARK % 0}]', b"x", "0{}", '2["d"]')
    assert [await within(sio.receive()) for _ in range(4)] == [["a", 1], ["b"], ["c", b"x"], ["d"]]
    await engine.sent.has("0{}", "37[]")


async def test_too_many_end_the_connection(make_client, calls, monkeypatch, start):
    """connect() fails and says why, and the next attempt is one like any other."""
    monkeypatch.setattr(early_events, "MAX_EVENTS", 3)
    sio = make_client()
    sio.on("a", calls.handler("a"))
    connecting = await start(sio)
    sio.engine.deliver(*['2["a"]'] * 4)
    with pytest.raises(exceptions.ConnectionError, match="more than 3 events before it answered the CONNECT of /"):
        await within(connecting)
    assert sio.disconnect_details.kind == "invalid data"
    sio.engine.sent.items.clear()
    connecting = await start(sio)
    sio.engine.deliver(*['2["a"]'] * 3, "0{}")
    await within(connecting)
    await calls.has(("a",), ("a",), ("a",))


async def test_too_many_during_a_reconnection(make_client, calls, monkeypatch):
    """The attempt has failed, and the next one is made."""
    monkeypatch.setattr(early_events, "MAX_EVENTS", 3)
    sio = make_client()
    sio.on("disconnect", calls.handler("disconnect"))
    sio.on("connect_error", calls.handler("connect_error"))
    await sio.connect(URL)
    sio.engine.server.silent = {"/"}
    sio.engine.sent.items.clear()
    sio.engine.lose()
    await sio.engine.sent.has("0{}")
    sio.engine.server.silent = set()
    sio.engine.deliver(*['2["a"]'] * 10)
    await sio.engine.sent.has("0{}", "0{}")
    await sio.settled()
    assert sio.connected
    assert [name for name, *_ in calls.items] == ["disconnect", "connect_error"]


async def test_too_many_for_one_of_several_namespaces(sio, calls, monkeypatch):
    """The connection ends like any that is lost: the disconnect handlers of what was connected are called."""
    monkeypatch.setattr(early_events, "MAX_EVENTS", 3)
    sio.on("disconnect", calls.handler("disconnect"))
    sio.engine.server.silent = {"/chat"}
    await sio.connect(URL, namespaces=["/", "/chat"], wait=False)
    await sio.engine.idle()
    sio.engine.server.silent = set()
    sio.engine.deliver(*['2/chat,["a"]'] * 4)
    await calls.has(("disconnect", sio.reason.TRANSPORT_ERROR))
    await sio.settled()


async def test_the_log_has_them_in_their_turn(make_client, caplog, start):
    """Its lines have the order in which handlers are called."""
    caplog.set_level(logging.INFO, "test")
    sio = make_client(logger=logging.getLogger("test"))
    connecting = await start(sio)
    sio.engine.deliver('21["a",1]', "0{}", '2["b"]')
    await within(connecting)
    await sio.engine.sent.has("0{}", "31[]")
    await sio.engine.idle()
    lines = [record.getMessage() for record in caplog.records]
    assert [line for line in lines if line.startswith(("Namespace", "Received event"))] == [
        "Namespace / is connected",
        "Received event 'a' [/], ack id 1",
        "Received event 'b' [/]",
    ]


async def test_a_namespace_with_a_query(sio, calls, start):
    """Events of a namespace that was asked for with a query belong to the name before it."""
    sio.on("a", calls.handler("a"), namespace="/chat")
    connecting = await start(sio, namespaces=["/chat?token=1"])
    sio.engine.deliver('2/chat,["a",1]', "0/chat,{}")
    await within(connecting)
    await calls.has(("a", 1))


async def test_a_namespace_that_is_never_accepted(sio, calls, start):
    """connect() fails when wait_timeout is over, and calls no handler for its events."""
    sio.on("a", calls.handler("a"))
    connecting = await start(sio, wait_timeout=0.05)
    sio.engine.deliver('2["a"]')
    with pytest.raises(exceptions.ConnectionError):
        await within(connecting)
    assert calls.items == []
