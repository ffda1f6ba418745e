"""python-engineio's server on aiohttp, changed to lose no packets and to stop at any time.

In: HTTP requests. Out: calls of a :class:`Listener`, in order, on the event loop. In from the application: frames,
queued together. Nothing here depends on Socket.IO. Everything runs on the loop's thread.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterable
from typing import Any, Protocol

from aiohttp import web
from engineio import packet, payload
from engineio.async_drivers import aiohttp as aiohttp_driver
from engineio.exceptions import EngineIOError

from ..engine import compat
from ..packet import Frame
from ..runtime.logs import resolve

MAX_BUFFER_SIZE = 100_000_000
"""Maximum bytes of a message, unless the option ``max_http_buffer_size`` is given."""

logger = logging.getLogger(__package__)


class Listener(Protocol):
    """What the server calls. None of these methods raises; events after :meth:`closed` may come."""

    def opened(self, engine_sid: str, environ: dict[str, Any]) -> None:
        """Handle a new connection and the request that it began with."""

    async def received(self, engine_sid: str, message: Any) -> None:
        """Handle a message: a frame, or another value of JSON. The next one comes when this returns."""

    def closed(self, engine_sid: str, reason: str) -> None:
        """Handle the end of a connection."""


_AsyncServer: Any = compat.engineio_class("async_server", "AsyncServer")


class EngineServer(_AsyncServer):  # type: ignore[misc]  # python-engineio has no annotations
    """An Engine.IO server that calls a listener.

    :param options: those of ``engineio.AsyncServer``. By default, every origin is accepted, and messages of up to
        :data:`MAX_BUFFER_SIZE`.
    """

    def __init__(self, listener: Listener, options: dict[str, Any]) -> None:
        defaults = {"max_http_buffer_size": MAX_BUFFER_SIZE, "cors_allowed_origins": "*"}
        super().__init__(
            async_mode="aiohttp",
            async_handlers=False,  # otherwise each message would have its own task
            json=None,  # named, so that it cannot be one of the options: it would change the whole process
            logger=resolve(False, f"{__package__}.engine"),
            **{**defaults, **options},
        )
        compat.use_websocket(self, _WebSocket)
        self._listener = listener
        self._closed_sockets: dict[str, Any] = {}
        self._answering: set[asyncio.Future[web.StreamResponse]] = set()
        self._closing = False
        self.on("connect", self._opened)
        self.on("message", listener.received)
        self.on("disconnect", self._closed)

    def queue_frames(self, engine_sid: str, frames: Iterable[Frame]) -> None:
        """Send the frames of one packet, nothing between them; nothing if the connection is gone."""
        socket = self.sockets.get(engine_sid)
        if socket is None or socket.closing or socket.closed:
            return
        for frame in frames:
            # What AsyncSocket.send() does, without becoming a coroutine. A packet belongs to one connection:
            # it keeps the first encoding that it was asked for, and the transports have different ones.
            socket.queue.put_nowait(packet.Packet(packet.MESSAGE, data=frame))

    async def close(self, engine_sid: str, reason: str) -> None:
        """Send what is queued and a CLOSE packet, and end the connection. Does not wait for the client."""
        socket = self.sockets.get(engine_sid)
        if socket is not None:
            await socket.close(wait=False, reason=reason)

    async def close_all(self) -> None:
        """Close every connection, and accept no new one."""
        self._closing = True
        for engine_sid in list(self.sockets):
            await self.close(engine_sid, self.reason.SERVER_DISCONNECT)

    # -- what python-engineio calls

    def _opened(self, engine_sid: str, environ: dict[str, Any]) -> None:
        # python-engineio announces whole seconds, and half a second as none: the OPEN packet is corrected in
        # its queue.
        queue = self.sockets[engine_sid].queue
        opening = queue.get_nowait()
        queue.task_done()
        opening.data["pingInterval"] = int((self.ping_interval + self.ping_interval_grace_period) * 1000)
        queue.put_nowait(opening)
        self._listener.opened(engine_sid, environ)

    def _closed(self, engine_sid: str, reason: str) -> None:
        # After the CLOSE packet, which is queued when this returns.
        asyncio.get_running_loop().call_soon(self._end_waiting, self.sockets[engine_sid])
        self._listener.closed(engine_sid, reason)

    def _end_waiting(self, socket: Any) -> None:
        """End a pending poll, or the websocket's writer, of a closed connection.

        python-engineio leaves a poll pending when the client closes, and a websocket open until its client
        closes it.
        """
        if not socket.upgraded:
            if socket.queue.empty():
                socket.queue.put_nowait(packet.Packet(packet.NOOP))
            self._closed_sockets[socket.sid] = socket
            asyncio.get_running_loop().call_later(self.ping_timeout, self._closed_sockets.pop, socket.sid, None)
        socket.queue.put_nowait(None)

    # -- HTTP

    async def handle_request(self, request: web.Request) -> web.StreamResponse:
        """Answer a request for the Engine.IO path."""
        if self._closing:
            raise web.HTTPServiceUnavailable
        engine_sid = request.query.get("sid", "")
        if request.method == "POST":
            return await self._to_its_end(self._take_payload(request, engine_sid))
        if request.headers.get("upgrade"):
            return await self._to_its_end(super().handle_request(request))
        if engine_sid in self._closed_sockets and request.method == "GET":
            return self._respond(request, self._last_packets(engine_sid))
        # A poll that is cancelled because its client disconnects ends the connection: its packets are lost.
        response: web.StreamResponse = await super().handle_request(request)
        return response

    async def _take_payload(self, request: web.Request, engine_sid: str) -> web.StreamResponse:
        """Read the packets of a POST.

        Replaces the method of python-engineio, which treats the part of a body that has arrived as complete, refuses
        more than 16 packets, and answers OK to invalid ones.
        """
        socket = self.sockets.get(engine_sid)
        if socket is None or socket.closed or not socket.connected or socket.upgraded:
            is_closed = engine_sid in self._closed_sockets
            return self._respond(request, "OK" if is_closed else None)
        try:
            body = await request.read()
            for received in [_decode(encoded) for encoded in body.decode().split("\x1e")]:
                await socket.receive(received)
        except web.HTTPRequestEntityTooLarge:
            await self.refuse(engine_sid, "the payload is too large")
            raise
        except (ValueError, OSError, EngineIOError, web.RequestPayloadError) as exc:
            await self.refuse(engine_sid, repr(exc))
            return self._respond(request, None)
        return self._respond(request, "OK")

    def _last_packets(self, engine_sid: str) -> str | None:
        """Return the answer to the first poll after the end: the queued packets, ``None`` if there are none.

        python-engineio refuses the poll, and packets sent just before the end are lost.
        """
        queue = self._closed_sockets.pop(engine_sid).queue
        packets = []
        while not queue.empty():
            packets.append(queue.get_nowait())
        left = [queued for queued in packets if queued is not None]
        return payload.Payload(packets=left).encode() if left else None

    async def refuse(self, engine_sid: str, reason: str) -> None:
        """Close the connection of a client that sent something that is not Engine.IO."""
        logger.warning("closing the connection %s: %s", engine_sid, reason)
        await self.close(engine_sid, self.reason.TRANSPORT_ERROR)

    async def _to_its_end(self, answering: Coroutine[Any, Any, web.StreamResponse]) -> web.StreamResponse:
        """Answer a request even if its client does not wait for the answer: its packets count."""
        task = asyncio.ensure_future(answering)
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)
        return await asyncio.shield(task)

    def _respond(self, request: web.Request, text: str | None) -> web.Response:
        """Return an answer, as python-engineio makes it; ``None`` refuses the request."""
        headers, origin, allowed = {}, request.headers.get("Origin"), self.cors_allowed_origins
        if origin and (allowed == "*" or (isinstance(allowed, (str, list, tuple)) and origin in allowed)):
            headers = {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true"}
        if text is None:
            return web.Response(text='"Bad Request"', status=400, headers=headers)
        return web.Response(text=text, headers=headers)


class _WebSocket(aiohttp_driver.WebSocket):  # type: ignore[misc]  # python-engineio has no annotations
    """A websocket that ends its Engine.IO connection when it ends, and returns only valid packets."""

    async def __call__(self, environ: dict[str, Any]) -> Any:
        socket = self.handler.__self__
        try:
            return await super().__call__(environ)
        except (OSError, ValueError) as exc:
            logger.info("a websocket of %s ended early: %s", socket.sid, exc)
            response = compat.response_of(self)
            if response is None:
                raise
            return response
        finally:
            # python-engineio keeps waiting for an upgrade that failed at its first step, and drops the connection when
            # the handshake of its websocket fails.
            socket.upgrading = False
            if socket.upgraded or not socket.connected:
                await socket.close(wait=False, abort=True, reason=socket.server.reason.TRANSPORT_ERROR)

    async def wait(self) -> Any:
        message = await super().wait()
        try:
            _decode(message)
        except ValueError as exc:
            socket = self.handler.__self__
            if socket.upgraded:  # otherwise the upgrade fails, and polling continues
                await socket.server.refuse(socket.sid, repr(exc))
            raise OSError("a malformed packet") from exc
        return message


def _decode(encoded: Frame) -> Any:
    """Return an Engine.IO packet, or raise ``ValueError``."""
    if isinstance(encoded, str) and encoded[:1] not in ("0", "1", "2", "3", "4", "5", "6", "b"):
        raise ValueError("unknown Engine.IO packet type")
    try:
        return packet.Packet(encoded_packet=encoded)
    except RecursionError as exc:
        raise ValueError("data nested too deeply") from exc
