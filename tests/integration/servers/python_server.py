"""The kit of events on python-socketio's server, as a process.

One argument, JSON: the options (see ``../processes.py``). Prints ``{"port": N}`` when it listens on 127.0.0.1, and
ends when its standard input does. ``PYTHONPATH`` names the folder where python-socketio is: its import name is that of
the client under test.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import uuid
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import msgpack
from aiohttp import web
from kit import NAMESPACES, Kit, Refused, ssl_context

import socketio


class Body:
    """The whole body of a request. engineio reads it with one ``read()``, which on a socket returns what is there."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def read(self, length: int) -> bytes:
        """Return the body."""
        return self._body[:length]


class ServerKit(Kit):
    """The kit, on a ``socketio.AsyncServer``."""

    def __init__(self, options: dict[str, Any]) -> None:
        super().__init__()
        self._options = options
        self._requests: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self._auth: dict[tuple[str, str], Any] = {}
        self.sio = socketio.AsyncServer(
            serializer=options.get("serializer", "default"),
            async_mode="aiohttp",
            cors_allowed_origins=[],
            ping_interval=options.get("ping_interval", 25),
            ping_timeout=options.get("ping_timeout", 20),
            max_http_buffer_size=options.get("max_payload", 100_000_000),
            allow_upgrades=options.get("allow_upgrades", True),
            transports=options.get("transports"),
        )
        self._read_bodies_whole()
        self._drop_what_is_for_the_silent_namespace()
        for namespace in [*NAMESPACES, "/refuse", "/auth", "/silent", "/kick-at-once"]:
            self._register(namespace)

    def application(self) -> web.Application:
        """Return the web application."""
        app = web.Application(middlewares=[self._record], client_max_size=self._options.get("max_payload", 100_000_000))
        if self._options.get("cookie"):
            app.on_response_prepare.append(self._set_cookie)
        self.sio.attach(app, socketio_path=self._options.get("path", "socket.io"))
        return app

    # -- what the kit needs

    async def emit(
        self,
        event: str,
        args: tuple[Any, ...],
        sid: str,
        namespace: str,
        callback: Callable[..., Any] | None = None,
    ) -> None:
        await self.sio.emit(event, args, to=sid, namespace=namespace, callback=callback)

    async def disconnect(self, sid: str, namespace: str) -> None:
        await self.sio.disconnect(sid, namespace=namespace)

    async def close_transport(self, sid: str, namespace: str) -> None:
        await self.sio.eio.disconnect(self._engine_sid(sid, namespace))

    def handshake(self, sid: str, namespace: str) -> dict[str, Any]:
        request = self.sio.get_environ(sid, namespace)["aiohttp.request"]
        return {
            "headers": request["record"]["headers"],
            "query": dict(request.query),
            "auth": self._auth[namespace, sid],
            "path": request.path,
            "transport": self.sio.transport(sid, namespace=namespace),
            "sid": self._engine_sid(sid, namespace),
            "socket_sid": sid,
        }

    def requests(self, sid: str, namespace: str) -> list[dict[str, Any]]:
        first = self.sio.get_environ(sid, namespace)["aiohttp.request"]["record"]
        return [first, *self._requests[self._engine_sid(sid, namespace)]]

    def _engine_sid(self, sid: str, namespace: str) -> str:
        return str(self.sio.manager.eio_sid_from_sid(sid, namespace))

    # -- the server

    def _register(self, namespace: str) -> None:
        async def connect(sid: str, environ: dict[str, Any], auth: Any = None) -> None:
            self._auth[namespace, sid] = auth
            try:
                await self.connected(namespace, sid, auth)
            except Refused as exc:
                raise socketio.exceptions.ConnectionRefusedError(*exc.args) from exc

        async def disconnect(sid: str, reason: str) -> None:
            await self.disconnected(namespace, sid, reason)

        self.sio.on("connect", connect, namespace=namespace)
        self.sio.on("disconnect", disconnect, namespace=namespace)
        for event, handler in self.handlers(namespace).items():
            self.sio.on(event, handler, namespace=namespace)

    def _read_bodies_whole(self) -> None:
        translate = self.sio.eio._async["translate_request"]

        async def translate_whole(request: web.Request) -> dict[str, Any]:
            return {**translate(request), "wsgi.input": Body(await request.read())}

        self.sio.eio._async = {**self.sio.eio._async, "translate_request": translate_whole}

    def _drop_what_is_for_the_silent_namespace(self) -> None:
        receive = self.sio.eio.handlers["message"]

        async def receive_rest(sid: str, frame: str | bytes) -> None:
            if isinstance(frame, str):
                dropped = frame.startswith("0/silent,")
            else:
                dropped = (
                    self._options.get("serializer") == "msgpack" and msgpack.unpackb(frame).get("nsp") == "/silent"
                )
            if not dropped:
                await receive(sid, frame)

        self.sio.eio.on("message", receive_rest)

    @web.middleware
    async def _record(self, request: web.Request, handler: Any) -> Any:
        headers = {name.lower(): value for name, value in request.headers.items()}
        request["record"] = {"method": request.method, "url": request.path_qs, "headers": headers}
        if "sid" in request.query:
            self._requests[request.query["sid"]].append(request["record"])
        return await handler(request)

    async def _set_cookie(self, request: web.Request, response: web.StreamResponse) -> None:
        if "sid" not in request.query:
            response.headers["Set-Cookie"] = f"sticky={uuid.uuid4()}; Path=/; HttpOnly"


def end_with_stdin() -> None:
    """End the process when its standard input ends."""
    sys.stdin.buffer.read()
    os._exit(0)


async def main() -> None:
    """Serve until standard input ends."""
    options = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
    runner = web.AppRunner(ServerKit(options).application(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", options.get("port", 0), ssl_context=ssl_context(options.get("tls")))
    await site.start()
    print(json.dumps({"port": runner.addresses[0][1]}), flush=True)
    threading.Thread(target=end_with_stdin, daemon=True).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
