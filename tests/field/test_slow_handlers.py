"""Programs whose connect handler is their main loop, as many robots have it.

Source: issue 10, B3.
"""

from __future__ import annotations

import time

from integration.waiting import CEILING, within

QUICK = {"reconnection_delay": 0.05, "reconnection_delay_max": 0.1}


async def test_an_endless_connect_handler(make_client, recorder, server, transport):
    """connect() returns after a second, and a reconnection does not even take that.

    Takes that second.
    """
    sio = make_client(**QUICK)
    running = True

    async def connect():
        recorder.record("connect")
        while running:
            await sio.sleep(0.05)

    sio.on("connect", connect)
    began = time.monotonic()
    await within(CEILING, sio.connect(server.url, transports=transport.argument))
    assert time.monotonic() - began < 3
    try:
        assert await within(CEILING, sio.call("echo", 1)) == 1
        await sio.emit("close_transport")
        began = time.monotonic()
        await recorder.wait_for("connect", 2)
        assert time.monotonic() - began < 1
        assert await within(CEILING, sio.call("echo", 2)) == 2
        began = time.monotonic()
        await within(CEILING, sio.disconnect())
        assert time.monotonic() - began < 1
    finally:
        running = False
