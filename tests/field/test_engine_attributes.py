"""What programs do with ``sio.eio``, the Engine.IO client.

Source: issue 10, D6. Uptime Kuma integrations close ``eio.ws``, reconnection tests do so to lose the connection, video
clients look at ``eio.queue.qsize()``, API explorers log ``eio.base_url``.
"""

from __future__ import annotations

import inspect

import pytest

from integration.waiting import until

QUICK = {"reconnection_delay": 0.05, "reconnection_delay_max": 0.1}
pytestmark = pytest.mark.servers("python")


@pytest.mark.transports("websocket", "upgrade")
async def test_closing_the_websocket_loses_the_connection(make_client, server, transport, recorder):
    """``eio.ws.closed`` is true then, and the client reconnects with another websocket."""
    sio = make_client(**QUICK)
    for event in ("connect", "disconnect"):
        sio.on(event, recorder.handler(event))
    await sio.connect(server.url, transports=transport.argument)
    ws = sio.eio.ws
    assert not ws.closed
    closing = ws.close()
    if inspect.isawaitable(closing):
        await closing
    assert ws.closed
    assert await recorder.wait_for("disconnect") == [("transport error",)]
    await recorder.wait_for("connect", 2)
    assert sio.eio.ws is not ws
    assert not sio.eio.ws.closed


async def test_the_queue_tells_how_much_is_not_sent(make_client, server, transport):
    """It is empty before, between and after connections, and grows while more is emitted than is sent."""
    sio = make_client()
    assert (sio.eio.queue.qsize(), sio.eio.queue.empty()) == (0, True)
    await sio.connect(server.url, transports=transport.argument)
    sio.eio.send_frames([f"2{['note', 'key', number]}".replace("'", '"') for number in range(500)], wake=False)
    assert sio.eio.queue.qsize() >= 500
    assert not sio.eio.queue.empty()
    sio.eio.wake()
    await until(lambda: sio.eio.queue.qsize() == 0)
    await sio.disconnect()
    assert sio.eio.queue.qsize() == 0


async def test_the_base_url_is_that_of_polling(make_client, server, transport):
    """It is there as soon as the client connects."""
    sio = make_client()
    assert sio.eio.base_url is None
    await sio.connect(server.url, transports=transport.argument)
    assert sio.eio.base_url == f"{server.url}/socket.io/?transport=polling&EIO=4"
