"""Limits of time: None, infinity and huge numbers are no limit; what is negative or no number is an error at once.

Source: issue 10, B8.
"""

from __future__ import annotations

import asyncio
import datetime
import decimal
import fractions
import itertools
import math
import threading

import pytest

import socketio
from socketio import exceptions
from socketio.runtime import timeouts

from ..flavours import URL
from ..waiting import within

UNLIMITED = [None, math.inf, 1e300, 10**400, threading.TIMEOUT_MAX, threading.TIMEOUT_MAX * 2]
NEGATIVE = [-1, -0.001, -math.inf, math.nan, -(10**400), decimal.Decimal(-1)]
NO_NUMBERS = ["5", b"5", [5], {}, object(), datetime.timedelta(seconds=5), 1j]
WRONG = [*((each, ValueError) for each in NEGATIVE), *((each, TypeError) for each in NO_NUMBERS)]


# -- the rule


@pytest.mark.parametrize("value", UNLIMITED)
def test_no_limit(value):
    """What has no end is None."""
    assert timeouts.limit(value) is None
    assert timeouts.bounded(value, "x") == timeouts.LONGEST


@pytest.mark.parametrize("value", [0, 0.0, 1, 2.5, True, decimal.Decimal("2.5"), fractions.Fraction(5, 2), 10_000_000])
def test_a_limit(value):
    """All kinds of numbers are seconds."""
    assert timeouts.limit(value) == value
    assert timeouts.bounded(value, "x") == min(value, timeouts.LONGEST)


@pytest.mark.parametrize(("value", "error"), WRONG)
def test_what_is_no_limit(value, error):
    """A negative number is a ValueError, what is no number a TypeError; both name the argument."""
    for check in (timeouts.limit, timeouts.bounded):
        with pytest.raises(error, match="wait_timeout must"):
            check(value, "wait_timeout")


def test_a_sleep_is_taken_in_pieces_that_the_system_takes():
    """A long sleep is several; a short one is exactly itself, and one of no time is one, too."""
    assert list(timeouts.sleep_chunks(0)) == [0]
    assert list(timeouts.sleep_chunks(1.5)) == [1.5]
    assert list(timeouts.sleep_chunks(2.5 * timeouts.LONGEST)) == [
        timeouts.LONGEST,
        timeouts.LONGEST,
        timeouts.LONGEST / 2,
    ]
    assert list(itertools.islice(timeouts.sleep_chunks(math.inf), 3)) == [timeouts.LONGEST] * 3
    for wrong in (-1, None, "1"):
        with pytest.raises((TypeError, ValueError)):
            list(timeouts.sleep_chunks(wrong))


# -- the methods


@pytest.mark.parametrize("value", UNLIMITED)
async def test_connect_without_a_limit(sio, make_simple_client, value):
    """connect(wait_timeout=...) waits for the namespaces, however long they take."""
    sio.engine.server.silent = {"/"}
    connecting = asyncio.ensure_future(sio.connect(URL, wait_timeout=value))
    await sio.engine.sent.until(lambda: sio.engine.sent.items)
    await sio.engine.idle()
    assert not connecting.done()
    sio.engine.deliver('0{"sid":"x"}')
    await within(connecting)
    assert sio.connected
    simple = make_simple_client()
    await within(simple.connect(URL, wait_timeout=value))
    assert simple.connected


@pytest.mark.parametrize("value", UNLIMITED)
async def test_a_lost_connection_without_a_limit(sio, value):
    """Without a limit the error tells of no seconds. (C6)"""
    sio.engine.server.refusals = {"/": None}
    with pytest.raises(exceptions.ConnectionError, match="failed to connect: /"):
        await within(sio.connect(URL, wait_timeout=value))


@pytest.mark.parametrize(("value", "error"), WRONG)
async def test_a_wrong_wait_timeout_opens_nothing(sio, make_simple_client, value, error):
    """connect(wait_timeout=...) raises before anything is opened, and the client can connect."""
    with pytest.raises(error, match="wait_timeout"):
        await sio.connect(URL, wait_timeout=value)
    with pytest.raises(error, match="wait_timeout"):
        await sio.connect(URL, wait_timeout=value, wait=False, retry=True)
    assert sio.engine.attempts.items == []
    await sio.connect(URL)
    simple = make_simple_client()
    with pytest.raises(error, match="wait_timeout"):
        await simple.connect(URL, wait_timeout=value)
    assert not simple.connected
    await simple.connect(URL)


