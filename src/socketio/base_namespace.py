"""What class-based namespaces of both flavours share: the namespace, the client, the search for a method."""

from __future__ import annotations

from typing import Any

from .signatures import without_unwanted_reason


class BaseClientNamespace:
    """Base class of :class:`ClientNamespace` and :class:`AsyncClientNamespace`.

    :param namespace: the namespace that the object handles; ``None`` means ``'/'``, ``'*'`` all that nobody else
        handles.
    :ivar client: the client it is registered with.
    """

    client: Any = None

    def __init__(self, namespace: str | None = None) -> None:
        self.namespace = namespace or "/"

    def is_asyncio_based(self) -> bool:
        """Return whether this belongs to an asyncio client."""
        return False

    def _set_client(self, client: Any) -> None:
        self.client = client

    def _find(self, event: str, args: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]] | None:
        """Return the method for an event and its arguments, or ``None`` where there is none."""
        method = getattr(self, f"on_{event}", None)
        if method is None:
            return None
        return method, without_unwanted_reason(method, args) if event == "disconnect" else args
