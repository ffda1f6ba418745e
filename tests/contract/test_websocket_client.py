"""What the websocket transport for threads relies on in websocket-client: the class of its connections, and no more."""

from __future__ import annotations

import socket

import pytest
import websocket


@pytest.fixture
def pair():
    """A websocket over one end of a connection, and the other end."""
    one, other = socket.socketpair()
    ws = websocket.WebSocket(skip_utf8_validation=True)
    ws.sock, ws.connected = one, True
    yield ws, other
    ws.shutdown()
    other.close()


@pytest.mark.parametrize("option", ["enable_multithread", "fire_cont_frame", "get_mask_key", "skip_utf8_validation"])
def test_the_options_that_are_handed_on(option):
    """The class takes these options of create_connection(). (M4)"""
    websocket.WebSocket(**{option: None})


def test_a_socket_is_an_attribute_from_the_beginning():
    """sock, connected and handshake_response exist before a connection does, and may be assigned. (M1)"""
    ws = websocket.WebSocket()
    assert (ws.sock, ws.connected, ws.handshake_response) == (None, False, None)


def test_a_shutdown_closes_the_socket(pair):
    """shutdown() closes without a word, may be repeated, and leaves no socket. (N39)"""
    ws, other = pair
    connection = ws.sock
    ws.shutdown()
    ws.shutdown()
    assert connection.fileno() == -1
    assert ws.sock is None
    assert other.recv(1) == b""


def test_a_timeout_of_zero_makes_the_socket_not_block(pair):
    """settimeout(0) is that of the socket. (M7)"""
    ws, _ = pair
    ws.settimeout(0)
    with pytest.raises(BlockingIOError):
        ws.sock.recv(1)


def test_the_answer_of_the_server_is_shown(pair):
    """status, headers and subprotocol of what is kept as handshake_response are those of the connection. (M4)"""
    ws, _ = pair

    class Answer:
        status, headers, subprotocol = 101, {"a": "b"}, "chat"

    ws.handshake_response = Answer()
    assert (ws.getstatus(), ws.getheaders(), ws.getsubprotocol()) == (101, {"a": "b"}, "chat")
