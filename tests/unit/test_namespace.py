"""Class-based namespaces of both flavours, registered with a client that notes what it is told."""

from __future__ import annotations

import functools
import inspect

import pytest

from socketio import AsyncClient, AsyncClientNamespace, Client, ClientNamespace

from .waiting import run_apart

FLAVOURS = [ClientNamespace, AsyncClientNamespace]


class Recorder:
    """A client that records the calls of the methods a namespace object forwards to."""

    def __init__(self):
        self.calls = []

    def _record(self, name, args, kwargs):
        self.calls.append((name, args, kwargs))
        return f"result of {name}"

    def emit(self, *args, **kwargs):
        return self._record("emit", args, kwargs)

    def send(self, *args, **kwargs):
        return self._record("send", args, kwargs)

    def call(self, *args, **kwargs):
        return self._record("call", args, kwargs)

    def disconnect(self, *args, **kwargs):
        return self._record("disconnect", args, kwargs)


class AsyncRecorder(Recorder):
    """The same with coroutines."""

    async def emit(self, *args, **kwargs):
        return self._record("emit", args, kwargs)

    async def send(self, *args, **kwargs):
        return self._record("send", args, kwargs)

    async def call(self, *args, **kwargs):
        return self._record("call", args, kwargs)

    async def disconnect(self, *args, **kwargs):
        return self._record("disconnect", args, kwargs)


def registered(base, namespace=None, methods=None):
    """Return a namespace object with these methods, and the recorder it is registered with."""
    room = type("Room", (base,), methods or {})(namespace)
    room._set_client(Recorder() if base is ClientNamespace else AsyncRecorder())
    return room, room.client


def result(value):
    """Return what a method returns, after awaiting it where it is a coroutine."""

    async def wait():
        return await value

    return run_apart(wait()) if inspect.isawaitable(value) else value


def methods(is_coroutine, **functions):
    """Return functions as they are, or as coroutine functions with the same signature."""
    return {name: coroutine(function) if is_coroutine else function for name, function in functions.items()}


def coroutine(function):
    @functools.wraps(function)
    async def run(*args):
        return function(*args)

    return run


KINDS = [(ClientNamespace, False), (AsyncClientNamespace, False), (AsyncClientNamespace, True)]
kinds = pytest.mark.parametrize(("base", "is_coroutine"), KINDS, ids=["threads", "asyncio-plain", "asyncio-coroutine"])
flavours = pytest.mark.parametrize("base", FLAVOURS)


@flavours
@pytest.mark.parametrize(("given", "name"), [(None, "/"), ("/chat", "/chat"), ("*", "*"), ("", "/")])
def test_a_namespace_object_knows_its_namespace(base, given, name):
    """The namespace is the one given, '/' by default; there is no client yet. (B3)"""
    assert base(given).namespace == name
    assert base().namespace == "/"
    assert base().client is None


def test_a_namespace_object_knows_its_flavour():
    """is_asyncio_based() tells the two flavours apart. (B5)"""
    assert [base().is_asyncio_based() for base in FLAVOURS] == [False, True]


@pytest.mark.parametrize(("base", "client_class"), [(ClientNamespace, Client), (AsyncClientNamespace, AsyncClient)])
def test_a_registered_object_knows_its_client(base, client_class):
    """register_namespace() gives the object its client. (B3)"""
    client, room = client_class(), base("/room")
    client.register_namespace(room)
    assert room.client is client


# -- events in


@kinds
def test_an_event_calls_its_method_with_its_arguments(base, is_coroutine):
    """An event calls on_<event> with the arguments as they are, and gives back what it returns. (L2, E9)"""
    room, _ = registered(base, methods=methods(is_coroutine, on_a=lambda self, *args: ("a", args)))
    assert result(room.trigger_event("a")) == ("a", ())
    assert result(room.trigger_event("a", 1, None, [b"x"])) == ("a", (1, None, [b"x"]))


@kinds
def test_the_lifecycle_has_methods_too(base, is_coroutine):
    """connect and connect_error call on_connect and on_connect_error. (L2, M14)"""
    functions = {"on_connect": lambda self: "in", "on_connect_error": lambda self, data: data}
    room, _ = registered(base, methods=methods(is_coroutine, **functions))
    assert result(room.trigger_event("connect")) == "in"
    assert result(room.trigger_event("connect_error", {"message": "no"})) == {"message": "no"}


