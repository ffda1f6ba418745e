"""What only the client for asyncio has: coroutines wherever there may be functions, cancellation, event loops."""

from __future__ import annotations

import asyncio
import logging

import pytest

from socketio import exceptions

from .flavours import URL, AsyncClient
from .waiting import Log, run_apart, within


@pytest.fixture
async def make():
    """Return a function that makes a client, which is disconnected after the test."""
    made = []

    def make(**options):
        made.append(AsyncClient(**{"reconnection_delay": 0.01, "randomization_factor": 0, **options}))
        return made[-1]

    yield make
    for client in made:
        await client.disconnect()


@pytest.fixture
async def sio(make):
    """A client that is connected to '/'."""
    sio = make()
    await sio.connect(URL)
    sio.eio.sent.items.clear()
    return sio


async def begun(coroutine):
    """Return a task that has gone as far as it can."""
    task = asyncio.ensure_future(coroutine)
    for _ in range(10):
        await asyncio.sleep(0)
    return task


async def cancelled(task):
    """Cancel a task, and see that it is."""
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await within(task)


async def test_a_reconnection_whose_task_is_cancelled_leaves_nothing_open(sio):
    """Not even a transport whose namespaces the server has not accepted yet: connect() works."""
    sio.eio.server.silent = {"/"}
    sio.eio.lose()
    await sio.eio.attempts.until(lambda: len(sio.eio.attempts.items) == 2)
    while sio.eio.state != "connected":  # noqa: ASYNC110
        await asyncio.sleep(0)
    sio._reconnect_task.cancel()
    await within(sio.wait())
    await sio.eio.closings.until(lambda: sio.eio.closings.items == ["closed"])
    assert not sio.connected
    sio.eio.server.silent = set()
    await within(sio.connect(URL))
    assert sio.connected


# -- coroutines


async def test_coroutine_functions_are_asked_at_every_attempt(make, calls):
    """url, headers and auth may be coroutine functions. (C2, C11, M40)"""
    sio, count = make(), 0

    async def url():
        nonlocal count
        count += 1
        return f"{URL}?n={count}"

    async def headers():
        return {"N": str(count)}

    async def auth():
        return {"n": count}

    sio.on("connect", calls.handler("connect"))
    await sio.connect(url, headers=headers, auth=auth)
    sio.eio.lose()
    await calls.until(lambda: len(calls.items) == 2)
    attempts = [(attempt.url, attempt.headers) for attempt in sio.eio.attempts.items]
    assert attempts == [(f"{URL}?n=1", {"N": "1"}), (f"{URL}?n=2", {"N": "2"})]
    assert sio.eio.sent.items == ['0{"n":1}', '0{"n":2}']


async def test_a_coroutine_callback_is_awaited(sio, calls):
    """An acknowledgement's callback may be a coroutine function; the next event does not wait for it. (E5, M25)"""
    gate = asyncio.Event()

    async def answer(value):
        await gate.wait()
        calls.add(("answer", value))

    sio.on("next", calls.handler("next"))
    await sio.emit("up", callback=answer)
    sio.eio.deliver("31[5]", '2["next"]')
    await calls.has(("next",))
    gate.set()
    await calls.has(("next",), ("answer", 5))


async def test_functions_and_coroutines_keep_their_order(sio, calls):
    """Functions run at once, coroutines begin in their turn: all start in the order of the events. (M25, N18)"""

    async def coroutine(number):
        calls.add(number)
        await asyncio.sleep(0)

    sio.on("function", calls.add)
    sio.on("coroutine", coroutine)
    names = ["function", "coroutine", "coroutine", "function"] * 10
    sio.eio.deliver(*(f'2["{name}",{number}]' for number, name in enumerate(names)))
    await calls.has(*range(40))


async def test_connect_waits_for_coroutine_handlers(make, calls):
    """The connect handler has ended when connect() returns, the disconnect handler when disconnect() does. (M9, C8)"""
    sio = make()

    async def handler(*args):
        await asyncio.sleep(0.01)
        calls.add(args)

    sio.on("connect", handler)
    sio.on("disconnect", handler)
    await sio.connect(URL)
    assert calls.items == [()]
    await sio.disconnect()
    assert calls.items == [(), ("client disconnect",)]


