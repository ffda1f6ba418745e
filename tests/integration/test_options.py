"""The options of the constructors: serializers, JSON modules, loggers, background tasks, recovery."""

from __future__ import annotations

import asyncio
import datetime
import json
import logging
import threading

import msgpack
import orjson
import pytest

import socketio
from socketio import exceptions
from socketio.msgpack_packet import MsgPackPacket
from socketio.packet import Packet

from .waiting import Gate, within


@pytest.mark.server_options(serializer="msgpack")
async def test_msgpack(make_client, server, transport, recorder):
    """serializer='msgpack' works with namespaces, binary, acknowledgements in both directions. (M48, J2)"""
    sio = make_client(serializer="msgpack")
    for namespace in ("/", "/chat"):
        sio.on("echo", recorder.handler(namespace), namespace=namespace)
        sio.on("question", lambda *args: (*args, b"answer"), namespace=namespace)
        sio.on("answer", recorder.handler("answer"), namespace=namespace)
    await sio.connect(server.url, auth={"token": 1}, transports=transport.argument)
    for namespace in ("/", "/chat"):
        data = ({"a": [b"\x00", None, 1.5]}, b"", "é")
        assert await sio.call("echo", data, namespace=namespace) == data
        await recorder.wait_for(namespace)
        assert recorder.of(namespace) == [data]
        await sio.emit("ask", ("question", 1), namespace=namespace)
        assert (await sio.call("handshake", namespace=namespace))["auth"] == {"token": 1}
    assert await recorder.wait_for("answer", 2) == [([1, b"answer"],)] * 2


@pytest.mark.server_options(serializer="msgpack")
async def test_msgpack_refusals(make_client, server, recorder):
    """Refusals and disconnections come through with MessagePack, too. (M48)"""
    sio = make_client(serializer="msgpack")
    sio.on("connect_error", recorder.handler("connect_error"), namespace="/refuse")
    with pytest.raises(exceptions.ConnectionError):
        await sio.connect(server.url)
    payload = {"message": "not welcome", "data": {"code": 7, "reason": "closed"}}
    assert recorder.of("connect_error") == [(payload,)]
    sio.on("disconnect", recorder.handler("disconnect"))
    await sio.connect(server.url, namespaces="/")
    await sio.emit("kick")
    assert await recorder.wait_for("disconnect") == [("server disconnect",)]


@pytest.mark.servers("python", "testing")
@pytest.mark.server_options(serializer="msgpack")
async def test_a_configured_msgpack_class(make_client, server):
    """configure() gives a class with a default function and a hook for extension types. (M48, J3, J4)"""

    def default(value):
        return msgpack.ExtType(5, value.isoformat().encode())

    def hook(code, data):
        return datetime.date.fromisoformat(data.decode())

    day = datetime.date(2024, 2, 29)
    packet_class = MsgPackPacket.configure(dumps_default=default, ext_hook=hook)
    sio, plain = make_client(serializer=packet_class), make_client(serializer="msgpack")
    assert sio.packet_class is packet_class
    await sio.connect(server.url, transports="websocket")
    await plain.connect(server.url, transports="websocket")
    assert await sio.call("echo", {"day": day}) == {"day": day}
    with pytest.raises(TypeError):
        await plain.emit("echo", day)
    extension = msgpack.ExtType(5, b"2024-02-29")
    assert await plain.call("echo", extension) == extension


async def test_a_packet_class_of_the_application(make_client, server, transport, recorder):
    """A packet class given by the caller is used as it is, in both directions. (M48, A4)"""
    seen = []

    class Counting(Packet):
        def encode(self):
            seen.append("out")
            return super().encode()

        def decode(self, encoded_packet):
            seen.append("in")
            return super().decode(encoded_packet)

    sio = make_client(serializer=Counting)
    assert sio.packet_class is Counting
    await sio.connect(server.url, transports=transport.argument)
    assert await sio.call("echo", b"x") == b"x"
    assert seen.count("out") >= 2
    assert seen.count("in") >= 3


class Shouting:
    """A module with dumps and loads that leaves its mark in both directions."""

    @staticmethod
    def dumps(value, **kwargs):
        return json.dumps(value, **kwargs).replace("whisper", "SHOUT")

    @staticmethod
    def loads(text, **kwargs):
        return json.loads(text.replace("quiet", "LOUD"), **kwargs)


async def test_a_json_module(make_client, server, transport):
    """A json module is used in both directions, by its client alone. (M49, A5)"""
    sio, other = make_client(json=Shouting), make_client()
    await sio.connect(server.url, transports=transport.argument)
    await other.connect(server.url, transports=transport.argument)
    assert await sio.call("echo", ("whisper", "quiet", b"x")) == ("SHOUT", "LOUD", b"x")
    assert await other.call("echo", ("whisper", "quiet")) == ("whisper", "quiet")


async def test_orjson_as_it_is(make_client, server, transport):
    """orjson, whose dumps returns bytes, can be given as it is. (M49)"""
    sio = make_client(json=orjson)
    await sio.connect(server.url, auth={"a": 1}, transports=transport.argument)
    assert await sio.call("echo", ("é", {"a": [b"x"]}, 1.5)) == ("é", {"a": [b"x"]}, 1.5)
    with pytest.raises(TypeError):
        await sio.emit("echo", object())
    assert await sio.call("echo", 1) == 1


