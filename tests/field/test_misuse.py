"""Mistakes are errors where they are written, and the errors say what to do.

Source: issue 10, D9. Most of these were accepted, and failed later, elsewhere, or never.
"""

from __future__ import annotations

import asyncio
import functools
import logging

import aiohttp
import pytest
import requests

import socketio
from socketio import exceptions

CLIENTS = [socketio.Client, socketio.AsyncClient]
SIMPLE = [socketio.SimpleClient, socketio.AsyncSimpleClient]
ALL = [*CLIENTS, *SIMPLE]
every = pytest.mark.parametrize("found", ALL, ids=lambda found: found.__name__)
both = pytest.mark.parametrize("found", CLIENTS, ids=lambda found: found.__name__)


# -- options of the constructor


@every
@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("reconection", "reconnection"),
        ("reconnect", "reconnection"),
        ("reconnection_delay_maximum", "reconnection_delay_max"),
        ("request_timeouts", "request_timeout"),
        ("ssl_verfy", "ssl_verify"),
        ("engineio_log", "engineio_logger"),
        ("max_messge_size", "max_message_size"),
    ],
)
def test_an_unknown_option_is_named_with_the_one_that_was_meant(found, wrong, right):
    """Client(reconection=False) asks whether 'reconnection' was meant, in the name of the class that was called."""
    with pytest.raises(
        TypeError, match=rf"^{found.__name__}\(\) got an .* argument {wrong!r}: did you mean {right!r}\?$"
    ):
        found(**{wrong: False})


@every
def test_a_subclass_is_called_by_its_name(found):
    """The error names the program's class, whose own options are accepted."""
    mine = type("Feed", (found,), {})
    with pytest.raises(TypeError, match=r"^Feed\(\) got an unexpected keyword argument 'xyzzy'$"):
        mine(xyzzy=1)


@both
def test_an_inner_client_may_have_options_of_its_own(found):
    """A client_class with a constructor of its own gets its option through the simple client."""

    class Inner(found):
        def __init__(self, *args, tenant=None, **kwargs):
            super().__init__(*args, **kwargs)
            self.tenant = tenant

    simple = type("Mine", (SIMPLE[CLIENTS.index(found)],), {"client_class": Inner})
    assert simple(tenant=1, reconnection=False).client_kwargs == {"tenant": 1, "reconnection": False}
    with pytest.raises(TypeError, match="did you mean 'tenant'"):
        simple(tennant=1)


@every
@pytest.mark.parametrize(
    ("option", "value", "error"),
    [
        ("reconnection_delay", -1, ValueError),
        ("reconnection_delay", "1", TypeError),
        ("reconnection_delay", float("nan"), ValueError),
        ("reconnection_delay_max", -0.1, ValueError),
        ("reconnection_delay_max", [], TypeError),
        ("randomization_factor", -1, ValueError),
        ("randomization_factor", {}, TypeError),
        ("reconnection_attempts", -1, ValueError),
        ("reconnection_attempts", "3", TypeError),
        ("json", 5, TypeError),
        ("json", object(), TypeError),
        ("http_session", 5, TypeError),
        ("http_session", "session", TypeError),
        ("http_session", {}, TypeError),
        ("request_timeout", "5", TypeError),
        ("request_timeout", -1, ValueError),
        ("max_message_size", "x", ValueError),
        ("high_water_mark", 0, ValueError),
        ("websocket_extra_options", 5, TypeError),
        ("websocket_extra_options", [("a", 1)], TypeError),
        ("logger", 5, TypeError),
        ("logger", "socketio", TypeError),
        ("logger", print, TypeError),
    ],
)
def test_a_wrong_value_is_an_error_of_the_constructor(found, option, value, error):
    """The text names the option."""
    with pytest.raises(error, match=option):
        found(**{option: value})


@every
def test_what_is_no_logger_is_an_error_of_the_constructor(found):
    """engineio_logger=5 failed at the first line of the log, with an AttributeError."""
    for wrong in (5, 1, "DEBUG", print):
        with pytest.raises(TypeError, match="a logger must be True, False or an object with the methods of one"):
            found(engineio_logger=wrong)
    for right in (logging.getLogger("x"), logging.LoggerAdapter(logging.getLogger("x"), {}), False, None):
        found(logger=right, engineio_logger=right)


@pytest.mark.parametrize("found", SIMPLE, ids=lambda found: found.__name__)
def test_the_inner_client_of_a_simple_one_may_come_from_a_function(found):
    """client_class = staticmethod(function) works with python-socketio: a program sets its options there."""
    inner = CLIENTS[SIMPLE.index(found)]
    mine = type("Mine", (found,), {"client_class": staticmethod(lambda **options: inner(**options))})
    assert mine(reconnection=False).client_kwargs == {"reconnection": False}


@both
def test_the_inner_client_is_not_made_twice(found):
    """A client_class that counts what it makes in __new__ is not asked for one that nobody uses."""

    class Inner(found):
        made = 0

        def __new__(cls, *args, **kwargs):
            Inner.made += 1
            return super().__new__(cls)

    type("Mine", (SIMPLE[CLIENTS.index(found)],), {"client_class": Inner})()
    assert Inner.made == 0


async def test_the_session_of_the_other_flavour_is_refused():
    """A requests.Session is no aiohttp.ClientSession; the text says which is wanted."""
    async with aiohttp.ClientSession() as session:
        with pytest.raises(TypeError, match=r"must be a requests\.Session"):
            socketio.Client(http_session=session)
        assert socketio.AsyncClient(http_session=session).eio.http is session
    with requests.Session() as session:
        with pytest.raises(TypeError, match=r"must be an aiohttp\.ClientSession"):
            socketio.AsyncClient(http_session=session)
        assert socketio.Client(http_session=session).eio.http is session
        assert socketio.Client(http_session=lambda: session)


