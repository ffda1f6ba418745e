"""What the engine relies on in python-engineio: options, attributes, URL rules, hooks, and which names are free."""

from __future__ import annotations

import inspect
import logging
import signal
import threading
import types

import engineio
import pytest
import requests
from engineio import exceptions, packet, payload

from socketio import engine
from socketio.engine import payload as own_payload
from socketio.engine.asyncio.client import AsyncEngineIOClient
from socketio.engine.threads.client import EngineIOClient

BASES = [engineio.Client, engineio.AsyncClient]
both = pytest.mark.parametrize("base", BASES)
LOGGER = logging.getLogger("test_engineio")


def make(base, **options):
    """Return a client whose construction changes nothing in the process."""
    return base(logger=LOGGER, handle_sigint=False, **options)


# -- construction


@both
def test_the_options_and_their_defaults(base):
    """The constructor takes these options, each with this default. (A2, A7)"""
    parameters = list(inspect.signature(base.__init__).parameters.values())[1:]
    assert {parameter.name: parameter.default for parameter in parameters} == {
        "logger": False,
        "json": None,
        "request_timeout": 5,
        "http_session": None,
        "ssl_verify": True,
        "handle_sigint": True,
        "websocket_extra_options": None,
        "timestamp_requests": True,
    }


@both
def test_the_attributes_of_a_new_client(base):
    """Options are attributes, and all that a connection sets is empty. (A2, A3)"""
    client = make(base, request_timeout=7, ssl_verify=False, timestamp_requests=False, websocket_extra_options={"a": 1})
    assert (client.request_timeout, client.ssl_verify, client.timestamp_requests) == (7, False, False)
    assert client.websocket_extra_options == {"a": 1}
    assert make(base).websocket_extra_options == {}
    assert (client.handlers, client.state, client.sid) == ({}, "disconnected", None)
    assert (client.http, client.http_factory, client.ws) == (None, None, None)
    assert (client.transports, client.current_transport, client.transport(), client.upgrades) == (None,) * 4
    assert (client.ping_interval, client.ping_timeout) == (None, None)
    assert (client.read_loop_task, client.write_loop_task) == (None, None)


@both
def test_a_session_is_external_and_a_function_makes_one(base):
    """http_session: an object is used and is the caller's; a callable is kept to make one, which is not. (M5)"""
    session = types.SimpleNamespace(closed=True)
    client = make(base, http_session=session)
    assert (client.http, client.http_factory, client.external_http) == (session, None, True)
    client = make(base, http_session=requests.Session)
    assert (client.http, client.http_factory, client.external_http) == (None, requests.Session, False)
    assert make(base).external_http is False


@both
def test_a_logger_object_is_used_as_it_is(base):
    """A logger, or an adapter of one, is the attribute; no level and no handler is changed. (A6, A7)"""
    default = logging.getLogger("engineio.client")
    before = (default.level, list(default.handlers), LOGGER.level, list(LOGGER.handlers))
    adapter = logging.LoggerAdapter(LOGGER, {})
    assert base(logger=LOGGER, handle_sigint=False).logger is LOGGER
    assert base(logger=adapter, handle_sigint=False).logger is adapter
    assert (default.level, list(default.handlers), LOGGER.level, list(LOGGER.handlers)) == before


@both
def test_without_handle_sigint_no_signal_handler_is_set(base):
    """handle_sigint=False leaves the signals of the process alone. (M19)"""
    before = signal.getsignal(signal.SIGINT)
    client = make(base)
    assert signal.getsignal(signal.SIGINT) is before
    assert client.handle_sigint is False


@both
def test_without_json_the_codec_of_the_process_stays(base):
    """The json option is the only one that changes engineio's Packet. (A5)"""
    before = packet.Packet.json
    make(base)
    assert packet.Packet.json is before


# -- what is used


@both
def test_handlers_are_filed_by_name(base):
    """on() takes connect, message and disconnect, as a call or a decorator, and handlers has them. (H3)"""
    client = make(base)
    client.on("connect", print)
    assert client.on("message")(len) is len
    client.on("disconnect", repr)
    assert client.handlers == {"connect": print, "message": len, "disconnect": repr}
    with pytest.raises(ValueError, match="Invalid event"):
        client.on("other", print)


def test_the_reasons():
    """The reasons of a disconnection have these texts. (M17)"""
    reason = engine.reason
    assert reason is engineio.base_client.BaseClient.reason
    assert (reason.CLIENT_DISCONNECT, reason.SERVER_DISCONNECT, reason.TRANSPORT_ERROR) == (
        "client disconnect",
        "server disconnect",
        "transport error",
    )


def test_the_error_keeps_its_arguments():
    """exceptions.ConnectionError is a plain exception, with text and body as its arguments. (M13)"""
    error = exceptions.ConnectionError("text", {"a": 1})
    assert error.args == ("text", {"a": 1})
    assert not isinstance(error, (OSError, ValueError))
    assert engine.EngineError is exceptions.ConnectionError


def test_the_flavours_are_told_apart():
    """is_asyncio_based() is False for threads and True for asyncio. (A1)"""
    assert [make(base).is_asyncio_based() for base in BASES] == [False, True]


