"""Class-based namespaces for threads: a method ``on_<event>`` for each event."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .base_namespace import BaseClientNamespace

if TYPE_CHECKING:
    from .client import Client


class ClientNamespace(BaseClientNamespace):
    """Base class for the handlers of one namespace, to be passed to :meth:`Client.register_namespace`.

    An event ``my_event`` calls the method ``on_my_event`` with the event's arguments. An event without a method is
    ignored. Registered for ``'*'``, each method gets the namespace as its first argument.
    """

    client: Client
    if TYPE_CHECKING:

        def _sio_emitter(self) -> Client: ...

    def trigger_event(self, event: str, *args: Any) -> Any:
        """Call the method of an event and return what it returns. Override it to route events differently."""
        found = self._sio_find(event, args)
        if found is None:
            return None
        method, values = found
        return method(*values)

    def emit(
        self,
        event: str,
        data: Any = None,
        namespace: str | None = None,
        callback: Callable[..., Any] | None = None,
    ) -> None:
        """Emit an event, to this namespace unless another is given. See :meth:`Client.emit`."""
        return self._sio_emitter().emit(event, data, namespace=namespace or self._sio_namespace, callback=callback)

    def send(self, data: Any, namespace: str | None = None, callback: Callable[..., Any] | None = None) -> None:
        """Emit the event ``message``, to this namespace unless another is given. See :meth:`Client.send`."""
        return self._sio_emitter().send(data, namespace=namespace or self._sio_namespace, callback=callback)

    def call(self, event: str, data: Any = None, namespace: str | None = None, timeout: float | None = 60) -> Any:
        """Emit an event, to this namespace unless another is given, and return its acknowledgement.

        See :meth:`Client.call`.
        """
        return self._sio_emitter().call(event, data, namespace=namespace or self._sio_namespace, timeout=timeout)

    def disconnect(self) -> None:
        """Disconnect the client. See :meth:`Client.disconnect`."""
        return self._sio_emitter().disconnect()
