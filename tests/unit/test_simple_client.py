"""The simple clients: emit, call, receive, and a connection that is repaired unnoticed."""

from __future__ import annotations

import asyncio

import pytest

from socketio import exceptions
from socketio.engine import EngineError

from .flavours import URL
from .waiting import Log, within


@pytest.fixture
def sio(make_simple_client):
    """A simple client."""
    return make_simple_client()


def prepare(sio, **attributes):
    """Give the engine of the client that connect() makes these attributes, or those of its server."""
    client_class = sio.native.client_class

    def make(*args, **kwargs):
        client = client_class(*args, **kwargs)
        for name, value in attributes.items():
            setattr(client.eio if hasattr(client.eio, name) else client.eio.server, name, value)
        return client

    sio.native.client_class = make


async def end_by_server(sio):
    """Have the server end the namespace, and wait until the client knows."""
    client = sio.native.client
    sio.engine.deliver("1")
    waiting = client.wait()
    if waiting is not None:
        await within(waiting)


async def restored(sio, action):
    """Have the connection lost, begin an action meanwhile, and restore the connection; return the running action."""
    engine = sio.engine
    engine.opening = engine.new_gate()
    attempts = len(engine.attempts.items)
    engine.lose()
    await engine.attempts.until(lambda: len(engine.attempts.items) == attempts + 1)
    task = asyncio.ensure_future(action)
    for _ in range(5):
        await asyncio.sleep(0)
    assert not task.done()
    engine.opening.set()
    return task


# -- connecting


async def test_a_new_simple_client_is_empty(make_simple_client):
    """Arguments are kept for connect(), which makes the inner client; there is nothing before. (K1)"""
    sio = make_simple_client(reconnection_attempts=3)
    assert sio.native.client is None
    assert sio.native.client_kwargs["reconnection_attempts"] == 3
    assert (sio.connected, sio.sid, sio.transport, sio.namespace) == (False, None, "", "/")
    assert not sio.input_buffer


async def test_connect_makes_a_client_and_connects_it(make_simple_client):
    """The inner client gets the constructor's arguments, and connect() those of the call. (K2)"""
    sio = make_simple_client(reconnection_attempts=3, request_timeout=7)
    await sio.connect(
        f"{URL}?a=1",
        headers={"X": "1"},
        auth={"token": "x"},
        transports=["websocket"],
        namespace="/a",
        socketio_path="path",
        wait_timeout=5,
    )
    client = sio.native.client
    assert (client.reconnection_attempts, sio.engine.options["request_timeout"]) == (3, 7)
    (attempt,) = sio.engine.attempts.items
    assert (attempt.url, attempt.headers) == (f"{URL}?a=1", {"X": "1"})
    assert (attempt.transports, attempt.path) == (["websocket"], "path")
    assert sio.engine.sent.items == ['0/a,{"token":"x"}']
    assert client.handlers == {}
    assert (sio.connected, sio.namespace) == (True, "/a")


async def test_sid_and_transport_are_properties(sio):
    """sid is that of the namespace, transport the name in use; without a connection None and ''. (K4)"""
    await sio.connect(URL, namespace="/a")
    assert (sio.sid, sio.transport) == ("/a-1", "websocket")
    await sio.disconnect()
    assert (sio.sid, sio.transport) == (None, "")


async def test_a_connected_simple_client_does_not_connect_again(sio):
    """connect() while connected is a RuntimeError, and the connection stays. (K3)"""
    await sio.connect(URL)
    with pytest.raises(RuntimeError, match="Already connected"):
        await sio.connect(URL)
    await sio.emit("up")


async def test_a_failed_connect_leaves_an_unconnected_client(sio):
    """connect() raises what the inner client raises, and can be called again. (K2, C6, M15)"""
    prepare(sio, failures=[EngineError("down")])
    with pytest.raises(exceptions.ConnectionError, match="down"):
        await sio.connect(URL)
    assert (sio.native.client, sio.connected) == (None, False)
    with pytest.raises(exceptions.DisconnectedError):
        await sio.emit("up")


async def test_a_refused_namespace_is_raised(sio):
    """connect() raises with the server's data when it refuses the namespace. (K2, M14)"""
    prepare(sio, refusals={"/": {"message": "no"}})
    with pytest.raises(exceptions.ConnectionError) as caught:
        await sio.connect(URL)
    assert caught.value.data == {"/": {"message": "no"}}
    assert (sio.native.client, sio.connected) == (None, False)


