"""The kit of events on :class:`socketio.testing.Server`, in the process of the tests."""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable
from typing import Any

import socketio.testing
from socketio import exceptions

from .kit import NAMESPACES, Kit, Refused, ssl_context


class TestingServer(Kit):
    """A server with the kit, in a thread of this process.

    :ivar kind: ``testing``.
    :ivar port: its port.
    :ivar url: its URL.
    """

    __test__ = False

    def __init__(self, kind: str, options: dict[str, Any]) -> None:
        super().__init__()
        self.kind = kind
        self._clients: dict[tuple[str, str], tuple[dict[str, Any], Any]] = {}
        self.server = socketio.testing.Server(**_server_options(options))
        for namespace in [*NAMESPACES, "/refuse", "/auth", "/silent", "/kick-at-once"]:
            self._register(namespace)
        self.server.start()
        self.url = self.server.url
        self.port = urllib.parse.urlsplit(self.url).port

    def close(self) -> None:
        """End the server."""
        self.server.stop()

    # -- what the kit needs

    async def emit(
        self,
        event: str,
        args: tuple[Any, ...],
        sid: str,
        namespace: str,
        callback: Callable[..., Any] | None = None,
    ) -> None:
        self.server.emit(event, args, to=sid, namespace=namespace, callback=callback)

    async def disconnect(self, sid: str, namespace: str) -> None:
        self.server.disconnect(sid, namespace=namespace)

    async def close_transport(self, sid: str, namespace: str) -> None:
        self.server.close_transport(sid)

    def handshake(self, sid: str, namespace: str) -> dict[str, Any]:
        environ, auth = self._clients[namespace, sid]
        request = environ["aiohttp.request"]
        engine_sid = self._engine_sid(sid)
        return {
            "headers": {name.lower(): value for name, value in request.headers.items()},
            "query": dict(request.query),
            "auth": auth,
            "path": request.path,
            "transport": self._session.engine.transport(engine_sid),
            "sid": engine_sid,
            "socket_sid": sid,
        }

    def requests(self, sid: str, namespace: str) -> list[dict[str, Any]]:
        first = self._clients[namespace, sid][0]["aiohttp.request"]
        later = f"sid={self._engine_sid(sid)}"
        return [
            {"method": request.method, "url": request.path_qs, "headers": dict(request.headers)}
            for request in self.server.requests
            if later in request.path_qs or request.path_qs == first.path_qs
        ]

    @property
    def _session(self) -> Any:
        # What the server does not tell in public: the Engine.IO side of a client.
        return self.server._session

    def _engine_sid(self, sid: str) -> str:
        return str(self._session._sids[sid][0])

    # -- the server

    def _register(self, namespace: str) -> None:
        async def connect(sid: str, environ: dict[str, Any], auth: Any) -> None:
            self._clients[namespace, sid] = (environ, auth)
            if namespace == "/silent":
                await self._never.wait()
            try:
                await self.connected(namespace, sid, auth)
            except Refused as exc:
                raise exceptions.ConnectionRefusedError(*exc.args) from exc

        async def disconnect(sid: str, reason: str) -> None:
            await self.disconnected(namespace, sid, reason)

        self.server.on("connect", connect, namespace=namespace)
        self.server.on("disconnect", disconnect, namespace=namespace)
        for event, handler in self.handlers(namespace).items():
            self.server.on(event, handler, namespace=namespace)


def _server_options(options: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments for the server that the options of the kit mean."""
    names = {"max_payload": "max_http_buffer_size", "path": "socketio_path"}
    renamed = {names.get(name, name): value for name, value in options.items()}
    context = ssl_context(renamed.pop("tls", None))
    cookie = {"cookie": "sticky"} if renamed.pop("cookie", False) else {}
    return {**renamed, **cookie, "ssl_context": context}
