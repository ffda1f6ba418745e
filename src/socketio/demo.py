"""The demonstration: a server in this process, and each client talking to it over each transport.

In: nothing. Out: a table on stdout, a line for each conversation, printed at each step; on stderr, why one failed.
Every wait has a timeout.
"""

from __future__ import annotations

import asyncio
import queue
import sys
from collections.abc import Callable
from typing import Any

from .async_client import AsyncClient
from .async_simple_client import AsyncSimpleClient
from .client import Client
from .runtime.async_condition import wait_for
from .simple_client import SimpleClient
from .testing import Server

PATIENCE = 10.0
"""Maximum seconds for each step."""
TRANSPORTS = ("polling", "websocket")

_COLUMNS = {
    "client": 17,
    "transport": 9,
    "connect": 20,
    "emit": 9,
    "receive": 11,
    "call": 12,
    "disconnect": 10,
}
"""The columns and their widths."""


class UnexpectedError(Exception):
    """A result differs from the expected one."""


class Conversation:
    """One line of the table: checks each step and prints it."""

    def __init__(self, url: str, client: str, transport: str) -> None:
        self.url = url
        self.transport = transport
        self.title = f"{client} over {transport}"
        self.sid: str | None = None
        _print_cell("client", client)
        _print_cell("transport", transport)

    def connected(self, transport: str | None, sid: str | None) -> None:
        """Note that the client is connected."""
        self._expect("the transport", transport, self.transport)
        if not sid:
            raise UnexpectedError(f"{self.title}: connected, without a sid")
        self.sid = sid
        _print_cell("connect", sid)

    def emitted(self) -> None:
        """Record that the client has emitted ``greet``. The event ``welcome`` shows that it arrived."""
        _print_cell("emit", "greet Ada")

    def received(self, event: str, *args: Any) -> None:
        """Check the event that the client received."""
        self._expect("the event received", (event, *args), ("welcome", "Ada"))
        _print_cell("receive", "welcome Ada")

    def called(self, answer: Any) -> None:
        """Check the answer to ``add`` with 2 and 3."""
        self._expect("the answer to add(2, 3)", answer, 5)
        _print_cell("call", f"add(2,3) = {answer}")

    def disconnected(self, seen: tuple[str, str]) -> None:
        """Check which client disconnected, as the server saw it, and why."""
        self._expect("the disconnect that the server saw", seen, (self.sid, "client disconnect"))
        _print_cell("disconnect", "done")

    def _expect(self, what: str, got: Any, expected: Any) -> None:
        if got != expected:
            raise UnexpectedError(f"{what} is {got!r}, not {expected!r}")


def run() -> int:
    """Run the demonstration; return the exit code: 0 if everything worked."""
    with Server() as server:
        disconnects = _serve(server)
        print(f"A server listens at {server.url}.")
        print("Each client connects, emits an event, receives one, calls the server, and disconnects.\n")
        for column in _COLUMNS:
            _print_cell(column, column)
        for transport in TRANSPORTS:
            for client, converse in _CLIENTS.items():
                conversation = Conversation(server.url, client, transport)
                try:
                    converse(conversation)
                    conversation.disconnected(disconnects.get(timeout=PATIENCE))
                except (queue.Empty, asyncio.TimeoutError):
                    return _fail(conversation, f"nothing came within {PATIENCE:g} s")
                except Exception as exc:
                    return _fail(conversation, str(exc) or repr(exc))
    print(f"\nAll {len(TRANSPORTS) * len(_CLIENTS)} conversations went as they should.")
    return 0


def _serve(server: Server) -> queue.Queue[tuple[str, str]]:
    """Register the handlers of the server; return where it records which clients disconnect, and why."""
    disconnects: queue.Queue[tuple[str, str]] = queue.Queue()

    @server.event
    def greet(sid: str, name: str) -> None:
        server.emit("welcome", name, to=sid)

    @server.event
    def add(sid: str, a: int, b: int) -> int:
        return a + b

    @server.event
    def disconnect(sid: str, reason: str) -> None:
        disconnects.put((sid, reason))

    return disconnects


def _with_client(conversation: Conversation) -> None:
    welcomes: queue.Queue[str] = queue.Queue()
    sio = Client()
    sio.on("welcome", welcomes.put)
    sio.connect(conversation.url, transports=conversation.transport, wait_timeout=PATIENCE)
    try:
        conversation.connected(sio.transport(), sio.get_sid())
        sio.emit("greet", "Ada")
        conversation.emitted()
        conversation.received("welcome", welcomes.get(timeout=PATIENCE))
        conversation.called(sio.call("add", (2, 3), timeout=PATIENCE))
    finally:
        sio.disconnect()


async def _with_async_client(conversation: Conversation) -> None:
    welcomes: asyncio.Queue[str] = asyncio.Queue()
    sio = AsyncClient()
    sio.on("welcome", welcomes.put)
    await sio.connect(conversation.url, transports=conversation.transport, wait_timeout=PATIENCE)
    try:
        conversation.connected(sio.transport(), sio.get_sid())
        await sio.emit("greet", "Ada")
        conversation.emitted()
        conversation.received("welcome", await wait_for(welcomes.get(), PATIENCE))
        conversation.called(await sio.call("add", (2, 3), timeout=PATIENCE))
    finally:
        await sio.disconnect()


def _with_simple_client(conversation: Conversation) -> None:
    with SimpleClient() as sio:
        sio.connect(conversation.url, transports=conversation.transport, wait_timeout=PATIENCE)
        conversation.connected(sio.transport, sio.sid)
        sio.emit("greet", "Ada")
        conversation.emitted()
        conversation.received(*sio.receive(timeout=PATIENCE))
        conversation.called(sio.call("add", (2, 3), timeout=PATIENCE))


async def _with_async_simple_client(conversation: Conversation) -> None:
    async with AsyncSimpleClient() as sio:
        await sio.connect(conversation.url, transports=conversation.transport, wait_timeout=PATIENCE)
        conversation.connected(sio.transport, sio.sid)
        await sio.emit("greet", "Ada")
        conversation.emitted()
        conversation.received(*await sio.receive(timeout=PATIENCE))
        conversation.called(await sio.call("add", (2, 3), timeout=PATIENCE))


_CLIENTS: dict[str, Callable[[Conversation], None]] = {
    "Client": _with_client,
    "AsyncClient": lambda conversation: asyncio.run(_with_async_client(conversation)),
    "SimpleClient": _with_simple_client,
    "AsyncSimpleClient": lambda conversation: asyncio.run(_with_async_simple_client(conversation)),
}


def _print_cell(column: str, text: str) -> None:
    is_last = column == list(_COLUMNS)[-1]
    print(text if is_last else f"{text:{_COLUMNS[column]}}  ", end="\n" if is_last else "", flush=True)


def _fail(conversation: Conversation, reason: str) -> int:
    print(flush=True)
    print(f"FAILED: {conversation.title}: {reason}", file=sys.stderr)
    return 1
