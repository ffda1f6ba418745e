"""The Engine.IO clients, with openings and transports that a test makes."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading

import pytest
from engineio.exceptions import ConnectionError

from socketio.engine.asyncio import client as async_client
from socketio.engine.handshake import Handshake
from socketio.engine.opening import Opened
from socketio.engine.threads import client
from socketio.runtime.steps import run

from ...waiting import CEILING, within


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
            await asyncio.sleep(0)  # an eager task would end before connect() waits for it
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


class Blocking:
    """A transport for threads, over which nothing comes until it is cut."""

    name, close_packets, head_start = "websocket", (), 0.0

    def __init__(self):
        self.cut, self.is_released = threading.Event(), False

    def set_heartbeat_timeout(self, seconds):
        pass

    def receive(self):
        self.cut.wait(CEILING)
        raise ConnectionError("cut")

    def abort(self):
        self.cut.set()

    close = abort

    def release(self):
        self.is_released = True


@pytest.mark.parametrize("instruction", range(1, 45))
def test_after_a_connect_that_ctrl_c_has_ended_another_one_succeeds(monkeypatch, instruction):
    """Whichever instruction between two steps it interrupts: what was opened is closed, and the client is free."""
    transports, counted = [], 0

    class Opening:
        def __init__(self, *args):
            self.transport = None

        def run(self):
            self.transport = Blocking()
            transports.append(self.transport)
            return Opened(self.transport, Handshake("sid", (), 25.0, 20.0, None), [])

        def abort(self):
            if self.transport is not None:
                self.transport.abort()

    def trace(frame, event, arg):
        nonlocal counted
        if frame.f_code is not run.__code__:
            return None
        frame.f_trace_opcodes = True
        counted += event == "opcode"
        if counted == instruction:
            counted += 1
            raise KeyboardInterrupt
        return trace

    def connect():
        sys.settrace(trace)
        with contextlib.suppress(KeyboardInterrupt):
            eio.connect("http://localhost")

    monkeypatch.setattr(client, "Opening", Opening)
    eio = client.EngineIOClient(request_timeout=CEILING)
    connecting = threading.Thread(target=connect)
    connecting.start()
    connecting.join(CEILING)
    if eio.state == "disconnected":
        assert all(transport.cut.is_set() for transport in transports)
        eio.connect("http://localhost")
    eio.disconnect()
    assert eio.state == "disconnected"
    assert transports[-1].is_released
