"""What both clients share and what never waits: options, state, handlers, the arguments of ``connect()``."""

from __future__ import annotations

import contextlib
import enum
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar, overload

from . import engine, options, overrides
from .attributes import ClientAttributes
from .base_namespace import BaseClientNamespace
from .core.details import DisconnectDetails
from .core.event_log import EventLog
from .core.events import RESERVED_EVENTS, EventName
from .core.handlers import Handler, Handlers
from .core.session import Session
from .exceptions import ConnectionError, InvalidURLError
from .overrides import is_overridden
from .packet import Packet
from .runtime import logs, process_hooks, timeouts

H = TypeVar("H", bound=Handler)

Reason = engine.reason
_SCHEMES = ("http", "https", "ws", "wss")


class State(enum.Enum):
    """Where a client is in its life."""

    IDLE = "idle"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    CLOSING = "closing"


reconnecting_clients: list[BaseClient] = []
"""The clients that are reconnecting."""


@overrides.explain_missing
class BaseClient(ClientAttributes):
    """The part of :class:`Client` and :class:`AsyncClient` that does no I/O."""

    reason = Reason
    """Why a connection ended: ``CLIENT_DISCONNECT``, ``SERVER_DISCONNECT`` or ``TRANSPORT_ERROR``."""
    reserved_events: tuple[str, ...] = RESERVED_EVENTS
    _sio_retries = False
    _sio_abort: Callable[[], None]
    _trigger_event: Callable[..., Any]

    def __init__(
        self,
        reconnection: bool = True,
        reconnection_attempts: int = 0,
        reconnection_delay: float = 1,
        reconnection_delay_max: float = 5,
        randomization_factor: float = 0.5,
        logger: bool | logs.Logger | None = False,
        serializer: str | type[Packet] = "default",
        json: Any = None,
        handle_sigint: bool = True,
        async_handlers: bool = True,
        **engineio_options: Any,
    ) -> None:
        engine_class = self._engineio_client_class()
        options.check_names(type(self), engineio_options, type(self), engine_class)
        kind = options.AIOHTTP if self._sio_is_asyncio_based else options.REQUESTS
        options.check_session(engineio_options.get("http_session"), kind)
        self.reconnection = reconnection
        self.reconnection_attempts = options.attempts(reconnection_attempts)
        self.reconnection_delay = options.seconds(reconnection_delay, "reconnection_delay", 1)
        self.reconnection_delay_max = options.seconds(reconnection_delay_max, "reconnection_delay_max", 5)
        self.randomization_factor = options.seconds(randomization_factor, "randomization_factor", 0.5)
        self.handle_sigint = handle_sigint
        self.async_handlers = async_handlers
        self._sio_logger = logs.resolve(logger, f"{__package__}.client")
        self._sio_log = EventLog(self._sio_logger)
        self.packet_class = options.packet_class(serializer, json)

        self.connection_url: Any = None
        self.connection_headers: Any = None
        self.connection_auth: Any = None
        self.connection_transports: str | list[str] | None = None
        self.connection_namespaces: list[str] = []
        self.socketio_path: Any = None
        self._sio_failed: list[str] = []

        self._sio_nonsense = logs.Sparse(self._sio_logger)
        self._sio_registry = Handlers()
        self._sio_state = State.IDLE
        self._sio_protocol: Session | None = None
        self._sio_details: DisconnectDetails | None = None
        self._sio_wait_for_namespaces = True
        self._sio_wait_timeout: float | None = 20.0
        self._sio_path_warning_given = False

        if "engineio_logger" in engineio_options:
            engineio_options["logger"] = engineio_options.pop("engineio_logger")
        self.eio: Any = engine_class(handle_sigint=handle_sigint, **engineio_options)
        self.eio.logs_text = self.packet_class.encode is Packet.encode
        self._sio_set_up()
        self._sio_notice_overrides()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        overrides.warn_of_overrides(cls, BaseClient)

    def _engineio_client_class(self) -> Any:
        raise NotImplementedError

    def _sio_set_up(self) -> None:
        """Make what one flavour needs besides."""
        raise NotImplementedError

    def _sio_notice_overrides(self) -> None:
        """Call an overridden ``_trigger_event`` for all events from now on."""
        registry = vars(self).get("_sio_registry")
        if registry is not None and is_overridden(self, "_trigger_event"):
            registry.override = lambda: self._trigger_event

    # -- what is connected

    def _sio_is_trying(self) -> bool:
        """Return whether the client reconnects, or is in ``connect(retry=True)``."""
        state = self._sio_state
        return state is State.RECONNECTING or (state is State.CONNECTING and self._sio_retries)

    @contextlib.contextmanager
    def _sio_listed(self) -> Iterator[None]:
        """Be listed in ``reconnecting_clients``."""
        with process_hooks.lock():
            reconnecting_clients.append(self)
        try:
            yield
        finally:
            self._sio_unlist()

    def _sio_unlist(self) -> None:
        with process_hooks.lock():  # by identity: a subclass may define __eq__
            reconnecting_clients[:] = [client for client in reconnecting_clients if client is not self]

    # -- handlers

    @overload
    def on(self, event: EventName, handler: None = None, namespace: str | None = None) -> Callable[[H], H]: ...

    @overload
    def on(self, event: EventName, handler: H, namespace: str | None = None) -> H: ...

    def on(self, event: EventName, handler: Any = None, namespace: str | None = None) -> Any:
        """Register the handler of an event, in place of the one it had.

        :param event: the name of the event: a ``str``, or a number where the server uses one; ``'connect'``,
            ``'connect_error'`` and ``'disconnect'`` are the client's own, ``'*'`` stands for all that have no handler,
            the client's own aside.
        :param handler: the function; without it, this is a decorator that returns its function unchanged.
        :param namespace: ``'/'`` by default; ``'*'`` stands for all namespaces without functions of their own.

        A handler for event ``'*'`` gets the event name before the arguments, one for namespace ``'*'`` the namespace,
        one for both the event name, then the namespace. What a handler returns is sent as the acknowledgement, if the
        server asked for one: a tuple is several values, ``None`` none. Example::

            @sio.on('my message', namespace='/chat')
            def my_message(data):
                print('received', data)
        """

        return self._sio_on(event, handler, namespace)

    def _sio_on(self, event: EventName, handler: Any = None, namespace: str | None = None) -> Any:
        options.check_event(event)
        options.check_namespace(namespace or "/", any_too=True)

        def register(function: H) -> H:
            options.check_handler(function, self._sio_is_asyncio_based)
            self._sio_registry.add(event, function, namespace or "/")
            return function

        return register if handler is None else register(handler)

    @overload
    def event(self, handler: H, /) -> H: ...

    @overload
    def event(self, *, namespace: str | None = None) -> Callable[[H], H]: ...

    def event(self, *args: Any, **kwargs: Any) -> Any:
        """Register a function as the handler of the event that has the function's name.

        Used as ``@sio.event`` or ``@sio.event(namespace='/chat')``. See :meth:`on`.
        """
        is_replaced = options.is_replaced(self, "on", BaseClient.on, "event", print, namespace=None)
        on = self.on if is_replaced else self._sio_on
        if len(args) == 1 and not kwargs and callable(args[0]) and hasattr(args[0], "__name__"):
            return on(args[0].__name__, args[0])
        if args:
            raise TypeError(f"event() takes a function or namespace=, not {args[0]!r:.100}: use on() to name the event")

        def register(function: H) -> H:
            registered: H = on(function.__name__, function, **kwargs)
            return registered

        return register

    def register_namespace(self, namespace_handler: BaseClientNamespace) -> None:
        """Register an object whose methods handle the events of a namespace.

        Raises ``ValueError`` for an object that is no namespace, or one of the other flavour.
        """
        if not isinstance(namespace_handler, BaseClientNamespace):
            raise ValueError(f"Not a namespace instance: {namespace_handler!r}")
        if namespace_handler._sio_is_asyncio_based != self._sio_is_asyncio_based:
            raise ValueError(f"Not a valid namespace class for this client: {type(namespace_handler).__name__}")
        for name in dir(type(namespace_handler)) if not self._sio_is_asyncio_based else ():
            if name.startswith("on_"):
                options.check_handler(getattr(namespace_handler, name), False)
        namespace_handler._sio_client = self
        self._sio_registry.add_object(namespace_handler._sio_namespace, namespace_handler)

    # -- the arguments of connect()

    def _sio_remember(
        self,
        url: Any,
        headers: Any,
        auth: Any,
        transports: str | list[str] | None,
        namespaces: str | list[str] | None,
        socketio_path: str,
        wait: bool,
        wait_timeout: float | None,
    ) -> None:
        """Check the arguments of ``connect()`` and keep them for this connection and its reconnections."""
        overrides.warn_of_assignments(self)
        if namespaces is None:
            namespaces = self._sio_registry.namespaces() or ["/"]
        elif isinstance(namespaces, str):
            namespaces = [namespaces]
        for namespace in namespaces:
            options.check_namespace(namespace)
            namespace.encode("utf-8")  # a lone surrogate is a ValueError
        if not callable(url):
            check_url(url)
        if not callable(headers):
            check_headers(headers)
        engine.choose_transports(transports)
        limit = timeouts.limit(wait_timeout, "wait_timeout")
        self.connection_url = url
        self.connection_headers = headers
        self.connection_auth = auth
        self.connection_transports = transports
        self.connection_namespaces = list(dict.fromkeys(namespaces))
        self.socketio_path = "socket.io" if socketio_path is None else socketio_path
        self._sio_wait_for_namespaces = wait
        self._sio_wait_timeout = limit

    def _sio_check_url(self, url: Any) -> str:
        """Return the URL to connect to; warn once about a path other than ``socketio_path``."""
        path = check_url(url).path.strip("/")
        if path not in ("", (self.socketio_path or "").strip("/")) and not self._sio_path_warning_given:
            self._sio_path_warning_given = True
            self._sio_logger.warning("The path in the URL is ignored: use socketio_path, or namespaces, for %r", path)
        checked: str = url
        return checked


