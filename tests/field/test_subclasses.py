"""Subclasses with methods and attributes of their own: whatever their names, they replace nothing of the library's.

Source: issue 10, D3 and D6. ``class Feed(socketio.Client)`` with a ``_connect``, ``_close`` or ``_lock`` of its own
broke the client, and so did a program that kept things of its own in ``self.sid``.
"""

from __future__ import annotations

import asyncio
import logging
import re

import pytest

import socketio
from socketio.core.handlers import Handlers

pytestmark = pytest.mark.servers("python")
CEILING = 10.0

COMMON = re.findall(
    r"\w+",
    """
    abort accept account ack acks action active add addr address agent alive answer api app apply args attempt
    attempts auth authenticate authenticated backoff base begin binary bind body broker buffer bus bytes cache
    callback cancel cancelled cert changed channel channels check clean clear client client_id clients clock
    close closed closing code command commands complete condition config configure conn connected connecting
    connection connections context cookies count counter credentials current cursor data db debug decode default
    delay delete deliver description detach device dict dispatch dispatcher done drain emitter encode end ended
    engine error errors events executor exit failed feed fetch filter finish flush frames future get guard
    handle handler handlers headers heartbeat history host http id identify idle info init inner input interval
    is_connected items job jobs join key keys kind last leader level life limit listen listener listeners load
    lock log logged_in logger login loop loops manager max message messages metadata method mode model name
    names namespaces next notify number open options outbox packet packets params parse password path pause
    payload peer pending ping poll pool port post prepare process producer protocol proxy publish put query
    queue queues raw read reader ready reason receive received receivers reconnect register registry release
    reload remove reply request requests reset resolve response restart result results resume retries retry role
    room rooms root run running save schedule scheduler search secret send_queue sender sent serializer serve
    server session sessions set setup sid signal size socket source spawn start started state stats status stop
    stopped stopping store stream submit subscribe subscriptions switch sync tags target task tasks thread
    threads ticker time timeout timer timers timestamp title token topic total track trigger turn type update
    url user username users value values verify version wait_for wake watch watcher worker workers write writer
    ws
    """,
)
OF_THE_API = re.findall(
    r"\w+",
    """
    namespace_handlers failed_namespaces disconnect_details reserved_events callbacks client namespace
    input_buffer client_args client_kwargs get_sid is_asyncio_based register_namespace start_background_task
    sleep shutdown transport on event send _reconnect_task _reconnect_abort _set_client
    """,
)
PRIVATE = [f"_{name}" for name in COMMON] + ["_connect", "_disconnect", "_emit", "_call", "_on", "_find", "_wait"]
NAMES = list(dict.fromkeys(COMMON + PRIVATE))


def test_there_are_enough_names():
    """The list has 200 common names and more."""
    assert len(NAMES) >= 200


EVENT_CLIENT = {"connect", "disconnect", "emit", "call", "on", "event", "eio", "wait"}
KEPT = {
    socketio.Client: EVENT_CLIENT,
    socketio.AsyncClient: EVENT_CLIENT,
    socketio.SimpleClient: {"connect", "disconnect", "emit", "call", "receive", "client_class"},
    socketio.AsyncSimpleClient: {"connect", "disconnect", "emit", "call", "receive", "client_class"},
    socketio.ClientNamespace: {"emit", "call", "trigger_event"},
    socketio.AsyncClientNamespace: {"emit", "call", "trigger_event"},
}


def subclass(base, how, extra=()):
    """Return a subclass that has all names, and a function that checks that an instance has kept them."""
    names = [name for name in (*NAMES, *extra) if name not in KEPT[base]]
    mine = {name: f"mine: {name}" for name in names}

    def fail(*args, **kwargs):
        raise AssertionError("a method of the program was called")

    def after(self, *args, **kwargs):
        base.__init__(self, *args, **kwargs)
        for name, value in mine.items():
            setattr(self, name, value)

    def before(self, *args, **kwargs):
        for name, value in mine.items():
            setattr(self, name, value)
        base.__init__(self, *args, **kwargs)

    members = {
        "attributes": mine,
        "methods": dict.fromkeys(names, fail),
        "properties": dict.fromkeys(names, property(fail)),
        "instance": {"__init__": after},
        "before": {"__init__": before},
    }[how]

    def check(instance):
        for name in names if how != "properties" else ():
            found = getattr(instance, name)
            assert getattr(found, "__func__", found) is fail if how == "methods" else found == mine[name], name

    return type("Mine", (base,), members), check