async def test_a_namespace_may_have_a_query(sio):
    """The query of the namespace goes to the server only: events come and go, and there is a sid. (K2, M35)"""
    await sio.connect(URL, namespace="/a?token=x")
    sio.engine.deliver('2/a,["in",1]')
    assert await within(sio.receive()) == ["in", 1]
    assert sio.sid == "/a-1"
    with pytest.raises(exceptions.TimeoutError):
        await within(sio.call("up", timeout=0.01))
    assert sio.engine.sent.items == ["0/a?token=x,{}", '2/a,1["up"]']


async def test_a_with_block_disconnects(flavour, sio):
    """A simple client is a context manager that disconnects in the end, after an exception too. (K2, M47)"""

    async def use(error):
        if flavour.is_asyncio:
            async with sio.native as entered:
                assert entered is sio.native
                await sio.connect(URL)
                engine.append(sio.engine)
                raise error
        with sio.native as entered:
            assert entered is sio.native
            await sio.connect(URL)
            engine.append(sio.engine)
            raise error

    engine = []
    with pytest.raises(KeyError):
        await use(KeyError())
    assert engine[0].closings.items == ["closed"]
    assert not sio.connected


# -- emit and call


async def test_emit_goes_to_the_namespace_of_the_connection(sio):
    """emit() passes event and data on to the one namespace. (K5)"""
    await sio.connect(URL, namespace="/a")
    await sio.emit("up", (1, 2))
    await sio.emit("up")
    assert sio.engine.sent.items[1:] == ['2/a,["up",1,2]', '2/a,["up"]']


async def test_call_returns_the_acknowledgement(sio):
    """call() goes to the one namespace and returns what the server acknowledges. (K5)"""
    await sio.connect(URL, namespace="/a")
    calling = asyncio.ensure_future(sio.call("up", "x"))
    await sio.engine.sent.has("0/a,{}", '2/a,1["up","x"]')
    sio.engine.deliver('3/a,1["y",1]')
    assert await within(calling) == ("y", 1)


async def test_call_may_wait_for_ever(sio):
    """With timeout=None call() has no limit but the connection's end. (K5)"""
    await sio.connect(URL)
    calling = asyncio.ensure_future(sio.call("up", timeout=None))
    await sio.engine.sent.until(lambda: len(sio.engine.sent.items) == 2 or calling.done())
    sio.engine.deliver("31[5]")
    assert await within(calling) == 5


async def test_call_gives_up_when_its_time_is_over(sio):
    """call() raises TimeoutError when there is no answer in time. (K8)"""
    await sio.connect(URL)
    with pytest.raises(exceptions.TimeoutError):
        await within(sio.call("up", timeout=0.01))


async def test_call_ends_when_the_connection_is_lost(sio):
    """call() raises TimeoutError when the connection is lost before the answer; it is not repeated. (K8, M27)"""
    await sio.connect(URL)
    calling = asyncio.ensure_future(sio.call("up"))
    await sio.engine.sent.has("0{}", '21["up"]')
    sio.engine.lose()
    with pytest.raises(exceptions.TimeoutError):
        await within(calling)
    await sio.engine.sent.has("0{}", '21["up"]', "0{}")


async def test_emit_waits_for_a_reconnection(sio):
    """emit() while the connection is being restored sends when it is. (K7, M45)"""
    await sio.connect(URL)
    emitting = await restored(sio, sio.emit("up", 1))
    await within(emitting)
    await sio.engine.sent.has("0{}", "0{}", '2["up",1]')


async def test_call_waits_for_a_reconnection(sio):
    """call() while the connection is being restored asks when it is. (K7, M45)"""
    await sio.connect(URL)
    calling = await restored(sio, sio.call("up"))
    await sio.engine.sent.has("0{}", "0{}", '21["up"]')
    sio.engine.deliver("31[5]")
    assert await within(calling) == 5


@pytest.mark.parametrize("action", ["emit", "call"])
async def test_a_loss_that_is_not_noticed_yet_is_waited_for(sio, action):
    """emit() and call() that fail over a dead connection wait for the next one. (issue 10, B0)"""
    await sio.connect(URL)
    engine, sent = sio.engine, Log()
    send_frames = engine.send_frames

    def send(frames, wake=True):
        sent.add(frames)
        assert len(sent.items) < 10, "it spins"
        send_frames(frames, wake)

    engine.send_frames = send
    engine.gone = True
    working = asyncio.ensure_future(getattr(sio, action)("up"))
    await sent.until(lambda: sent.items)
    await engine.idle()
    assert not working.done()
    assert len(sent.items) == 1
    engine.gone = False
    engine.lose()
    await engine.sent.until(lambda: len(engine.sent.items) == 3)
    if action == "call":
        engine.deliver("31[]")
    await within(working)


