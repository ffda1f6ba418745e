"""An ``emit()`` that a subclass overrides, or a program assigns, sees what ``send()`` and ``call()`` emit as well.

Source: issue 10, D4. Locust's ``SocketIOUser`` counts events there, others encrypt them or keep them to send them
again. python-socketio's ``send()`` and ``call()`` use it.
"""

from __future__ import annotations

import pytest

import socketio
from socketio.exceptions import TimeoutError

pytestmark = [pytest.mark.servers("node", "python"), pytest.mark.transports("websocket")]


def shouting(flavour):
    """Return a client class whose ``emit()`` changes the data."""
    if flavour.is_asyncio:

        class AsyncShouting(socketio.AsyncClient):
            async def emit(self, event, data=None, namespace=None, callback=None):
                await super().emit(event, data.upper(), namespace=namespace, callback=callback)

        return AsyncShouting

    class Shouting(socketio.Client):
        def emit(self, event, data=None, namespace=None, callback=None):
            super().emit(event, data.upper(), namespace=namespace, callback=callback)

    return Shouting


async def test_call_and_send_use_an_overridden_emit(flavour, server, transport, recorder):
    """So do a namespace object and a simple client, since they use the client's methods."""
    sio = flavour.client(shouting(flavour))
    sio.on("message", recorder.handler("message"))
    await sio.connect(server.url, transports=transport.argument)
    assert await sio.call("echo", "hello") == "HELLO"
    await sio.send("hello")
    await sio.disconnect()


@pytest.mark.parametrize("event", ["echo", "never"])
async def test_call_uses_an_emit_of_the_instance(make_client, server, transport, event):
    """It waits for the answer, or for its timeout, and then keeps nothing."""
    sio = make_client()
    native = getattr(sio, "native", sio)
    seen, original = [], native.emit

    def emit(event, data=None, namespace=None, callback=None):
        seen.append((event, data))
        return original(event, data, namespace=namespace, callback=callback)

    native.emit = emit
    await sio.connect(server.url, transports=transport.argument)
    if event == "echo":
        assert await sio.call(event, "hello", timeout=10) == "hello"
    else:
        with pytest.raises(TimeoutError):
            await sio.call(event, "hello", timeout=0.2)
    assert seen == [(event, "hello")]
    assert native.callbacks == {}
    await sio.disconnect()


def test_event_goes_through_an_overridden_on():
    """If a subclass wraps handlers in ``on()``, ``@sio.event`` does so too; another kind of ``on()`` is not used."""
    for base in (socketio.Client, socketio.AsyncClient):

        class Wrapping(base):
            def on(self, event, handler=None, namespace=None):
                return super().on(f"wrapped {event}", handler, namespace)

        class Switch(base):
            def on(self):
                raise AssertionError("this is no way to register a handler")

        for found, expected in ((Wrapping, ["wrapped first", "wrapped second"]), (Switch, ["first", "second"])):
            sio = found()

            @sio.event
            def first():
                pass

            @sio.event(namespace="/")
            def second():
                pass

            assert list(sio.handlers["/"]) == expected


async def test_shutdown_goes_through_an_overridden_disconnect(flavour, server, transport):
    """A subclass that cleans up in ``disconnect()`` does so when ``shutdown()`` is called."""
    calls = []
    if flavour.is_asyncio:

        class AsyncCleaning(socketio.AsyncClient):
            async def disconnect(self):
                calls.append("cleaned")
                await super().disconnect()

        found = AsyncCleaning
    else:

        class Cleaning(socketio.Client):
            def disconnect(self):
                calls.append("cleaned")
                super().disconnect()

        found = Cleaning
    sio = flavour.client(found)
    await sio.connect(server.url, transports=transport.argument)
    await sio.shutdown()
    assert calls == ["cleaned"]
    assert not sio.connected
