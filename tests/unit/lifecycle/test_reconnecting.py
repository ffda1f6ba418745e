"""How a lost connection is repaired, and how that ends."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time

import pytest

from socketio import exceptions
from socketio.core import backoff
from socketio.engine import EngineError

from ..flavours import URL
from ..waiting import Gate, Log, within

TRANSPORT = "transport error"


def told(sio, calls, *namespaces):
    """Log what becomes of namespaces."""
    for name in namespaces:
        sio.on("connect", calls.handler(f"{name} in"), namespace=name)
        sio.on("connect_error", calls.handler(f"{name} error"), namespace=name)
        sio.on("disconnect", calls.handler(f"{name} lost"), namespace=name)
        sio.on("__disconnect_final", calls.handler(f"{name} over"), namespace=name)


class Records(logging.Handler):
    """The arguments of log records, by their message."""

    def __init__(self):
        super().__init__()
        self.log = Log()

    def emit(self, record):
        self.log.add((record.msg, record.args))

    def delays(self):
        return [args[0] for message, args in self.log.items if message.startswith("Connection failed, new attempt")]


@pytest.fixture
def records():
    """What the logger ``records.logger`` is told."""
    records = Records()
    records.logger = logging.Logger("test_reconnecting")
    records.logger.addHandler(records)
    return records


async def test_a_lost_connection_is_repaired(sio, calls):
    """After a loss: the disconnect handler, the same attempt again, the connect handler, new sids. (M39, F8)"""
    told(sio, calls, "/", "/a")
    headers, auth = {"X": "1"}, {"token": "x"}
    await sio.connect(URL, headers=headers, auth=auth, transports="websocket", socketio_path="path")
    sio.engine.lose()
    await calls.until(lambda: len(calls.items) == 6)
    assert calls.items[2:4] == [("/ lost", TRANSPORT), ("/a lost", TRANSPORT)]
    assert calls.items[4:] == [("/ in",), ("/a in",)]
    first, second = sio.engine.attempts.items
    assert first == second
    assert sio.engine.sent.items == ['0{"token":"x"}', '0/a,{"token":"x"}'] * 2
    assert (sio.namespaces, sio.sid) == ({"/": "/-3", "/a": "/a-4"}, "transport-2")
    assert sio.connected


@pytest.mark.parametrize("reason", [TRANSPORT, "server disconnect"])
async def test_every_loss_is_repaired(sio, calls, reason):
    """One loss after the other is repaired, an Engine.IO close without a DISCONNECT as well. (F8, M18)"""
    told(sio, calls, "/")
    await sio.connect(URL)
    for number in range(5):
        sio.engine.lose(reason)
        await calls.until(lambda number=number: calls.items.count(("/ in",)) == number + 2)
    assert calls.items == [("/ in",), *[("/ lost", reason), ("/ in",)] * 5]


async def test_functions_are_asked_again_at_each_attempt(sio, calls):
    """url, headers and auth functions are called anew for every attempt. (M40, C2)"""
    asked = {"url": 0, "headers": 0, "auth": 0}

    def ask(name, value):
        asked[name] += 1
        return value(asked[name])

    told(sio, calls, "/")
    await sio.connect(
        lambda: ask("url", lambda n: f"{URL}?n={n}"),
        headers=lambda: ask("headers", lambda n: {"N": str(n)}),
        auth=lambda: ask("auth", lambda n: {"n": n}),
    )
    sio.engine.lose()
    await calls.until(lambda: ("/ in",) in calls.items[2:])
    attempts = [(attempt.url, attempt.headers) for attempt in sio.engine.attempts.items]
    assert attempts == [(f"{URL}?n=1", {"N": "1"}), (f"{URL}?n=2", {"N": "2"})]
    assert sio.engine.sent.items == ['0{"n":1}', '0{"n":2}']


async def test_between_two_connections_nothing_is_sent(sio, calls):
    """While the connection is being restored emit() raises BadNamespaceError. (M39, N1)"""
    told(sio, calls, "/")
    await sio.connect(URL)
    sio.engine.opening = sio.engine.new_gate()
    sio.engine.lose()
    await sio.engine.attempts.until(lambda: len(sio.engine.attempts.items) == 2)
    assert not sio.connected
    with pytest.raises(exceptions.BadNamespaceError):
        await sio.emit("a")
    sio.engine.opening.set()
    await calls.until(lambda: calls.items.count(("/ in",)) == 2)
    await sio.emit("a")


@pytest.mark.parametrize("failure", ["engine", "url", "rejection", "silence", "value", "loss"])
async def test_a_failed_attempt_is_repeated(sio, calls, failure):
    """Attempts that fail for whatever reason are followed by others; success ends them. (G3, M41)"""
    urls = [URL]

    def url():
        if len(urls) > 1:
            raise KeyError(urls.pop())
        return urls[0]

    told(sio, calls, "/")
    sio.engine.settle = True
    await sio.connect(url, wait_timeout=0.05)
    server = sio.engine.server
    if failure == "engine":
        sio.engine.failures = [EngineError("refused")] * 2
    elif failure == "value":
        sio.engine.failures = [ValueError("odd"), OSError("odder")]
    elif failure == "url":
        urls += ["one", "two"]
    elif failure == "rejection":
        server.refusals = {"/": "no"}
    elif failure == "silence":
        server.silent = {"/"}
    else:
        server.hang_ups = 2
    sio.engine.lose()
    if failure == "loss":
        await calls.until(lambda: server.hang_ups == 0 and calls.items[-1] == ("/ in",) and sio.connected)
    else:
        await calls.until(lambda: len([item for item in calls.items if item[0] == "/ error"]) == 2)
    server.refusals, server.silent = {}, set()
    await calls.until(lambda: sio.connected)
    await calls.until(lambda: calls.items[-1] == ("/ in",))
    assert not [item for item in calls.items if item[0] == "/ over"]
    await sio.emit("a")


async def test_attempts_are_apart_as_the_options_say(make_client, records):
    """Delays start at reconnection_delay, double, and stop at reconnection_delay_max. (G1, G2)"""
    sio = make_client(reconnection_delay=0.06, reconnection_delay_max=0.15, logger=records.logger)
    await sio.connect(URL)
    sio.engine.failures = [EngineError("refused")] * 3
    sio.engine.lose()
    await records.log.until(lambda: len(records.delays()) == 4)
    assert records.delays() == [0.06, 0.12, 0.15, 0.15]


async def test_without_a_delay_attempts_are_no_storm(make_client, calls, records):
    """With reconnection_delay=0 the first attempt comes at once, the next ones 50 ms apart. (issue 10, B11)"""
    sio = make_client(reconnection_delay=0, logger=records.logger)
    await sio.connect(URL)
    await asyncio.sleep(backoff.FLOOR)
    sio.engine.failures = [EngineError("refused")] * 3
    sio.engine.lose()
    await records.log.until(lambda: len(records.delays()) == 4)
    assert records.delays() == [0, backoff.FLOOR, backoff.FLOOR, backoff.FLOOR]


async def test_a_server_that_closes_each_connection_makes_no_storm(make_client, calls, records):
    """Where each attempt succeeds and the connection is lost at once, attempts are 50 ms apart, too. (issue 10, B11)"""
    sio = make_client(reconnection_delay=0, logger=records.logger)
    told(sio, calls, "/")
    began = time.monotonic()
    await sio.connect(URL)
    for number in range(4):
        sio.engine.lose()
        await calls.until(lambda number=number: calls.items.count(("/ in",)) == number + 2)
        await sio.settled()
    assert time.monotonic() - began >= 4 * backoff.FLOOR


async def test_with_retry_and_without_a_delay_attempts_are_no_storm(make_client):
    """With connect(retry=True) and reconnection_delay=0 the second attempt is 50 ms after the first. (issue 10, B11)"""
    sio = make_client(reconnection_delay=0)
    sio.engine.failures = [EngineError("refused")]
    began = time.monotonic()
    await sio.connect(URL, retry=True)
    assert time.monotonic() - began >= backoff.FLOOR


async def test_delays_begin_anew_after_a_success(make_client, calls, records):
    """The first attempt after another loss comes after the first delay. (G1, G3)"""
    sio = make_client(reconnection_delay=0.06, logger=records.logger)
    told(sio, calls, "/")
    await sio.connect(URL)
    sio.engine.failures = [EngineError("refused")]
    sio.engine.lose()
    await calls.until(lambda: calls.items.count(("/ in",)) == 2)
    await sio.settled()
    sio.engine.lose()
    await calls.until(lambda: calls.items.count(("/ in",)) == 3)
    assert records.delays() == [0.06, 0.12, 0.06]


async def test_delays_are_randomized(make_client, records):
    """Each delay is changed by up to the fraction randomization_factor, not beyond the maximum. (G1; issue 10, E4)"""
    sio = make_client(
        reconnection_delay=0.12, reconnection_delay_max=0.12, randomization_factor=0.5, logger=records.logger
    )
    await sio.connect(URL)
    sio.engine.failures = [EngineError("refused")] * 5
    sio.engine.lose()
    await records.log.until(lambda: len(records.delays()) == 6)
    assert all(0.06 <= delay <= 0.12 for delay in records.delays())
    assert len(set(records.delays())) > 3


# -- giving up


async def test_after_so_many_failures_the_client_gives_up(make_client, calls):
    """After reconnection_attempts failures each requested namespace is told, and wait() returns. (G4, M41, G8)"""
    sio = make_client(reconnection_attempts=3)
    told(sio, calls, "/", "/a")
    await sio.connect(URL)
    sio.engine.down = EngineError("down")
    sio.engine.lose()
    await within(sio.wait())
    assert len(sio.engine.attempts.items) == 4
    assert calls.items[4:] == [("/ error", "down"), ("/a error", "down")] * 3 + [("/ over",), ("/a over",)]
    assert not sio.connected


async def test_a_client_that_gave_up_can_connect_and_reconnect(make_client, calls):
    """After giving up, connect() works, and the next loss is repaired. (N27, G3)"""
    sio = make_client(reconnection_attempts=1)
    told(sio, calls, "/")
    await sio.connect(URL)
    sio.engine.failures = [EngineError("down")]
    sio.engine.lose()
    await within(sio.wait())
    await sio.connect(URL)
    sio.engine.lose()
    await calls.until(lambda: calls.items.count(("/ in",)) == 3)
    assert sio.connected


async def test_attempts_count_from_each_loss(make_client, calls):
    """A success resets the number of attempts. (G3, G4)"""
    sio = make_client(reconnection_attempts=2)
    told(sio, calls, "/")
    await sio.connect(URL)
    for number in range(3):
        sio.engine.failures = [EngineError("down")]
        sio.engine.lose()
        await calls.until(lambda number=number: calls.items.count(("/ in",)) == number + 2)
        await sio.settled()
    assert ("/ over",) not in calls.items


@pytest.mark.parametrize("method", ["disconnect", "shutdown"])
async def test_ending_the_client_between_attempts_ends_them(make_client, calls, method):
    """disconnect() and shutdown() stop a reconnection at once; each requested namespace is told. (G5, G7, M44)"""
    sio = make_client(reconnection_delay=1000, reconnection_delay_max=1000)
    told(sio, calls, "/", "/a")
    await sio.connect(URL)
    sio.engine.lose()
    await calls.until(lambda: len(calls.items) == 4)
    waiting = asyncio.ensure_future(sio.wait())
    await within(getattr(sio, method)())
    await within(waiting)
    assert calls.items[4:] == [("/ over",), ("/a over",)]
    assert len(sio.engine.attempts.items) == 1


@pytest.mark.parametrize("method", ["disconnect", "shutdown"])
async def test_ending_the_client_in_an_attempt_ends_it(sio, calls, method):
    """disconnect() and shutdown() stop an attempt that is under way. (G5, G7, M44)"""
    told(sio, calls, "/")
    await sio.connect(URL)
    sio.engine.opening = sio.engine.new_gate()
    sio.engine.lose()
    await sio.engine.attempts.until(lambda: len(sio.engine.attempts.items) == 2)
    await within(getattr(sio, method)())
    await within(sio.wait())
    assert not sio.connected
    assert ("/ over",) in calls.items
    assert len(sio.engine.attempts.items) == 2


async def test_a_disconnect_handler_may_end_the_reconnection(make_client, flavour, calls):
    """disconnect() in the disconnect handler keeps the client from reconnecting. (M22, G5)"""
    sio = make_client(reconnection_delay=1000, reconnection_delay_max=1000)
    told(sio, calls, "/")
    done = Gate()

    async def lost(reason):
        calls.add(("/ lost", reason))
        await sio.disconnect()
        done.open()

    sio.on("disconnect", flavour.function(lost))
    await sio.connect(URL)
    sio.engine.lose()
    await done.wait()
    await within(sio.wait())
    assert len(sio.engine.attempts.items) == 1


async def test_wait_follows_a_reconnection(sio, calls):
    """wait() goes on while a reconnection succeeds, and returns when the connection has ended for good. (G8, M44)"""
    told(sio, calls, "/")
    await sio.connect(URL)
    waiting = asyncio.ensure_future(sio.wait())
    sio.engine.lose()
    await calls.until(lambda: calls.items.count(("/ in",)) == 2)
    await sio.engine.idle()
    assert not waiting.done()
    await sio.disconnect()
    await within(waiting)


# -- losses at odd moments


async def test_a_loss_before_connect_returns_is_repaired_or_raised(sio, calls):
    """A connection that is lost right after the acceptance is repaired, unless connect() says so. (F8, N33)"""
    told(sio, calls, "/")
    sio.engine.server.hang_ups, sio.engine.settle = 1, True
    try:
        await within(sio.connect(URL))
    except exceptions.ConnectionError:
        await within(sio.wait())
        await sio.connect(URL)
    await calls.until(lambda: sio.connected)
    assert calls.items[-1] == ("/ in",)


async def test_a_loss_without_reconnection_before_connect_returns_is_final(make_client, calls):
    """The same without reconnection leaves a client that is done: wait() returns, and connect() works. (F8, G8)"""
    sio = make_client(reconnection=False)
    told(sio, calls, "/")
    sio.engine.server.hang_ups, sio.engine.settle = 1, True
    with contextlib.suppress(exceptions.ConnectionError):
        await within(sio.connect(URL))
    await within(sio.wait())
    assert not sio.connected
    await sio.connect(URL)
    assert sio.connected


# -- connect(retry=True)


async def test_with_retry_the_first_attempt_may_fail(sio, calls):
    """connect(retry=True) goes on as after a loss, and returns when it is connected. (M43)"""
    told(sio, calls, "/")
    sio.engine.failures = [EngineError("down")] * 2
    await within(sio.connect(URL, retry=True))
    assert sio.connected
    assert calls.items == [("/ error", "down"), ("/ error", "down"), ("/ in",)]


async def test_with_retry_attempts_may_run_out(make_client, calls):
    """connect(retry=True) raises the first failure when attempts run out, and the client is free. (M43, G4)"""
    sio = make_client(reconnection_attempts=2)
    told(sio, calls, "/")
    sio.engine.failures = [EngineError("first"), EngineError("second"), EngineError("third")]
    with pytest.raises(exceptions.ConnectionError):
        await within(sio.connect(URL, retry=True))
    await within(sio.wait())
    assert len(sio.engine.attempts.items) == 3
    assert calls.items[-1] == ("/ over",)
    await sio.connect(URL)


async def test_with_retry_what_can_never_work_is_raised_at_once(sio):
    """connect(retry=True) does not repeat what its arguments rule out. (M43, C6)"""
    with pytest.raises(ValueError):
        await within(sio.connect("nonsense", retry=True))
    with pytest.raises(ValueError):
        await within(sio.connect(URL, retry=True, transports="none"))
    assert sio.engine.attempts.items == []


async def test_with_retry_disconnect_ends_the_attempts(make_client):
    """disconnect() ends the attempts of connect(retry=True), which raises. (M43, G5)"""
    sio = make_client(reconnection_delay=1000, reconnection_delay_max=1000)
    sio.engine.failures = [EngineError("down")]
    connecting = asyncio.ensure_future(sio.connect(URL, retry=True))
    await sio.engine.attempts.until(lambda: sio.engine.attempts.items)
    await within(sio.disconnect())
    with pytest.raises(exceptions.ConnectionError):
        await within(connecting)
    await within(sio.wait())
    assert not sio.connected
