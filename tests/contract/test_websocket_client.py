"""What the websocket transport for threads relies on in websocket-client."""

from __future__ import annotations

import socket
import threading

import pytest
import websocket
from websocket import ABNF
from websocket._http import connect as connect_socket
from websocket._http import proxy_info

from .conftest import CEILING


class Counting(websocket.WebSocket):
    """A websocket that notes what goes through its hooks, and hands out single bytes."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.received, self.sent = b"", b""

    def _recv(self, bufsize):
        assert bufsize > 0
        data = self.sock.recv(1)
        self.received += data
        return data

    def _send(self, data):
        assert isinstance(data, bytes)
        self.sent += data
        self.sock.sendall(data)
        return len(data)


@pytest.fixture
def connect(server):
    """Return a function that opens a websocket, which is closed after the test."""
    opened = []

    def connect(path="/ws", **options):
        options = {"timeout": CEILING, "skip_utf8_validation": True, **options}
        opened.append(websocket.create_connection(server.ws + path, **options))
        return opened[-1]

    yield connect
    for ws in opened:
        ws.shutdown()


def test_the_class_of_a_connection_can_be_chosen(connect):
    """create_connection(class_=) returns an object of that class. (M1)"""
    assert type(connect(class_=Counting)) is Counting


def test_a_class_can_connect_in_its_own_way(server):
    """create_connection() calls connect() with its options; connect() and proxy_info() make the socket for it. (M5)"""
    seen = []

    class Own(websocket.WebSocket):
        def connect(self, url, **options):
            seen.append(options)
            self.sock, place = connect_socket(url, self.sock_opt, proxy_info(**options), options.pop("socket", None))
            seen.append(place)

    ws = websocket.create_connection(f"{server.ws}/ws?a=1", class_=Own, timeout=CEILING, cookie="a=1")
    assert seen == [{"cookie": "a=1"}, ("127.0.0.1", server.port, "/ws?a=1")]
    assert ws.sock_opt.timeout == CEILING
    ws.shutdown()


def test_a_socket_can_be_brought_along(server):
    """A socket that is given is taken as it is. (M6)"""
    with socket.create_connection(("127.0.0.1", server.port)) as connected:
        ws = websocket.create_connection(f"{server.ws}/ws", timeout=CEILING, socket=connected)
        assert ws.sock is connected


def test_all_frames_go_through_the_hooks(connect):
    """_recv() may give less than it is asked for, _send() gets whole frames; the handshake uses neither. (M1, M8)"""
    ws = connect(class_=Counting)
    assert (ws.received, ws.sent) == (b"", b"")
    ws.send("hello", ABNF.OPCODE_TEXT)
    opcode, frame = ws.recv_data_frame(control_frame=True)
    assert (opcode, frame.data) == (ABNF.OPCODE_TEXT, b"hello")
    assert ws.received == b"\x81\x05hello"
    assert ws.sent[:2] == b"\x81\x85"
    assert len(ws.sent) == 2 + 4 + 5


@pytest.mark.parametrize(
    ("message", "opcode"), [("ünï", ABNF.OPCODE_TEXT), (b"\x00\xff", ABNF.OPCODE_BINARY), (b"", ABNF.OPCODE_BINARY)]
)
def test_texts_and_bytes_are_told_apart(connect, message, opcode):
    """send(data, opcode) takes str and bytes; what comes is bytes, with its opcode. (M8)"""
    ws = connect()
    ws.send(message, opcode)
    came, frame = ws.recv_data_frame(control_frame=True)
    assert came == opcode
    assert bytes(frame.data) == (message.encode() if isinstance(message, str) else message)


def test_a_large_message_is_one_frame_for_the_reader(connect):
    """A message of megabytes comes as one. (M8, N12)"""
    ws = connect()
    ws.send("large", ABNF.OPCODE_TEXT)
    _, frame = ws.recv_data_frame(control_frame=True)
    assert len(frame.data) == 5_000_000


def test_pings_are_answered_and_shown(connect):
    """recv_data_frame(control_frame=True) answers a ping and returns it. (M7)"""
    ws = connect()
    ws.send("ping me", ABNF.OPCODE_TEXT)
    assert ws.recv_data_frame(control_frame=True)[0] == ABNF.OPCODE_PING
    assert ws.recv_data_frame(control_frame=True)[1].data == b"PONG hello"


def test_pongs_are_shown(connect):
    """ping() sends a ping, and recv_data_frame(control_frame=True) returns its pong. (N9)"""
    ws = connect()
    ws.ping()
    assert ws.recv_data_frame(control_frame=True)[0] == ABNF.OPCODE_PONG


def test_a_close_frame_is_answered_and_shown(connect):
    """recv_data_frame(control_frame=True) returns the server's close frame. (M17)"""
    ws = connect()
    ws.send("hang up", ABNF.OPCODE_TEXT)
    assert ws.recv_data_frame(control_frame=True)[0] == ABNF.OPCODE_CLOSE


