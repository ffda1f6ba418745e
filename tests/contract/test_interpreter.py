"""What the end of the process, forks and closed event loops rely on in Python, aiohttp and urllib3."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys

import aiohttp
import pytest
import requests
from aiohttp import web

from socketio.engine import compat
from socketio.engine.asyncio import loop_end
from socketio.engine.threads import connections, sessions

from .conftest import CEILING

EXIT = """
import atexit, threading

class Last:
    def __call__(self):
        print("called")
    def __del__(self):
        print("deleted", running.is_alive(), sorted(order))

order = []
running = threading.Thread(target=threading.Event().wait, daemon=True)
running.start()
atexit.register(order.append, "before")
atexit.register(Last())
atexit.register(order.append, "after")
"""


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="elsewhere our function acts when it is called")
def test_exit_functions_are_deleted_when_all_were_called():
    """An atexit function that nothing else refers to is deleted after the last call, while daemon threads still run."""
    done = subprocess.run([sys.executable, "-c", EXIT], capture_output=True, text=True, timeout=CEILING, check=True)
    assert done.stdout.splitlines() == ["called", "deleted True ['after', 'before']"]
    assert done.stderr == ""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_replaced_descriptor_is_closed():
    """dup2() closes what the number stood for before."""
    reader, writer = os.pipe()
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, writer, inheritable=False)
    assert os.read(reader, 1) == b""
    assert not os.get_inheritable(writer)
    for descriptor in (reader, writer, null):
        os.close(descriptor)


def test_the_pools_of_a_session(server):
    """Their container has a lock, keys and pools; a pool has a queue with a mutex that any thread can release."""
    with requests.Session() as http:
        http.get(server.http + "/ok")
        (container,) = {id(pools): pools for pools in sessions.pools_of(http) if len(pools)}.values()
        (key,) = container.keys()
        mutex = container[key].pool.mutex
        mutex.acquire()
        connections.renew_locks(http)
        assert not mutex.locked()
        assert http.get(server.http + "/ok").status_code == 200


def test_adapters_without_pools_are_left_alone():
    """An adapter that is none of urllib3's has nothing to renew."""
    with requests.Session() as http:
        http.mount("https://", requests.adapters.BaseAdapter())
        assert len(sessions.pools_of(http)) == 1
        http.adapters.pop("https://")


def _left_open(body, caplog, recwarn):
    """Run a coroutine function with a session on a loop that is closed then, close what it left, and delete it."""

    async def begin():
        async def handle(request):
            await asyncio.sleep(60 if request.path == "/silent" else 0)
            return web.Response(text="ok")

        app = web.Application()
        app.router.add_get("/{name}", handle)
        runner = web.AppRunner(app, shutdown_timeout=0)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        http = aiohttp.ClientSession()
        task = asyncio.ensure_future(body(http, f"http://127.0.0.1:{runner.addresses[0][1]}"))
        await asyncio.sleep(0.1)
        transports = compat.transports_of(http.connector)
        await runner.cleanup()
        return http, task, transports

    loop = asyncio.new_event_loop()
    http, task, transports = loop.run_until_complete(begin())
    loop.close()
    compat.keep_silent([task])
    loop_end.begin(http.close())
    loop_end.begin(task.get_coro())
    for transport in transports:
        compat.close_transport(transport)
        del transport
    del http, task
    gc.collect()
    return transports


def test_a_session_is_closed_without_its_event_loop(caplog, recwarn):
    """The connections of a session are found, idle ones and others; closed on a closed loop, nothing complains."""

    async def use(http, url):
        async with http.get(url + "/ok") as response:
            await response.read()
        await asyncio.sleep(60)

    transports = _left_open(use, caplog, recwarn)
    assert len(transports) == 1
    del transports
    gc.collect()
    assert [record.getMessage() for record in caplog.records] == []
    assert [str(warning.message) for warning in recwarn if "transport" in str(warning.message)] == []


def test_a_pending_task_says_nothing_when_it_is_deleted(caplog):
    """asyncio logs that a task was pending, unless it is told not to."""

    async def wait():
        await asyncio.get_running_loop().create_future()

    async def begin():
        task = asyncio.ensure_future(wait())
        await asyncio.sleep(0)
        return task

    for silent in (False, True):
        caplog.clear()
        loop = asyncio.new_event_loop()
        task = loop.run_until_complete(begin())
        loop.close()
        if silent:
            compat.keep_silent([task])
        del task
        gc.collect()
        assert bool(caplog.records) != silent


def test_private_names_that_are_missing_do_no_harm():
    """Without them, what is public is done; Python may warn of what it closes by itself."""

    class Bare:
        def __init__(self):
            self.aborted = False

        def abort(self):
            self.aborted = True

    bare = Bare()
    compat.close_transport(bare)
    assert bare.aborted
    compat.keep_silent([object()])
    assert compat.transports_of(object()) == []
    assert compat.transports_of(None) == []