def test_a_background_task_is_a_thread_that_runs():
    """start_background_task() returns a started daemon thread, for any arguments. (H3)"""
    ran = []
    thread = make(engineio.Client).start_background_task(lambda *args, **kwargs: ran.append((args, kwargs)), 1, key=2)
    thread.join(10)
    assert isinstance(thread, threading.Thread)
    assert thread.daemon
    assert ran == [((1,), {"key": 2})]


async def test_sleep_of_asyncio_is_a_coroutine():
    """sleep() blocks in the one flavour and is awaited in the other. (H4)"""
    assert make(engineio.Client).sleep(0) is None
    assert await make(engineio.AsyncClient).sleep(0) is None


@pytest.mark.parametrize(("option", "kept"), [(None, False), (requests.Session(), True)])
def test_a_reset_of_threads_forgets_the_connection(option, kept):
    """_reset() makes a client disconnected, without sid, queue and session, but keeps a session of the caller. (M15)"""
    client = make(engineio.Client, http_session=option)
    client.state, client.sid = "connected", "abc"
    client.http = client.http or requests.Session()
    client.queue.put("packet")
    client._reset()
    assert (client.state, client.sid, client.queue.empty()) == ("disconnected", None, True)
    assert (client.http is not None) is kept


# -- packets and payloads


def test_the_packet_types_have_their_numbers():
    """The digits of the types are those that the engine writes and reads. (M1)"""
    names = ["OPEN", "CLOSE", "PING", "PONG", "MESSAGE", "UPGRADE", "NOOP"]
    assert [getattr(packet, name) for name in names] == list(range(7))


@pytest.mark.parametrize("frames", [["4hello", b"\x00\xff", "2probe", "4ü"], ["4"], [b""], ["6"] * 16])
def test_payloads_are_read_by_each_other(frames):
    """What the engine encodes python-engineio decodes, and the other way round. (M1, N6)"""
    body, count = own_payload.next_body(frames, None)
    packets = payload.Payload(encoded_payload=body.decode()).packets
    assert count == len(packets)
    assert own_payload.decode(payload.Payload(packets=packets).encode().encode()) == frames
    assert [packet.Packet(found.packet_type, found.data).encode() for found in packets] == frames


def test_a_server_takes_16_packets_at_once():
    """python-engineio refuses payloads of more than 16 packets, which is how many the engine sends. (N6)"""
    assert payload.Payload.max_decode_packets == own_payload.MAX_PACKETS == 16
    with pytest.raises(ValueError, match="Too many packets"):
        payload.Payload(encoded_payload="\x1e".join(["6"] * 17))


# -- what is replaced


@pytest.mark.parametrize(
    ("own", "base"), [(EngineIOClient, engineio.Client), (AsyncEngineIOClient, engineio.AsyncClient)]
)
def test_only_what_is_meant_to_be_replaced_is_replaced(own, base):
    """No name of the engine hides one that python-engineio has for something else. (A2)"""
    meant = {"__init__", "connect", "disconnect", "send", "on", "_reset", "__del__", "start_background_task", "__doc__"}
    classes = [found for found in own.__mro__ if found.__module__.startswith("socketio.")]
    defined = {name for found in classes for name in vars(found)}
    inherited = {name for found in base.__mro__ if found is not object for name in vars(found)}
    assert (
        defined
        & inherited
        - {"__module__", "__dict__", "__weakref__", "__annotations__", "__firstlineno__"}
        - {
            "__static_attributes__",
            "__annotations_cache__",
            "__annotate_func__",
            "__classdict__",
        }
        <= meant
    )
    attributes = set(vars(make(own))) - set(vars(make(base)))
    assert not attributes & inherited


@pytest.mark.parametrize(
    ("own", "base"), [(EngineIOClient, engineio.Client), (AsyncEngineIOClient, engineio.AsyncClient)]
)
@pytest.mark.parametrize("name", ["connect", "disconnect", "send", "start_background_task"])
def test_what_is_replaced_has_the_parameters_it_had(own, base, name):
    """Replaced methods take the same arguments, and are coroutines where they were. (A2)"""
    mine, theirs = getattr(own, name), getattr(base, name)
    assert list(inspect.signature(mine).parameters) == list(inspect.signature(theirs).parameters)
    assert inspect.iscoroutinefunction(mine) == inspect.iscoroutinefunction(theirs)


def test_eio_is_a_client_of_python_engineio():
    """isinstance() of users holds. (A2)"""
    assert isinstance(make_own(EngineIOClient), engineio.Client)
    assert isinstance(make_own(AsyncEngineIOClient), engineio.AsyncClient)


def make_own(own):
    return own(logger=LOGGER)


@pytest.mark.parametrize("own", [EngineIOClient, AsyncEngineIOClient])
def test_what_is_called_by_nobody_is_not_needed(own):
    """The engine leaves python-engineio's list of connected clients alone, which its signal handler reads. (M19)"""
    before = list(engineio.base_client.connected_clients)
    make_own(own)
    assert engineio.base_client.connected_clients == before