async def test_the_limit_of_call_includes_a_loss_that_is_not_noticed_yet(sio):
    """call() raises TimeoutError when a dead connection is not noticed in time. (issue 10, B0)"""
    await sio.connect(URL)
    sio.engine.gone = True
    with pytest.raises(exceptions.TimeoutError):
        await within(sio.call("up", timeout=0.02))
    sio.engine.gone = False


async def test_the_limit_of_call_includes_a_reconnection(sio):
    """call() raises TimeoutError when the connection is not restored in time. (K8)"""
    await sio.connect(URL)
    sio.engine.opening = sio.engine.new_gate()
    sio.engine.lose()
    await sio.engine.attempts.until(lambda: len(sio.engine.attempts.items) == 2)
    with pytest.raises(exceptions.TimeoutError):
        await within(sio.call("up", timeout=0.02))
    assert sio.connected


@pytest.mark.parametrize("action", [lambda sio: sio.emit("up"), lambda sio: sio.call("up"), lambda sio: sio.receive()])
async def test_a_client_that_gives_up_ends_all_waiting(make_simple_client, action):
    """Who waits for a reconnection that fails for good gets DisconnectedError. (K6, K11, N30, N31)"""
    sio = make_simple_client(reconnection_attempts=1)
    await sio.connect(URL)
    engine = sio.engine
    engine.failures = [EngineError("down")]
    waiting = await restored(sio, action(sio))
    with pytest.raises(exceptions.DisconnectedError):
        await within(waiting)
    assert not sio.connected


@pytest.mark.parametrize("action", [lambda sio: sio.emit("up"), lambda sio: sio.call("up"), lambda sio: sio.receive()])
async def test_before_connect_there_is_nothing_to_wait_for(sio, action):
    """emit(), call() and receive() of a client that was never connected raise DisconnectedError. (K6, K11)"""
    with pytest.raises(exceptions.DisconnectedError):
        await within(action(sio))


@pytest.mark.parametrize("action", [lambda sio: sio.emit("up"), lambda sio: sio.call("up"), lambda sio: sio.receive()])
@pytest.mark.parametrize("end", ["client", "server"])
async def test_after_the_end_there_is_nothing_to_wait_for(sio, action, end):
    """When the connection is over emit(), call() and receive() raise DisconnectedError. (K6, K11, N30)"""
    await sio.connect(URL)
    waiting = asyncio.ensure_future(sio.receive())
    await sio.engine.idle()
    if end == "client":
        await sio.disconnect()
    else:
        sio.engine.deliver("1")
    with pytest.raises(exceptions.DisconnectedError):
        await within(waiting)
    with pytest.raises(exceptions.DisconnectedError):
        await within(action(sio))
    assert not sio.connected


async def test_data_that_cannot_be_encoded_is_raised(sio):
    """A TypeError is the caller's, and is not taken for a lost connection. (K5, M28)"""
    await sio.connect(URL)
    with pytest.raises(TypeError):
        await within(sio.emit("up", object()))


# -- receive


@pytest.mark.parametrize("together", [False, True])
async def test_events_are_received_in_their_order(sio, together):
    """receive() returns name and arguments of the events in the order in which they came. (K9, N29)"""
    await sio.connect(URL)
    sio.engine.together = together
    sio.engine.deliver(*(f'2["in",{number},[null]]' for number in range(100)), '2["last"]')
    received = [await within(sio.receive()) for _ in range(101)]
    assert received == [["in", number, [None]] for number in range(100)] + [["last"]]


async def test_receive_waits_for_the_next_event(sio):
    """receive() without a buffered event waits for one, also with a limit. (K9)"""
    await sio.connect(URL)
    for arguments in ((), (None,), (10,)):
        receiving = asyncio.ensure_future(sio.receive(*arguments))
        await sio.engine.idle()
        assert not receiving.done()
        sio.engine.deliver('2["in",1]')
        assert await within(receiving) == ["in", 1]


@pytest.mark.parametrize("timeout", [0, 0.01])
async def test_receive_gives_up_when_its_time_is_over(sio, timeout):
    """receive(timeout) raises TimeoutError when no event comes; one that is there is returned in any time. (K10)"""
    await sio.connect(URL)
    with pytest.raises(exceptions.TimeoutError):
        await within(sio.receive(timeout=timeout))
    sio.engine.deliver('2["in"]')
    await sio.engine.idle()
    assert await sio.receive(timeout=timeout) == ["in"]


async def test_receive_waits_across_a_reconnection(sio):
    """Events of the connection before and of the next are received one after the other. (M45)"""
    await sio.connect(URL)
    sio.engine.deliver('2["before"]')
    await sio.engine.idle()
    assert await within(sio.receive()) == ["before"]
    receiving = await restored(sio, sio.receive())
    await sio.engine.sent.has("0{}", "0{}")
    sio.engine.deliver('2["after"]')
    assert await within(receiving) == ["after"]


