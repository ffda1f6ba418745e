"""The end of the program and forks, as far as they can be had without ending and forking."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
import warnings

import pytest

import socketio
from socketio import exceptions
from socketio.base_client import reconnecting_clients
from socketio.engine import descriptors
from socketio.runtime import process_hooks

from ..flavours import URL, AsyncClient, AsyncSimpleClient, Client, SimpleClient


@pytest.fixture
def ending(monkeypatch):
    """The program ends, on this thread."""
    monkeypatch.setattr(process_hooks, "_exit_thread", threading.get_ident())


def test_all_clients_leave_whatever_one_of_them_does():
    """An error of one client does not keep the others connected."""
    clients = [Client() for _ in range(3)]
    for sio in clients:
        sio.connect(URL)
    clients[1].eio.drain_steps = clients[1].eio.disconnect_steps = None
    clients[1].emit("last")
    process_hooks.disconnect_all()
    assert [sio.connected for sio in (clients[0], clients[2])] == [False, False]
    del clients[1].eio.drain_steps, clients[1].eio.disconnect_steps


def test_a_handler_that_connects_while_the_program_ends(ending):
    """connect() raises what is not logged."""
    with pytest.raises(process_hooks.EndingError) as caught:
        Client().connect(URL)
    assert process_hooks.is_caused_by_exit(caught.value)
    assert process_hooks.is_caused_by_exit(RuntimeError("can't create new thread at interpreter shutdown"))
    assert not process_hooks.is_caused_by_exit(RuntimeError("another one"))


def test_daemon_threads_are_held_while_the_program_ends(ending):
    """emit() does not return there; it raises on other threads."""
    sio, raised = Client(), []
    errors = []

    def emit():
        try:
            sio.emit("x")
        except exceptions.BadNamespaceError:
            raised.append(threading.current_thread().daemon)

    threads = [threading.Thread(target=emit, daemon=daemon) for daemon in (True, False)]
    for thread in threads:
        thread.start()
    threads[1].join(5)
    assert (raised, errors) == ([False], [])
    assert threads[0].is_alive()


def test_nothing_is_held_otherwise():
    """Before the end, errors are raised on daemon threads, too."""
    assert not process_hooks.is_ending()
    process_hooks.block_daemon_thread()
    assert not process_hooks.is_caused_by_exit(process_hooks.EndingError())


def test_a_child_process_has_idle_clients_with_new_locks():
    """Also where another thread holds the lock: it does not exist in the child."""
    sio, simple = Client(), SimpleClient()
    sio.connect(URL)
    simple.connect(URL)
    calls, lock = [], sio._sio_channel.lock
    sio.on("disconnect", calls.append)
    holds, release = threading.Event(), threading.Event()

    def hold():
        with lock:
            holds.set()
            release.wait(10)

    threading.Thread(target=hold, daemon=True).start()
    assert holds.wait(5)
    reconnecting_clients.append(sio)
    sent = list(sio.eio.sent.items)
    sio._sio_after_fork()
    simple._sio_after_fork()
    assert (sio.connected, sio.namespaces, simple.connected, simple.sid) == (False, {}, False, None)
    assert sio not in reconnecting_clients
    with pytest.raises(exceptions.BadNamespaceError):
        sio.emit("x")
    sio.wait()
    sio.connect(URL)
    simple.connect(URL)
    release.set()
    assert calls == []
    assert sio.eio.sent.items[: len(sent)] == sent
    sio.disconnect()
    simple.disconnect()


async def test_a_child_process_has_idle_clients_with_asyncio():
    """The same for asyncio."""
    sio, simple = AsyncClient(), AsyncSimpleClient()
    await sio.connect(URL)
    await simple.connect(URL)
    for client in (sio, simple.client, simple):
        client._sio_after_fork()
    assert (sio.connected, simple.connected, simple.sid) == (False, False, None)
    await sio.wait()
    await sio.connect(URL)
    await simple.connect(URL)
    await sio.disconnect()
    await simple.disconnect()


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="elsewhere it acts when it is called")
def test_the_exit_function_acts_when_it_is_deleted(monkeypatch):
    """Where it was called before; else somebody has cleared the exit functions, and it is registered again."""
    calls = []
    monkeypatch.setattr(process_hooks, "disconnect_all", lambda: calls.append("left"))
    monkeypatch.setattr(process_hooks, "_exit_thread", None)
    monkeypatch.setattr(process_hooks, "_has_exit_function", True)
    function = process_hooks._AfterExitFunctions()
    del function
    assert (calls, process_hooks._has_exit_function) == ([], False)
    function = process_hooks._AfterExitFunctions()
    function()
    assert calls == []
    del function
    assert calls == ["left"]


def test_a_warning_names_the_line_of_the_program(capsys):
    """Also where warnings are errors, which no caller could catch there."""
    line = process_hooks.calling_line()
    assert line[0] == __file__
    with pytest.warns(ResourceWarning, match="a client was open") as caught:
        process_hooks.warn_unclosed("a client was open", line)
    assert (caught[0].filename, caught[0].lineno) == line
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        process_hooks.warn_unclosed("a client was open", line)
    assert f"{line[0]}:{line[1]}: ResourceWarning: a client was open" in capsys.readouterr().err


def test_a_client_whose_loop_was_closed_is_idle():
    """One ResourceWarning, and it connects in the next loop."""
    sio = AsyncClient()
    loop = asyncio.new_event_loop()
    loop.run_until_complete(sio.connect(URL))
    assert sio.connected
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task._log_destroy_pending = False
    loop.close()
    with pytest.warns(ResourceWarning, match="when its event loop was closed"):
        assert not sio.connected

    async def again():
        await sio.connect(URL)
        await sio.disconnect()

    asyncio.run(again())
    for task in tasks:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            task.get_coro().close()


def test_the_copy_of_a_descriptor_is_replaced():
    """Its number is not free, so that no other file gets it; what it referred to is closed."""
    reader, writer = os.pipe()
    descriptors.close_copy(writer)
    assert os.read(reader, 1) == b""
    assert os.write(writer, b"into nothing") == 12
    os.close(reader)
    os.close(writer)
    descriptors.close_copy(-1)


def test_what_has_a_socket_has_none_in_a_child():
    """The sockets of all that was noted are closed, whatever they are."""

    class Connection:
        sock: object = None

    class Broken:
        def fileno(self):
            return -1

        def close(self):
            raise OSError("closed already")

    connections = [Connection(), Connection()]
    for connection in connections:
        descriptors.register(connection)
    connections[0].sock = Broken()
    descriptors.close_copies()
    assert [connection.sock for connection in connections] == [None, None]


def test_nothing_happens_to_clients_that_never_connect():
    """Constructing a client notes nothing."""
    before = len(process_hooks._clients), len(process_hooks._with_locks)
    kept = [socketio.Client(), socketio.SimpleClient(), socketio.AsyncClient(), socketio.AsyncSimpleClient()]
    assert (len(process_hooks._clients), len(process_hooks._with_locks)) <= before
    del kept
