"""The server that comes with the package: its life, its handlers, its calls."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from queue import Queue
from typing import Any

import pytest
import requests
import trustme

from socketio.exceptions import (
    BadNamespaceError,
    CallInterruptedError,
    ConnectionRefusedError,
    TimeoutError,
)
from socketio.testing import Server

from .engineio_clients import CEILING, QUERY, PollingClient, WebSocketClient, answer, pending_poll, wait_until


@pytest.fixture
def subject() -> Iterator[Server]:
    with Server() as subject:
        yield subject


@pytest.fixture
def client(subject: Server) -> Iterator[WebSocketClient]:
    with closing(WebSocketClient(subject)) as client:
        yield client


@pytest.fixture
def poller(subject: Server) -> Iterator[PollingClient]:
    with closing(PollingClient(subject)) as poller:
        yield poller


# -- life


def test_starting_and_stopping_leaves_nothing_behind() -> None:
    """A server ends fifty times, with an open websocket and a pending poll, and leaves no thread."""
    subject = Server()
    before = set(threading.enumerate())
    for _ in range(50):
        with subject, closing(WebSocketClient(subject)) as client, closing(PollingClient(subject)) as poller:
            reader = threading.Thread(target=lambda client=client: [client.receive(), client.receive()])
            reader.start()
            with pending_poll(subject, poller) as poll:
                subject.stop()
                assert answer(poll) == "1"
            reader.join(CEILING)
        left = set(threading.enumerate()) - before
        assert not [thread for thread in left if "socketio" in thread.name]


def test_stopping_does_not_wait_for_clients() -> None:
    """Clients that do not answer, and a handler that does not end, hold up stop() for a second at most."""
    with ExitStack() as stack:
        subject = stack.enter_context(Server())
        subject.on("forever", lambda sid: asyncio.sleep(3600))
        client = stack.enter_context(closing(WebSocketClient(subject)))
        client.join()
        client.send('42["forever"]', '421["known"]')
        assert client.receive() == "431[]"
        port = int(subject.url.rpartition(":")[2])
        for sent in (
            b"",
            b"GET /socket.io/ HTTP/1.1\r\nHost: x\r\n",
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1",
        ):
            stack.enter_context(socket.create_connection(("127.0.0.1", port))).sendall(sent)
        begun = time.monotonic()
        subject.stop()
        assert time.monotonic() - begun < 2


def test_a_server_comes_back_where_it_was(subject: Server) -> None:
    """Started again, it has the same URL and its handlers, and knows no client from before."""
    url = subject.url
    subject.on("ping", lambda sid: "pong")
    with closing(PollingClient(subject)) as before:
        subject.stop()
        subject.start()
        assert subject.url == url
        assert before.send("40") == 400
    with closing(WebSocketClient(subject)) as client:
        client.join()
        client.send('420["ping"]')
        assert client.receive() == '430["pong"]'


def test_misuse_is_an_error() -> None:
    """Unknown serializers, unwelcome options, and calls at the wrong time are raised to the caller."""
    with pytest.raises(ValueError, match="serializer"):
        Server(serializer="pickle")
    with pytest.raises(TypeError, match="json"):
        Server(json=json).start()
    subject = Server()
    with pytest.raises(RuntimeError, match="not been started"):
        _ = subject.url
    with pytest.raises(RuntimeError, match="not running"):
        subject.emit("hello")
    subject.stop()
    with subject, pytest.raises(RuntimeError, match="is running"):
        subject.start()


def test_the_logging_of_the_process_stays_as_it_is() -> None:
    """A server gives the loggers of the libraries below it no level and no handler."""
    loggers = [logging.getLogger(name) for name in ("engineio.server", "aiohttp.access", "socketio.testing")]
    before = [(logger.level, list(logger.handlers)) for logger in loggers]
    with Server():
        pass
    assert [(logger.level, list(logger.handlers)) for logger in loggers] == before


def test_https_is_served_with_an_ssl_context() -> None:
    """With an SSL context the URL says https, websockets connect, and a handshake under way is ended by stop()."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    with Server(ssl_context=context) as subject:
        assert subject.url.startswith("https://127.0.0.1:")
        with socket.create_connection(("127.0.0.1", int(subject.url.rpartition(":")[2]))):
            with closing(WebSocketClient(subject, sslopt={"context": trusting})) as client:
                assert client.join()
                subject.stop()
                assert client.receive() == "1"


def test_requests_are_recorded(subject: Server) -> None:
    """Every request is there with its method, path and headers, whatever the answer is."""
    requests.get(subject.url + "/elsewhere?a=%20b", headers={"X-Word": "seen"}, timeout=CEILING).close()
    with closing(WebSocketClient(subject)):
        first, second = subject.requests
    assert (first.method, first.path_qs, first.headers["x-word"]) == ("GET", "/elsewhere?a=%20b", "seen")
    assert second.path_qs == QUERY + "websocket"
    assert second.headers["upgrade"] == "websocket"


