"""Reconnection: whatever stands in the way of an attempt, the next one follows, and never two at once."""

from __future__ import annotations

import asyncio
import contextlib
import gzip

import pytest
from aiohttp import web

from integration.flavours import Flavour
from integration.proxy import Proxy
from integration.scripted import ScriptedServer
from integration.waiting import CEILING, until, within

QUICK = {"reconnection_delay": 0.02, "reconnection_delay_max": 0.05}


@contextlib.asynccontextmanager
async def _connected(sio, transport, **connect_options):
    """Connect to a scripted server, through a proxy."""
    async with ScriptedServer() as server, Proxy(server.port) as proxy:
        connecting = asyncio.ensure_future(sio.connect(proxy.url, transports=transport.argument, **connect_options))
        connection = await server.accept()
        await connection.accept_namespace()
        await within(CEILING, connecting)
        try:
            yield server, proxy, connection
        finally:
            await within(CEILING, sio.disconnect())


def _record(sio, recorder):
    for event in ("connect", "connect_error", "disconnect"):
        sio.on(event, recorder.handler(event))


@pytest.mark.parametrize(
    "answer",
    [(502, "<html>Bad Gateway</html>"), (200, "<html>Welcome</html>"), (404, ""), (503, {"code": 9}), "hang", "silent"],
)
async def test_a_server_that_answers_nonsense_for_a_while(make_client, transport, recorder, answer):
    """Attempts that meet errors, web pages or silence are repeated until the server is itself again."""
    sio = make_client(request_timeout=0.3, **QUICK)
    _record(sio, recorder)
    async with _connected(sio, transport) as (server, _, connection):
        server.handshake = answer
        await connection.close()
        await recorder.wait_for("connect_error", 2)
        server.handshake = None
        await (await server.accept()).accept_namespace()
        await recorder.wait_for("connect", 2)
        assert len(recorder.of("disconnect")) == 1


async def test_a_proxy_that_accepts_and_closes(make_client, transport, recorder):
    """Attempts whose connection is closed without a word are repeated."""
    sio = make_client(**QUICK)
    _record(sio, recorder)
    async with _connected(sio, transport) as (server, proxy, _):
        proxy.closes_at_once = True
        proxy.close()
        await recorder.wait_for("connect_error", 3)
        proxy.closes_at_once = False
        await (await server.accept()).accept_namespace()
        await recorder.wait_for("connect", 2)


async def test_a_namespace_that_is_never_answered(make_client, transport, recorder):
    """An attempt whose CONNECT is not answered within wait_timeout fails; the next one follows."""
    sio = make_client(**QUICK)
    _record(sio, recorder)
    async with _connected(sio, transport, wait_timeout=0.3) as (server, _, connection):
        await connection.close()
        ignored = await server.accept()
        assert (await ignored.receive()).startswith("40")
        answered = await server.accept()
        assert len(recorder.of("connect_error")) == 1
        await answered.accept_namespace()
        await recorder.wait_for("connect", 2)
        assert (await ignored.rest())[-1:] in (["1"], ["41"], [])


async def test_exceptions_of_the_application_in_an_attempt(make_client, transport, recorder):
    """An exception in the url, headers or auth function fails its attempt, and no other."""
    failing = {"url": 1, "headers": 1, "auth": 1}
    urls = []

    def asked(name, value):
        def ask():
            if recorder.of("disconnect") and failing[name]:
                failing[name] -= 1
                raise LookupError(f"no {name} at hand")
            return value()

        return ask

    sio = make_client(**QUICK)
    _record(sio, recorder)
    async with ScriptedServer() as server:
        urls.append(server.url)
        connecting = asyncio.ensure_future(
            sio.connect(
                asked("url", lambda: urls[0]),
                headers=asked("headers", lambda: {"X-Test": "yes"}),
                auth=asked("auth", lambda: {"token": 1}),
                transports=transport.argument,
            )
        )
        connection = await server.accept()
        await connection.accept_namespace()
        await within(CEILING, connecting)
        await connection.close()
        await recorder.wait_for("connect_error", 3)
        await server.accept()  # of the attempt without auth
        await (await server.accept()).accept_namespace()
        await recorder.wait_for("connect", 2)
        assert [args[0] for args in recorder.of("connect_error")] == [
            f"no {name} at hand" for name in ("url", "headers", "auth")
        ]
        await within(CEILING, sio.disconnect())


