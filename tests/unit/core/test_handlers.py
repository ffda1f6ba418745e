"""Who is called for an event of a namespace, and with which arguments."""

from __future__ import annotations

import pytest

from socketio import AsyncClientNamespace, ClientNamespace
from socketio.core.events import RESERVED_EVENTS
from socketio.core.handlers import Handlers


def own(*args): ...
def any_event(*args): ...
def any_namespace(*args): ...
def anything(*args): ...


def filed(**functions):
    """Return a registry: ``event`` is one in '/', ``event__x`` one in '/x', and ``any`` stands for ``'*'`` in both."""
    handlers = Handlers()
    for key, function in functions.items():
        event, _, namespace = key.partition("__")
        names = {"": "/", "any": "*"}
        handlers.add("*" if event == "any" else event, function, names.get(namespace, f"/{namespace}"))
    return handlers


class Room(ClientNamespace):
    """A namespace object with methods for some events."""

    def on_connect(self): ...
    def on_a(self, *args): ...
    def on_disconnect(self, reason): ...


# -- registration


def test_a_handler_is_filed_under_its_namespace_and_event():
    """add() files a function, in place of the one that was there. (B1, M32)"""
    handlers = Handlers()
    handlers.add("a", own, "/")
    handlers.add("a", anything, "/x")
    handlers.add("a", any_event, "/")
    assert handlers.functions == {"/": {"a": any_event}, "/x": {"a": anything}}


def test_a_registration_leaves_a_lookup_that_runs_alone():
    """The registries are replaced, not edited: who holds one can go on with it. (M32)"""
    handlers = filed(a=own)
    before, inside, objects = handlers.functions, handlers.functions["/"], handlers.objects
    handlers.add("b", own, "/")
    handlers.add_object("/room", Room("/room"))
    assert before == {"/": {"a": own}}
    assert inside == {"a": own}
    assert objects == {}


def test_a_namespace_object_is_filed_under_its_own_name():
    """add_object() files an object under its namespace, in place of the one that was there. (B3)"""
    handlers, first, second = Handlers(), Room("/room"), Room("/room")
    handlers.add_object(first.namespace, first)
    handlers.add_object(second.namespace, second)
    handlers.add_object("/", root := Room())
    assert handlers.objects == {"/room": second, "/": root}


def test_namespaces_are_those_with_handlers():
    """namespaces() lists what has functions or objects, once each and in order, '*' aside. (C4)"""
    handlers = filed(a__x=own, a=own, b__x=own, a__any=own)
    handlers.add_object("/room", Room("/room"))
    handlers.add_object("/x", Room("/x"))
    handlers.add_object("*", Room("*"))
    assert handlers.namespaces() == ["/x", "/", "/room"]
    assert Handlers().namespaces() == []


# -- functions


def test_the_exact_event_of_the_namespace_comes_first():
    """A function for namespace and event gets the arguments as they are. (E7, E3)"""
    handlers = filed(a=own, any=any_event, a__any=any_namespace, any__any=anything)
    assert handlers.find("a", "/", (1, None)) == (own, (1, None))
    assert handlers.find("a", "/", ()) == (own, ())


def test_any_event_of_the_namespace_comes_next():
    """A function for event '*' gets the event name first. (E7)"""
    handlers = filed(a=own, any=any_event, a__any=any_namespace, any__any=anything)
    assert handlers.find("b", "/", (1,)) == (any_event, ("b", 1))


def test_any_namespace_serves_namespaces_without_functions():
    """A function for namespace '*' gets the namespace first; one for both gets event, then namespace. (E8)"""
    handlers = filed(a=own, a__any=any_namespace, any__any=anything)
    assert handlers.find("a", "/other", (1,)) == (any_namespace, ("/other", 1))
    assert handlers.find("b", "/other", (1,)) == (anything, ("b", "/other", 1))


def test_a_namespace_with_functions_is_not_served_by_any_namespace():
    """Where a namespace has functions, and none matches, those of '*' are not asked. (E8, M30)"""
    handlers = filed(a=own, a__any=any_namespace, b__any=any_namespace, any__any=anything)
    assert handlers.find("b", "/", ()) is None


