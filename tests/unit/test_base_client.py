"""What both clients share and what never waits: options, state, handlers, the arguments of connect()."""

from __future__ import annotations

import inspect
import json
import logging

import orjson
import pytest

import socketio
from socketio import AsyncClient, AsyncClientNamespace, Client, ClientNamespace, engine
from socketio.connect_arguments import check_url
from socketio.engine import check_headers
from socketio.exceptions import ConnectionError, InvalidURLError
from socketio.lifecycle.attempts import attempt_failure
from socketio.msgpack_packet import MsgPackPacket
from socketio.packet import AdaptedJson, DefaultJson, Packet

CLIENTS = [Client, AsyncClient]
both = pytest.mark.parametrize("client_class", CLIENTS)


# -- construction


def test_a_client_knows_its_flavour():
    """is_asyncio_based() is False for threads and True for asyncio. (A1)"""
    assert [client_class().is_asyncio_based() for client_class in CLIENTS] == [False, True]


@both
def test_reconnection_is_on_by_default(client_class):
    """Unlimited attempts, 1 to 5 seconds apart, changed by up to one half. (M42, A2)"""
    client = client_class()
    assert (client.reconnection, client.reconnection_attempts) == (True, 0)
    assert (client.reconnection_delay, client.reconnection_delay_max) == (1, 5)
    assert (client.randomization_factor, client.handle_sigint) == (0.5, True)


@both
def test_options_are_kept_as_attributes(client_class):
    """The reconnection options and handle_sigint are attributes of the same name. (A2)"""
    given = {
        "reconnection": False,
        "reconnection_attempts": 3,
        "reconnection_delay": 0.5,
        "reconnection_delay_max": 7,
        "randomization_factor": 0.1,
        "handle_sigint": False,
        "async_handlers": False,
    }
    client = client_class(**given)
    assert {name: getattr(client, name) for name in given} == given


@both
def test_options_may_be_given_by_position(client_class):
    """The order of the options is part of the API. (A2, M52)"""
    logger = logging.getLogger("test_base_client")
    client = client_class(False, 3, 0.5, 7, 0.1, logger, "msgpack", json, False)
    assert (client.reconnection, client.reconnection_attempts, client.reconnection_delay) == (False, 3, 0.5)
    assert (client.reconnection_delay_max, client.randomization_factor) == (7, 0.1)
    assert client.logger is logger
    assert issubclass(client.packet_class, MsgPackPacket)
    assert client.handle_sigint is False


class Engine:
    """An engine that notes its options."""

    sid = None

    def __init__(self, **options):
        self.options = options
        self.handlers = {}

    def on(self, event, handler):
        self.handlers[event] = handler

    def transport(self):
        return None


def with_engine(client_class):
    return type("Client", (client_class,), {"_engineio_client_class": lambda self: Engine})


@both
def test_other_options_go_to_the_engine(client_class):
    """Every keyword that Socket.IO does not use itself is handed on, together with handle_sigint. (A2)"""
    client = with_engine(client_class)(handle_sigint=False, request_timeout=7, http_session=None, ssl_verify=False, x=1)
    assert client.eio.options == {
        "handle_sigint": False,
        "request_timeout": 7,
        "http_session": None,
        "ssl_verify": False,
        "x": 1,
    }
    assert with_engine(client_class)().eio.options == {"handle_sigint": True}


@both
@pytest.mark.parametrize("option", [True, False, logging.getLogger("test_base_client")])
def test_the_engine_gets_its_logger_option(client_class, option):
    """engineio_logger is the engine's logger option. (A7)"""
    assert with_engine(client_class)(engineio_logger=option).eio.options["logger"] is option


@both
def test_the_engine_is_that_of_the_flavour(client_class):
    """eio is an instance of python-engineio's client, with what it was given. (A2)"""
    import engineio

    client = client_class(request_timeout=7, timestamp_requests=False)
    assert isinstance(client.eio, engineio.AsyncClient if client_class is AsyncClient else engineio.Client)
    assert (client.eio.request_timeout, client.eio.timestamp_requests) == (7, False)


@both
def test_an_unknown_option_is_a_type_error(client_class):
    """What nobody knows is refused by the constructor. (A2)"""
    with pytest.raises(TypeError, match="no_such_option"):
        client_class(no_such_option=1)