@kinds
def test_the_disconnect_method_gets_the_reason(base, is_coroutine):
    """on_disconnect(reason) is called with the reason. (L1)"""
    room, _ = registered(base, methods=methods(is_coroutine, on_disconnect=lambda self, reason: ("out", reason)))
    assert result(room.trigger_event("disconnect", "client disconnect")) == ("out", "client disconnect")


@kinds
def test_a_disconnect_method_without_the_reason_works(base, is_coroutine):
    """on_disconnect() without parameters is called too, and its result is returned. (L1, E12)"""
    room, _ = registered(base, methods=methods(is_coroutine, on_disconnect=lambda self: "out"))
    assert result(room.trigger_event("disconnect", "client disconnect")) == "out"


@kinds
def test_the_object_of_all_namespaces_is_told_which(base, is_coroutine):
    """For '*', the namespace comes first, and on_disconnect may do without the reason. (E10, E12)"""
    functions = {
        "on_a": lambda self, namespace, *args: (namespace, args),
        "on_connect": lambda self, namespace: namespace,
        "on_disconnect": lambda self, namespace: namespace,
    }
    room, _ = registered(base, "*", methods(is_coroutine, **functions))
    assert result(room.trigger_event("a", "/x", 1)) == ("/x", (1,))
    assert result(room.trigger_event("connect", "/x")) == "/x"
    assert result(room.trigger_event("disconnect", "/x", "why")) == "/x"


@flavours
@pytest.mark.parametrize("event", ["b", "disconnect", "connect", "ünï côdé", "a-b", "", "trigger_event"])
def test_an_event_without_a_method_is_ignored(base, event):
    """An event that has no method gives None. (L3)"""
    room, client = registered(base, methods={"on_a": lambda self: "a"})
    assert result(room.trigger_event(event, "x")) is None
    assert client.calls == []


@kinds
def test_a_type_error_within_a_method_is_not_taken_for_a_missing_parameter(base, is_coroutine):
    """A method runs once, whatever it raises. (N21)"""
    runs = []

    def on_disconnect(self, reason):
        runs.append(reason)
        raise TypeError("inside")

    room, _ = registered(base, methods=methods(is_coroutine, on_disconnect=on_disconnect))
    with pytest.raises(TypeError, match="inside"):
        result(room.trigger_event("disconnect", "why"))
    assert runs == ["why"]


# -- calls out


def callback(*args): ...


@flavours
@pytest.mark.parametrize(
    ("given", "used"), [({}, "/room"), ({"namespace": "/other"}, "/other"), ({"namespace": None}, "/room")]
)
def test_emit_uses_the_own_namespace(base, given, used):
    """emit() passes event, data and callback on, with the object's namespace unless another is given. (L4)"""
    room, client = registered(base, "/room")
    assert result(room.emit("up", {"a": 1}, callback=callback, **given)) == "result of emit"
    assert client.calls == [("emit", ("up", {"a": 1}), {"namespace": used, "callback": callback})]


@flavours
@pytest.mark.parametrize(("given", "used"), [({}, "/room"), ({"namespace": "/other"}, "/other")])
def test_send_uses_the_own_namespace(base, given, used):
    """send() passes data and callback on, with the object's namespace unless another is given. (L4)"""
    room, client = registered(base, "/room")
    assert result(room.send("data", callback=callback, **given)) == "result of send"
    assert client.calls == [("send", ("data",), {"namespace": used, "callback": callback})]


@flavours
@pytest.mark.parametrize(("given", "used"), [({}, "/room"), ({"namespace": "/other"}, "/other")])
@pytest.mark.parametrize(("timeout", "seconds"), [({}, 60), ({"timeout": 5}, 5)])
def test_call_uses_the_own_namespace(base, given, used, timeout, seconds):
    """call() passes event, data and timeout (60 s) on, with the own namespace unless another is given. (L4)"""
    room, client = registered(base, "/room")
    assert result(room.call("up", "data", **given, **timeout)) == "result of call"
    assert client.calls == [("call", ("up", "data"), {"namespace": used, "timeout": seconds})]


@flavours
def test_the_defaults_are_those_of_the_client(base):
    """Without data and callback the client gets None for both. (L4)"""
    room, client = registered(base)
    result(room.emit("up"))
    result(room.call("up"))
    assert client.calls == [
        ("emit", ("up", None), {"namespace": "/", "callback": None}),
        ("call", ("up", None), {"namespace": "/", "timeout": 60}),
    ]


@flavours
def test_disconnect_is_that_of_the_client(base):
    """disconnect() disconnects the client. (L5)"""
    room, client = registered(base, "/room")
    result(room.disconnect())
    assert client.calls == [("disconnect", (), {})]
