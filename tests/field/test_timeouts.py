"""Programs that want no limit of time, or a huge one, against real servers over every transport.

Source: issue 10, B8.
"""

from __future__ import annotations

import math
import socket
import threading

import pytest

from integration.waiting import CEILING, within
from socketio import exceptions

pytestmark = [pytest.mark.servers("node"), pytest.mark.transports("polling", "websocket", "upgrade")]
UNLIMITED = [None, math.inf, 1e300, threading.TIMEOUT_MAX]


@pytest.mark.parametrize("value", UNLIMITED)
async def test_a_conversation_without_limits(make_client, recorder, server, transport, value):
    """Every timeout of the API at once: the handshake, the namespaces, call(), a reconnection, disconnect()."""
    sio = make_client(request_timeout=value, reconnection_delay=0.05)
    sio.on("connect", recorder.handler("connect"))
    await within(CEILING, sio.connect(server.url, transports=transport.argument, wait_timeout=value))
    assert sio.transport() == transport.final
    assert await within(CEILING, sio.call("echo", 1, timeout=value)) == 1
    await sio.emit("close_transport")
    await recorder.wait_for("connect", 2)
    assert await within(CEILING, sio.call("echo", 2, timeout=value)) == 2
    await sio.emit("echo", "x" * 100_000)
    await within(CEILING, sio.disconnect())


@pytest.mark.parametrize("value", UNLIMITED)
async def test_a_simple_conversation_without_limits(make_simple_client, server, transport, value):
    """The same for the simple clients, with receive()."""
    sio = make_simple_client(request_timeout=value)
    await within(CEILING, sio.connect(server.url, transports=transport.argument, wait_timeout=value))
    await sio.emit("emit_back", ("event", 1))
    assert await within(CEILING, sio.receive(timeout=value)) == ["event", 1]
    assert await within(CEILING, sio.call("echo", 1, timeout=value)) == 1
    await within(CEILING, sio.disconnect())


async def test_nobody_listens_there(make_client, transport):
    """Without limits a refusal is still one at once."""
    sio = make_client(request_timeout=None)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with pytest.raises(exceptions.ConnectionError):
        await within(CEILING, sio.connect(url, transports=transport.argument, wait_timeout=None))