@pytest.mark.parametrize("event", RESERVED_EVENTS)
@pytest.mark.parametrize("namespace", ["/", "/other"])
def test_reserved_events_never_reach_any_event(event, namespace):
    """connect, connect_error and disconnect are not handled by event '*', of whatever namespace. (E7)"""
    assert filed(any=any_event, any__any=anything).find(event, namespace, ()) is None


@pytest.mark.parametrize("event", ["connect", "connect_error", "disconnect"])
def test_reserved_events_can_be_handled_on_any_namespace(event):
    """A reserved event has handlers of its own, also on namespace '*'. (E8)"""
    handlers = filed(**{f"{event}__any": any_namespace, event: own})
    assert handlers.find(event, "/other", ("x",)) == (any_namespace, ("/other", "x"))
    assert handlers.find(event, "/", ("x",)) == (own, ("x",))


def test_what_nobody_handles_has_no_handler():
    """find() returns None where there is no function and no object. (E11)"""
    assert Handlers().find("a", "/", ()) is None
    assert filed(a__x=own).find("a", "/", ()) is None


@pytest.mark.parametrize("name", ["ünï côdé", "a-b c/d", "", "on_a", "__class__"])
def test_any_text_is_a_name(name):
    """Events and namespaces have any name. (M33)"""
    handlers = Handlers()
    handlers.add(name, own, f"/{name}")
    assert handlers.find(name, f"/{name}", (1,)) == (own, (1,))


# -- namespace objects


def test_an_object_gets_the_events_of_its_namespace():
    """The object of a namespace is asked with event and arguments; whether it has a method is its affair. (E9, L3)"""
    handlers, room = Handlers(), Room("/room")
    handlers.add_object(room.namespace, room)
    assert handlers.find("a", "/room", (1,)) == (room.trigger_event, ("a", 1))
    assert handlers.find("unknown", "/room", ()) == (room.trigger_event, ("unknown",))
    assert handlers.find("a", "/", ()) is None


def test_an_object_for_any_namespace_gets_the_namespace_first():
    """The object of '*' serves namespaces without one, reserved events too, and gets their name first. (E10)"""
    handlers, rest, room = Handlers(), Room("*"), Room("/room")
    handlers.add_object(rest.namespace, rest)
    handlers.add_object(room.namespace, room)
    assert handlers.find("a", "/other", (1,)) == (rest.trigger_event, ("a", "/other", 1))
    assert handlers.find("connect", "/other", ()) == (rest.trigger_event, ("connect", "/other"))
    assert handlers.find("disconnect", "/other", ("why",)) == (rest.trigger_event, ("disconnect", "/other", "why"))
    assert handlers.find("a", "/room", (1,)) == (room.trigger_event, ("a", 1))


def test_a_function_wins_over_a_method():
    """A function handler is called instead of the object of its namespace. (M31)"""
    handlers, room = filed(a__room=own), Room("/room")
    handlers.add_object(room.namespace, room)
    assert handlers.find("a", "/room", ()) == (own, ())


def test_any_namespace_of_functions_wins_over_objects():
    """A function on namespace '*' is looked up before the objects. (E8, M31)"""
    handlers, room = filed(a__any=any_namespace), Room("/room")
    handlers.add_object(room.namespace, room)
    assert handlers.find("a", "/room", ()) == (any_namespace, ("/room",))


def test_what_functions_do_not_match_falls_to_the_object():
    """Where the functions of a namespace do not match, its object is asked, else that of '*', no function. (M30)"""
    handlers, room, rest = filed(b__room=own, b__x=own, a__any=any_namespace), Room("/room"), Room("*")
    handlers.add_object(room.namespace, room)
    handlers.add_object(rest.namespace, rest)
    assert handlers.find("a", "/room", (1,)) == (room.trigger_event, ("a", 1))
    assert handlers.find("a", "/x", (1,)) == (rest.trigger_event, ("a", "/x", 1))


