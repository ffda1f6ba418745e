"""Checks the options of the constructors, and handlers when they are registered.

In: values from the program. Out: the values to use, or ``TypeError`` or ``ValueError``. ``None`` is the default.
"""

from __future__ import annotations

import difflib
import inspect
import math
from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import FunctionType
from typing import Any

from .core.signatures import accepts
from .packet import AdaptedJson, Packet
from .runtime import logs, timeouts

REQUESTS, AIOHTTP = "prepare_request", "ws_connect"
"""A method by which the sessions of each library are known."""


@lru_cache(maxsize=64)
def _names_of(found: type) -> tuple[frozenset[str], bool]:
    """Return the names of the keyword arguments of a class, its bases included, and whether it takes any others."""
    names: set[str] = set()
    for base in found.__mro__[:-1]:
        if "__init__" in vars(base):
            parameters = list(inspect.signature(vars(base)["__init__"]).parameters.values())[1:]
            names |= {each.name for each in parameters if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)}
            if not any(each.kind is each.VAR_KEYWORD for each in parameters):
                return frozenset(names), False
    return frozenset(names), True


def check_names(called: type, options: Iterable[str], client_class: type, engine_class: type) -> None:
    """Raise ``TypeError`` for an unknown option, with the name of the class that was called."""
    own, _ = _names_of(client_class)
    of_engine, is_open = _names_of(engine_class)
    known = own | of_engine | {"engineio_logger"}
    for name in options if not is_open else ():
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            hint = f": did you mean {close[0]!r}?" if close else ""
            raise TypeError(f"{called.__name__}() got an unexpected keyword argument {name!r}{hint}")


def check_all(called: type, client_class: Any, options: Mapping[str, Any]) -> None:
    """Raise the errors that a client with these options would raise, with the name of another class.

    A ``client_class`` may be a function that returns a client: it checks them when it is called.
    """
    is_class = isinstance(client_class, type) and hasattr(client_class, "_sio_is_asyncio_based")
    if not is_class:
        return
    engine_class = client_class._engineio_client_class(object.__new__(client_class))
    check_names(called, options, client_class, engine_class)
    of_engine = _names_of(engine_class)[0] - _names_of(client_class)[0]
    engine_class(**{name: value for name, value in options.items() if name in of_engine})
    for name in ("logger", "engineio_logger"):
        logs.check(options.get(name))
    check_session(options.get("http_session"), AIOHTTP if client_class._sio_is_asyncio_based else REQUESTS)
    attempts(options.get("reconnection_attempts"))
    for name in ("reconnection_delay", "reconnection_delay_max", "randomization_factor"):
        seconds(options.get(name), name, 0)
    packet_class(options.get("serializer"), options.get("json"))


def attempts(value: Any) -> float:
    """Return the number of attempts to reconnect, 0 for any number."""
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"reconnection_attempts must be a number, not {value!r}")
    if value < 0 or math.isnan(value):
        raise ValueError(f"reconnection_attempts must not be negative: {value!r}")
    return value


def seconds(value: Any, name: str, default: float) -> float:
    """Return a time, or a factor, that is not negative."""
    return default if value is None else timeouts.duration(value, name)


def check_session(value: Any, method: str) -> None:
    """Raise ``TypeError`` for an ``http_session`` that is neither a session of this flavour nor a function."""
    if value is None or callable(value) or hasattr(value, method):
        return
    wanted = "a requests.Session" if method == REQUESTS else "an aiohttp.ClientSession"
    raise TypeError(f"http_session must be {wanted}, or a function that returns one, not {value!r:.100}")


def check_event(event: Any) -> None:
    """Raise ``TypeError`` for an invalid name of an event, for example a function under ``@sio.on``."""
    if isinstance(event, (str, int, float)):
        return
    if callable(event):
        raise TypeError(f"on() takes the name of an event, not {event!r:.100}: use @sio.event, or @sio.on('name')")
    raise TypeError(f"an event name is a str or a number, not {event!r:.100}")


def check_handler(handler: Any, is_asyncio: bool) -> None:
    """Raise ``TypeError`` for a handler that cannot be called, or for a coroutine function without asyncio."""
    if not callable(handler):
        raise TypeError(f"a handler must be a function, not {handler!r:.100}")
    if not is_asyncio and is_coroutine_function(handler):
        name = getattr(handler, "__name__", repr(handler))
        raise TypeError(f"{name}() is a coroutine function: use AsyncClient, or write it without 'async'")


def check_callback(callback: Any, is_asyncio: bool) -> None:
    """Raise like :func:`check_handler`, but faster, because this runs for each emitted event."""
    if type(callback) is not FunctionType or callback.__code__.co_flags & inspect.CO_COROUTINE:
        check_handler(callback, is_asyncio)


def is_coroutine_function(function: Any) -> bool:
    """Return whether a function, or what calls an object, is a coroutine function."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)


def is_replaced(instance: object, name: str, original: Any, *args: Any, **kwargs: Any) -> bool:
    """Return whether a public method is overridden in a subclass or on the instance.

    An attribute that cannot be called with these arguments is not an override, but has the same name by chance.
    """
    found = getattr(instance, name)
    is_other = getattr(found, "__func__", found) is not original
    return is_other and callable(found) and accepts(found, *args, **kwargs) is not False


def check_namespace(namespace: Any, any_too: bool = False) -> None:
    """Raise ``ValueError`` for a namespace that does not begin with ``'/'``; ``'*'`` may be one, too."""
    if not isinstance(namespace, str) or not (namespace.startswith("/") or (any_too and namespace == "*")):
        raise ValueError(f"a namespace begins with '/', {namespace!r} does not")


def packet_class(serializer: str | type[Packet] | None, json: Any) -> type[Packet]:
    """Return the packet class for a serializer and a JSON module."""
    if serializer == "default" or serializer is None:
        found = Packet
    elif serializer == "msgpack":
        from .msgpack_packet import MsgPackPacket, require

        require()
        found = MsgPackPacket
    elif isinstance(serializer, type):
        found = serializer
    else:
        raise ValueError(f"serializer is 'default', 'msgpack' or a packet class, not {serializer!r}")
    if json is None:
        return found
    if not callable(getattr(json, "dumps", None)) or not callable(getattr(json, "loads", None)):
        raise TypeError(f"json must be a module, or an object, with functions dumps and loads, not {json!r:.100}")
    adapted: type[Packet] = type(found.__name__, (found,), {"json": AdaptedJson(json)})
    return adapted
