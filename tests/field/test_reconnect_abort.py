"""An event of the program's in the place of ``_reconnect_abort`` ends attempts to connect.

Source: issue 10, D6. locust-cloud assigns one right after it has made the client, and sets it in a ``connect_error``
handler, or on a timer thread.
"""

from __future__ import annotations

import socket
import threading

import pytest

from integration.waiting import CEILING, within
from socketio.exceptions import ConnectionError

SLOW = {"reconnection_delay": 60, "reconnection_delay_max": 60}


@pytest.fixture
def nowhere():
    """A URL where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


async def test_it_ends_connect_in_the_pause_before_an_attempt(make_client, nowhere):
    """``connect(retry=True)`` raises the error of the attempt before."""
    sio = make_client(**SLOW)
    native = getattr(sio, "native", sio)
    native._reconnect_abort = threading.Event()
    timer = threading.Timer(0.3, native._reconnect_abort.set)
    timer.start()
    with pytest.raises(ConnectionError):
        await within(CEILING, sio.connect(nowhere, retry=True))
    timer.join()
    assert not sio.connected
    await sio.disconnect()


async def test_a_handler_can_set_it_before_the_first_pause(make_client, nowhere, recorder):
    """In the ``connect_error`` handler of the first attempt: there is no second one."""
    sio = make_client(**SLOW)
    native = getattr(sio, "native", sio)
    native._reconnect_abort = threading.Event()

    def connect_error(data):
        recorder.record("connect_error", data)
        native._reconnect_abort.set()

    sio.on("connect_error", connect_error)
    with pytest.raises(ConnectionError):
        await within(CEILING, sio.connect(nowhere, retry=True))
    assert recorder.names == ["connect_error"]


async def test_it_ends_a_reconnection(make_client, own_server, recorder):
    """``wait()`` returns."""
    server = await own_server()
    sio = make_client(**SLOW)
    native = getattr(sio, "native", sio)
    native._reconnect_abort = threading.Event()
    sio.on("disconnect", recorder.handler("disconnect"))
    await sio.connect(server.url)
    server.kill()
    await recorder.wait_for("disconnect")
    native._reconnect_abort.set()
    await within(CEILING, sio.wait())
    assert not sio.connected