def test_an_object_that_routes_by_itself_is_asked():
    """trigger_event() may be overridden, with parameters of its own. (M31)"""

    class Router(ClientNamespace):
        def trigger_event(self, event, *args):
            return "routed", event, args

    handlers = Handlers()
    handlers.add_object("/x", Router("/x"))
    handler, args = handlers.find("a", "/x", (1,))
    assert handler(*args) == ("routed", "a", (1,))


# -- disconnect handlers without a reason


def no_parameters():
    return "result"


async def no_parameters_async(): ...


class Object:
    def method(self): ...
    def __call__(self): ...


@pytest.mark.parametrize("handler", [no_parameters, no_parameters_async, Object().method, Object(), lambda: None])
def test_a_disconnect_handler_may_do_without_the_reason(handler):
    """A disconnect handler that takes no argument is called with none, and its result is its own. (E12)"""
    assert filed(disconnect=handler).find("disconnect", "/", ("why",)) == (handler, ())


@pytest.mark.parametrize("handler", [lambda reason: None, lambda *args: None, lambda reason=None, more=1: None, print])
def test_a_disconnect_handler_that_takes_a_reason_gets_it(handler):
    """A disconnect handler with a parameter, an optional one too, gets the reason. (E12)"""
    assert filed(disconnect=handler).find("disconnect", "/", ("why",)) == (handler, ("why",))


def test_on_any_namespace_the_reason_comes_last_and_is_dropped_alone():
    """A disconnect handler on namespace '*' gets the namespace, and the reason if it takes two. (E8, E12)"""

    def one(namespace): ...
    def two(namespace, reason): ...

    assert filed(disconnect__any=one).find("disconnect", "/x", ("why",)) == (one, ("/x",))
    assert filed(disconnect__any=two).find("disconnect", "/x", ("why",)) == (two, ("/x", "why"))


def test_only_disconnect_handlers_are_so_spared():
    """A handler of another event that takes too few arguments gets what the server sent. (M23, N21)"""
    assert filed(a=no_parameters).find("a", "/", (1,)) == (no_parameters, (1,))
    assert filed(connect_error=no_parameters).find("connect_error", "/", (1,)) == (no_parameters, (1,))


def test_methods_without_a_reason_are_spared_by_the_object():
    """For an object, the arguments are left to its trigger_event(). (L1, E10)"""
    for base in (ClientNamespace, AsyncClientNamespace):
        handlers, room = Handlers(), base("/x")
        handlers.add_object(room.namespace, room)
        assert handlers.find("disconnect", "/x", ("why",)) == (room.trigger_event, ("disconnect", "why"))


# -- a sink


class Pipe:
    """A sink that keeps what it gets."""

    def __init__(self):
        self.taken = []

    def notify(self, event): ...

    def take(self, events, read):
        self.taken += map(read, events)


def test_a_sink_gets_what_has_no_handler():
    """Events with a handler go there, and the client's own events never to the sink. (E7, M32)"""
    handlers, pipe = filed(a=own), Pipe()
    handlers.sink = pipe
    assert handlers.find("a", "/", (1,)) == (own, (1,))
    assert handlers.find("connect", "/", ()) is None
    function, args = handlers.find("b", "/", (1, 2))
    function(*args)
    assert pipe.taken == [("/", "b", (1, 2), None)]


@pytest.mark.parametrize(
    "change",
    [
        lambda handlers: handlers.add("a", own, "/"),
        lambda handlers: handlers.add_object("/room", Room("/room")),
        lambda handlers: setattr(handlers, "override", lambda: own),
    ],
)
def test_a_sink_gets_all_events_until_there_is_a_handler(change):
    """Then each event is looked up, as an event of its name may have come before. (E7, M32)"""
    handlers, pipe = Handlers(), Pipe()
    assert handlers.only_sink() is None
    handlers.sink = pipe
    assert handlers.only_sink() is pipe
    change(handlers)
    assert handlers.only_sink() is None
