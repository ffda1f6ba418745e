"""The server that comes with the package: how connections end, and what it makes of what is sent to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from queue import Queue

import pytest
import websocket

from socketio.exceptions import BadNamespaceError
from socketio.testing import Server

from .engineio_clients import CEILING, PollingClient, WebSocketClient, answer, pending_poll, reasons


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


# -- leaving


def test_a_namespace_ends_alone(subject: Server, client: WebSocketClient) -> None:
    """A DISCONNECT, from either side, ends one namespace and leaves the others and the connection."""
    left: Queue[tuple[str, str]] = Queue()
    for namespace in ("/a", "/b"):
        subject.on("disconnect", lambda *args: left.put(args), namespace=namespace)
    first, second = client.join("/a"), client.join("/b")
    client.send("41/a,")
    assert left.get(timeout=CEILING) == (first, "client disconnect")
    with pytest.raises(BadNamespaceError):
        subject.disconnect(second)
    subject.disconnect(second, "/b")
    subject.disconnect(second, "/b")
    assert client.receive() == "41/b,"
    assert left.get(timeout=CEILING) == (second, "server disconnect")
    assert client.join("/a") != first


def test_closing_the_transport_delivers_what_was_sent(
    subject: Server, client: WebSocketClient, poller: PollingClient
) -> None:
    """The last events come before the CLOSE packet, even when no poll is pending; there is no DISCONNECT."""
    left = reasons(subject)
    for sid in (client.join(), poller.join()):
        subject.emit("last", to=sid)
        subject.close_transport(sid)
        subject.close_transport(sid)
        assert left.get(timeout=CEILING) == "server disconnect"
    assert [client.receive() for _ in range(3)] == ['42["last"]', "1", ""]
    assert poller.send('42["late"]') == 200  # dropped, but not refused before the CLOSE packet is fetched
    assert poller.poll() == ['42["last"]', "1"]
    assert poller.send("40") == 400


def test_a_client_that_closes_gets_its_poll_answered(subject: Server, poller: PollingClient) -> None:
    """An Engine.IO CLOSE from a client ends its pending poll with a NOOP packet."""
    left = reasons(subject)
    poller.join()
    with pending_poll(subject, poller) as poll:
        assert poller.send("1") == 200
        assert answer(poll) == "6"
    assert left.get(timeout=CEILING) == "client disconnect"


def test_a_poll_that_is_cut_ends_the_connection(subject: Server, poller: PollingClient) -> None:
    """What a poll would have fetched is lost with it, so the client is told that the connection is gone."""
    left = reasons(subject)
    poller.join()
    pending_poll(subject, poller).close()
    assert left.get(timeout=CEILING) == "transport error"


def test_an_upgrade_that_fails_leaves_polling_alone(subject: Server, poller: PollingClient) -> None:
    """A websocket that goes away before its probe does not stop the polls from fetching events."""
    sid = poller.join()
    url = poller.url.replace("http", "ws", 1).replace("polling", "websocket")
    websocket.create_connection(url, timeout=CEILING).close()
    subject.emit("hello", to=sid)
    received = ["6"]
    while received == ["6"]:
        received = poller.poll()
    assert received == ['42["hello"]']


# -- what clients send


def test_large_payloads_are_read_whole(subject: Server, poller: PollingClient) -> None:
    """A POST is taken to its end, however large it is and however many packets it has."""
    subject.on("size", lambda sid, text: len(text))
    poller.join()
    assert poller.send('420["size","' + "x" * 2_000_000 + '"]') == 200
    assert poller.poll() == ["430[2000000]"]
    assert poller.send(*[f'42{number}["size",""]' for number in range(40)]) == 200
    assert poller.poll() == [f"43{number}[0]" for number in range(40)]


def test_payloads_over_the_limit_end_the_connection() -> None:
    """A POST of more than max_http_buffer_size bytes is refused, and its connection closed."""
    with Server(max_http_buffer_size=100) as subject, closing(PollingClient(subject)) as poller:
        left = reasons(subject)
        poller.join()
        assert poller.opening["maxPayload"] == 100
        assert poller.send('42["event","' + "x" * 100 + '"]') == 413
        assert left.get(timeout=CEILING) == "transport error"


MALFORMED = {
    "no Socket.IO type": ["4x"],
    "an unknown type": ["49"],
    "JSON that is none": ['42["a"'],
    "JSON of another kind": ['4{"a":1}'],
    "an event without a name": ["42[]"],
    "an event with a reserved name": ['42["connect"]'],
    "a second CONNECT": ["40"],
    "a CONNECT_ERROR": ["44"],
    "an acknowledgement without an id": ["43[]"],
    "an attachment without a packet": [b"abc"],
    "a packet without its attachments": ['451-["a",{"_placeholder":true,"num":0}]', '42["b"]'],
    "an Engine.IO type that is none": ["x"],
    "an empty packet": [""],
    "nesting without end": ["4" + "[" * 100_000],
}


@pytest.mark.parametrize("frames", MALFORMED.values(), ids=MALFORMED)
@pytest.mark.parametrize("client_class", [WebSocketClient, PollingClient])
def test_what_is_no_socketio_ends_the_connection(
    subject: Server,
    client_class: type[WebSocketClient | PollingClient],
    frames: list[str | bytes],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One line is logged, the disconnect handler is called, and the server goes on with the others."""
    left = reasons(subject)
    with closing(client_class(subject)) as client, closing(WebSocketClient(subject)) as other:
        client.join()
        client.send(*(["bYWJj"] if client_class is PollingClient and frames == [b"abc"] else frames))
        assert left.get(timeout=CEILING).startswith("transport ")
        assert other.join()
    (line,) = caplog.messages
    assert line.startswith("closing the connection ")


def test_stray_events_are_dropped(subject: Server, client: WebSocketClient) -> None:
    """Events and acknowledgements that come too late, for a namespace that has ended, do no harm."""
    client.join()
    client.send('42/x,["late"]', '43/x,0["late"]', "430[]", "41/x,", '421["known"]')
    assert client.receive() == "431[]"