@both
def test_a_fresh_client_has_nothing(client_class):
    """A new client has no URL, headers, transports, path or sid, no namespaces and no handlers. (A3)"""
    client = client_class()
    assert (client.connection_url, client.connection_headers, client.connection_auth) == (None, None, None)
    assert (client.connection_transports, client.connection_namespaces) == (None, [])
    assert (client.socketio_path, client.sid, client.get_sid()) == (None, None, None)
    assert (client.namespaces, client.failed_namespaces) == ({}, [])
    assert (client.handlers, client.namespace_handlers) == ({}, {})
    assert client.connected is False
    assert client.transport() is None


@both
def test_reasons_and_reserved_names_are_attributes(client_class):
    """The reasons of a disconnection, and the names that are no events, are there for handlers. (M17, E7)"""
    client = client_class()
    reasons = (client.reason.CLIENT_DISCONNECT, client.reason.SERVER_DISCONNECT, client.reason.TRANSPORT_ERROR)
    assert reasons == ("client disconnect", "server disconnect", "transport error")
    assert {"connect", "connect_error", "disconnect"} <= set(client.reserved_events)


# -- serializer and json


@both
def test_the_serializer_selects_the_packet_class(client_class):
    """'default' is the text packet, 'msgpack' the MessagePack one, a class is used unchanged. (A4)"""

    class Own(Packet): ...

    assert client_class().packet_class is Packet
    assert client_class(serializer="default").packet_class is Packet
    assert client_class(serializer="msgpack").packet_class is MsgPackPacket
    assert client_class(serializer=Own).packet_class is Own


@both
@pytest.mark.parametrize("serializer", ["pickle", 5, Packet()])
def test_an_unknown_serializer_is_refused(client_class, serializer):
    """A serializer that is neither a known name nor a class is a ValueError. (A4)"""
    with pytest.raises(ValueError, match="serializer"):
        client_class(serializer=serializer)


@both
@pytest.mark.parametrize("module", [orjson, json])
def test_a_json_module_belongs_to_one_client(client_class, module):
    """The json option is used by this client, and by nobody else. (A5)"""
    client, other = client_class(json=module), client_class()
    assert issubclass(client.packet_class, Packet)
    assert isinstance(client.packet_class.json, AdaptedJson)
    assert client.packet_class(data=["ü", {"a": 1}]).encode() == client.packet_class.json.dumps(["ü", {"a": 1}]).join(
        ["2", ""]
    )
    assert other.packet_class.json is DefaultJson
    assert Packet.json is DefaultJson


@both
def test_a_json_module_needs_both_functions(client_class):
    """A module without dumps and loads is refused at once. (A5)"""
    with pytest.raises(TypeError, match="dumps and loads"):
        client_class(json=object())


# -- logging


@both
def test_a_logger_object_is_used_as_it_is(client_class):
    """The logger attribute is the logger that was given. (A6)"""
    logger = logging.getLogger("test_base_client")
    assert client_class(logger=logger).logger is logger


@both
@pytest.mark.parametrize("option", [False, None])
def test_by_default_warnings_are_logged(client_class, option):
    """Without the option the client logs warnings, and nothing of the process's logging changes. (A6, issue 10, D2)"""
    before = logging.getLogger("socketio.client")
    state = (before.level, list(before.handlers), before.propagate)
    client = client_class(logger=option)
    assert not client.logger.isEnabledFor(logging.INFO)
    assert client.logger.isEnabledFor(logging.WARNING)
    assert (before.level, list(before.handlers), before.propagate) == state


# -- handlers


@both
def test_on_files_a_handler(client_class):
    """on() works as a call and as a decorator, which returns its function, and files under namespace and event. (B1)"""
    client = client_class()

    def one(): ...
    def two(): ...
    def three(): ...

    client.on("a", one)
    assert client.on("b")(two) is two
    assert client.on("c", namespace="/x")(three) is three
    client.on("d", three, "/x")
    client.on("e", one, namespace=None)
    assert client.handlers == {"/": {"a": one, "b": two, "e": one}, "/x": {"c": three, "d": three}}


@both
def test_on_replaces_the_handler_of_an_event(client_class):
    """The last handler of an event is the one. (B1, M32)"""
    client = client_class()
    client.on("a", print)
    client.on("a", len)
    assert client.handlers == {"/": {"a": len}}


