"""Handlers that programs register with the Engine.IO client, in addition to those of the Socket.IO client.

The Socket.IO client registers its handlers first and then sets :attr:`Face.is_shared`. What programs register after
that is called as well, and not instead.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from ..core.signatures import without_unwanted_reason
from ..runtime import logs


class Face:
    """The part of both Engine.IO clients that the Socket.IO client does not need.

    :ivar is_shared: whether what is registered is called in addition to what was registered before this was set.
    """

    logger: logs.Logger
    handlers: dict[str, Callable[..., Any]]
    event_names: Sequence[str]
    start_background_task: Callable[..., Any]
    is_shared = False
    _listeners: dict[str, Callable[..., Any]] | None = None

    def on(self, event: str, handler: Any = None) -> Any:
        """Register the function for ``connect``, ``message`` (called with each message) or ``disconnect``."""
        if event not in self.event_names:
            raise ValueError(f"no event of Engine.IO: {event!r}")

        def register(function: Callable[..., Any]) -> Callable[..., Any]:
            if self.is_shared:
                self._listeners = {**(self._listeners or {}), event: function}
            else:
                self.handlers[event] = function
            return function

        return register if handler is None else register(handler)

    def _tell(self, event: str, *args: Any) -> None:
        """Call what a program has registered; a coroutine function as a task."""
        listener = self._listeners.get(event) if self._listeners else None
        if listener is None:
            return
        try:
            if inspect.iscoroutinefunction(listener):
                self.start_background_task(listener, *without_unwanted_reason(listener, args))
            else:
                listener(*without_unwanted_reason(listener, args))
        except Exception:
            self.logger.exception("%s handler error", event)