async def test_a_background_task_is_a_task(sio):
    """start_background_task() runs a coroutine function with its arguments, and returns its task. (H3, M51)"""

    async def target(*args, **kwargs):
        return args, kwargs

    task = sio.start_background_task(target, 1, 2, key=3)
    assert isinstance(task, asyncio.Task)
    assert await task == ((1, 2), {"key": 3})


async def test_sleep_is_that_of_the_engine(sio, monkeypatch):
    """sleep() sleeps through the engine. (H4)"""
    slept = []

    async def sleep(seconds):
        slept.append(seconds)

    monkeypatch.setattr(sio.eio, "sleep", sleep)
    await sio.sleep(5)
    await sio.sleep()
    assert slept == [5, 0]


# -- cancellation


async def test_a_cancelled_connect_leaves_a_client_that_can_connect(make):
    """connect() that is cancelled while the transport opens ends the attempt. (M15, M25)"""
    sio = make()
    sio.eio.opening = asyncio.Event()
    await cancelled(await begun(sio.connect(URL)))
    sio.eio.opening = None
    await within(sio.wait())
    await within(sio.connect(URL))
    assert sio.connected


async def test_a_connect_that_is_cancelled_while_it_waits_for_namespaces_leaves_nothing(make):
    """connect() that is cancelled before the namespaces are accepted closes the transport. (M15, M25)"""
    sio = make()
    sio.eio.server.silent = {"/"}
    await cancelled(await begun(sio.connect(URL)))
    assert len(sio.eio.closings.items) == 1
    sio.eio.server.silent = set()
    await within(sio.connect(URL))
    assert sio.connected


@pytest.mark.parametrize("moment", ["delay", "attempt"])
async def test_a_connect_that_is_cancelled_while_it_retries_leaves_nothing(make, moment):
    """connect(retry=True) can be cancelled between attempts, or in one, and leaves a free client. (M43, M25)"""
    sio, asked = make(reconnection_delay=1000 if moment == "delay" else 0, reconnection_delay_max=1000), Log()

    async def url():
        asked.add("url")
        if len(asked.items) > 1:
            await asyncio.Event().wait()
        raise OSError("down")

    connecting = asyncio.ensure_future(sio.connect(url, retry=True))
    await asked.until(lambda: len(asked.items) == (1 if moment == "delay" else 2))
    await begun(asyncio.sleep(0))
    await cancelled(connecting)
    await within(sio.wait())
    await within(sio.connect(URL))
    assert sio.connected


async def test_a_cancelled_call_forgets_its_request(sio, calls):
    """call() that is cancelled is, and a late answer is ignored. (M25, M26)"""
    sio.on("last", calls.handler("last"))
    await cancelled(await begun(sio.call("up")))
    sio.eio.deliver("31[5]", '2["last"]')
    await calls.has(("last",))
    assert sio.connected


async def test_a_cancelled_wait_changes_nothing(sio):
    """wait() that is cancelled leaves the connection as it is. (G8, M25)"""
    await cancelled(await begun(sio.wait()))
    assert sio.connected
    await sio.emit("up")


async def test_a_cancelled_disconnect_goes_on(sio):
    """disconnect() whose caller is cancelled ends the connection all the same. (M16, N22)"""
    await sio.emit("last")
    sio.eio.draining = asyncio.Event()
    await cancelled(await begun(sio.disconnect()))
    sio.eio.draining.set()
    await within(sio.wait())
    assert sio.eio.sent.items == ['2["last"]', "1"]
    assert not sio.connected
    await within(sio.connect(URL))


async def test_a_handler_that_is_cancelled_ends_nothing(sio, calls):
    """A handler whose task is cancelled, by itself or another, sends no acknowledgement; events go on. (M23, M25)"""

    async def suicidal():
        asyncio.current_task().cancel()
        await asyncio.sleep(0)

    sio.on("suicidal", suicidal)
    sio.on("last", calls.handler("last"))
    sio.eio.deliver('21["suicidal"]', '2["last"]')
    await calls.has(("last",))
    for _ in range(10):
        await asyncio.sleep(0)
    assert sio.eio.sent.items == []
    assert sio.connected


