"""The public attributes of a client: connection, handlers, logger. A program may assign to most of them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from .base_namespace import BaseClientNamespace
from .core.details import DisconnectDetails
from .core.event_log import EventLog
from .core.events import EventName
from .core.handlers import Handler, Handlers
from .core.session import Session
from .overrides import ReconnectAbort, Shown
from .runtime import logs


class ClientAttributes:
    """The attributes of :class:`Client` and :class:`AsyncClient` that the library itself never reads."""

    eio: Any
    _sio_is_asyncio_based = False
    _sio_reconnect_task: Any = None
    _sio_protocol: Session | None
    _sio_registry: Handlers
    _sio_details: DisconnectDetails | None
    _sio_failed: list[str]
    _sio_logger: logs.Logger
    _sio_log: EventLog

    def _sio_is_connected(self) -> bool:
        protocol = self._sio_protocol
        return protocol is not None and bool(protocol.namespaces)

    def _sio_namespaces(self) -> list[str]:
        protocol = self._sio_protocol
        return [] if protocol is None else list(protocol.namespaces)

    @Shown
    def connected(self) -> bool:
        """Whether a namespace is connected."""
        return self._sio_is_connected()

    @Shown
    def namespaces(self) -> dict[str, str]:
        """The connected namespaces and the sid that the server gave for each."""
        protocol = self._sio_protocol
        return {} if protocol is None else dict(protocol.namespaces)

    @Shown
    def failed_namespaces(self) -> list[str]:
        """The namespaces that the last attempt failed to connect."""
        return self._sio_failed

    @Shown
    def disconnect_details(self) -> DisconnectDetails | None:
        """Why the connection, or a namespace, last ended; ``None`` before the first disconnection.

        It is there when the ``disconnect`` handlers are called, and stays until the next end.
        """
        return self._sio_details

    @Shown
    def sid(self) -> str | None:
        """The id of the Engine.IO session, ``None`` without one. See :meth:`get_sid` for the id of a namespace."""
        sid: str | None = self.eio.sid
        return sid

    def get_sid(self, namespace: str | None = None) -> str | None:
        """Return the id that the server gave this client in a namespace, ``'/'`` by default.

        ``None`` where the namespace is not connected.
        """
        return self._sio_get_sid(namespace or "/")

    def _sio_get_sid(self, namespace: str) -> str | None:
        protocol = self._sio_protocol
        return None if protocol is None else protocol.namespaces.get(namespace)

    def transport(self) -> str | None:
        """Return the name of the transport in use, ``'polling'`` or ``'websocket'``; ``None`` without a connection."""
        name: str | None = self.eio.transport()
        return name

    def is_asyncio_based(self) -> bool:
        """Return whether this is the asyncio client."""
        return self._sio_is_asyncio_based

    @property
    def logger(self) -> Any:
        """The logger of the client. Assign another logger to replace it; a value that is not a logger is ignored."""
        return vars(self).get("logger", self._sio_logger)

    @logger.setter
    def logger(self, value: Any) -> None:
        vars(self)["logger"] = value
        if isinstance(value, (logging.Logger, logging.LoggerAdapter)):
            self._sio_logger = value
            if "_sio_log" in vars(self):  # else a constructor has assigned it before it has called ours
                self._sio_log.use(value)

    @Shown
    def _reconnect_task(self) -> Any:
        """The thread or task of the current or last reconnection; ``None`` before the first one."""
        return self._sio_reconnect_task

    @Shown
    def _reconnect_abort(self) -> ReconnectAbort:
        """Ends a reconnection, or ``connect(retry=True)``, when its ``set()`` is called. An event can be assigned."""
        return ReconnectAbort(self)

    @Shown
    def callbacks(self) -> dict[str, dict[int, Callable[..., Any]]]:
        """The callbacks that wait for an acknowledgement, by namespace and id."""
        protocol, found = self._sio_protocol, dict[str, dict[int, Callable[..., Any]]]()
        for (namespace, ack_id), callback in ({} if protocol is None else dict(protocol.callbacks)).items():
            found.setdefault(namespace, {})[ack_id] = callback
        return found

    @Shown
    def handlers(self) -> dict[str, dict[EventName, Handler]]:
        """The registered functions, by namespace and event."""
        return self._sio_registry.functions

    @Shown
    def namespace_handlers(self) -> dict[str, BaseClientNamespace]:
        """The registered namespace objects, by namespace."""
        return self._sio_registry.objects
