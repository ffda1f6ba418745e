"""One Engine.IO connection, without I/O: what packets ask for, what is sent in which order, and why it ends."""

from __future__ import annotations

import threading
from collections import deque
from types import SimpleNamespace

import pytest
from engineio.base_client import BaseClient
from engineio.exceptions import ConnectionError

from socketio.core.details import DisconnectKind
from socketio.engine.connection import Connection
from socketio.engine.errors import InvalidDataError, NoResponseError
from socketio.engine.frames import CLOSE, NORMAL_CLOSURE, PING, PONG, ControlFrame
from socketio.engine.handshake import Handshake
from socketio.engine.opening import Opened
from socketio.engine.threads.client import Condition
from socketio.runtime.steps import run

REASON = BaseClient.reason
CLOSE_PACKETS = {"polling": ["5", "1"], "websocket": [ControlFrame(CLOSE, NORMAL_CLOSURE)]}


class Transport:
    """Keeps what is sent, and receives what a test gives it; an exception among it is raised."""

    head_start = 0.0

    def __init__(self, name, *received):
        self.name, self.close_packets = name, CLOSE_PACKETS[name]
        self.received = list(received)
        self.sent, self.calls = [], []
        self.takes = True

    def receive(self):
        packets = self.received.pop(0)
        if isinstance(packets, Exception):
            raise packets
        return packets

    def send(self, frames):
        if not self.takes:
            raise ConnectionError("the server takes nothing")
        self.sent += frames
        frames.clear()

    def try_send(self, frames):
        if self.takes:
            self.send(frames)

    def block(self):
        """From now on, have nothing read by the server: the writer waits."""
        self.takes, self.send = False, lambda frames: threading.Event().wait()

    def probe(self):
        return [ControlFrame(PING)]

    def confirm(self, timeout):
        self.calls.append("confirm")
        return True

    def begin_close(self, timeout):
        self.calls.append(("begin_close", list(self.sent)))
        return True

    def close(self):
        self.calls.append("close")

    def abort(self):
        self.calls.append("abort")


class Engine:
    """The client that owns a connection: keeps what it delivers, and what it logs."""

    reason = REASON
    request_timeout = 0.05
    high_water_mark = 1000

    def __init__(self):
        self.delivered, self.logged, self.ended, self.read_loop_task = [], [], [], None
        note = lambda text, *args: self.logged.append(text % args)  # noqa: E731
        self.logger = SimpleNamespace(info=note, warning=note, exception=note)
        self._unexpected = self.logger
        self._oversized = []
        self._deliver = self.delivered.append
        self._current = threading.current_thread
        self._event, self._condition = threading.Event, Condition
        self._log_received = self._log_sending = lambda *args: None

    def _start_writer(self, connection):
        connection.writer = threading.Thread(target=run, args=(connection.writing_steps(),), daemon=True)
        connection.writer.start()

    def _receive_next(self, connection):
        connection.receive(connection.transport.receive())

    def _end(self, connection):
        self.ended.append(connection.details())
        connection.read.set()
        yield from ()


def connection_of(transport, *first, max_payload=None):
    opened = Opened(transport, Handshake("sid", (), 25.0, 20.0, max_payload), list(first))
    return Connection(Engine(), opened)


@pytest.fixture(params=["polling", "websocket"])
def name(request):
    return request.param


# -- what comes in


def test_messages_are_delivered_in_bulk_and_in_order():
    """Messages that follow each other are delivered together; what else comes is done in its turn."""
    transport = Transport("websocket")
    connection = connection_of(transport)
    connection.engine._deliver = lambda messages: connection.engine.delivered.append((messages, list(transport.sent)))
    connection.receive(["4a", b"b", "2", "6", "4c", ControlFrame(PONG, b"x")])
    assert connection.engine.delivered == [(["a", b"b"], []), (["c"], ["3"])]
    assert transport.sent == ["3", ControlFrame(PONG, b"x")]


def test_a_ping_is_answered_with_what_it_carries():
    """PING probe gets PONG probe."""
    transport = Transport("websocket")
    connection_of(transport).receive(["2probe"])
    assert transport.sent == ["3probe"]


def test_a_close_packet_ends_the_reading():
    """What comes behind CLOSE in the same payload is delivered; nothing more is received."""
    transport = Transport("polling", ["4a", "1", "4b"])
    connection = connection_of(transport, "4first")
    run(connection.reading_steps())
    assert connection.engine.delivered == [["first"], ["a"], ["b"]]
    (details,) = connection.engine.ended
    assert (details.kind, details.reason) == (DisconnectKind.SERVER_CLOSED, REASON.SERVER_DISCONNECT)


@pytest.mark.parametrize("packet", ["0{}", "3", "5", "7x", ""])
def test_unexpected_packets_are_dropped(packet):
    """They are logged, and the connection goes on."""
    connection = connection_of(Transport("websocket"))
    connection.receive([packet, "4a"])
    assert connection.engine.logged == [f"Dropped an unexpected Engine.IO packet: {packet!r}"]
    assert connection.engine.delivered == [["a"]]