async def test_what_came_before_the_end_can_be_received_after_it(sio):
    """Buffered events are returned first, then DisconnectedError is raised. (M46, K11)"""
    await sio.connect(URL)
    sio.engine.deliver('2["in",1]', '2["in",2]', "1", '2["late"]')
    await sio.engine.idle()
    assert await within(sio.receive()) == ["in", 1]
    assert await within(sio.receive()) == ["in", 2]
    with pytest.raises(exceptions.DisconnectedError):
        await within(sio.receive())


@pytest.mark.parametrize("together", [False, True])
async def test_whatever_comes_is_received_in_its_turn(sio, together):
    """Events with attachments, with acknowledgements and without, and what is no event, which is left out. (K9, E2)"""
    await sio.connect(URL)
    sio.engine.together = together
    mark = '{"_placeholder":true,"num":0}'
    sio.engine.deliver(
        '2["a"]',
        '2["broken',
        '2["connect"]',
        f'51-["b",{mark}]',
        b"x",
        '27["c"]',
        "2{}",
        '2["d",1]',
        f'51-["e",{mark}]',
    )
    sio.engine.deliver(b"y", '2["f"]')
    received = [await within(sio.receive()) for _ in range(6)]
    assert received == [["a"], ["b", b"x"], ["c"], ["d", 1], ["e", b"y"], ["f"]]
    await sio.engine.sent.has("0{}", "37[]")


@pytest.mark.parametrize("together", [False, True])
async def test_a_handler_of_the_inner_client_gets_its_events(sio, calls, together):
    """What has a handler of its own goes there, as with python-socketio; all else is received. (E7)"""
    await sio.connect(URL)
    sio.native.client.on("own", calls.add)
    sio.engine.together = together
    sio.engine.deliver('2["a"]', '2["own",1]', '2["b"]', '2["own",2]', '2["c"]')
    assert [await within(sio.receive()) for _ in range(3)] == [["a"], ["b"], ["c"]]
    await calls.has(1, 2)


async def test_several_may_receive(sio):
    """Each event goes to one of those who wait; the others go on waiting. (K9)"""
    await sio.connect(URL)
    receiving = [asyncio.ensure_future(sio.receive()) for _ in range(3)]
    await sio.engine.idle()
    for number in range(3):
        sio.engine.deliver(f'2["in",{number}]')
    received = [await within(task) for task in receiving]
    assert sorted(received) == [["in", 0], ["in", 1], ["in", 2]]


async def test_an_event_is_received_although_others_ask_for_an_acknowledgement(sio):
    """An event that asks for an acknowledgement gets one without values. (M24, K9)"""
    await sio.connect(URL)
    sio.engine.deliver('25["in"]')
    assert await within(sio.receive()) == ["in"]
    await sio.engine.sent.has("0{}", "35[]")


async def test_a_new_connection_begins_with_an_empty_buffer(sio):
    """What was not received before a new connect() is gone. (K2)"""
    await sio.connect(URL)
    sio.engine.deliver('2["old"]')
    await sio.engine.idle()
    await sio.disconnect()
    await sio.connect(URL)
    sio.engine.deliver('2["new"]')
    assert await within(sio.receive()) == ["new"]


# -- disconnecting


async def test_disconnect_may_be_repeated(sio):
    """disconnect() ends the connection once, drops the inner client, and does nothing more. (K12)"""
    await sio.disconnect()
    await sio.connect(URL)
    engine = sio.engine
    await sio.disconnect()
    assert sio.native.client is None
    await sio.disconnect()
    assert engine.closings.items == ["closed"]
    assert engine.sent.items == ["0{}", "1"]
    await sio.connect(URL)
    assert sio.connected


async def test_disconnect_sends_what_was_emitted(sio):
    """What was emitted goes out before the goodbye. (K12, F1)"""
    await sio.connect(URL)
    engine = sio.engine
    await sio.emit("last")
    await sio.disconnect()
    assert engine.sent.items == ["0{}", '2["last"]', "1"]


async def test_disconnect_ends_a_reconnection(make_simple_client):
    """disconnect() while the connection is being restored is final. (K12, G5)"""
    sio = make_simple_client(reconnection_delay=1000, reconnection_delay_max=1000)
    await sio.connect(URL)
    engine = sio.engine
    engine.lose()
    receiving = asyncio.ensure_future(sio.receive())
    await engine.idle()
    await within(sio.disconnect())
    with pytest.raises(exceptions.DisconnectedError):
        await within(receiving)
    assert len(engine.attempts.items) == 1
