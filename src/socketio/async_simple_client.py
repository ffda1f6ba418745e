"""The simple client for asyncio: ``receive()`` returns one event after the other.

Events are queued where frames are received, so that their order is exactly that of the server.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from types import TracebackType
from typing import Any

from .async_client import AsyncClient, OrCallable
from .base_simple_client import BaseSimpleClient, rest
from .exceptions import BadNamespaceError, CallInterruptedError, DisconnectedError, TimeoutError
from .overrides import AssignableProperty
from .runtime import timeouts
from .runtime.async_condition import AsyncCondition, running_loop


class AsyncSimpleClient(BaseSimpleClient):
    """A Socket.IO client without handlers: emit, call, receive.

    Takes the arguments of :class:`AsyncClient`. A lost connection is restored, and methods wait for that. It is an
    asynchronous context manager that disconnects on exit.
    """

    client_class: type[AsyncClient] = AsyncClient
    _sio_client: AsyncClient | None

    def _sio_renew(self) -> None:
        self._sio_changed = AsyncCondition()

    def _sio_wake(self) -> None:
        self._sio_changed.notify_all()

    async def _sio_wait_for(self, predicate: Callable[[], Any], deadline: float | None) -> bool:
        return await self._sio_changed.wait_for(predicate, rest(deadline))

    def _sio_check_loop(self) -> None:
        """Raise ``RuntimeError`` if this is not the client's event loop, or no event loop is running."""
        client = self._sio_client
        if client is None:
            running_loop()
        elif not client._sio_lifecycle.is_in_loop():
            client._sio_lifecycle.check_loop()
            if self._sio_inbox.is_open and not client._sio_lifecycle.is_in_use():  # its event loop was closed
                self._sio_inbox.close()
                self._sio_renew()

    @AssignableProperty
    def client(self) -> AsyncClient | None:
        """The :class:`AsyncClient` in use; ``None`` before ``connect()`` and after ``disconnect()``."""
        return self._sio_client

    async def connect(
        self,
        url: OrCallable[str],
        headers: OrCallable[Mapping[str, str]] | None = {},
        auth: Any = None,
        transports: str | list[str] | None = None,
        namespace: str | None = "/",
        socketio_path: str | None = "socket.io",
        wait_timeout: float | None = 20,
    ) -> None:
        """Connect to a server.

        :param namespace: the one namespace to use.
        :param wait_timeout: seconds to wait until it is connected; ``None`` for no limit.

        The other arguments, and the errors, are those of :meth:`AsyncClient.connect`. Raises ``RuntimeError`` when it
        is connected already.
        """
        self._sio_check_loop()
        client: AsyncClient = self._sio_begin(namespace)
        options: dict[str, Any] = {  # apart from the call, whose lines would all be in the traceback of an error
            "headers": headers,
            "auth": auth,
            "transports": transports,
            "namespaces": [self._sio_namespace],
            "socketio_path": socketio_path,
            "wait_timeout": wait_timeout,
        }
        try:
            await client.connect(url, **options)
        except BaseException:
            self._sio_client = None
            self._sio_inbox.close()
            raise

    async def emit(self, event: str, data: Any = None) -> None:
        """Emit an event. See :meth:`AsyncClient.emit`.

        Waits while the connection is being restored. Raises :class:`~socketio.exceptions.DisconnectedError` when it
        has ended and is not restored.
        """
        self._sio_check_loop()
        await self._sio_repeat(lambda client: client.emit(event, data, namespace=self._sio_name()))

    async def call(self, event: str, data: Any = None, timeout: float | None = 60) -> Any:
        """Emit an event and return its acknowledgement. See :meth:`AsyncClient.call`.

        Waits while the connection is being restored. Raises :class:`~socketio.exceptions.DisconnectedError` when it has
        ended and is not restored, :class:`~socketio.exceptions.TimeoutError` if no acknowledgement arrives within
        ``timeout`` seconds, or the connection is lost before.
        """
        self._sio_check_loop()
        timeout = timeouts.limit(timeout)
        deadline = None if timeout is None else time.monotonic() + timeout
        return await self._sio_repeat(
            lambda client: client.call(event, data, namespace=self._sio_name(), timeout=rest(deadline)), deadline
        )

    async def _sio_repeat(
        self, action: Callable[[AsyncClient], Coroutine[Any, Any, Any]], deadline: float | None = None
    ) -> Any:
        """Run an action as soon as there is a connection; repeat it if the connection was lost before.

        After a failure, the client may look connected for a moment, until the loss is noticed.
        """
        failed = 0
        while True:
            inbox = self._sio_inbox
            if not await self._sio_wait_for(lambda: inbox.is_ready(failed), deadline):  # noqa: B023
                raise TimeoutError("the connection was not restored in time")
            client, connection = self._sio_client, inbox.connection
            if client is None or not inbox.is_open:
                await asyncio.sleep(0)  # a program that tries again at once must not block the event loop
                raise self._sio_ended()
            try:
                return await action(client)
            except CallInterruptedError:
                raise
            except (BadNamespaceError, DisconnectedError):
                failed = connection

    async def receive(self, timeout: float | None = None) -> list[Any]:
        """Return the next event: its name, followed by its arguments.

        :param timeout: seconds to wait for it; ``None`` for no limit.

        Events are returned in the order in which the server sent them. Raises
        :class:`~socketio.exceptions.TimeoutError` if no event arrives in time, and
        :class:`~socketio.exceptions.DisconnectedError` when the connection has ended, is not restored, and all events
        were received.
        """
        self._sio_check_loop()
        inbox, timeout = self._sio_inbox, timeouts.limit(timeout)
        deadline = None if timeout is None else time.monotonic() + timeout
        while (event := inbox.next()) is None:
            if not inbox.is_open and not inbox.events:
                await asyncio.sleep(0)
                raise self._sio_ended()
            if not await self._sio_wait_for(lambda: inbox.events or not inbox.is_open, deadline):
                raise TimeoutError(f"no event within {timeout:g} s")
        return event

    async def disconnect(self) -> None:
        """Send all that was emitted, then disconnect from the server. Does nothing if the client is not connected."""
        self._sio_check_loop()
        client, self._sio_client = self._sio_client, None
        try:
            if client is not None:
                await client.disconnect()
        finally:  # after a cancellation as well
            self._sio_inbox.close()

    async def __aenter__(self) -> AsyncSimpleClient:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.disconnect()
