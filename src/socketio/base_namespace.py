"""What class-based namespaces share: the namespace, the client, and the method for an event."""

from __future__ import annotations

from typing import Any

from .core.signatures import without_unwanted_reason
from .options import check_namespace


class BaseClientNamespace:
    """Base class of :class:`ClientNamespace` and :class:`AsyncClientNamespace`.

    :param namespace: the namespace that the object handles; ``None`` means ``'/'``, ``'*'`` all namespaces without
        another object.
    :ivar client: the client it is registered with.
    """

    _sio_is_asyncio_based = False
    _sio_namespace = "/"
    _sio_client: Any = None

    def __init__(self, namespace: str | None = None) -> None:
        check_namespace(namespace or "/", any_too=True)
        self._sio_namespace = namespace or "/"

    def is_asyncio_based(self) -> bool:
        """Return whether this belongs to an asyncio client."""
        return self._sio_is_asyncio_based

    @property
    def namespace(self) -> Any:
        """The namespace. You can assign another one before you register the object."""
        return vars(self).get("namespace", self._sio_namespace)

    @namespace.setter
    def namespace(self, value: Any) -> None:
        vars(self)["namespace"] = value
        if self._sio_client is None and isinstance(value, str) and value.startswith(("/", "*")):
            self._sio_namespace = value

    @property
    def client(self) -> Any:
        """The client that the object is registered with. You can assign one before that."""
        return vars(self).get("client", self._sio_client)

    @client.setter
    def client(self, value: Any) -> None:
        vars(self)["client"] = value

    def _set_client(self, client: Any) -> None:
        self._sio_client = client

    def _sio_emitter(self) -> Any:
        """Return the client to emit with."""
        client = self._sio_client if self._sio_client is not None else vars(self).get("client")
        if client is None:
            raise RuntimeError(f"{type(self).__name__} has no client: call register_namespace() first")
        return client

    def _sio_find(self, event: str, args: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]] | None:
        """Return the method for an event and its arguments, or ``None`` if there is no method."""
        method = getattr(self, f"on_{event}", None)
        if method is None:
            return None
        return method, without_unwanted_reason(method, args) if event == "disconnect" else args