def _logger(name):
    records = []

    class Collect(logging.Handler):
        def emit(self, record):
            records.append(record.getMessage())

    logger = logging.Logger(name, logging.DEBUG)
    logger.addHandler(Collect())
    return logger, records


async def test_loggers_get_the_records(make_client, server, recorder):
    """Logger objects get the records; an exception in a handler is among them, with event and namespace. (M50, A6)"""
    logger, records = _logger("mine")
    engineio_logger, engineio_records = _logger("engine")
    sio = make_client(logger=logger, engineio_logger=engineio_logger)

    @sio.on("broken", namespace="/chat")
    def broken():
        raise LookupError("as expected")

    sio.on("fine", recorder.handler("fine"), namespace="/chat")
    assert sio.logger is logger
    await sio.connect(server.url)
    await sio.emit("emit_back", "broken", namespace="/chat")
    await sio.emit("emit_back", "fine", namespace="/chat")
    await recorder.wait_for("fine")
    await sio.disconnect()
    assert any("broken" in record and "/chat" in record for record in records)
    assert engineio_records


@pytest.mark.servers("node")
async def test_payloads_are_not_logged_above_debug(make_client, server):
    """What is sent and received is in no record above DEBUG, unless engineio_logger asks for it. (DESIGN 9)"""
    logger, records = _logger("mine")
    logger.setLevel(logging.INFO)
    sio = make_client(logger=logger)
    await sio.connect(server.url, auth={"token": "s3cret"})
    assert await sio.call("echo", "s3cret") == "s3cret"
    await sio.disconnect()
    assert not any("s3cret" in record for record in records)


async def test_normal_traffic_prints_nothing(make_client, server, transport, capfd, caplog):
    """By default normal traffic prints and logs nothing, and no logger is changed. (M50, A6)"""
    loggers = {name: logging.getLogger(name) for name in ("socketio.client", "engineio.client")}
    before = {name: (logger.level, list(logger.handlers)) for name, logger in loggers.items()}
    sio = make_client()
    await sio.connect(server.url, transports=transport.argument)
    assert await sio.call("echo", 1) == 1
    await sio.disconnect()
    assert capfd.readouterr() == ("", "")
    assert [record for record in caplog.records if record.name in loggers] == []
    after = {name: (logger.level, list(logger.handlers)) for name, logger in loggers.items()}
    assert after == before


async def test_the_warning_about_the_path(make_client, server, recorder):
    """A path in the URL is worth one warning of the client. (M3)"""
    logger, records = _logger("mine")
    logger.setLevel(logging.WARNING)
    sio = make_client(logger=logger)
    for _ in range(2):
        await sio.connect(f"{server.url}/room/7?x=1")
        await sio.disconnect()
    assert len(records) == 1
    assert "room/7" in records[0]


@pytest.mark.flavours("threads")
async def test_background_threads(make_client, recorder):
    """start_background_task() returns a thread that runs the function and can be joined. (M51, H3)"""
    sio = make_client()
    task = sio.start_background_task(recorder.record, "ran", 1, 2)
    assert isinstance(task, threading.Thread)
    await asyncio.to_thread(task.join, 5)
    assert recorder.calls == [("ran", (1, 2))]


@pytest.mark.flavours("asyncio")
async def test_background_tasks(make_client):
    """start_background_task() returns a task with the result of the coroutine. (M51, H3)"""
    sio = make_client()

    async def work(first, second=None):
        await asyncio.sleep(0)
        return first, second

    task = sio.start_background_task(work, 1, second=2)
    assert isinstance(task, asyncio.Task)
    assert await task == (1, 2)


async def test_background_tasks_use_the_client(make_client, flavour, server, transport, recorder):
    """A background task may call, sleep and disconnect; wait() follows it. (M51, H3, H4)"""
    sio = make_client()
    gate = Gate()

    async def work(value):
        await gate.wait()
        recorder.record("answer", await sio.call("echo", value))
        await sio.sleep(0)
        await sio.disconnect()

    await sio.connect(server.url, transports=transport.argument)
    task = sio.start_background_task(work, 5)
    gate.open()
    await within(5, sio.wait())
    await flavour.join(task)
    assert recorder.of("answer") == [(5,)]


def test_defaults():
    """Reconnection is on, unlimited, with a delay of 1 s, at most 5 s, randomized by half. (M42)"""
    for client_class in (socketio.Client, socketio.AsyncClient):
        sio = client_class()
        assert sio.reconnection is True
        assert sio.reconnection_attempts == 0
        assert sio.reconnection_delay == 1
        assert sio.reconnection_delay_max == 5
        assert sio.randomization_factor == 0.5
        assert sio.handle_sigint is True


@pytest.mark.servers("node")
@pytest.mark.server_options(recovery=True)
async def test_offsets_of_connection_state_recovery(make_client, server, transport, recorder):
    """A server with connection state recovery appends an offset to its events: handlers do not see it. (D11, E3)"""
    sio = make_client()
    sio.on("echo", recorder.handler("echo"))
    sio.on("question", recorder.handler("question", returns="yes"))
    sio.on("answer", recorder.handler("answer"))
    await sio.connect(server.url, transports=transport.argument)
    for data in ((), (1, "two"), (b"x",)):
        await sio.emit("echo", data)
    await sio.emit("ask", ("question", "short"))
    await recorder.wait_for("answer")
    assert recorder.of("echo") == [(), (1, "two"), (b"x",)]
    assert recorder.of("question") == [("short",)]
    assert recorder.of("answer") == [(["yes"],)]