HOW = pytest.mark.parametrize("how", ["attributes", "methods", "properties", "instance", "before"])


@HOW
@pytest.mark.parametrize("extra", [(), OF_THE_API], ids=["common", "api"])
async def test_a_client_with_everything(flavour, server, transport, recorder, how, extra):
    """A whole conversation: events both ways, acknowledgements, a namespace, a reconnection, the end."""
    base = socketio.AsyncClient if flavour.is_asyncio else socketio.Client
    client_class, check = subclass(base, how, [name for name in extra if name not in {"on", "event"}])
    sio = flavour.client(client_class, reconnection_delay=0.01)
    native = flavour.native(sio)
    on = lambda event, function: base.on(native, event, function)  # noqa: E731
    on("echo", recorder.handler("echo"))
    on("question", lambda *args: "answer")
    on("answer", recorder.handler("answer"))
    on("connect", recorder.handler("connect"))
    on("disconnect", recorder.handler("disconnect"))
    await sio.connect(server.url, transports=transport.argument)
    await sio.emit("echo", "hello", callback=recorder.handler("acknowledged"))
    await sio.emit("ask", ("question", 1))
    await recorder.wait_for("answer")
    assert await sio.call("echo", b"bytes") == b"bytes"
    await sio.emit("close_transport")
    await recorder.wait_for("connect", 2)
    assert await sio.call("echo", "again") == "again"
    await sio.emit("kick")
    await asyncio.wait_for(sio.wait(), CEILING)
    await sio.connect(server.url, transports=transport.argument)
    await sio.disconnect()
    await asyncio.wait_for(sio.wait(), CEILING)
    assert [reason for (reason,) in recorder.of("disconnect")][-2:] == ["server disconnect", "client disconnect"]
    assert recorder.of("acknowledged") == [("hello",)]
    check(native)


@HOW
@pytest.mark.parametrize("extra", [(), OF_THE_API], ids=["common", "api"])
async def test_a_simple_client_with_everything(flavour, server, transport, how, extra):
    """The simple client and the client inside, both of them subclasses, emit, call, receive, and survive a cut."""
    base = socketio.AsyncSimpleClient if flavour.is_asyncio else socketio.SimpleClient
    inner = socketio.AsyncClient if flavour.is_asyncio else socketio.Client
    simple_class, check = subclass(base, how, extra)
    simple = flavour.simple_client()
    simple_class.client_class, _ = subclass(inner, how, extra)
    native = simple_class(reconnection_delay=0.01, handle_sigint=False)
    simple = native if flavour.is_asyncio else type(simple)(native)
    await simple.connect(server.url, transports=transport.argument)
    await simple.emit("echo", "hello")
    assert await simple.receive(CEILING) == ["echo", "hello"]
    await simple.emit("close_transport")
    while True:
        try:
            assert await simple.call("echo", 2, timeout=CEILING) == 2
        except socketio.exceptions.TimeoutError:
            continue  # the connection was lost before the answer came
        break
    assert (await simple.receive(CEILING))[0] == "echo"
    await simple.disconnect()
    check(native)


@HOW
@pytest.mark.parametrize("extra", [(), OF_THE_API], ids=["common", "api"])
async def test_a_namespace_with_everything(flavour, server, transport, recorder, how, extra):
    """Its methods are called, and it emits and calls in its own namespace."""
    base = socketio.AsyncClientNamespace if flavour.is_asyncio else socketio.ClientNamespace
    mine, check = subclass(base, how, extra)
    mine.on_connect = lambda self: recorder.record("connect")
    mine.on_echo = lambda self, *args: recorder.record("echo", *args)
    mine.on_disconnect = lambda self, reason: recorder.record("disconnect", reason)
    room = mine("/chat")
    sio = flavour.client()
    flavour.native(sio).register_namespace(room)
    await sio.connect(server.url, transports=transport.argument)
    emitting = room.emit if flavour.is_asyncio else lambda *args: asyncio.to_thread(room.emit, *args)
    calling = room.call if flavour.is_asyncio else lambda *args: asyncio.to_thread(room.call, *args)
    await emitting("echo", "hello")
    await recorder.wait_for("echo")
    assert await calling("echo", 1) == 1
    await sio.disconnect()
    assert recorder.names[0] == "connect"
    assert recorder.names[-1] == "disconnect"
    check(room)


