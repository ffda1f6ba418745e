"""The Engine.IO clients, with openings and transports that a test makes."""

from __future__ import annotations

import asyncio

import pytest
from engineio.exceptions import ConnectionError

from socketio.engine.asyncio import client as async_client
from socketio.engine.handshake import Handshake
from socketio.engine.opening import Opened

from .waiting import within


class Transport:
    """Notes that it is closed."""

    name = "websocket"

    def __init__(self):
        self.calls = []

    def abort(self):
        self.calls.append("abort")

    async def release(self):
        self.calls.append("release")


async def test_disconnect_in_the_turn_in_which_an_attempt_succeeds(monkeypatch):
    """The attempt ends, although nothing is left to be cancelled, and what it has opened is closed."""
    transport, opened = Transport(), asyncio.Event()

    class Opening:
        def __init__(self, *args):
            pass

        async def run(self):
            opened.set()
            return Opened(transport, Handshake("sid", (), 25.0, 20.0, None), [])

    async def disconnect():
        await opened.wait()
        await eio.disconnect()

    monkeypatch.setattr(async_client, "AsyncOpening", Opening)
    eio = async_client.AsyncEngineIOClient()
    disconnecting = asyncio.ensure_future(disconnect())
    await asyncio.sleep(0)
    with pytest.raises(ConnectionError, match=r"ended by disconnect\(\)"):
        await within(eio.connect("http://localhost"))
    await within(disconnecting)
    assert transport.calls == ["abort", "release"]
    assert (eio.state, eio.sid, eio.http) == ("disconnected", None, None)
