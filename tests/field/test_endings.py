"""Why a connection ended: ``disconnect_details``, the log line, and the errors of those who waited.

Source: issue 10, D1 (a lost heartbeat, a close by the server and invalid data were all "transport error") and
A5 (2 MB over a websocket to Node's default of 1 MB disappeared without a word of the server's 1009).
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import struct
from collections.abc import Callable
from typing import Any

import pytest

import socketio
from faults.hostile import CLOSE, Request, Script, frame, hostile
from integration.scripted import ScriptedServer, session
from integration.waiting import CEILING, Recorder, within

Kind = socketio.DisconnectKind


@pytest.fixture
def watched(make_client: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that makes a client that records the details that its disconnect handler sees."""

    def make(recorder: Recorder, **options: Any) -> Any:
        sio = make_client(reconnection=False, **options)
        sio.on("disconnect", lambda reason: recorder.record("disconnect", reason, sio.disconnect_details))
        return sio

    return make


async def details(recorder: Recorder, sio: Any) -> socketio.DisconnectDetails:
    """Return the details that the handler has seen, which are those that the client still has."""
    (((reason, seen)),) = await recorder.wait_for("disconnect")
    assert seen is sio.disconnect_details
    assert seen.reason == reason
    return seen  # type: ignore[no-any-return]


async def close_1011(request: Request) -> None:
    """Close the websocket as a server does that has an internal error."""
    await request.write(frame(CLOSE, struct.pack("!H", 1011) + b"out of memory"))
    await request.receive()


async def close_without_code(request: Request) -> None:
    """Close the websocket without a code."""
    await request.write(frame(CLOSE, b""))
    await request.receive()


async def break_off(request: Request) -> None:
    """Close the TCP connection without a word."""
    request.writer.close()


async def invalid_frame(request: Request) -> None:
    """Send a websocket frame with an opcode that does not exist."""
    await request.write(frame(0x3, b"x"))
    await request.until_closed()


async def web_page(request: Request) -> None:
    """Answer a poll with a web page."""
    await request.answer("<html>Sign in</html>", 200, "Content-Type: text/html")


async def bad_gateway(request: Request) -> None:
    """Answer a poll with an error."""
    await request.answer("<html>Bad gateway</html>", 502, "Content-Type: text/html")


async def close_packet(request: Request) -> None:
    """Send an Engine.IO CLOSE packet."""
    await (request.send("1") if request.is_websocket else request.answer("1"))


async def silence(request: Request) -> None:
    """Say nothing any more."""
    await request.until_closed()


