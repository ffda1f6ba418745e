"""The polling transports, with answers that a test makes."""

from __future__ import annotations

import asyncio
import threading

import pytest
from engineio.exceptions import ConnectionError

from socketio.engine.asyncio.polling import AsyncPollingTransport
from socketio.engine.threads.polling import PollingTransport

from ..waiting import CEILING, within

NOOP = ({}, b"6")
OPTIONS = {
    "headers": {},
    "request_timeout": CEILING,
    "max_message_size": 100,
    "timestamp": str,
    "log_request": lambda method, url: None,
}


def test_no_poll_follows_the_close_after_a_pause():
    """A server that answers at once without packets is polled with pauses; a CLOSE that is sent in one is the last."""
    requests, raised = [], []
    transport = PollingTransport(None, "http://localhost/?", cookies={}, verify=None, **OPTIONS)

    def request(method, timeout, body=None):
        requests.append(method)
        return NOOP

    def receive():
        with pytest.raises(ConnectionError) as caught:
            transport.receive()
        raised.append(caught.value)

    transport._request = request
    transport.receive()
    transport.receive()
    assert 0 < transport._pause <= 0.1
    reader = threading.Thread(target=receive)
    reader.start()
    assert transport.begin_close(CEILING)
    reader.join(0.2)  # longer than the pause
    assert requests == ["GET", "GET"]
    transport.close()
    reader.join(CEILING)
    assert str(raised[0]) == "the connection was closed"


async def test_no_poll_follows_the_close_after_a_pause_with_asyncio():
    """It is the same."""
    requests = []
    transport = AsyncPollingTransport(None, "http://localhost/?", tls={}, **OPTIONS)

    async def answer(request):
        return NOOP

    transport._begin = lambda method, timeout, body=None: requests.append(method)
    transport._answer = answer
    await transport.receive()
    await transport.receive()
    assert 0 < transport._pause <= 0.1
    reading = asyncio.ensure_future(transport.receive())
    await asyncio.sleep(0)
    assert await transport.begin_close(CEILING)
    await asyncio.wait([reading], timeout=0.2)  # longer than the pause
    assert requests == ["GET", "GET"]
    await transport.close()
    with pytest.raises(ConnectionError, match="the connection was closed"):
        await within(reading)
