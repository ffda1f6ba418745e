"""The calls that the asyncio dispatcher runs, and what follows them."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, Protocol


class Calls(Protocol):
    """Calls of one kind, each with its subject, for example an event."""

    def begin(self, subject: Any, /) -> Awaitable[Any] | None:
        """Make the call; return what has to be awaited, or ``None``. Raises no ``Exception``."""

    def returned(self, subject: Any, value: Any, /) -> None:
        """Handle the result; an exception here counts as one of the call."""

    def failed(self, subject: Any, /) -> None:
        """Report the exception that is being handled."""

    def ended(self, subject: Any, /) -> None:
        """Finish, even if the task of the call was cancelled."""


class Call(NamedTuple):
    """A single call, made of functions."""

    call: Callable[[], Any]
    at_failure: Callable[[], None] = lambda: None
    at_end: Callable[[], None] = lambda: None
    at_return: Callable[[Any], None] = lambda value: None

    def begin(self, subject: None) -> Awaitable[Any] | None:
        """Make the call."""
        try:
            result = self.call()
            if result is not None and inspect.isawaitable(result):
                return result
            self.at_return(result)
        except (Exception, asyncio.CancelledError):  # of a future that it has asked for its result
            self.at_failure()
        return None

    def returned(self, subject: None, value: Any) -> None:
        """Pass the result on."""
        self.at_return(value)

    def failed(self, subject: None) -> None:
        """Report the failure."""
        self.at_failure()

    def ended(self, subject: None) -> None:
        """Finish."""
        self.at_end()