def test_a_server_that_asks_and_does_not_read_loses_the_connection():
    """Answers may take another high-water mark, and no more."""
    transport = Transport("websocket")
    transport.block()
    connection = connection_of(transport)
    for _ in range(20):
        connection.receive(["2" + 99 * "x"])
    with pytest.raises(ConnectionError, match="does not read them"):
        connection.receive(["2" + 99 * "x"])
    assert connection.queue.size <= 2 * connection.engine.high_water_mark + 100


# -- what goes out


def test_what_a_transport_does_not_take_at_once_is_left_to_the_writer():
    """Nothing is lost, and the order stays."""
    transport = Transport("websocket")
    transport.try_send = lambda frames: transport.sent.append(frames.popleft())
    connection = connection_of(transport)
    connection.send(["4a", "4b"], wake=False, accepts=True)
    connection.send_at_once()
    assert run(connection.queue.flush(5))
    assert transport.sent == ["4a", "4b"]
    connection.queue.close()
    connection.writer.join(5)


def test_a_message_that_no_payload_can_carry(name):
    """Over polling it raises; over websocket it is sent, and noted for a warning."""
    connection = connection_of(Transport(name), max_payload=10)
    if name == "polling":
        with pytest.raises(ValueError, match="more than the server takes"):
            connection.send(["4" + "ü" * 5], wake=False, accepts=True)
    else:
        connection.send(["4" + "ü" * 5], wake=False, accepts=True)
        assert connection.engine._oversized == [(11, 10)]
    connection.send(["4" + "ü" * 4], wake=False, accepts=True)


def test_a_transport_that_fails_to_send_is_cut():
    """The queue is closed, so that nothing waits for it; the reader has a second to learn the reason."""
    transport = Transport("polling")
    transport.takes = False
    connection = connection_of(transport)
    connection.read.set()
    connection.send(["4a"], wake=True, accepts=True)
    connection.writer.join(5)
    assert connection.queue.closed
    assert str(connection.failure) == "the server takes nothing"
    assert transport.calls == ["abort"]
    assert connection.engine.logged == ["Sending failed: the server takes nothing"]


# -- the end


def test_draining_sends_a_probe_behind_what_is_queued():
    """The server has read all when it has answered the probe."""
    transport = Transport("websocket")
    connection = connection_of(transport)
    connection.send(["4a"], wake=False, accepts=True)
    assert run(connection.drain(5))
    assert transport.sent == ["4a", ControlFrame(PING)]
    assert transport.calls == ["confirm"]


def test_closing_sends_the_queue_and_then_the_close_packets(name):
    """No further poll begins once the close packets are about to be sent."""
    transport = Transport(name)
    connection = connection_of(transport)
    connection.send(["4a"], wake=False, accepts=True)
    run(connection.close(abort=False))
    assert transport.sent == ["4a", *CLOSE_PACKETS[name]]
    assert transport.calls == [("begin_close", ["4a"]), "close"]
    with pytest.raises(ConnectionError):
        connection.send(["4b"], wake=False, accepts=True)


@pytest.mark.parametrize("abort", [True, False])
def test_closing_without_a_server_that_reads(abort):
    """The connection is cut, at once or after request_timeout."""
    transport = Transport("websocket")
    transport.block()
    connection = connection_of(transport)
    connection.send(["4a"], wake=False, accepts=True)
    run(connection.close(abort))
    assert transport.calls == ["abort"]
    assert connection.queue.unsent() == 1


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ConnectionError("broken"), DisconnectKind.CONNECTION_BROKEN),
        (NoResponseError("silent"), DisconnectKind.HEARTBEAT_LOST),
        (InvalidDataError("invalid"), DisconnectKind.INVALID_DATA),
        (KeyError("ours"), DisconnectKind.CONNECTION_BROKEN),
    ],
)
def test_the_first_error_tells_why_it_ended(error, kind):
    """Later ones, which follow from it, do not count."""
    connection = connection_of(Transport("websocket", error))
    run(connection.reading_steps())
    connection.fail(ConnectionError("later"))
    (details,) = connection.engine.ended
    assert (details.kind, details.reason, details.exception) == (kind, REASON.TRANSPORT_ERROR, error)
    assert connection.failure is error


def test_an_error_after_disconnect_is_no_failure():
    """The connection ended because the client wanted it."""
    connection = connection_of(Transport("websocket", ConnectionError("cut")))
    connection.reason = REASON.CLIENT_DISCONNECT
    run(connection.reading_steps())
    (details,) = connection.engine.ended
    assert (details.kind, details.reason) == (DisconnectKind.CLIENT_DISCONNECT, REASON.CLIENT_DISCONNECT)
    assert connection.engine.logged == []


def test_waiting_for_room_raises_the_reason_when_the_connection_ends():
    """The error of the reader, and not that the queue was closed."""
    connection = connection_of(Transport("websocket"))
    connection.queue.put(["4" + 1001 * "x"], wake=False)
    assert run(connection.wait_for_room(0.01)) is False
    connection.queue.close()
    connection.fail(NoResponseError("the server is silent"))
    connection.read.set()
    with pytest.raises(ConnectionError, match="the server is silent"):
        run(connection.wait_for_room(5))


def test_the_rest_can_be_sent_after_the_queue_was_closed():
    """As the asyncio client does while its event loop ends."""
    connection = connection_of(Transport("websocket"))
    connection.queue.put(["4a", "4b"], wake=False)
    connection.queue.close()
    assert connection.queue.rest() == deque(["4a", "4b"])