def test_the_heartbeat_is_announced_to_the_millisecond() -> None:
    """A ping interval of less than a second is announced as it is, and kept."""
    with Server(ping_interval=0.05, ping_timeout=0.5) as subject, closing(WebSocketClient(subject)) as client:
        assert (client.opening["pingInterval"], client.opening["pingTimeout"]) == (50, 500)
        assert client.receive() == "2"


# -- connecting


def refuse_without_words(sid: str, environ: Any) -> bool:
    return False


def refuse_with(*args: Any) -> Callable[..., None]:
    def refuse(sid: str, environ: Any, auth: Any) -> None:
        raise ConnectionRefusedError(*args)

    return refuse


async def refuse_later(sid: str, environ: Any, auth: Any) -> None:
    await asyncio.sleep(0)
    raise ConnectionRefusedError("not you", auth)


def fail(sid: str, environ: Any, auth: Any) -> None:
    raise KeyError("a fault in the handler")


PLAIN = {"message": "Connection refused by the server"}


@pytest.mark.parametrize(
    ("handler", "refusal"),
    [
        (refuse_without_words, PLAIN),
        (refuse_with(), PLAIN),
        (refuse_with("why"), {"message": "why"}),
        (refuse_with("why", {"code": 7}), {"message": "why", "data": {"code": 7}}),
        (refuse_with("why", 1, 2), {"message": "why", "data": [1, 2]}),
        (refuse_with("why", object()), PLAIN),
        (refuse_later, {"message": "not you", "data": {"token": 1}}),
        (fail, PLAIN),
    ],
)
def test_a_connect_handler_refuses(
    subject: Server, client: WebSocketClient, handler: Callable[..., Any], refusal: dict[str, Any]
) -> None:
    """A refusal is a CONNECT_ERROR with a message and what data was given; the connection stays."""
    subject.on("connect", handler, namespace="/x")
    client.send('40/x,{"token":1}')
    assert json.loads(str(client.receive()).removeprefix("44/x,")) == refusal
    assert client.join()


def test_namespaces_without_handlers_are_refused(subject: Server, client: WebSocketClient) -> None:
    """A namespace is served if it is '/' or has a handler."""
    subject.on("event", print, namespace="/known")
    client.send("40/unknown,")
    assert client.receive() == '44/unknown,{"message":"Invalid namespace"}'
    assert len({client.join("/"), client.join("/known")}) == 2


def test_what_a_connect_handler_emits_follows_the_acceptance(subject: Server, client: WebSocketClient) -> None:
    """Events for a client that is not accepted yet are sent when it is."""

    @subject.event
    async def connect(sid: str, environ: dict[str, Any], auth: Any) -> None:
        subject.emit("welcome", ("a", auth), to=sid)
        await asyncio.sleep(0)

    client.send('40{"token":1}')
    assert str(client.receive()).startswith('40{"sid":')
    assert client.receive() == '42["welcome","a",{"token":1}]'


# -- events


def test_results_are_acknowledgements(subject: Server, client: WebSocketClient) -> None:
    """A tuple is several values, None is none, anything else one; an event without handler has none."""
    subject.on("echo", lambda sid, *args: args)
    subject.on("one", lambda sid: [1])
    subject.on("none", lambda sid: None)
    client.join()
    client.send('420["echo",1,"b"]', '421["one"]', '422["none"]', '423["unknown"]', '424["echo"]')
    received = [client.receive() for _ in range(5)]
    assert received == ['430[1,"b"]', "431[[1]]", "432[]", "433[]", "434[]"]


def test_attachments_come_and_go(subject: Server, client: WebSocketClient) -> None:
    """Binary events are put together, and binary acknowledgements taken apart."""
    subject.on("reverse", lambda sid, data: {"back": data["in"][::-1]})
    client.join()
    client.send('451-7["reverse",{"in":{"_placeholder":true,"num":0}}]', b"abc")
    assert client.receive() == '461-7[{"back":{"_placeholder":true,"num":0}}]'
    assert client.receive() == b"cba"


def test_handlers_start_in_order_and_do_not_hold_up_each_other(subject: Server, client: WebSocketClient) -> None:
    """Coroutines start in the order of the events, before later plain handlers, and wait beside them."""
    order: list[int] = []
    release = asyncio.Event()

    @subject.event
    async def waits(sid: str, number: int) -> str:
        order.append(number)
        await release.wait()
        return "released"

    @subject.event
    def releases(sid: str, number: int) -> str:
        order.append(number)
        release.set()
        return "done"

    client.join()
    client.send('420["waits",0]', '421["waits",1]', '422["releases",2]')
    assert [client.receive() for _ in range(3)] == ['432["done"]', '430["released"]', '431["released"]']
    assert order == [0, 1, 2]