def attempt_failure(exc: Exception) -> tuple[Exception, Any]:
    """Return the error to raise for an attempt that failed, and the argument for the ``connect_error`` handlers.

    That is the body of an HTTP error answer, ``None`` where it is no JSON, else the text of the error.
    """
    if not isinstance(exc, engine.EngineError):
        return exc, error_text(exc)
    text = str(exc.args[0]) if exc.args else "the connection failed"
    return ConnectionError(text), exc.args[1] if len(exc.args) > 1 else text


def first_cause(exc: BaseException) -> BaseException:
    """Return the original cause of an error, without its traceback.

    What lies between has the same text, and the traceback is that of the HTTP library: two more screens to read.
    """
    while exc.__cause__ is not None:
        exc = exc.__cause__
    return exc.with_traceback(None)


def error_text(exc: BaseException) -> str:
    """Return the text of an error, or its type if the text is empty or ``str()`` fails."""
    try:
        return str(exc) or type(exc).__name__
    except Exception:
        return type(exc).__name__


def check_url(url: Any) -> urllib.parse.SplitResult:
    """Return the parts of a URL; raise :class:`InvalidURLError` for one that nobody can connect to."""
    if not isinstance(url, str):
        raise InvalidURLError(f"a URL is a str, not {type(url).__name__}")
    shown = engine.without_secrets(url)
    try:
        parts = urllib.parse.urlsplit(url)
        valid = parts.scheme in _SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:  # its text may have the password in it
        raise InvalidURLError(f"not a valid URL: {shown!r}") from None
    if not valid:
        raise InvalidURLError(f"not an http, https, ws or wss URL: {shown!r}")
    return parts


def check_headers(headers: Any) -> Mapping[str, str]:
    """Return the headers to send; raise ``TypeError`` or ``ValueError`` for invalid ones."""
    return engine.check_headers(headers)
