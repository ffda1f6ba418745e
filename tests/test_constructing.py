"""Constructing clients changes nothing in the process."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading

import engineio
import orjson
import pytest

import socketio
from socketio import packet

CLIENTS = [socketio.Client, socketio.AsyncClient, socketio.SimpleClient, socketio.AsyncSimpleClient]
OPTIONS = [
    {},
    {"handle_sigint": True},
    {"handle_sigint": False},
    {"logger": False, "engineio_logger": False},
    {"logger": logging.getLogger("test_constructing"), "engineio_logger": logging.getLogger("test_constructing")},
    {"json": orjson},
    {"serializer": "msgpack"},
    {"reconnection": False, "async_handlers": False, "request_timeout": 1, "ssl_verify": False},
]
NAMES = ["", "socketio", "socketio.client", "engineio", "engineio.client", "test_constructing"]


def loggers():
    """Return level, handlers and switches of all loggers that are concerned."""
    found = [logging.getLogger(name) for name in NAMES]
    return [(logger.level, list(logger.handlers), logger.propagate, logger.disabled) for logger in found]


def state():
    """Return what a client could change in the process, and must not."""
    return {
        "signals": {number: signal.getsignal(number) for number in signal.valid_signals()},
        "loggers": loggers(),
        "threads": list(threading.enumerate()),
        "engineio's json": engineio.packet.Packet.json,
        "our json": packet.Packet.json,
        "engineio's clients": list(engineio.base_client.connected_clients),
        "engineio's signal handler": engineio.base_client.original_signal_handler,
        "thread excepthook": threading.excepthook,
    }


@pytest.mark.parametrize("client_class", CLIENTS)
@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: ", ".join(options) or "none")
def test_constructing_a_client_changes_nothing(client_class, options):
    """No signal handler, log level, log handler, thread or codec of the process is touched. (A6, A5, M19)"""
    before = state()
    client = client_class(**options)
    assert state() == before
    del client
    assert state() == before


@pytest.mark.parametrize("client_class", CLIENTS[:2])
def test_registering_handlers_changes_nothing(client_class):
    """Handlers and namespaces are the client's own affair. (A6)"""
    before = state()
    client = client_class()
    client.on("a", print)
    client.event(print)
    base = socketio.AsyncClientNamespace if client.is_asyncio_based() else socketio.ClientNamespace
    client.register_namespace(base("/a"))
    assert state() == before


@pytest.mark.parametrize("client_class", CLIENTS[:2])
@pytest.mark.parametrize(("option", "name"), [("logger", "socketio.client"), ("engineio_logger", "engineio.client")])
def test_only_a_logger_of_true_changes_its_logger(client_class, option, name):
    """logger=True gives the one logger a level and a handler, and changes nothing else. (A6, A7)"""
    logger, before = logging.getLogger(name), loggers()
    try:
        client_class(**{option: True})
        assert logger.level == logging.INFO
        assert len(logger.handlers) == 1
        client_class(**{option: True})
        assert len(logger.handlers) == 1
    finally:
        logger.setLevel(logging.NOTSET)
        logger.handlers.clear()
    assert loggers() == before


@pytest.mark.parametrize("client_class", [socketio.AsyncClient, socketio.AsyncSimpleClient])
async def test_in_an_event_loop_nothing_is_started(client_class):
    """Constructing a client in a running loop starts no task and sets no signal handler of the loop. (M19)"""
    before, tasks = state(), asyncio.all_tasks()
    client = client_class()
    assert asyncio.all_tasks() == tasks
    assert state() == before
    del client


def test_a_client_can_be_constructed_on_any_thread():
    """Other threads, where no signal handler can be set, may construct clients. (M21)"""
    made = []
    thread = threading.Thread(target=lambda: made.extend(client_class() for client_class in CLIENTS))
    thread.start()
    thread.join(10)
    assert len(made) == len(CLIENTS)
