"""What programs override, call and replace of python-socketio's private names.

Source: issue 10, D4. ``_trigger_event`` is the usual way to see all events (and to test handlers); by
``_handle_disconnect`` seatable-api logs in again. Both were never called, in silence.
"""

from __future__ import annotations

import asyncio
import inspect
import warnings

import pytest

import socketio
from socketio.base_client import BaseClient

pytestmark = pytest.mark.servers("node", "python")
CEILING = 10.0


def overriding(flavour, seen):
    """Return a client class whose _trigger_event notes what it gets and goes on to ours."""
    if flavour.is_asyncio:

        class AsyncFeed(socketio.AsyncClient):
            async def _trigger_event(self, event, namespace, *args):
                seen.append((event, namespace, args))
                return await super()._trigger_event(event, namespace, *args)

        return AsyncFeed

    class Feed(socketio.Client):
        def _trigger_event(self, event, namespace, *args):
            seen.append((event, namespace, args))
            return super()._trigger_event(event, namespace, *args)

    return Feed


def wrapped(native, seen):
    """Return a function to assign to a client's _trigger_event, which notes what it gets and goes on to that before."""
    original = native._trigger_event

    async def trigger_coroutine(event, namespace, *args):
        seen.append((event, namespace, args))
        return await original(event, namespace, *args)

    def trigger(event, namespace, *args):
        seen.append((event, namespace, args))
        return original(event, namespace, *args)

    return trigger_coroutine if inspect.iscoroutinefunction(original) else trigger


async def converse(sio, server, transport, recorder):
    """Connect, have an event with an acknowledgement, and one without a handler, end."""
    sio.on("question", lambda *args: recorder.record("question", *args) or "answer")
    sio.on("disconnect", recorder.handler("disconnect"))
    sio.on("answer", recorder.handler("answer"))
    if not sio.connected:
        await sio.connect(server.url, transports=transport.argument)
    await sio.emit("emit_back", ("unknown", 1, 2))
    await sio.emit("ask", ("question", "why"))
    await recorder.wait_for("answer")
    await sio.disconnect()


@pytest.mark.parametrize("how", ["class", "instance", "connected"])
async def test_trigger_event_sees_all_events(flavour, server, transport, recorder, how):
    """Overridden in a subclass, or assigned before or after connect(), it gets every event and its result is sent."""
    seen: list = []
    sio = flavour.client(overriding(flavour, seen) if how == "class" else None)
    native = flavour.native(sio)
    if how == "instance":
        native._trigger_event = wrapped(native, seen)
    if how == "connected":
        await sio.connect(server.url, transports=transport.argument)
        native._trigger_event = wrapped(native, seen)
    await converse(sio, server, transport, recorder)
    expected = [
        ("connect", "/", ()),
        ("unknown", "/", (1, 2)),
        ("question", "/", ("why",)),
        ("answer", "/", (["answer"],)),
        ("disconnect", "/", ("client disconnect",)),
        ("__disconnect_final", "/", ()),
    ]
    assert seen == (expected[1:] if how == "connected" else expected)
    assert recorder.of("question") == [("why",)]
    assert recorder.of("disconnect") == [("client disconnect",)]


@pytest.mark.servers("python")
@pytest.mark.transports("websocket")
async def test_trigger_event_may_be_patched_in_the_class(flavour, server, transport, recorder, monkeypatch):
    """A test suite patches the class of the library itself."""
    seen: list = []
    base = socketio.AsyncClient if flavour.is_asyncio else socketio.Client
    monkeypatch.setattr(base, "_trigger_event", vars(overriding(flavour, seen))["_trigger_event"])
    sio = flavour.client()
    if flavour.is_asyncio:

        async def trigger(self, event, namespace, *args):
            seen.append(event)

    else:

        def trigger(self, event, namespace, *args):
            seen.append(event)

    monkeypatch.setattr(base, "_trigger_event", trigger)
    await sio.connect(server.url, transports=transport.argument)
    await sio.disconnect()
    assert seen == ["connect", "disconnect", "__disconnect_final"]


