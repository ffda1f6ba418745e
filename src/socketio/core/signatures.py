"""Which arguments a function accepts, read from its signature."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any


def accepts(function: Callable[..., Any], *args: Any, **kwargs: Any) -> bool | None:
    """Return whether a function can be called with these arguments; ``None`` if it has no signature."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # a builtin without a signature
        return None
    try:
        signature.bind(*args, **kwargs)
    except TypeError:
        return False
    return True


def without_unwanted_reason(handler: Callable[..., Any], args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the arguments for a disconnect handler: without the reason, the last one, if it takes none."""
    return args[:-1] if accepts(handler, *args) is False else args
