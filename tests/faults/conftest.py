"""The fixtures of the fault suite: those of the integration tests, and what watches for leaks.

A test runs with the reference server, over polling and over websocket, and for both flavours; the markers of the
integration tests change that.
"""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from integration.conftest import (  # noqa: F401
    flavour,
    key,
    make_client,
    make_simple_client,
    observer,
    parametrize,
    proxy,
    pytest_collection_finish,
    pytest_configure,
    recorder,
    server,
    servers,
    tls,
    transport,
)
from integration.processes import ServerProcess
from socketio.dispatch import threads as dispatch

PARAMETERS = {"server": ("node",), "transport": ("polling", "websocket"), "flavour": ("threads", "asyncio")}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    parametrize(metafunc, PARAMETERS)


@pytest.fixture(autouse=True, scope="module")
def _asyncio_has_no_complaints() -> Iterator[None]:
    """What asyncio logs, such as exceptions that nobody has retrieved, fails the module in which it happened.

    What a module left open is reported with it, too.
    """
    records: list[logging.LogRecord] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = records.append  # type: ignore[method-assign]
    logger = logging.getLogger("asyncio")
    logger.addHandler(handler)
    yield
    gc.collect()
    logger.removeHandler(handler)
    assert [record.getMessage() for record in records] == []


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Handlers of threads are taken for blocked after seconds only: on a busy machine a quick one can look like it."""
    monkeypatch.setattr(dispatch, "LOOK", 1.0)


@pytest.fixture
async def own_server() -> AsyncIterator[Callable[..., Any]]:
    """Return a coroutine function that starts a server for this test alone, of a kind and with options."""
    running: list[ServerProcess] = []

    async def start(kind: str = "node", **options: Any) -> ServerProcess:
        running.append(await asyncio.to_thread(ServerProcess, kind, options))
        return running[-1]

    yield start
    for each in running:
        each.close()
