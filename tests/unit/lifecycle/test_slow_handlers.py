"""Handlers of the client's own events that do not return hold up nothing.

Source: issue 10, B3.
"""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from socketio import exceptions
from socketio.engine import EngineError
from socketio.lifecycle import attempts

from ..flavours import URL
from ..waiting import Gate, within


@pytest.fixture
def limit(monkeypatch):
    """The seconds that connect() gives handlers: fewer than usual."""
    assert attempts.CONNECT_HANDLERS_TIMEOUT == 1.0
    monkeypatch.setattr(attempts, "CONNECT_HANDLERS_TIMEOUT", 0.2)
    return 0.2


@pytest.mark.parametrize("retry", [False, True])
async def test_a_connect_handler_that_does_not_return_is_not_waited_for(make_client, flavour, retry, limit):
    """connect() gives connect handlers a second; one that goes on for ever is left alone."""
    sio, gate = make_client(), Gate()
    sio.on("connect", flavour.function(gate.wait))
    if retry:
        sio.engine.failures = [EngineError("down")]
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        await within(sio.connect(URL, retry=retry), 5)
        assert 0.9 * limit < loop.time() - began < limit + 0.7
        assert sio.connected
        await sio.emit("up")
    finally:
        gate.open()


async def test_a_connect_handler_that_does_not_return_holds_no_attempt_open(make_client, flavour, calls):
    """While a connect handler goes on, the client can disconnect and connect at once."""
    sio, gate = make_client(), Gate()

    async def connect():
        calls.add("in")
        await gate.wait()

    sio.on("connect", flavour.function(connect))
    loop = asyncio.get_running_loop()
    try:
        for number in range(2):
            began = loop.time()
            connecting = asyncio.ensure_future(sio.connect(URL))
            await calls.has(*["in"] * (number + 1))
            await within(sio.disconnect(), 5)
            with contextlib.suppress(exceptions.ConnectionError):
                await within(connecting, 5)
            assert loop.time() - began < 0.9
    finally:
        gate.open()


async def test_a_connect_handler_that_does_not_return_holds_up_no_reconnection(make_client, flavour, calls):
    """Reconnections go on, one after the other, while connect handlers go on as well."""
    sio, gate = make_client(), Gate()

    async def connect():
        calls.add("in")
        await gate.wait()

    await sio.connect(URL)
    sio.on("connect", flavour.function(connect))
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        for number in range(1, 4):
            sio.engine.lose()
            await calls.until(lambda number=number: len(calls.items) == number)
            await sio.settled()
        assert loop.time() - began < 0.9
        assert sio.connected
    finally:
        gate.open()


async def test_a_connect_error_handler_that_does_not_return_is_not_waited_for(make_client, flavour, limit):
    """connect() gives connect_error handlers a second, too."""
    sio, gate = make_client(), Gate()
    sio.on("connect_error", flavour.function(gate.wait))
    sio.engine.failures = [EngineError("down")]
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        with pytest.raises(exceptions.ConnectionError):
            await within(sio.connect(URL), 5)
        assert loop.time() - began < limit + 0.7
    finally:
        gate.open()
