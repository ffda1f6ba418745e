"""Gateways that answer polls in the server's place, with a status that says that all is well.

Source: issue 10, B1: 800 to 2,800 requests a second for ever, while ``connected`` stays true. A page to sign in to a
network, a maintenance page, a load balancer without a backend.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

import socketio
from faults.hostile import RawServer, Request, hostile
from integration.waiting import CEILING, Recorder, within

Kind = socketio.DisconnectKind
HTML = ("<!DOCTYPE html><html>Sign in</html>", "Content-Type: text/html")
JSON = ('{"error": "maintenance"}', "Content-Type: application/json")
LIST = ("[]", "Content-Type: application/json")
TEXT = ("OK", "Content-Type: text/plain")
pytestmark = pytest.mark.parametrize("transport", ["polling"])


@pytest.mark.parametrize(("body", "header"), [HTML, JSON, LIST, TEXT])
async def test_a_body_that_is_no_payload(
    make_client: Callable[..., Any], recorder: Recorder, transport: str, body: str, header: str
) -> None:
    """It ends the connection, which is made again after the usual delays; the reason has what came."""
    sio = make_client(reconnection_delay=0.2, randomization_factor=0)
    sio.on("disconnect", lambda reason: recorder.record("disconnect", reason, sio.disconnect_details))
    sio.on("connect", recorder.handler("connect"))

    async def answer(request: Request) -> None:
        await request.answer(body, 200, header)

    async with hostile(sio, transport, answer) as server:
        await recorder.wait_for("connect", 3)  # each attempt is followed by the next end
    reason, details = recorder.of("disconnect")[0]
    assert (reason, details.kind) == ("transport error", Kind.INVALID_DATA)
    assert body in str(details)
    assert header.partition(": ")[2] in str(details)
    # A handshake, a POST and two polls for each of the connections.
    assert len(server.requests) <= 4 * len(recorder.of("connect")) + 4


@pytest.mark.parametrize(("body", "status"), [("", 200), ("", 204), ("6", 200), ("6\x1e6", 200), ("503 Sorry", 200)])
async def test_answers_that_say_nothing(
    make_client: Callable[..., Any], recorder: Recorder, transport: str, body: str, status: int
) -> None:
    """They are asked for again after a while that grows, and a session of which nothing else is heard is lost.

    Takes as long as the heartbeat of the server.
    """
    sio = make_client(reconnection=False)
    sio.on("disconnect", lambda reason: recorder.record("disconnect", reason, sio.disconnect_details))

    async def answer(request: Request) -> None:
        await request.answer(body, status)

    async with hostile(sio, transport, answer, pingInterval=500, pingTimeout=500) as server:
        (((reason, details)),) = await recorder.wait_for("disconnect")
        assert (reason, details.kind) == ("transport error", Kind.HEARTBEAT_LOST)
        assert "silent" in str(details)
        assert len(server.requests) <= 12
        assert not sio.connected


async def test_a_message_after_empty_answers(
    make_client: Callable[..., Any], recorder: Recorder, transport: str
) -> None:
    """A server that sends NOOPs, and then a message, is heard; a disconnect() in between does not wait."""
    sio = make_client(reconnection=False)
    sio.on("news", recorder.handler("news"))
    answers = iter(["6", "6", "", '42["news"]', "6", "6", "6", "6"])
    polled = asyncio.Event()

    async def answer(request: Request) -> None:
        body = next(answers, None)
        if body is None:
            polled.set()
            await request.until_closed()
        else:
            await request.answer(body)

    async with hostile(sio, transport, answer):
        await recorder.wait_for("news")
        began = asyncio.get_running_loop().time()
        await within(CEILING, sio.disconnect())
        assert asyncio.get_running_loop().time() - began < 1


@pytest.mark.parametrize(("body", "header"), [HTML, JSON])
async def test_a_page_in_answer_to_a_post(
    make_client: Callable[..., Any], recorder: Recorder, transport: str, body: str, header: str
) -> None:
    """What was posted has not arrived: the connection ends, and the reason has what came."""
    sio = make_client(reconnection=False)
    sio.on("disconnect", lambda reason: recorder.record("disconnect", reason, sio.disconnect_details))
    polls = 0
    is_taken_over = False

    async def answer(request: Request) -> None:
        nonlocal polls
        if "sid" not in request.query:
            await request.answer(
                '0{"sid":"s","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}'
            )
        elif request.method == "POST":
            await (request.answer(body, 200, header) if is_taken_over else request.answer("ok"))
        else:
            polls += 1
            await (request.answer('40{"sid":"x"}') if polls == 1 else request.until_closed())

    async with RawServer(answer) as server:
        await within(CEILING, sio.connect(server.url, transports=transport))
        is_taken_over = True
        await sio.emit("lost")
        (((reason, details)),) = await recorder.wait_for("disconnect")
        assert (reason, details.kind) == ("transport error", Kind.INVALID_DATA)
        assert "POST" in str(details)
        assert body in str(details)


@pytest.mark.parametrize(("body", "header"), [HTML, JSON, LIST, TEXT, ("", "X: y"), ("6", "X: y"), ("204", "X: y")])
async def test_a_handshake(make_client: Callable[..., Any], transport: str, body: str, header: str) -> None:
    """It is an error of connect() that shows what came, and attempts to reconnect keep to their delays."""
    sio = make_client(reconnection_attempts=3, reconnection_delay=0.1, randomization_factor=0)

    async def answer(request: Request) -> None:
        await request.answer("" if body == "204" else body, 204 if body == "204" else 200, header)

    async with RawServer(answer) as server:
        began = asyncio.get_running_loop().time()
        with pytest.raises(socketio.exceptions.ConnectionError, match=r"not an Engine\.IO server") as caught:
            await within(CEILING, sio.connect(server.url, transports=transport, retry=True))
        assert asyncio.get_running_loop().time() - began > 0.65  # 0.1 + 0.2 + 0.4, less what timers are early
        assert len(server.requests) == 4
        assert (body if body not in ("", "204") else "nothing") in str(caught.value)