@pytest.mark.parametrize("event", ["connect", "disconnect", "connect_error"])
async def test_handlers_that_raise(make_client, server, proxy, transport, recorder, event):
    """A lifecycle handler that raises changes nothing: the client reconnects, and later events are handled."""

    def handler(name):
        def handle(*args):
            recorder.record(name, *args)
            if name == event:
                raise LookupError("as expected")

        return handle

    sio = make_client(**QUICK)
    for name in ("connect", "disconnect", "connect_error", "echo"):
        sio.on(name, handler(name))
    await sio.connect(proxy.url, transports=transport.argument)
    for loss in (1, 2):
        await proxy.drop()
        await recorder.wait_for("connect_error", loss)
        await proxy.accept()
        await recorder.wait_for("connect", loss + 1)
        await sio.emit("echo", loss)
        await recorder.wait_for("echo", loss)
    assert len(recorder.of("disconnect")) == 2


async def test_a_connection_that_is_lost_at_once(make_client, transport, recorder):
    """Connections that are lost as soon as they are made are repaired one after the other, never two at once."""
    sio = make_client(**QUICK)
    _record(sio, recorder)
    async with _connected(sio, transport) as (server, _, connection):
        for life in range(1, 7):
            await recorder.wait_for("connect", life)
            await connection.close()
            connection = await server.accept()
            await connection.accept_namespace()
        await recorder.wait_for("connect", 7)
        assert len(recorder.of("disconnect")) == 6
        handshakes = [request for request in server.requests if "sid" not in request.query]
        assert len(handshakes) == 7
        await sio.emit("alive")
        assert await connection.receive() == '42["alive"]'


async def test_a_transport_that_closes_before_the_namespace_is_there(make_client, transport, recorder):
    """An attempt whose connection is lost before the namespace is connected is an attempt that failed, no zombie."""
    sio = make_client(**QUICK)
    _record(sio, recorder)
    async with _connected(sio, transport) as (server, _, connection):
        await connection.close()
        for _ in range(3):
            await (await server.accept()).close()
        await (await server.accept()).accept_namespace()
        await recorder.wait_for("connect", 2)
        assert recorder.of("connect_error")
        assert len(recorder.of("disconnect")) == 1


async def _cut_short(request):
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'42["half')
    request.transport.close()
    return response


async def _bad_gzip(request):
    packed = gzip.compress(b'42["event"]')
    return web.Response(body=packed[:10] + b"\0" + packed[10:], headers={"Content-Encoding": "gzip"})


async def _bad_status(request):
    return web.Response(status=502, text="<html>Bad Gateway</html>")


async def _no_utf_8(request):
    return web.Response(body=b'42["\xff\xfe"]')


@pytest.mark.parametrize("spoil", [_cut_short, _bad_gzip, _bad_status, _no_utf_8])
async def test_a_poll_that_is_answered_badly(make_client, flavour, recorder, spoil):
    """Over polling, an answer that is cut short, cannot be unpacked or is an error is a lost connection."""
    sio = make_client(**QUICK)
    _record(sio, recorder)
    sio.on("event", recorder.handler("event"))
    async with ScriptedServer() as server:
        connecting = asyncio.ensure_future(sio.connect(server.url, transports="polling"))
        connection = await server.accept()
        await connection.accept_namespace()
        await within(CEILING, connecting)
        connection.spoiled = spoil
        await connection.send("6")
        await (await server.accept()).accept_namespace()
        await recorder.wait_for("connect", 2)
        assert recorder.names == ["connect", "disconnect", "connect"]
        await within(CEILING, sio.disconnect())


async def test_connect_error_is_called_for_each_attempt_and_namespace(make_client, server, proxy, transport, recorder):
    """Each failed attempt calls the connect_error handler of each namespace once."""
    sio = make_client(reconnection_attempts=4, **QUICK)
    for name in ("/", "/chat", "/news"):
        sio.on("connect_error", recorder.handler(name), namespace=name)
    await sio.connect(proxy.url, transports=transport.argument)
    await proxy.drop()
    await within(CEILING, sio.wait())
    assert [len(recorder.of(name)) for name in ("/", "/chat", "/news")] == [4, 4, 4]


async def test_both_flavours_beside_each_other(server, transport):
    """Clients of both flavours in one process repair their connections without disturbing each other."""
    async with Proxy(server.port) as proxy:
        flavours = [Flavour("threads"), Flavour("asyncio")]
        clients = [flavour.client(**QUICK) for flavour in flavours for _ in range(3)]
        for sio in clients:
            await sio.connect(proxy.url, transports=transport.argument)
        for loss in range(3):
            sids = [sio.get_sid() for sio in clients]
            await proxy.drop()
            await proxy.accept()
            for sio, sid in zip(clients, sids, strict=True):
                await until(lambda sio=sio, sid=sid: sio.get_sid() not in (None, sid))
                assert await sio.call("echo", loss) == loss
        for flavour in flavours:
            await flavour.close()
