"""What ``logger=True`` and ``engineio_logger=True`` show: all that python-socketio shows, and no secrets.

Source: issue 10, D2. The same program runs with both libraries, and what python-socketio tells of it is looked for in
what we tell.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import sys
from collections import Counter
from pathlib import Path

import pytest

from faults.watching import Lines
from integration.installation import install_python_socketio
from integration.processes import ServerProcess
from integration.proxy import Proxy
from integration.waiting import CEILING, until, within

PROGRAM = Path(__file__).parent / "programs" / "conversation.py"
SECRET = "S3CRET"

# Facts by the lines that tell them: there, and here. Groups are part of the fact.
FACTS = {
    "address": (
        r"Attempting \w+ connection to \w+(://[^/]+/socket\.io/)",
        r"Connecting to \w+(://[^/]+/socket\.io/) over",
    ),
    "session": (
        r"connection accepted with \{'sid': .*'pingInterval': (\d+)000",
        r"Session \S+: .*ping interval (\d+) s",
    ),
    "connected": (r"Engine\.IO connection established", r"Connected over \w+"),
    "upgraded": (r"WebSocket upgrade was successful", r"Upgraded to websocket"),
    "poll": (r"Sending polling GET request", r"GET http"),
    "closed": (r"Engine\.IO connection dropped", r"Connection closed: "),
    "sent": (r"Sending packet MESSAGE data (.*)", r"Sending MESSAGE (.*)"),
    "received": (r"Received packet (MESSAGE|NOOP) data (.*)", r"Received (MESSAGE|NOOP) ?(.*)"),
    "namespace": (r"Namespace (\S+) is connected", r"Namespace (\S+) is connected"),
    "refusal": (r"Connection to namespace (\S+) was rejected", r"Namespace (\S+) was refused"),
    "event": (r'Received event "(.*)" \[(.*)\]', r"Received event '(.*)' \[(.*)\]"),
    "ack": (r"Received ack \[(.*)\]", r"Received ack \d+ \[(.*)\]"),
    "emitted": (r'Emitting event "(.*)" \[(.*)\]', r"Emitting event '(.*)' \[(.*)\]"),
    "delay": (r"Connection failed, new attempt in \d", r"Connection failed, new attempt in \d"),
    "reconnected": (r"Reconnection successful", r"Attempt \d+ to reconnect was successful"),
}


def _facts(log, column):
    facts = []
    for line in log.splitlines():
        for kind, patterns in FACTS.items():
            match = re.match(f".*?{patterns[column]}", line)
            if match is not None:
                facts.append((kind, *map(_without_what_differs, match.groups())))
    return Counter(facts)


def _without_what_differs(text):
    """Leave out ids, ports, secrets, sizes, and what comes after the beginning of a long packet."""
    text = re.sub(r"^(0(/\w+,)?).*", r"\1", text)
    text = re.sub(r":\d+/|<binary.*>", "", text)
    text = re.sub(r'"password":"\w+"', '"password":"***"', text)
    return text[:150]


async def _run(peer, flavour, transports):
    """Return what a program logs that talks to a server, is cut off and comes back."""
    server = ServerProcess("node", {})  # a new one: its acknowledgement ids begin anew
    environment = {**os.environ, "PYTHONPATH": str(install_python_socketio()) if peer else ""}
    try:
        async with Proxy(server.port) as proxy:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, str(PROGRAM), flavour, ",".join(transports), proxy.url),
                env=environment,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            try:
                for word in (b"connected", b"lost", b"back"):
                    assert await within(CEILING, process.stdout.readline()) == word + b"\n"
                    if word == b"connected":
                        await proxy.drop()
                    elif word == b"lost":
                        await proxy.accept()
                _, log = await within(CEILING, process.communicate())
            finally:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
    finally:
        server.close()
    return log.decode()


@pytest.mark.parametrize("transports", [["websocket"], ["polling"], ["polling", "websocket"]], ids="-".join)
async def test_all_that_python_socketio_shows(transports):
    """Both flavours log each fact, event and packet equally often, and no secrets.

    Takes seconds: it runs the same conversation, with a reconnection, three times.
    """
    theirs, threads, tasks = await asyncio.gather(
        # Over polling the peer's disconnect() can take 25 s.
        _run(True, "threads", ["websocket"] if transports == ["polling"] else transports),
        _run(False, "threads", transports),
        _run(False, "asyncio", transports),
    )
    told = _facts(theirs, 0)
    assert len(told) > 20, theirs
    for log in (threads, tasks):
        ours = _facts(log, 1)
        assert set(told) - set(ours) == set(), log
        for fact, count in told.items():
            if fact[0] in ("event", "ack", "emitted", "sent", "namespace", "refusal"):
                assert ours[fact] >= count, fact
        assert SECRET not in log
        assert "Traceback" not in log
        if transports == ["polling"]:
            assert ours["poll",] > 10


@pytest.fixture
def lines():
    return Lines()


@pytest.fixture
def make_logging(make_client, lines):
    """Return a function that makes a client whose log is watched."""
    return lambda **options: make_client(logger=lines.logger, engineio_logger=lines.logger, **options)


@pytest.mark.servers("node")
@pytest.mark.parametrize("serializer", ["default", "msgpack"])
async def test_events_and_acknowledgements_have_ids(make_logging, servers, transport, recorder, lines, serializer):
    """An event that asks for an acknowledgement, and that, have the same id; MessagePack is counted."""
    server = servers("node", serializer=serializer)
    sio = make_logging(serializer=serializer)
    sio.on("question", lambda *args: "yes")
    sio.on("answer", recorder.handler("answer"))
    await sio.connect(server.url, auth={"token": SECRET}, transports=transport.argument)
    await sio.call("echo", SECRET if serializer == "msgpack" else "text")
    await sio.emit("ask", "question")
    await recorder.wait_for("answer")
    await sio.disconnect()
    told = lines.text.splitlines()
    own = [line for line in told if " event " in line or " ack " in line]
    assert sorted(own[:3]) == sorted(
        ["Emitting event 'echo' [/], ack id 1", "Received event 'echo' [/]", "Received ack 1 [/]"]
    )
    asked, sent = (number(own, text) for text in ("Received event 'question' [/], ack id", "Sending ack"))
    assert asked == sent
    packets = [line for line in told if line.startswith(("Sending MESSAGE", "Received MESSAGE"))]
    if serializer == "msgpack":
        assert all("<binary, " in line for line in packets)
        assert SECRET not in lines.text
    assert len(packets) >= 8


def number(lines, text):
    """Return the number in the one line with a text."""
    (line,) = (line for line in lines if line.startswith(text))
    return int(re.search(r"\d+", line[len(text) - 1 :])[0])


@pytest.mark.servers("node")
async def test_namespace_objects_and_simple_clients(flavour, make_logging, make_simple_client, server, lines, recorder):
    """What comes to the methods of a namespace object, and to receive(), is logged, too."""

    class Chat(flavour.namespace_class):
        def on_hello(self, *args):
            recorder.record("hello")

    sio = make_logging()
    sio.register_namespace(Chat("/chat"))
    await sio.connect(server.url)
    await sio.emit("emit_back", ("hello", b"bytes"), namespace="/chat")
    await recorder.wait_for("hello")
    simple = make_simple_client(logger=lines.logger)
    await simple.connect(server.url, namespace="/news")
    await simple.emit("emit_back", ("hello", 1))
    await simple.emit("emit_back", ("hello", 2))
    assert [await simple.receive(CEILING), await simple.receive(CEILING)] == [["hello", 1], ["hello", 2]]
    assert "Received event 'hello' [/chat]" in lines.text
    assert lines.text.count("Received event 'hello' [/news]") == 2


@pytest.mark.servers("node")
async def test_a_level_that_changes_while_connected(make_client, server, transport, recorder, lines):
    """A logger that is given another level logs from the next event on, in each direction."""
    logger = logging.getLogger("field.levels")
    logger.addHandler(lines)
    logger.setLevel(logging.WARNING)
    sio = make_client(logger=logger, engineio_logger=logger)
    sio.on("hello", recorder.handler("hello"))
    await sio.connect(server.url, transports=transport.argument)
    await sio.emit("emit_back", "hello")
    await recorder.wait_for("hello")
    assert lines.text == ""
    logger.setLevel(logging.INFO)
    await sio.emit("emit_back", "hello")
    await recorder.wait_for("hello", 2)
    await until(lambda: "Received event 'hello' [/]" in lines.text)
    assert "Emitting event 'emit_back' [/]" in lines.text
    assert 'Sending MESSAGE 2["emit_back","hello"]' in lines.text
    assert 'Received MESSAGE 2["hello"]' in lines.text
    logger.setLevel(logging.WARNING)
    told = lines.text
    await sio.emit("emit_back", "hello")
    await recorder.wait_for("hello", 3)
    assert lines.text == told
    logger.removeHandler(lines)


@pytest.mark.servers("node")
@pytest.mark.server_options(ping_interval=0.2, ping_timeout=5)
async def test_heartbeats_are_packets(make_logging, server, transport, lines):
    """Pings and pongs are logged."""
    sio = make_logging()
    await sio.connect(server.url, transports=transport.argument)
    await until(lambda: "Sending PONG" in lines.text)
    assert "Received PING" in lines.text


@pytest.mark.servers("node")
async def test_a_program_that_ships_its_log(flavour, make_client, server, observer, transport, key, lines):
    """A logging handler that emits each line over the client that logs it neither hangs nor goes round for ever."""
    sio = make_client(logger=lines.logger)
    native = flavour.native(sio)
    tasks = []

    class Shipping(logging.Handler):
        def emit(self, record):
            if native.connected and record.levelno < logging.WARNING:
                shipped = native.emit("note", (key, record.getMessage()))
                if shipped is not None:
                    tasks.append(asyncio.ensure_future(shipped))

    lines.logger.addHandler(Shipping())
    await within(CEILING, sio.connect(server.url, transports=transport.argument))
    await within(CEILING, sio.call("echo", 1))
    await asyncio.gather(*tasks)
    await within(CEILING, sio.disconnect())
    shipped = ["Namespace / is connected", "Emitting event 'echo' [/], ack id 1", "Received event 'echo' [/]"]
    assert (await observer.notes(key, 4))[:4] == [*shipped, "Received ack 1 [/]"]


@pytest.mark.servers("node")
async def test_losses_and_attempts(make_logging, server, proxy, transport, lines, recorder):
    """A loss and the first attempt that fails for a reason are warnings; the others, and the delays, are INFO."""
    sio = make_logging(reconnection_delay=0.05, reconnection_delay_max=0.05, reconnection_attempts=4)
    sio.on("disconnect", recorder.handler("disconnect"))
    await sio.connect(proxy.url, transports=transport.argument)
    await proxy.drop()
    await within(CEILING, sio.wait())
    attempts = [line for line in lines.text.splitlines() if re.match(r"Attempt \d to reconnect failed: ", line)]
    assert len(attempts) == 4
    assert lines.text.count("Connection failed, new attempt in 0.") == 4
    assert "Namespace / is disconnected: transport error" in lines.text
    assert lines.warnings[0].startswith(("Connection lost: ", "Sending failed: "))
    assert attempts[0] in lines.warnings
    assert lines.warnings[-1] == "Maximum reconnection attempts reached, giving up"
    assert len([line for line in attempts if line in lines.warnings]) < 4


DEFAULTS = """
import logging, socketio, sys
when, level, url = sys.argv[1], sys.argv[2], sys.argv[3]
configure = lambda: level and logging.basicConfig(level=level, format="%(name)s %(levelname)s %(message)s")
if when == "before":
    configure()
sio = socketio.SimpleClient()
if when == "after":
    configure()
sio.connect(url + "/ignored")
sio.call("echo", {"payload": 1})
sio.disconnect()
print(logging.getLogger("socketio.client").level, logging.getLogger("engineio.client").level, end="")
"""


@pytest.mark.servers("node")
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("level", ["", "WARNING", "INFO", "DEBUG", "ERROR"])
async def test_by_default_the_root_logger_decides(server, when, level):
    """Warnings are shown unless the program says otherwise; INFO has no packets unless they are asked for."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", DEFAULTS, when, level, server.url),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        output, errors = await within(CEILING, process.communicate())
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    told = [line for line in errors.decode().splitlines() if "asyncio" not in line and "urllib3" not in line]
    assert output == b"0 0"
    warnings = [line for line in told if "The path in the URL" in line]
    assert len(warnings) == (level != "ERROR")
    if level in ("", "WARNING", "ERROR"):
        assert told == warnings
    else:
        assert "socketio.client INFO Emitting event 'echo' [/], ack id 1" in told
        assert "socketio.client INFO Received ack 1 [/]" in told
        packet = 'engineio.client DEBUG Sending MESSAGE 21["echo",{"payload":1}]'
        assert (packet in told) == (level == "DEBUG")