@pytest.mark.servers("python")
@pytest.mark.transports("websocket")
async def test_trigger_event_can_be_called(flavour, server):
    """Tests of programs call it: with the namespace by position or name, and get what the handler returns."""
    sio, got = flavour.client(), []
    native = flavour.native(sio)

    async def call(*args, **kwargs):
        result = native._trigger_event(*args, **kwargs)
        return await result if flavour.is_asyncio else result

    native.on("connect", lambda: got.append("connect"))
    native.on("data", lambda *args: args)
    native.on("disconnect", lambda: got.append("disconnect"))
    native.on("any", lambda event, *args: (event, args), namespace="/x")
    native.on("*", lambda event, *args: (event, args), namespace="/x")
    await call("connect", namespace="/")
    await call("disconnect", "/", "client disconnect")
    assert got == ["connect", "disconnect"]
    assert await call("data", "/", 1, 2) == (1, 2)
    assert await call("data", None, 1) == (1,)
    assert await call("other", "/x", 1) == ("other", (1,))
    assert await call("nobody", "/", 1) is None

    def fails(*args):
        raise KeyError("x")

    native.on("fails", fails)
    with pytest.raises(KeyError):
        await call("fails", "/")


@pytest.mark.servers("python")
async def test_a_simple_client_of_an_overriding_client(flavour, server, transport):
    """The inner client's override sees the events, and they are received in their order."""
    seen: list = []
    simple = flavour.simple_client()
    flavour.native(simple).client_class = overriding(flavour, seen)
    await simple.connect(server.url, transports=transport.argument)
    await simple.emit("burst", (5, 1))
    received = [await simple.receive(CEILING) for _ in range(6)]
    assert [event[:2] for event in received] == [*(["item", n] for n in range(5)), ["done", 5]]
    assert [each[0] for each in seen][:7] == ["connect", *["item"] * 5, "done"]


def disconnecting(flavour, calls):
    """Return a client class as seatable-api's."""
    if flavour.is_asyncio:

        class AsyncSIO(socketio.AsyncClient):
            async def _handle_disconnect(self, namespace):
                calls.append((namespace, self.connected, dict(self.namespaces)))
                await self.disconnect()
                await self._trigger_event("io-disconnect", namespace=namespace)

        return AsyncSIO

    class SIO(socketio.Client):
        def _handle_disconnect(self, namespace):
            calls.append((namespace, self.connected, dict(self.namespaces)))
            self.disconnect()
            self._trigger_event("io-disconnect", namespace=namespace)

    return SIO


async def test_handle_disconnect_is_called_in_place_of_ours(flavour, server, transport, recorder):
    """The namespace is connected still when it is called; the program disconnects, and connects again."""
    calls: list = []
    sio = flavour.client(disconnecting(flavour, calls))
    for event in ("disconnect", "io-disconnect"):
        sio.on(event, recorder.handler(event))
    for _ in range(2):
        await sio.connect(server.url, transports=transport.argument)
        await sio.emit("kick")
        await asyncio.wait_for(sio.wait(), CEILING)
    await recorder.wait_for("io-disconnect", 2)
    assert [(namespace, connected) for namespace, connected, _ in calls] == [("/", True)] * 2
    assert all(list(namespaces) == ["/"] for _, _, namespaces in calls)
    assert recorder.of("disconnect") == [("client disconnect",)] * 2
    assert not sio.connected