async def test_a_connect_handler_that_is_cancelled_is_not_waited_for(make):
    """connect() returns although the task of its connect handler was cancelled. (M23, M25)"""
    sio = make()

    async def handler():
        asyncio.current_task().cancel()
        await asyncio.sleep(0)

    sio.on("connect", handler)
    await within(sio.connect(URL))
    assert sio.connected


# -- event loops


async def test_the_end_of_the_event_loop_says_goodbye(sio, calls):
    """When the loop ends, the engine asks for what to send, and the disconnect handlers are awaited. (M19, N36)"""

    async def handler(reason):
        await asyncio.sleep(0)
        calls.add(reason)

    sio.on("disconnect", handler)
    assert sio.eio.last_messages() == ["1"]
    await sio.eio.handlers["disconnect"]("client disconnect")
    assert calls.items == ["client disconnect"]
    await within(sio.wait())
    assert not sio.connected
    assert len(sio.eio.attempts.items) == 1


async def test_the_end_of_the_event_loop_during_a_disconnect_leaves_an_idle_client(sio):
    """When all tasks are cancelled while disconnect() waits, nobody waits for the client any more. (M19, M20)"""
    await sio.emit("last")
    sio.eio.draining = asyncio.Event()
    disconnecting, waiting = await begun(sio.disconnect()), await begun(sio.wait())
    for task in asyncio.all_tasks() - {asyncio.current_task(), waiting}:
        task.cancel()
    await within(asyncio.wait([disconnecting]))
    await within(waiting)
    assert disconnecting.cancelled()
    assert not sio.connected


def test_a_client_can_be_made_outside_of_an_event_loop():
    """A client that was made before there is a loop works in it. (M21)"""
    sio, seen = AsyncClient(), []
    sio.on("connect", lambda: seen.append("connect"))

    async def main():
        await sio.connect(URL)
        await sio.disconnect()
        await sio.wait()

    run_apart(main())
    assert seen == ["connect"]


def test_a_client_can_be_used_in_one_event_loop_after_another():
    """A client that was disconnected in one loop can connect, wait and call in the next. (M15, M21)"""
    sio = AsyncClient(reconnection=False)

    async def main():
        await sio.connect(URL)
        waiting = await begun(sio.wait())
        with pytest.raises(exceptions.TimeoutError):
            await sio.call("up", timeout=0.001)
        sio.eio.lose()
        await within(waiting)
        await sio.connect(URL)
        await sio.disconnect()

    for _ in range(2):
        run_apart(main())


# -- errors


async def test_a_failing_coroutine_is_logged_with_event_and_namespace(make, calls):
    """The log says which handler failed, with the traceback, and has no payload. (M23)"""
    logger, records = logging.Logger("test_async_client"), []
    handler = logging.Handler()
    handler.emit = records.append
    logger.addHandler(handler)
    sio = make(logger=logger)

    async def broken(secret):
        await asyncio.sleep(0)
        raise ZeroDivisionError

    sio.on("broken", broken)
    await sio.connect(URL)
    sio.eio.deliver('2["broken","password"]')
    await sio.eio.idle()
    await within(asyncio.gather(*sio._sio_dispatcher._tasks))
    (record,) = [record for record in records if record.levelno >= logging.ERROR]
    assert record.getMessage() == "Handler of event broken of namespace / failed"
    assert record.exc_info[0] is ZeroDivisionError
    assert not any("password" in record.getMessage() for record in records)


async def test_events_behind_the_end_of_the_session_reach_no_handler(sio):
    """A handler ends the session: what came together with its event is not handled, in whatever lists it is."""
    got = []
    sio.on("first", lambda: (got.append("first"), sio._sio_channel.close()))
    sio.on("later", lambda: got.append("later"))
    sio.eio.together = True
    sio.eio.deliver('2["first"]', '2["later"]', "for the log", '2["later"]', '2["later"]')
    await sio.eio.idle()
    assert got == ["first"]