# -- handlers


async def coroutine(*args):
    """Do nothing."""


class Awaitable:
    """An object whose calls are coroutines."""

    async def __call__(self, *args):
        """Do nothing."""


@pytest.mark.parametrize("handler", [coroutine, functools.partial(coroutine, 1), Awaitable()])
def test_coroutine_functions_are_refused_where_nothing_awaits(handler):
    """The threaded client says so when the handler is registered, not by a warning when it is called."""
    sio = socketio.Client()
    with pytest.raises(TypeError, match="coroutine function: use AsyncClient"):
        sio.on("x", handler)
    with pytest.raises(TypeError, match="coroutine function: use AsyncClient"):
        sio.on("x")(handler)
    with pytest.raises(TypeError, match="coroutine function: use AsyncClient"):
        sio.start_background_task(handler)
    with pytest.raises(TypeError, match="coroutine function: use AsyncClient"):
        sio.emit("x", callback=handler)
    assert sio.handlers == {}
    socketio.AsyncClient().on("x", handler)


def test_an_async_method_of_a_namespace_is_refused_where_nothing_awaits():
    """register_namespace() of the threaded client names the method."""

    class Room(socketio.ClientNamespace):
        async def on_message(self, data):
            """Do nothing."""

    with pytest.raises(TypeError, match=r"on_message\(\) is a coroutine function"):
        socketio.Client().register_namespace(Room("/x"))


@both
@pytest.mark.parametrize("handler", [5, "name", [print]])
def test_what_cannot_be_called_is_no_handler(found, handler):
    """sio.on("x", 5) is a TypeError."""
    sio = found()
    with pytest.raises(TypeError, match="a handler must be a function, not"):
        sio.on("x", handler)


@both
async def test_what_cannot_be_called_is_no_callback(found):
    """emit(callback=5) is a TypeError before anything is sent."""
    with pytest.raises(TypeError, match="a handler must be a function, not"):
        await do(found().emit("x", callback=5))


@both
@pytest.mark.parametrize("event", [None, b"x", ["a", "b"], {}])
def test_an_event_has_a_name(found, event):
    """sio.on(None, f) and sio.on(['a', 'b'], f) register nothing in silence."""
    with pytest.raises(TypeError, match="an event name is a str or a number, not"):
        found().on(event, print)


@both
def test_on_without_a_name_says_to_use_event(found):
    """@sio.on without parentheses registered nothing, and put a decorator in the place of the function."""
    with pytest.raises(TypeError, match=r"on\(\) takes the name of an event, not .*: use @sio\.event"):
        found().on(print)


@both
def test_event_takes_a_function_with_a_name(found):
    """sio.event(functools.partial(f)) says to use on()."""
    with pytest.raises(TypeError, match=r"use on\(\) to name the event"):
        found().event(functools.partial(print))


@both
def test_event_with_a_name_says_to_use_on(found):
    """@sio.event('x') registers nothing in silence."""
    with pytest.raises(TypeError, match=r"use on\(\) to name the event"):
        found().event("x")


@pytest.mark.parametrize("found", [socketio.ClientNamespace, socketio.AsyncClientNamespace])
def test_a_namespace_begins_with_a_slash(found):
    """ClientNamespace("chat") is an error at once; '/', '*' and None are not."""
    for wrong in ("chat", 5, b"/x", " /x"):
        with pytest.raises(ValueError, match="a namespace begins with '/'"):
            found(wrong)
    assert [found(right).namespace for right in ("/chat", "*", None, "")] == ["/chat", "*", "/", "/"]
    sio = (socketio.AsyncClient if found is socketio.AsyncClientNamespace else socketio.Client)()
    with pytest.raises(ValueError, match="a namespace begins with '/', 'chat' does not"):
        sio.on("x", print, namespace="chat")
    with pytest.raises(ValueError, match="a namespace begins with '/', 'chat' does not"):
        sio.event(namespace="chat")(print)


# -- methods before connect()


async def do(result):
    """Return what a method returns, after awaiting it where it is a coroutine."""
    return await result if asyncio.iscoroutine(result) else result


@pytest.mark.parametrize("found", SIMPLE)
async def test_a_simple_client_that_was_never_connected_says_so(found):
    """emit(), call() and receive() say to call connect() first, at once."""
    sio = found()
    for use in (lambda: sio.emit("x"), lambda: sio.call("x"), lambda: sio.receive()):
        with pytest.raises(exceptions.DisconnectedError, match=r"^not connected: call connect\(\) first$"):
            await do(use())


@both
async def test_a_client_that_is_not_connected_says_what_programs_compare(found):
    """The text is python-socketio's."""
    sio = found()
    for use in (lambda: sio.emit("x"), lambda: sio.call("x"), lambda: sio.send("x")):
        with pytest.raises(exceptions.BadNamespaceError, match=r"^/ is not a connected namespace\.$"):
            await do(use())
    with pytest.raises(exceptions.BadNamespaceError, match=r"^/a is not a connected namespace\.$"):
        await do(sio.emit("x", namespace="/a"))


@pytest.mark.parametrize("found", [socketio.ClientNamespace, socketio.AsyncClientNamespace])
async def test_a_namespace_without_a_client_says_so(found):
    """emit() of an object that was not registered says to register it."""
    with pytest.raises(RuntimeError, match=r"call register_namespace\(\)"):
        await do(found("/x").emit("x"))