async def test_handle_disconnect_goes_on_to_ours(flavour, server, transport, recorder):
    """super()._handle_disconnect() calls the disconnect handlers before it returns, and ends the connection."""
    order = recorder
    if flavour.is_asyncio:

        class AsyncSIO(socketio.AsyncClient):
            async def _handle_disconnect(self, namespace):
                await super()._handle_disconnect(namespace)
                order.record("after")

        client_class = AsyncSIO
    else:

        class SIO(socketio.Client):
            def _handle_disconnect(self, namespace):
                super()._handle_disconnect(namespace)
                order.record("after")

        client_class = SIO
    sio = flavour.client(client_class)
    sio.on("disconnect", recorder.handler("disconnect"))
    sio.on("disconnect", recorder.handler("disconnect"), namespace="/chat")
    await sio.connect(server.url, transports=transport.argument, namespaces=["/", "/chat"])
    await sio.emit("kick", namespace="/chat")
    await recorder.wait_for("after")
    await sio.emit("kick")
    await asyncio.wait_for(sio.wait(), CEILING)
    await recorder.wait_for("after", 2)
    assert recorder.names == ["disconnect", "after"] * 2
    assert recorder.of("disconnect") == [("server disconnect",)] * 2
    assert not sio.connected


@pytest.mark.servers("python")
@pytest.mark.transports("websocket")
async def test_handle_disconnect_can_be_replaced_on_the_instance(flavour, server, transport, recorder):
    """Also where it does nothing: the namespace stays connected then, as in python-socketio."""
    sio = flavour.client(reconnection=False)
    native = flavour.native(sio)
    handler = recorder.handler("replaced")

    async def coroutine(namespace):
        handler(namespace)

    native._handle_disconnect = coroutine if flavour.is_asyncio else handler
    await sio.connect(server.url, transports=transport.argument, namespaces=["/", "/chat"])
    await sio.emit("kick", namespace="/chat")
    await recorder.wait_for("replaced")
    assert recorder.of("replaced") == [("/chat",)]
    assert list(sio.namespaces) == ["/", "/chat"]


OTHERS = [
    "_handle_connect", "_handle_event", "_handle_ack", "_handle_error", "_handle_eio_connect", "_handle_eio_message",
    "_handle_eio_disconnect", "_send_packet",
]  # fmt: skip


@pytest.mark.parametrize("base", [socketio.Client, socketio.AsyncClient])
@pytest.mark.parametrize("name", OTHERS)
def test_other_private_names_warn(base, name):
    """A class that overrides a method that is never called causes a warning that names the replacement."""
    with pytest.warns(UserWarning, match=rf"Feed\.{name} is never called.* Use .+ instead") as caught:
        feed = type("Feed", (base,), {name: lambda self, *args: None})
    assert len(caught) == 1
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        type("Second", (feed,), {})
        type("Other", (base,), {"_trigger_event": print, "_handle_disconnect": print, "_connect": print})
    mixin = type("Mixin", (), {name: print})
    with pytest.warns(UserWarning, match="never called"):
        type("Mixed", (mixin, base), {})


@pytest.mark.parametrize("base", [socketio.Client, socketio.AsyncClient])
@pytest.mark.parametrize("name", OTHERS)
def test_other_private_names_say_what_to_use(base, name):
    """Calling or reading one raises an AttributeError that names its replacement; hasattr() returns False."""
    sio = base()
    with pytest.raises(AttributeError, match=f"{name}.*use .+ instead"):
        getattr(sio, name)
    assert not hasattr(sio, name)
    with pytest.raises(AttributeError, match=r"object has no attribute 'nonsense'$"):
        getattr(sio, "nonsense")  # noqa: B009


@pytest.mark.servers("python")
@pytest.mark.transports("websocket")
async def test_assigned_to_an_instance_they_warn_at_connect(flavour, server, transport):
    """A program that replaces one on the instance gets a warning when it connects."""
    sio = flavour.client()
    flavour.native(sio)._handle_event = print
    with pytest.warns(UserWarning, match="_handle_event of this .*Client is never called.*Use _trigger_event"):
        await sio.connect(server.url, transports=transport.argument)


def test_nobody_else_pays():
    """A client without overrides calls its handlers itself."""
    for base in (socketio.Client, socketio.AsyncClient):
        sio = base()
        sio._sio_notice_overrides()
        assert sio._sio_registry.override is None
        assert issubclass(base, BaseClient)
