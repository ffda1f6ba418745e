"""A TCP proxy that fails on command: what a bad network does, between a client and a server of the tests.

In: connections of clients, commands of the test. Out: the same bytes, or what the command says. It runs on the test's
event loop and leaves nothing open.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Iterator
from types import TracebackType

from .waiting import CEILING, within

_RESET = struct.pack("ii", 1, 0)


class Proxy:
    """Forwards TCP connections to ``127.0.0.1:target_port``; use it with ``async with``.

    :ivar accepted: how many connections were accepted so far.
    """

    def __init__(self, target_port: int, scheme: str = "http") -> None:
        self.accepted = 0
        self._target_port = target_port
        self._scheme = scheme
        self._port = 0
        self._server: asyncio.Server | None = None
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._changed = asyncio.Condition()
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """The URL of the server by way of the proxy."""
        return f"{self._scheme}://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Proxy:
        await self.accept()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.refuse()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- commands

    async def accept(self) -> None:
        """Listen (again), on the same port."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """Stop listening: new connections are refused, those that there are stay."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def cut(self) -> None:
        """Reset all connections."""
        for writer in list(self._writers):
            self._reset(writer)

    async def drop(self) -> None:
        """Reset all connections and refuse new ones: no session survives, not even one between two polls."""
        await self.refuse()
        self.cut()

    def pause(self) -> None:
        """Forward nothing any more: connections stay, and are accepted, but fall silent."""
        self._flowing.clear()

    def resume(self) -> None:
        """Forward again, beginning with what was held back."""
        self._flowing.set()

    async def wait_accepted(self, count: int) -> None:
        """Wait until that many connections were accepted in all."""
        async with self._changed:
            await within(CEILING, self._changed.wait_for(lambda: self.accepted >= count))

    # -- connections

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        with self._open(writer), contextlib.suppress(OSError, asyncio.CancelledError):
            async with self._changed:
                self.accepted += 1
                self._changed.notify_all()
            target_reader, target_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
            with self._open(target_writer):
                await asyncio.gather(self._forward(reader, target_writer), self._forward(target_reader, writer))

    @contextlib.contextmanager
    def _open(self, writer: asyncio.StreamWriter) -> Iterator[None]:
        self._writers.add(writer)
        try:
            yield
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            await self._flowing.wait()
            writer.write(data)
            await writer.drain()
        await self._flowing.wait()
        if writer.can_write_eof():
            writer.write_eof()

    @staticmethod
    def _reset(writer: asyncio.StreamWriter) -> None:
        connection = writer.get_extra_info("socket")
        if connection is not None and connection.fileno() >= 0:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        writer.transport.abort()