def test_a_close_frame_can_be_sent_without_waiting(connect):
    """send_close() sends and returns; the server's answer can be read. (N10)"""
    ws = connect()
    ws.send_close()
    assert ws.recv_data_frame(control_frame=True)[0] == ABNF.OPCODE_CLOSE


def test_a_shutdown_closes_the_socket(connect):
    """shutdown() closes without a word, may be repeated, and leaves no socket. (N39)"""
    ws = connect()
    connection = ws.sock
    ws.shutdown()
    ws.shutdown()
    assert connection.fileno() == -1
    assert ws.sock is None


def test_a_timeout_of_zero_makes_the_socket_not_block(connect):
    """settimeout(0) is that of the socket. (M7)"""
    ws = connect()
    ws.settimeout(0)
    with pytest.raises(BlockingIOError):
        ws.sock.recv(1)


def test_a_shut_socket_ends_the_reading(connect):
    """Shutting the socket on another thread ends a recv() on it. (N26)"""
    ws = connect("/ws_silent")
    timer = threading.Timer(0.01, lambda: socket.socket.shutdown(ws.sock, socket.SHUT_RDWR))
    timer.start()
    assert ws.sock.recv(1) == b""
    timer.join(CEILING)


def test_the_request_has_what_it_is_given(connect, server):
    """header, cookie, host and origin go into the request; a dict is taken as header. (M4)"""
    connect(
        header={"X-Header": "1"}, cookie="a=2", host="other.test", origin="http://app.test", enable_multithread=True
    )
    sent = server.requests[-1]
    assert (sent["X-Header"], sent["Cookie"]) == ("1", "a=2")
    assert (sent["Host"], sent["Origin"]) == ("other.test", "http://app.test")


def test_sending_is_guarded_by_default(connect):
    """Several threads may send, each a whole frame: pongs are sent by the reader. (N7)"""
    assert hasattr(connect().lock, "locked")


def test_a_refused_websocket_says_why(connect):
    """A handshake that is refused raises with status, headers and body. (M13)"""
    with pytest.raises(websocket.WebSocketBadStatusException) as caught:
        connect("/refuse")
    assert caught.value.status_code == 403
    assert caught.value.resp_body == b'{"message": "no"}'
    assert caught.value.resp_headers["content-type"].startswith("application/json")


def test_a_handshake_without_answer_ends_in_time(connect):
    """timeout= limits the handshake. (N3, N4)"""
    with pytest.raises((websocket.WebSocketTimeoutException, TimeoutError)):
        connect("/silent", timeout=0.05)


def test_the_errors_of_websocket_client():
    """All that it raises itself is a WebSocketException, silence and an end among them. (C6)"""
    for error in (
        websocket.WebSocketTimeoutException,
        websocket.WebSocketConnectionClosedException,
        websocket.WebSocketBadStatusException,
        websocket.WebSocketProtocolException,
        websocket.WebSocketPayloadException,
        websocket.WebSocketProxyException,
        websocket.WebSocketAddressException,
    ):
        assert issubclass(error, websocket.WebSocketException)


@pytest.mark.parametrize(
    "option",
    ["sslopt", "sockopt", "http_proxy_host", "http_proxy_port", "http_proxy_auth", "proxy_type", "subprotocols"],
)
def test_the_options_that_may_be_handed_on(connect, option):
    """create_connection() takes these options, empty here. (M4, M5, M6)"""
    empty = {"sslopt": {}, "sockopt": (), "subprotocols": None, "proxy_type": "http"}
    assert connect(**{option: empty.get(option)}).connected
