"""Event loops that start tasks eagerly, as Home Assistant's (Python 3.12 and newer), and those that do not.

Source: issue 10, B5. With ``asyncio.eager_task_factory``, one coroutine held up every plain function until its end, and
``wait()`` never returned.
"""

from __future__ import annotations

import asyncio
import sys
import time

import pytest

pytestmark = [pytest.mark.flavours("asyncio"), pytest.mark.servers("node", "python")]

FACTORIES = ["default", "late"] + (["eager"] if sys.version_info >= (3, 12) else [])
CEILING = 10.0


@pytest.fixture(params=FACTORIES)
async def tasks(request):
    """How the event loop starts tasks."""
    loop = asyncio.get_running_loop()
    if request.param == "eager":
        loop.set_task_factory(asyncio.eager_task_factory)
    elif request.param == "late":
        loop.set_task_factory(lambda loop, coroutine, **options: asyncio.Task(coroutine, loop=loop, **options))
    return request.param


def within(awaitable):
    return asyncio.wait_for(awaitable, CEILING)


async def until(holds):
    """Let the loop turn until something holds."""
    deadline = time.monotonic() + CEILING
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0)


async def test_a_coroutine_that_waits_holds_up_no_function(make_client, server, transport, tasks):
    """Coroutines and plain functions start in the order of the events, and none waits for the end of another."""
    sio, begun, gate, done = make_client(), [], asyncio.Event(), asyncio.Event()

    @sio.on("item")
    async def item(number, _):
        begun.append(number)
        if number % 2:
            await gate.wait()

    @sio.on("done")
    def finished(count):
        begun.append("done")
        done.set()

    await sio.connect(server.url, transports=transport.argument)
    await sio.emit("burst", (20, 1))
    await within(done.wait())
    assert begun == [*range(20), "done"]
    gate.set()


async def test_plain_functions_between_coroutines_keep_their_place(make_client, server, transport, tasks):
    """Two events with handlers of both kinds start as they were sent, acknowledgements included."""
    sio, begun, gate, done = make_client(), [], asyncio.Event(), asyncio.Event()

    @sio.event
    async def slow(number):
        begun.append(("slow", number))
        await gate.wait()
        return number

    @sio.event
    def quick(number):
        begun.append(("quick", number))
        if number == 9:
            done.set()

    async def answered(*values):
        begun.append("answered")

    sio.on("answer", answered)
    await sio.connect(server.url, transports=transport.argument)
    for number in range(10):
        await sio.emit("ask", ("slow", number))
        await sio.emit("emit_back", ("quick", number))
    await within(done.wait())
    assert begun == [(kind, number) for number in range(10) for kind in ("slow", "quick")]
    gate.set()
    await until(lambda: begun.count("answered") == 10)


@pytest.mark.parametrize("handler", ["function", "coroutine", "none"])
async def test_wait_returns_after_the_end(make_client, server, transport, tasks, handler):
    """wait() returns when the server has ended the connection, whatever handles that."""
    sio, reasons = make_client(), []

    async def coroutine(reason):
        await asyncio.sleep(0)
        reasons.append(reason)

    if handler != "none":
        sio.on("disconnect", coroutine if handler == "coroutine" else reasons.append)
    await sio.connect(server.url, transports=transport.argument)
    waiting = asyncio.ensure_future(sio.wait())
    await sio.emit("kick")
    await within(waiting)
    if handler != "none":
        await until(lambda: reasons)
    assert reasons in ([], ["server disconnect"])
    await sio.connect(server.url, transports=transport.argument)
    waiting = asyncio.ensure_future(sio.wait())
    await sio.disconnect()
    await within(waiting)


async def test_a_callback_may_wait_and_call(make_client, server, transport, tasks):
    """call() works in coroutine callbacks and in handlers from their first line on."""
    sio, results = make_client(), []
    done = asyncio.Event()

    async def called_back(*values):
        results.append(await sio.call("echo", "from the callback"))
        done.set()

    @sio.event
    async def echo(value):
        if value == "first":
            results.append(await sio.call("echo", "from the handler"))

    @sio.event
    async def connect():
        results.append(await sio.call("echo", "from the connect handler"))

    await sio.connect(server.url, transports=transport.argument)
    assert results == ["from the connect handler"]
    await sio.emit("echo", "first", callback=called_back)
    await within(done.wait())
    await until(lambda: len(results) == 3)
    assert sorted(results[1:]) == ["from the callback", "from the handler"]


async def test_connect_in_the_first_line_of_a_disconnect_handler(make_client, server, transport, tasks):
    """A disconnect handler connects again at once; each wait() ends with its own life of the client."""
    sio, again = make_client(reconnection=False), asyncio.Event()
    lives = []

    @sio.event
    async def disconnect(reason):
        if len(lives) < 3:
            lives.append(reason)
            await sio.connect(server.url, transports=transport.argument)
            again.set()

    await sio.connect(server.url, transports=transport.argument)
    for event in ("kick", "close_transport"):
        again.clear()
        await sio.emit(event)
        await within(again.wait())
        assert await within(sio.call("echo", event)) == event
    again.clear()
    await sio.disconnect()
    await within(again.wait())
    assert sio.connected
    waiting = asyncio.ensure_future(sio.wait())
    await asyncio.sleep(0)
    assert not waiting.done()
    await sio.disconnect()
    await within(waiting)
    assert not sio.connected


@pytest.mark.parametrize("event", ["connect", "welcome"])
async def test_disconnect_in_the_first_line_of_a_handler(make_client, server, transport, tasks, event):
    """The client is idle then, its disconnect handler was called, and it can connect again."""
    sio, reasons, left = make_client(), [], asyncio.Event()

    async def leave(*args):
        await sio.disconnect()
        left.set()
        await asyncio.Event().wait() if event == "connect" else None

    sio.on(event, leave)
    sio.on("disconnect", reasons.append)
    await within(sio.connect(server.url, transports=transport.argument))
    if event == "welcome":
        await sio.emit("emit_back", "welcome")
    await within(left.wait())
    await within(sio.wait())
    assert reasons == ["client disconnect"]
    sio.on(event, lambda *args: None)
    await sio.connect(server.url, transports=transport.argument)
    assert await sio.call("echo", 1) == 1


async def test_background_tasks_and_simple_clients(make_client, make_simple_client, server, transport, tasks):
    """Tasks of start_background_task() run; a simple client emits, calls and receives."""
    sio, simple = make_client(), make_simple_client()

    async def ask(value):
        return await sio.call("echo", value)

    await sio.connect(server.url, transports=transport.argument)
    assert await within(asyncio.gather(*(sio.start_background_task(ask, n) for n in range(5)))) == [*range(5)]
    await simple.connect(server.url, transports=transport.argument)
    await simple.emit("burst", (5, 1))
    assert [(await simple.receive(CEILING))[:2] for _ in range(5)] == [["item", n] for n in range(5)]
    assert await simple.call("echo", 1) == 1


async def test_a_reconnection_goes_on(make_client, server, transport, tasks):
    """After a lost connection handlers run again, and wait() follows until the end."""
    sio, connected = make_client(reconnection_delay=0.01), asyncio.Semaphore(0)

    @sio.event
    async def connect():
        connected.release()
        await asyncio.sleep(0)

    await sio.connect(server.url, transports=transport.argument)
    await within(connected.acquire())
    waiting = asyncio.ensure_future(sio.wait())
    await sio.emit("close_transport")
    await within(connected.acquire())
    assert await within(sio.call("echo", 1)) == 1
    assert not waiting.done()
    await sio.disconnect()
    await within(waiting)