@pytest.mark.parametrize("value", UNLIMITED)
async def test_call_and_receive_without_a_limit(sio, make_simple_client, flavour, value):
    """call(timeout=...) and receive(timeout=...) wait for as long as it takes."""
    chat = flavour.namespace_class("/")
    sio.register_namespace(chat)
    simple = make_simple_client()
    for client in (sio, simple):
        await client.connect(URL)
        calling = asyncio.ensure_future(client.call("up", timeout=value))
        await client.engine.sent.until(lambda engine=client.engine: len(engine.sent.items) == 2)
        client.engine.deliver("31[5]")
        assert await within(calling) == 5
    receiving = asyncio.ensure_future(simple.receive(timeout=value))
    await simple.engine.idle()
    simple.engine.deliver('2["in"]')
    assert await within(receiving) == ["in"]


@pytest.mark.parametrize(("value", "error"), WRONG)
async def test_a_wrong_timeout_sends_nothing(sio, make_simple_client, value, error):
    """call() and receive() raise at once, also while something could be received."""
    simple = make_simple_client()
    for client in (sio, simple):
        await client.connect(URL)
        with pytest.raises(error, match="timeout"):
            await client.call("up", timeout=value)
        assert client.engine.sent.items == ["0{}"]
    simple.engine.deliver('2["in"]')
    await simple.engine.idle()
    with pytest.raises(error, match="timeout"):
        await simple.receive(timeout=value)
    assert await simple.receive() == ["in"]


@pytest.mark.parametrize(("value", "error"), [*WRONG, (None, TypeError)])
async def test_a_wrong_sleep(sio, value, error):
    """sleep() of a negative time, or of what is no number, is an error in both flavours."""
    with pytest.raises(error, match="seconds"):
        await within(sio.sleep(value))


@pytest.mark.parametrize("value", [math.inf, 1e300, 10**400])
async def test_an_endless_sleep(sio, value):
    """sleep() may last for ever."""
    sleeping = asyncio.ensure_future(sio.sleep(value))
    done, _ = await asyncio.wait([sleeping], timeout=0.02)
    assert not done
    sleeping.cancel()


# -- request_timeout


@pytest.mark.parametrize("client_class", [socketio.Client, socketio.AsyncClient])
def test_request_timeout(client_class):
    """request_timeout follows the same rule; an error is raised where the client is made."""
    for value in UNLIMITED:
        assert client_class(request_timeout=value).eio.request_timeout == timeouts.LONGEST
    assert client_class(request_timeout=2.5).eio.request_timeout == 2.5
    for value, error in WRONG:
        with pytest.raises(error, match="request_timeout"):
            client_class(request_timeout=value)


@pytest.mark.parametrize("value", UNLIMITED)
async def test_disconnect_without_a_limit(make_client, value):
    """With any request_timeout disconnect() waits until what was emitted is sent."""
    sio = make_client(request_timeout=value)
    await sio.connect(URL)
    await sio.emit("up")
    await within(sio.disconnect())
    assert sio.engine.drained.items == [timeouts.LONGEST]


# -- delays


@pytest.mark.parametrize("value", [math.inf, 1e300])
async def test_a_reconnection_without_a_maximum(make_client, value):
    """reconnection_delay_max may be infinity; a reconnection_delay that is, is a wait that disconnect() ends."""
    sio = make_client(reconnection_delay_max=value)
    await sio.connect(URL)
    sio.engine.lose()
    await sio.engine.attempts.until(lambda: len(sio.engine.attempts.items) == 2)
    sio = make_client(reconnection_delay=value, reconnection_delay_max=value)
    await sio.connect(URL)
    sio.engine.lose()
    await sio.engine.idle()
    await within(sio.disconnect())
