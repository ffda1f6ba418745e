"""Peers that are not even bad servers: hosts that do not answer, and sockets that say anything, byte by byte."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.contextmanager
def unreachable_url() -> Iterator[str]:
    """Give the URL of a port where the operating system answers no attempt to connect: its queue is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextlib.asynccontextmanager
async def raw_server(conversation: Conversation) -> AsyncIterator[str]:
    """Give the URL of a server that has this conversation on each TCP connection, until it ends or the test does."""
    tasks: set[asyncio.Task[None]] = set()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await conversation(reader, writer)
        finally:
            writer.close()
            tasks.discard(task)

    server = await asyncio.start_server(converse, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*list(tasks), return_exceptions=True)


async def drip_http_headers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer a request with headers that never end, a byte now and then."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nX-Endless: ")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)


async def drip_http_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer a request with a body that never ends, a byte now and then."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100000\r\n\r\n0")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.02)