@pytest.mark.transports("websocket")
async def test_the_library_reads_nothing_that_is_assigned(flavour, server, transport):
    """A program keeps what it likes in sid, namespaces, handlers, namespace_handlers and connected, at any time."""
    sio = flavour.client()
    native = flavour.native(sio)
    native.on("question", lambda: "answer")
    mine = {
        name: object() for name in ("sid", "namespaces", "handlers", "namespace_handlers", "connected", "callbacks")
    }
    await sio.connect(server.url, transports=transport.argument)
    for name, value in mine.items():
        setattr(native, name, value)
    assert await sio.call("echo", 1) == 1
    assert native.get_sid()
    await sio.disconnect()
    await sio.connect(server.url, transports=transport.argument)
    assert await sio.call("echo", 1) == 1
    assert {name: getattr(native, name) for name in mine} == mine
    for name in mine:
        delattr(native, name)
    assert native.connected is True
    assert list(native.namespaces) == ["/"]
    assert native.handlers["/"].keys() == {"question"}
    await sio.disconnect()
    assert native.connected is False
    assert native.sid is None
    with pytest.raises(AttributeError):
        del native.sid


def odd(base):
    """Return a subclass that is equal to nothing, empty, false, and fails when it is called, shown or iterated."""

    def fail(*args):
        raise AssertionError("a method of the program was called")

    names = ["__eq__", "__iter__", "__call__", "__str__", "__repr__", "__contains__", "__getitem__", "__lt__", "__ne__"]
    members = {"__len__": lambda self: 0, "__bool__": lambda self: False, "__hash__": None}
    return type("Odd", (base,), {**dict.fromkeys(names, fail), **members})


@pytest.mark.transports("websocket")
async def test_special_methods_of_a_subclass(flavour, server, transport, recorder):
    """A client that defines __eq__ (and so has no hash), __len__ or __bool__ works, as a dataclass does."""
    prefix = "Async" if flavour.is_asyncio else ""
    sio = flavour.client(odd(getattr(socketio, f"{prefix}Client")), reconnection_delay=0.01)
    room = odd(getattr(socketio, f"{prefix}ClientNamespace"))("/chat")
    flavour.native(sio).register_namespace(room)
    sio.on("connect", recorder.handler("connect"))
    await sio.connect(server.url, transports=transport.argument, namespaces=["/", "/chat"])
    await sio.emit("close_transport")
    await recorder.wait_for("connect", 2)
    assert await sio.call("echo", 1) == 1
    await sio.disconnect()
    simple = flavour.simple_client()
    flavour.native(simple).client_class = odd(getattr(socketio, f"{prefix}Client"))
    await simple.connect(server.url, transports=transport.argument)
    assert await simple.call("echo", 1) == 1
    await simple.disconnect()


@pytest.mark.parametrize("base", [socketio.Client, socketio.AsyncClient])
def test_a_logger_of_the_program(base, caplog):
    """A logger that the program assigns is used from then on; one that it assigns before our constructor is kept."""
    mine = logging.getLogger("mine")

    class Feed(base):
        def __init__(self):
            self.logger = mine
            super().__init__()

    assert Feed().logger is mine
    sio = base()
    sio.logger = mine
    with caplog.at_level("INFO"):
        sio._sio_log.gave_up()
    assert {record.name for record in caplog.records} == {"mine"}
    sio.logger = "not a logger"
    assert sio.logger == "not a logger"
    sio._sio_log.gave_up()


def test_no_private_name_of_ours_is_common():
    """Whatever the classes and their instances keep begins with _sio_, but for what python-socketio's programs use."""
    used = {"_trigger_event", "_handle_disconnect", "_reconnect_task", "_reconnect_abort", "_engineio_client_class"}
    for found in KEPT:
        instance = found()
        names = {name for name in {*dir(found), *vars(instance)} if name.startswith("_") and hasattr(instance, name)}
        names = {name for name in names if not name.startswith("__")}
        assert {name for name in names if not name.startswith("_sio_")} <= used | {"_set_client"}, found
    assert Handlers().functions == {}
