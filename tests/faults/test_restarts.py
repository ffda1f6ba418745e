"""Servers that are killed and come back: so do the clients, with everything, and nothing is left of the time before."""

from __future__ import annotations

import asyncio
import gc
import os
import threading

import pytest

from integration.flavours import Flavour
from integration.waiting import CEILING, Recorder, within

QUICK = {"reconnection_delay": 0.02, "reconnection_delay_max": 0.05}
WAYS = [(name, transport) for name in ("threads", "asyncio") for transport in ("polling", "websocket")]


class Client:
    """A client with handlers that record.

    :ivar recorder: what its handlers were called with.
    """

    def __init__(self, flavour, transport):
        self.flavour = flavour
        self.transport = transport
        self.recorder = Recorder()
        self.sio = flavour.client(**QUICK)
        for event in ("connect", "disconnect", "echo"):
            self.sio.on(event, self.recorder.handler(event))

    async def connect(self, url):
        await self.sio.connect(
            f"{url}?who=me",
            headers={"X-Test": "yes", "Cookie": "mine=1"},
            auth={"token": 1},
            transports=self.transport,
            namespaces=["/", "/chat"],
        )

    async def check(self, life):
        """Look whether this is its life of that number, with everything that was asked for."""
        await self.recorder.wait_for("connect", life)
        await self.sio.emit("echo", life)
        await self.recorder.wait_for("echo", life)
        handshake = await self.sio.call("handshake")
        assert handshake["transport"] == self.transport
        assert handshake["auth"] == {"token": 1}
        assert handshake["query"]["who"] == "me"
        assert handshake["headers"]["x-test"] == "yes"
        assert "mine=1" in handshake["headers"]["cookie"]
        assert sorted(self.sio.namespaces) == ["/", "/chat"]


def _resources():
    gc.collect()
    return {
        "threads": threading.active_count(),
        "tasks": len(asyncio.all_tasks()),
        "descriptors": len(os.listdir("/proc/self/fd")),
        "objects": len(gc.get_objects()) + gc.get_freeze_count(),
    }


async def test_a_server_that_is_killed_twenty_times(own_server):
    """After each kill -9 all clients are back; each event is handled once; nothing grows.

    Takes the time of 20 starts of a server.
    """
    server = await own_server(cookie=True)
    flavours = {name: Flavour(name) for name in ("threads", "asyncio")}
    clients = [Client(flavours[name], transport) for name, transport in WAYS]
    for client in clients:
        await client.connect(server.url)
    before = {}
    for life in range(1, 22):
        await asyncio.gather(*(client.check(life) for client in clients))
        if life == 6:
            before = _resources()
        if life < 21:
            await asyncio.to_thread(server.kill)
            for client in clients:
                await client.recorder.wait_for("disconnect", life)
            await asyncio.to_thread(server.restart)
    after = _resources()
    for client in clients:
        assert client.recorder.of("echo") == [(life,) for life in range(1, 22)]
        assert client.recorder.of("disconnect") == [("transport error",)] * 20
        assert len(client.recorder.of("connect")) == 21
    for flavour in flavours.values():
        await flavour.close()
    assert after["threads"] <= before["threads"] + 4  # of handlers, that idle for a second
    assert after["tasks"] <= before["tasks"]
    assert after["descriptors"] <= before["descriptors"] + 4
    assert after["objects"] < before["objects"] * 1.05


async def test_a_simple_client_outlives_the_server(make_simple_client, own_server, transport):
    """A simple client emits, calls and receives across a kill -9 as if nothing had happened."""
    server = await own_server()
    sio = make_simple_client(**QUICK)
    await sio.connect(server.url, transports=transport.argument)
    for life in range(4):
        assert await within(CEILING, sio.call("echo", life)) == life
        assert await within(CEILING, sio.receive()) == ["echo", life]
        receiving = asyncio.ensure_future(sio.receive())
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.restart)
        await _emit_until_received(sio, receiving)
        assert receiving.result() == ["again"]
        while sio.client is not None and len(sio.input_buffer):
            await sio.receive()


async def _emit_until_received(sio, receiving):
    """Emit again while an event may be lost with the old connection."""
    while not receiving.done():
        await within(CEILING, sio.emit("emit_back", "again"))
        await asyncio.wait([receiving], timeout=0.2)


@pytest.mark.parametrize("kind", ["python"])
async def test_another_kind_of_server_that_is_killed(make_client, own_server, transport, recorder, kind):
    """It is the same with python-socketio's server."""
    server = await own_server(kind)
    sio = make_client(**QUICK)
    sio.on("connect", recorder.handler("connect"))
    await sio.connect(server.url, transports=transport.argument)
    await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.restart)
    await recorder.wait_for("connect", 2)
    assert await sio.call("echo", b"again") == b"again"
