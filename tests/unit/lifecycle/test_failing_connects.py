"""Whatever is raised inside connect(): nothing stays open, and connect() works again.

Source: issue 10, B9.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import linecache
import sys

import pytest

from socketio import exceptions
from socketio.engine import EngineError

from ..flavours import URL, AsyncClient, AsyncSimpleClient, Client, SimpleClient
from ..waiting import run_blocking, within


class Unspeakable(Exception):
    """An exception that has no text."""

    def __str__(self):
        raise ZeroDivisionError

    __repr__ = __str__


class Exit(BaseException):
    """What is no Exception, as SystemExit or what a test runner raises."""


def nested(depth):
    """Return JSON that is nested so many lists deep."""
    return "[" * depth + "]" * depth


async def works(sio):
    """Check that nothing is open and that the client connects."""
    assert not sio.connected
    assert sio.engine.state == "disconnected"
    await within(sio.wait())
    sio.engine.server.refusals, sio.engine.server.silent = {}, set()
    await within(sio.connect(URL))
    assert sio.connected
    await sio.emit("up")
    await within(sio.disconnect())


ERRORS = [KeyError("token"), Unspeakable(), RecursionError("too deep"), exceptions.ConnectionError("mine"), Exit("x")]


@pytest.mark.parametrize("retry", [False, True])
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("argument", ["url", "headers", "auth"])
async def test_an_error_of_a_function_that_is_asked(make_client, argument, error, retry):
    """connect() raises the exception of a url, headers or auth function unchanged."""
    sio = make_client(reconnection_attempts=1)

    def broken():
        raise error

    with pytest.raises(type(error)):
        await within(sio.connect(**{"url": URL, "retry": retry, argument: broken}))
    await works(sio)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("argument", ["url", "headers", "auth"])
async def test_an_error_of_a_function_that_is_asked_in_a_reconnection(make_client, calls, argument):
    """An Exception ends its attempt; SystemExit ends the reconnection, and the client is idle."""
    sio = make_client()
    values = {"url": URL, "headers": {}, "auth": {}}
    errors = [None, KeyError("x"), Unspeakable(), SystemExit()]

    def ask():
        error = errors.pop(0)
        if error is not None:
            raise error
        return values[argument]

    sio.on("__disconnect_final", lambda: calls.add("over"))
    await within(sio.connect(**{"url": URL, argument: ask}))
    if isinstance(sio.native, AsyncClient):
        errors[-1] = asyncio.CancelledError()  # SystemExit would end the event loop
    sio.engine.lose()
    await within(sio.wait())
    await calls.has("over")
    assert errors == []
    await works(sio)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
async def test_an_error_of_the_engine(sio, error):
    """So does whatever the engine raises."""
    sio.engine.failures = [error]
    with pytest.raises(type(error)):
        await within(sio.connect(URL))
    await works(sio)


@pytest.mark.parametrize("auth", [object(), {"a": {1, 2}}, "\ud800", {"nested": json.loads(nested(900))}])
async def test_auth_that_cannot_be_encoded(sio, auth):
    """Where auth is no JSON, connect() raises, or the server gets it."""
    try:
        await within(sio.connect(URL, auth=auth))
    except (TypeError, ValueError, RecursionError):
        await works(sio)
    else:
        await within(sio.disconnect())


@pytest.mark.parametrize("depth", [10, 100, 500, 900, 1000, 10_000])
@pytest.mark.parametrize("form", ["%s", '{"message":%s}', '{"message":"no","data":%s}', '["no",%s]'])
async def test_a_refusal_that_is_nested_deeply(make_client, depth, form):
    """A refusal is one, however its message is made; what cannot be read is dropped."""
    sio = make_client()
    sio.engine.server.silent = {"/"}
    connecting = asyncio.ensure_future(sio.connect(URL, wait_timeout=0.2))
    await sio.engine.sent.until(lambda: sio.engine.sent.items)
    sio.engine.deliver("4" + form % nested(depth))
    with pytest.raises(exceptions.ConnectionError, match="failed to connect: /"):
        await within(connecting)
    await works(sio)


class BrokenJson:
    """A json module that fails."""

    broken = False

    @classmethod
    def loads(cls, text):
        if cls.broken:
            raise Unspeakable
        return json.loads(text)

    dumps = staticmethod(json.dumps)


@pytest.mark.parametrize("answer", ["4", "0"])
async def test_a_json_module_that_fails(make_client, monkeypatch, answer):
    """What it cannot read was not answered."""
    sio = make_client(json=BrokenJson)
    sio.engine.server.silent = {"/"}
    connecting = asyncio.ensure_future(sio.connect(URL, wait_timeout=0.1))
    await sio.engine.sent.until(lambda: sio.engine.sent.items)
    monkeypatch.setattr(BrokenJson, "broken", True)
    sio.engine.deliver(answer + '{"message":"no"}')
    with pytest.raises(exceptions.ConnectionError):
        await within(connecting)
    monkeypatch.setattr(BrokenJson, "broken", False)
    await works(sio)


# -- interrupted at any moment

FAILURES = ["none", "engine", "refusal", "silence"]


def prepare(engine, failure):
    """Have the next attempt fail."""
    engine.failures = [EngineError("down")] if failure == "engine" else []
    engine.server.refusals = {"/": "no"} if failure == "refusal" else {}
    engine.server.silent = {"/"} if failure == "silence" else set()


@pytest.mark.parametrize("failure", FAILURES)
async def test_a_connect_that_is_cancelled_at_each_step(failure):
    """connect() that is cancelled before any of its steps leaves nothing open."""
    for step in itertools.count(1):
        sio = AsyncClient()
        sio.on("connect", lambda: asyncio.sleep(0))
        sio.on("connect_error", lambda *args: asyncio.sleep(0))
        prepare(sio.eio, failure)
        connecting = asyncio.ensure_future(sio.connect(URL, wait_timeout=0.01))
        for _ in range(step):
            await asyncio.sleep(0.001 if step > 30 else 0)
        was_done = connecting.done()
        connecting.cancel()
        await asyncio.wait([connecting], timeout=5)
        assert connecting.done()
        if was_done:
            connecting.exception()
            await sio.disconnect()
            break
        assert connecting.cancelled()
        assert not sio.connected
        assert sio.eio.state == "disconnected"
        prepare(sio.eio, "none")
        await within(sio.connect(URL))
        await within(sio.disconnect())
    assert step >= 3


@pytest.mark.parametrize("twice", [False, True])
async def test_a_disconnect_that_is_cancelled_at_each_step(twice):
    """connect() right after a disconnect() that was cancelled waits for the close, and is no error."""
    begins_at_once = asyncio.get_running_loop().get_task_factory() is not None
    for step in itertools.count():
        sio = AsyncClient()
        sio.on("disconnect", lambda *args: asyncio.sleep(0))
        await sio.connect(URL)
        await sio.emit("last")
        disconnecting = asyncio.ensure_future(sio.disconnect())
        for _ in range(step):
            await asyncio.sleep(0)
        was_done = disconnecting.done()
        disconnecting.cancel()
        if twice:
            await asyncio.sleep(0)
            disconnecting.cancel()
        connecting = asyncio.ensure_future(sio.connect(URL))
        if step == 0 and not begins_at_once:
            with pytest.raises(exceptions.ConnectionError, match="Already connected"):
                await within(connecting)
        else:
            await within(connecting)
        assert sio.connected
        await within(sio.disconnect())
        if was_done:
            break
    assert step > 3


async def test_a_simple_disconnect_that_is_cancelled_at_each_step():
    """The simple client connects again, too."""
    for step in itertools.count(1):
        sio = AsyncSimpleClient()
        await sio.connect(URL)
        await sio.emit("last")
        disconnecting = asyncio.ensure_future(sio.disconnect())
        for _ in range(step):
            await asyncio.sleep(0)
        was_done = disconnecting.done()
        disconnecting.cancel()
        await asyncio.wait([disconnecting], timeout=5)
        await within(sio.connect(URL))
        await within(sio.disconnect())
        if was_done:
            break
    assert step > 3


class Interrupt:
    """Raises KeyboardInterrupt at the n-th line that this thread executes in the modules of the lifecycle.

    :param again: after how many lines more to raise another one.
    """

    MODULES = ("client", "base_client", "lifecycle", "core.lifecycle", "core.attempt")

    def __init__(self, line, again=0):
        self.interrupts = {line, line + again}
        self.lines = 0
        self.where = None

    def trace(self, frame, event, arg):
        package, _, module = frame.f_globals.get("__name__", "").partition(".")
        if package != "socketio" or not module.startswith(self.MODULES):
            return None
        code = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
        # Python looks for signals after calls and at the end of loops: never between a block and its __exit__().
        if event == "line" and not code.startswith("with "):
            self.lines += 1
            if self.lines in self.interrupts:
                self.where = f"{module}:{frame.f_lineno}"
                raise KeyboardInterrupt
        return self.trace

    def run(self, function, *args, **kwargs):
        before = sys.gettrace()
        sys.settrace(self.trace)
        try:
            function(*args, **kwargs)
        finally:
            sys.settrace(before)


@contextlib.contextmanager
def at(interrupt):
    """Have failures in the block tell where it was."""
    try:
        yield
    except AssertionError as exc:
        raise AssertionError(f"interrupted at {interrupt.where}: {exc}") from exc


@pytest.mark.parametrize("failure", FAILURES)
def test_a_connect_that_is_interrupted_at_each_line(failure):
    """Ctrl-C at any line of connect() leaves nothing open.

    Takes seconds: connect() has hundreds of lines, and each is the last one of an attempt.
    """
    for line in itertools.count(1):
        sio = Client()
        sio.on("connect", lambda: None)
        prepare(sio.eio, failure)
        interrupt = Interrupt(line)
        try:
            interrupt.run(sio.connect, URL, wait_timeout=0.01)
        except exceptions.ConnectionError:
            pass
        except KeyboardInterrupt:
            assert not sio.connected, interrupt.where
        if interrupt.where is None:
            sio.disconnect()
            break
        assert sio.eio.state == "disconnected" or sio.connected, interrupt.where
        sio.disconnect()
        prepare(sio.eio, "none")
        with at(interrupt):
            asyncio.run(within(run_blocking(sio.connect, URL), 5))
            asyncio.run(within(run_blocking(sio.disconnect), 5))
            asyncio.run(within(run_blocking(sio.wait), 5))
    assert line > 50


@pytest.mark.parametrize("times", [1, 2])
def test_a_disconnect_that_is_interrupted_at_each_line(times):
    """Ctrl-C at any line of disconnect(), and once more a few lines later, leaves nothing that hangs."""
    for line in itertools.count(1):
        sio = Client(handle_sigint=False)
        sio.on("disconnect", lambda *args: None)
        sio.connect(URL)
        sio.emit("last")
        interrupt = Interrupt(line, again=7 if times == 2 else 0)
        with contextlib.suppress(KeyboardInterrupt):
            interrupt.run(sio.disconnect)
        if interrupt.where is None:
            break
        with at(interrupt):
            asyncio.run(within(run_blocking(sio.disconnect), 5))
            asyncio.run(within(run_blocking(sio.wait), 5))
            asyncio.run(within(run_blocking(sio.connect, URL), 5))
            assert sio.connected
            asyncio.run(within(run_blocking(sio.disconnect), 5))
    assert line > 20


def test_a_simple_disconnect_that_is_interrupted():
    """The simple client connects again after Ctrl-C in disconnect()."""
    for line in itertools.count(1, 5):
        sio = SimpleClient(handle_sigint=False)
        sio.connect(URL)
        interrupt = Interrupt(line)
        with contextlib.suppress(KeyboardInterrupt):
            interrupt.run(sio.disconnect)
        if interrupt.where is None:
            break
        with at(interrupt):
            asyncio.run(within(run_blocking(sio.connect, URL), 5))
            asyncio.run(within(run_blocking(sio.disconnect), 5))
    assert line > 20