@both
def test_event_takes_the_name_of_the_function(client_class):
    """event() files a function under its own name, with and without arguments. (B2)"""
    client = client_class()

    @client.event
    def one(): ...

    @client.event()
    def two(): ...

    @client.event(namespace="/x")
    def three(): ...

    assert client.handlers == {"/": {"one": one, "two": two}, "/x": {"three": three}}
    assert (one.__name__, two.__name__, three.__name__) == ("one", "two", "three")


@both
def test_a_namespace_object_is_registered(client_class):
    """register_namespace() files an object under its namespace, and gives it the client. (B3)"""
    client = client_class()
    base = AsyncClientNamespace if client_class is AsyncClient else ClientNamespace
    room, everything = base("/room"), base("*")
    client.register_namespace(room)
    client.register_namespace(everything)
    assert client.namespace_handlers == {"/room": room, "*": everything}
    assert room.client is client


@both
@pytest.mark.parametrize("thing", [None, "/", object(), ClientNamespace, AsyncClientNamespace])
def test_what_is_no_namespace_object_is_refused(client_class, thing):
    """register_namespace() raises ValueError for what is no instance of a namespace class. (B4)"""
    with pytest.raises(ValueError, match="Not a namespace instance"):
        client_class().register_namespace(thing)


@pytest.mark.parametrize(("client_class", "base"), [(Client, AsyncClientNamespace), (AsyncClient, ClientNamespace)])
def test_a_namespace_object_of_the_other_flavour_is_refused(client_class, base):
    """register_namespace() raises ValueError for an object of the other flavour, and files nothing. (B5)"""
    client, room = client_class(), base("/room")
    with pytest.raises(ValueError, match="Not a valid namespace class"):
        client.register_namespace(room)
    assert client.namespace_handlers == {}
    assert room.client is None


# -- the small decisions


def test_what_an_engine_reports_becomes_a_connection_error():
    """An engine's error is a ConnectionError with its text; the handlers get the body, None, or the text. (C6, M13)"""
    for args, text, argument in [
        (("refused",), "refused", "refused"),
        (("Unexpected status code 403", {"message": "no"}), "Unexpected status code 403", {"message": "no"}),
        (("Unexpected status code 500", None), "Unexpected status code 500", None),
        ((), "the connection failed", "the connection failed"),
    ]:
        error, given = attempt_failure(engine.EngineError(*args))
        assert type(error) is ConnectionError
        assert (str(error), given) == (text, argument)


def test_what_the_application_raises_stays_what_it_is():
    """An error of a url or auth function is raised as it is, and its text given to the handlers. (C2, M13)"""
    error = KeyError("token")
    assert attempt_failure(error) == (error, "'token'")


@pytest.mark.parametrize("url", ["http://a", "https://a:5000/path?q=1", "ws://a", "wss://[::1]:80", "HTTP://u:p@a"])
def test_good_urls_are_taken(url):
    """http, https, ws and wss URLs with a host are taken. (M3)"""
    assert check_url(url).hostname


BAD_URLS = ["", "a", "localhost:5000", "ftp://a", "http://", "http:///p", "http://:80", "http://a:0", "http://a:99999"]
BAD_URLS += ["http://a:port", "http://[::1", "//a", None, 5, b"http://a", ["http://a"]]


@pytest.mark.parametrize("url", BAD_URLS, ids=repr)
def test_bad_urls_are_refused(url):
    """A URL that nobody can connect to is a ConnectionError and a ValueError that shows it. (C6)"""
    with pytest.raises(InvalidURLError) as caught:
        check_url(url)
    assert isinstance(caught.value, ConnectionError)
    assert isinstance(caught.value, ValueError)
    assert repr(url) in str(caught.value) or type(url).__name__ in str(caught.value)


@pytest.mark.parametrize("headers", [[("a", "b")], "a: b", 5])
def test_headers_are_a_mapping(headers):
    """Headers that are no mapping are a TypeError. (C1)"""
    assert check_headers({"a": "b"}) == {"a": "b"}
    with pytest.raises(TypeError, match="headers"):
        check_headers(headers)


def test_the_classes_are_those_of_the_package():
    """The clients of both flavours share their base class. (A1)"""
    bases = [set(inspect.getmro(client_class)) for client_class in (socketio.Client, socketio.AsyncClient)]
    assert socketio.base_client.BaseClient in bases[0] & bases[1]