def test_the_star_stands_for_events_and_namespaces(subject: Server, client: WebSocketClient) -> None:
    """A handler of '*' gets the event's name first; one of namespace '*' the namespace before the sid."""
    subject.on("*", lambda event, sid, *args: (event, *args), namespace="/known")
    subject.on("hello", lambda namespace, sid: namespace, namespace="*")
    client.join("/known")
    client.join("/any")
    client.send('42/known,0["hello",1]', '42/any,0["hello"]')
    assert [client.receive(), client.receive()] == ['43/known,0["hello",1]', '43/any,0["/any"]']


def fails_at_once(sid: str) -> None:
    raise KeyError("a fault")


async def fails_later(sid: str) -> None:
    await asyncio.sleep(0)
    raise KeyError("a fault")


@pytest.mark.parametrize("handler", [fails_at_once, fails_later, lambda sid: object(), lambda: None])
def test_a_fault_in_a_handler_is_logged(
    subject: Server, client: WebSocketClient, caplog: pytest.LogCaptureFixture, handler: Callable[..., Any]
) -> None:
    """The log names the event and the namespace; nothing is acknowledged, and the connection goes on."""
    subject.on("faulty", handler, namespace="/x")
    client.join("/x")
    client.send('42/x,1["faulty"]')
    wait_until(lambda: caplog.records)
    client.send('42/x,2["other"]')
    assert client.receive() == "43/x,2[]"
    (record,) = caplog.records
    assert (record.name, record.getMessage()) == ("socketio.testing", "the handler of faulty in /x failed")
    assert record.exc_info is not None


def test_waiting_in_a_handler_is_refused(subject: Server, client: WebSocketClient) -> None:
    """call() and stop() on the server's own thread raise RuntimeError instead of waiting for themselves."""

    @subject.event
    def waits(sid: str) -> list[str]:
        errors = []
        for attempt in (lambda: subject.call("question", to=sid), subject.stop):
            with pytest.raises(RuntimeError, match="in a handler") as caught:
                attempt()
            errors.append(type(caught.value).__name__)
        return errors

    client.join()
    client.send('420["waits"]')
    assert client.receive() == '430[["RuntimeError","RuntimeError"]]'


# -- to the clients


@pytest.mark.parametrize(("values", "result"), [("[]", None), ("[1]", 1), ('[1,"b"]', (1, "b")), ("", None)])
def test_call_returns_the_acknowledgement(subject: Server, client: WebSocketClient, values: str, result: Any) -> None:
    """Several values are a tuple, one is itself, none is None."""
    sid = client.join()
    client.send(f"430{values}")  # nobody waits for it yet: dropped
    answering = threading.Thread(target=lambda: client.send(f"43{str(client.receive())[2]}{values}"))
    answering.start()
    assert subject.call("question", ("a", 1), to=sid, timeout=CEILING) == result
    answering.join()


def test_call_ends_when_the_client_leaves(subject: Server, client: WebSocketClient) -> None:
    """A pending call is interrupted at once; one without an answer ends in time; an unknown sid is refused."""
    sid = client.join()
    with pytest.raises(TimeoutError, match="question"):
        subject.call("question", to=sid, timeout=0.01)

    def leave_when_asked() -> None:
        while '["again"]' not in str(client.receive()):
            pass
        client.send("41")

    leaving = threading.Thread(target=leave_when_asked)
    leaving.start()
    with pytest.raises(CallInterruptedError):
        subject.call("again", to=sid, timeout=CEILING)
    leaving.join()
    with pytest.raises(BadNamespaceError):
        subject.emit("question", to=sid)


def test_emit_reaches_the_namespace_and_its_callback(
    subject: Server, client: WebSocketClient, poller: PollingClient
) -> None:
    """Without a sid an event goes to all of a namespace, over any transport, and each answer comes back."""
    answers: Queue[tuple[Any, ...]] = Queue()
    subject.on("event", print, namespace="/other")
    client.join("/other")
    client.join()
    poller.join()
    subject.emit("hello", b"\x00", callback=lambda *args: answers.put(args))
    assert [client.receive(), client.receive()] == ['451-0["hello",{"_placeholder":true,"num":0}]', b"\x00"]
    assert poller.poll() == ['451-0["hello",{"_placeholder":true,"num":0}]', "bAA=="]
    client.send('430["a"]')
    assert answers.get(timeout=CEILING) == ("a",)
    poller.send('430["b",1]')
    assert answers.get(timeout=CEILING) == ("b", 1)
    with pytest.raises(TypeError):
        subject.emit("hello", object())
