"""Programs that connect again in their disconnect handler, a common home-made reconnection, against real servers.

Source: issue 10, B2.
"""

from __future__ import annotations

import asyncio

import pytest

from integration.waiting import CEILING, within


@pytest.mark.parametrize("end", ["disconnect()", "kick", "close"])
async def test_a_program_that_connects_in_its_disconnect_handler(make_client, recorder, server, transport, end):
    """wait() lasts through all lives, and returns when the handler stays away."""
    sio = make_client(reconnection=False)

    async def disconnect(reason):
        recorder.record("disconnect")
        if len(recorder.of("disconnect")) < 4:
            await sio.connect(server.url, transports=transport.argument)
            recorder.record("back")

    async def end_it():
        if end == "disconnect()":
            await sio.disconnect()
        else:
            await sio.emit({"kick": "kick", "close": "close_transport"}[end])

    sio.on("disconnect", disconnect)
    await sio.connect(server.url, transports=transport.argument)
    waiting = asyncio.ensure_future(sio.wait())
    for life in range(3):
        await within(CEILING, end_it())
        await recorder.wait_for("back", life + 1)
        assert await sio.call("echo", life) == life
        assert not waiting.done()
    await within(CEILING, end_it())
    await within(CEILING, waiting)
    assert not sio.connected


async def test_a_program_with_a_loop_in_its_disconnect_handler(make_client, recorder, own_server, server, transport):
    """The handler tries until the server, which was killed, is back; wait() lasts all the time."""
    mine = await own_server(server.kind)
    sio = make_client(reconnection=False)
    tries = 0

    async def disconnect(reason):
        nonlocal tries
        while not sio.connected:
            tries += 1
            try:
                await sio.connect(mine.url, transports=transport.argument)
            except Exception:
                await sio.sleep(0.05)
        recorder.record("back")

    sio.on("disconnect", disconnect)
    await sio.connect(mine.url, transports=transport.argument)
    waiting = asyncio.ensure_future(sio.wait())
    mine.kill()
    await asyncio.to_thread(mine.restart)
    await recorder.wait_for("back")
    assert await sio.call("echo", 1) == 1
    assert not waiting.done()
    sio.on("disconnect", lambda reason: None)
    await within(CEILING, sio.disconnect())
    await within(CEILING, waiting)
    assert tries
