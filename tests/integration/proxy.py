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


class _CutError(Exception):
    """The flow has carried as many bytes as it may; ``args`` say whether to reset the connection."""


class Flow:
    """One direction of all connections, and what becomes of the bytes in it.

    :ivar piece: bytes in one segment; ``None`` to leave them as they come.
    :ivar delay: seconds that bytes wait; those that come meanwhile are merged with them.
    :ivar rate: bytes per second; ``None`` for no limit.
    :ivar carried: how many bytes have passed so far.
    """

    def __init__(self) -> None:
        self.piece: int | None = None
        self.delay = 0.0
        self.rate: float | None = None
        self.carried = 0
        self._rest: int | None = None
        self._reset = True
        self._open = asyncio.Event()
        self._open.set()

    def pause(self) -> None:
        """Carry nothing any more."""
        self._open.clear()

    def resume(self) -> None:
        """Carry again, beginning with what was held back."""
        self._open.set()

    def cut_after(self, count: int, reset: bool = True) -> None:
        """Carry so many bytes more, then reset, or close, the connection that brought the last one."""
        self._rest = count
        self._reset = reset

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward one connection up to its end."""
        while data := await self._read(reader):
            for piece in self._pieces(data):
                await self._open.wait()
                writer.write(piece[: self._rest])
                await writer.drain()
                self._count(len(piece))
                if self.rate is not None:
                    await asyncio.sleep(len(piece) / self.rate)
                elif self.piece is not None:
                    await asyncio.sleep(0)  # a segment of its own
        await self._open.wait()
        if writer.can_write_eof():
            writer.write_eof()

    async def _read(self, reader: asyncio.StreamReader) -> bytes:
        data = await reader.read(65536)
        if self.delay and data:
            await asyncio.sleep(self.delay)
            with contextlib.suppress(asyncio.TimeoutError):
                data += await asyncio.wait_for(reader.read(65536), 0.001)
        return data

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        start = 0
        while start < len(data):
            size = self.piece or (len(data) if self.rate is None else max(1, int(self.rate / 100)))
            yield data[start : start + size]
            start += size

    def _count(self, count: int) -> None:
        self.carried += count
        if self._rest is None:
            return
        self._rest -= count
        if self._rest <= 0:
            self._rest = None
            raise _CutError(self._reset)


class Proxy:
    """Forwards TCP connections to ``127.0.0.1:target_port``; use it with ``async with``.

    :ivar to_server: the direction to the server.
    :ivar to_client: the direction to the client.
    :ivar closes_at_once: whether new connections are closed without a word.
    :ivar accepted: how many connections were accepted so far.
    """

    def __init__(self, target_port: int, scheme: str = "http") -> None:
        self.to_server = Flow()
        self.to_client = Flow()
        self.closes_at_once = False
        self.accepted = 0
        self._target_port = target_port
        self._scheme = scheme
        self._port = 0
        self._server: asyncio.Server | None = None
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

    def close(self) -> None:
        """Close all connections in good order, as a proxy does that is restarted."""
        for writer in list(self._writers):
            writer.close()

    async def drop(self) -> None:
        """Reset all connections and refuse new ones: no session survives, not even one between two polls."""
        await self.refuse()
        self.cut()

    def pause(self) -> None:
        """Forward nothing any more: connections stay, and are accepted, but fall silent."""
        self.to_server.pause()
        self.to_client.pause()

    def resume(self) -> None:
        """Forward again, beginning with what was held back."""
        self.to_server.resume()
        self.to_client.resume()

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
            if self.closes_at_once:
                return
            target_reader, target_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
            with self._open(target_writer):
                try:
                    await asyncio.gather(
                        self.to_server.carry(reader, target_writer), self.to_client.carry(target_reader, writer)
                    )
                except _CutError as exc:
                    for end in (writer, target_writer):
                        await _flushed(end)
                        self._reset(end) if exc.args[0] else end.close()

    @contextlib.contextmanager
    def _open(self, writer: asyncio.StreamWriter) -> Iterator[None]:
        self._writers.add(writer)
        try:
            yield
        finally:
            self._writers.discard(writer)
            writer.close()

    @staticmethod
    def _reset(writer: asyncio.StreamWriter) -> None:
        connection = writer.get_extra_info("socket")
        if connection is not None and connection.fileno() >= 0:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        writer.transport.abort()


async def _flushed(writer: asyncio.StreamWriter) -> None:
    """Wait until the bytes before a cut are on their way."""
    writer.transport.set_write_buffer_limits(0)
    with contextlib.suppress(OSError):
        await writer.drain()
