"""Redirects: none is followed, so that nothing that goes with a request comes to another host."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
import requests

from integration.waiting import CEILING, within
from socketio import exceptions

from .hostile import Peer, RawServer
from .watching import Lines

STATUSES = [301, 302, 303, 307, 308]
SECRET = "s3cr3t"


@pytest.mark.transports("websocket", "polling")
@pytest.mark.parametrize("status", STATUSES)
async def test_a_redirect_of_the_handshake(make_client, transport, status):
    """A redirect to another host is a ConnectionError that names it; the other host hears nothing."""
    lines = Lines()
    contacts = []

    async def other(request):
        contacts.append(request)
        await request.answer("", 200)

    async with RawServer(other) as elsewhere:
        place = elsewhere.url.replace("http://", f"http://me:{SECRET}@") + f"/there?token={SECRET}"

        async def answer(request):
            await request.answer("moved", status, f"Location: {place}")

        sio = make_client(logger=lines.logger, engineio_logger=lines.logger)
        async with RawServer(answer) as server:
            with pytest.raises(exceptions.ConnectionError) as caught:
                await within(
                    CEILING,
                    sio.connect(
                        f"{server.url}?token={SECRET}",
                        headers={"Authorization": SECRET, "X-Api-Key": SECRET, "Cookie": f"a={SECRET}"},
                        auth={"token": SECRET},
                        transports=transport.argument,
                    ),
                )
        assert f"status code {status}" in str(caught.value)
        assert f"{elsewhere.url}/there" in str(caught.value)
        assert SECRET not in str(caught.value) + lines.text
    assert contacts == []


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("own", [False, True])
async def test_a_redirect_of_the_upgrade(make_client, flavour, status, own):
    """A redirect of the websocket request leaves the client on polling, and the other host alone."""
    contacts = []

    async def other(request):
        contacts.append(request)

    session = None
    if own:
        session = aiohttp.ClientSession() if flavour.is_asyncio else requests.Session()
    peer = Peer(lambda request: request.until_closed(), upgrades=["websocket"])
    async with RawServer(other) as elsewhere:

        async def answer(request):
            if request.is_websocket:
                await request.answer("", status, f"Location: {elsewhere.url.replace('http', 'ws')}/there")
            else:
                await peer(request)

        sio = make_client(http_session=session)
        async with RawServer(answer) as server:
            await within(CEILING, sio.connect(server.url, headers={"X-Api-Key": SECRET}))
            peer.connected.set()
            assert sio.transport() == "polling"
            await sio.disconnect()
    assert contacts == []
    if session is not None:
        closing = session.close()
        if closing is not None:
            await closing


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_redirect_in_mid_stream(make_client, recorder, method):
    """A redirect of a later request is a lost connection; the other host hears nothing of what was emitted."""
    contacts = []

    async def other(request):
        contacts.append(request)
        await request.answer("ok")

    waiting = asyncio.Event()
    async with RawServer(other) as elsewhere:

        async def poll(request):
            if method == "GET":
                await request.answer("", 307, f"Location: {elsewhere.url}/there")
            else:
                waiting.set()
                await request.until_closed()

        peer = Peer(poll)

        async def answer(request):
            if method == "POST" and b"token" in request.body:
                await request.answer("", 307, f"Location: {elsewhere.url}/there")
            else:
                await peer(request)

        sio = make_client(reconnection=False)
        sio.on("disconnect", recorder.handler("disconnect"))
        async with RawServer(answer) as server:
            await within(CEILING, sio.connect(server.url, headers={"X-Api-Key": SECRET}, transports="polling"))
            peer.connected.set()
            if method == "POST":
                await within(CEILING, waiting.wait())
                await sio.emit("token", SECRET)
            assert await recorder.wait_for("disconnect") == [("transport error",)]
            await sio.disconnect()
    assert contacts == []


@pytest.mark.flavours("threads")
async def test_hooks_of_the_session_stay(make_client, flavour):
    """Response hooks of the application's session are called for every answer."""
    seen = []
    session = requests.Session()
    session.hooks["response"].append(lambda response, **kwargs: seen.append(response.status_code))
    peer = Peer(lambda request: request.until_closed())
    async with RawServer(peer) as server:
        sio = make_client(http_session=session)
        await within(CEILING, sio.connect(server.url, transports="polling"))
        peer.connected.set()
        await sio.disconnect()
    assert seen[:3] == [200, 200, 200]
    session.close()