@pytest.mark.parametrize(
    ("script", "transport_name", "kind", "reason", "rest", "text"),
    [
        (close_1011, "websocket", Kind.SERVER_CLOSED, "transport error", (1011, "out of memory", None), "1011"),
        (close_without_code, "websocket", Kind.SERVER_CLOSED, "transport error", (None, "", None), "the server closed"),
        (break_off, "websocket", Kind.CONNECTION_BROKEN, "transport error", (None, "", None), "closed"),
        (break_off, "polling", Kind.CONNECTION_BROKEN, "transport error", (None, "", None), "GET request"),
        (invalid_frame, "websocket", Kind.INVALID_DATA, "transport error", (None, "", None), "opcode 0x3"),
        (web_page, "polling", Kind.INVALID_DATA, "transport error", (None, "", None), "<html>Sign in"),
        (bad_gateway, "polling", Kind.HTTP_ERROR, "transport error", (None, "", 502), "502"),
        (close_packet, "websocket", Kind.SERVER_CLOSED, "server disconnect", (None, "", None), "server closed"),
        (close_packet, "polling", Kind.SERVER_CLOSED, "server disconnect", (None, "", None), "server closed"),
        (silence, "websocket", Kind.HEARTBEAT_LOST, "transport error", (None, "", None), "silent"),
        (silence, "polling", Kind.HEARTBEAT_LOST, "transport error", (None, "", None), "GET request"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
async def test_the_kind_of_an_end(
    watched: Any,
    recorder: Recorder,
    script: Script,
    transport_name: str,
    kind: Kind,
    reason: str,
    rest: tuple[Any, ...],
    text: str,
) -> None:
    """The handler learns what ended the connection, and the string that it gets stays one of the three."""
    sio = watched(recorder)
    fields = {"pingInterval": 200, "pingTimeout": 200} if script is silence else {}
    async with hostile(sio, transport_name, script, **fields):
        seen = await details(recorder, sio)
    assert (seen.kind, seen.reason) == (kind, reason)
    assert (seen.close_code, seen.close_reason, seen.http_status) == rest
    assert (seen.exception is None) == (reason == "server disconnect")
    assert text in str(seen)
    assert sio.disconnect_details is seen  # disconnect() of what has ended changes nothing


@pytest.mark.servers("node", "python")
async def test_disconnect_packets(watched: Any, recorder: Recorder, server: Any, transport: Any) -> None:
    """A namespace that the server ends, and one that the client ends, are told apart from the rest."""
    sio = watched(recorder)
    assert sio.disconnect_details is None
    await sio.connect(server.url, transports=transport.argument)
    await sio.emit("kick")
    seen = await details(recorder, sio)
    assert (seen.kind, seen.reason, seen.exception) == (Kind.SERVER_DISCONNECT, "server disconnect", None)
    await within(CEILING, sio.wait())
    await sio.connect(server.url, transports=transport.argument)
    assert sio.disconnect_details is seen
    await sio.disconnect()
    await recorder.wait_for("disconnect", 2)
    assert recorder.of("disconnect")[1][1].kind == Kind.CLIENT_DISCONNECT == "client disconnect"


async def test_they_stay_after_a_reconnection(
    make_client: Callable[..., Any], recorder: Recorder, server: Any, proxy: Any, transport: Any
) -> None:
    """What ended the connection before can be read when there is a new one."""
    sio = make_client(reconnection_delay=0.05)
    sio.on("connect", recorder.handler("connect"))
    sio.on("disconnect", recorder.handler("disconnect"))
    await sio.connect(proxy.url, transports=transport.argument)
    await proxy.drop()
    await recorder.wait_for("disconnect")
    await proxy.accept()
    await recorder.wait_for("connect", 2)
    assert sio.disconnect_details.kind in (Kind.CONNECTION_BROKEN, Kind.HTTP_ERROR)
    assert sio.disconnect_details.reason == sio.reason.TRANSPORT_ERROR


def test_they_cannot_be_changed() -> None:
    """They are a value: frozen, with a kind that is a string too."""
    seen = socketio.DisconnectDetails(Kind.HEARTBEAT_LOST, "transport error")
    with pytest.raises(dataclasses.FrozenInstanceError):
        seen.reason = "x"  # type: ignore[misc]
    assert f"{seen.kind}" == seen.kind == "heartbeat lost"


@pytest.mark.servers("node", "python")
@pytest.mark.transports("websocket", "upgrade")
@pytest.mark.server_options(max_payload=1_000_000)
async def test_too_large_for_a_websocket(
    watched: Any, recorder: Recorder, server: Any, transport: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """An event larger than maxPayload is logged as a warning; the log and the errors have the server's close code 1009.

    python-socketio's server closes without a code, and with Werkzeug without a close frame.
    """
    caplog.set_level("INFO")
    sio = watched(recorder, logger=caplog_logger(), engineio_logger=caplog_logger())
    await sio.connect(server.url, transports=transport.argument)
    await sio.emit("echo", "x" * 900_000)  # which it takes
    assert "maxPayload" not in caplog.text
    with pytest.raises(socketio.exceptions.CallInterruptedError) as caught:
        await sio.call("echo", "é" * 999_990, timeout=CEILING)
    assert "larger than the server's maxPayload, 1000000 bytes" in caplog.text
    seen = await details(recorder, sio)
    assert seen.reason == "transport error"
    assert str(seen) in str(caught.value)
    assert caught.value.__cause__ is seen.exception
    assert f"Connection lost: {seen}" in caplog.text
    if server.kind == "node":
        assert (seen.kind, seen.close_code) == (Kind.SERVER_CLOSED, 1009)
        assert "1009 (message too big)" in str(seen)


@pytest.mark.servers("node")
@pytest.mark.transports("websocket")
@pytest.mark.server_options(max_payload=1_000_000)
async def test_too_large_for_a_simple_client(make_simple_client: Callable[..., Any], server: Any) -> None:
    """The simple clients tell of 1009 in the error of whatever is called next."""
    sio = make_simple_client(reconnection=False)
    await sio.connect(server.url, transports="websocket")
    await sio.emit("echo", b"x" * 1_000_001)
    with pytest.raises(socketio.exceptions.DisconnectedError, match="1009"):
        await sio.receive(timeout=CEILING)
    with pytest.raises(socketio.exceptions.DisconnectedError, match="1009") as caught:
        await sio.emit("echo")
    assert caught.value.__cause__ is sio.client.disconnect_details.exception


async def test_an_emit_that_waits_for_room(make_client: Callable[..., Any]) -> None:
    """An emit() that waits when the server closes with 1009 says so, too."""
    sio = make_client(reconnection=False, high_water_mark=1000)

    async def close_1009(request: Request) -> None:
        await emitting.wait()
        await request.write(frame(CLOSE, struct.pack("!H", 1009)))
        await silence(request)

    emitting = asyncio.Event()
    async with hostile(sio, "websocket", close_1009):

        async def emit_on() -> None:
            while True:
                emitting.set()
                await sio.emit("x", "y" * 1_000_000)

        with pytest.raises((socketio.exceptions.DisconnectedError, socketio.exceptions.BadNamespaceError)) as caught:
            await within(CEILING, emit_on())
        if isinstance(caught.value, socketio.exceptions.DisconnectedError):
            assert "1009" in str(caught.value)


async def test_lost_while_connecting(make_client: Callable[..., Any]) -> None:
    """A server that closes before it has accepted a namespace says why in the error of connect()."""
    sio = make_client(reconnection=False)

    async with ScriptedServer() as server:
        connecting = asyncio.ensure_future(sio.connect(server.url, transports="websocket"))
        connection = await server.accept()
        await connection.receive()
        await connection.websocket.close(code=1013, message=b"full")
        with pytest.raises(socketio.exceptions.ConnectionError, match=r"1013 \(try again later\): 'full'"):
            await within(CEILING, connecting)


@pytest.mark.flavours("asyncio")
async def test_a_websocket_of_aiohttp(make_client: Callable[..., Any]) -> None:
    """A websocket that is left to aiohttp, here for its heartbeat, tells of the server's close as well."""
    sio = make_client(reconnection=False, websocket_extra_options={"heartbeat": 60})
    async with session(sio) as (_, connection):
        await connection.websocket.close(code=1012)
        await within(CEILING, sio.wait())
    assert sio.disconnect_details.close_code == 1012


def caplog_logger() -> Any:
    """Return a logger whose records caplog gets."""
    return logging.getLogger("field")
