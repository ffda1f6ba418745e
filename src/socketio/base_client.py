"""What both clients share, without waiting: options, state, handlers, the arguments of ``connect()``."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, overload

from . import engine, options, overrides
from .base_namespace import BaseClientNamespace
from .core.details import DisconnectDetails
from .core.event_log import EventLog
from .core.events import (
    RESERVED_EVENTS,
    AckReceived,
    EventName,
    EventReceived,
    Events,
    FrameDropped,
    NamespaceConnected,
    NamespaceRefused,
    Notice,
    SessionFailed,
    Unread,
)
from .core.handlers import Handler, Handlers, Sink
from .core.session import Session
from .lifecycle.channel import Channel, Waiter
from .overrides import AssignableProperty, ReconnectAbort, is_overridden
from .packet import Frame, Packet
from .runtime import logs, process_hooks

if TYPE_CHECKING:
    from .lifecycle.base import BaseLifecycle

H = TypeVar("H", bound=Handler)

Reason = engine.reason


reconnecting_clients: list[BaseClient] = []
"""The clients that are reconnecting."""


@overrides.explain_missing
class BaseClient:
    """The part of :class:`Client` and :class:`AsyncClient` that does no I/O."""

    reason = Reason
    """Why a connection ended: ``CLIENT_DISCONNECT``, ``SERVER_DISCONNECT`` or ``TRANSPORT_ERROR``."""
    reserved_events: tuple[str, ...] = RESERVED_EVENTS
    connection_url: Any = None
    connection_headers: Any = None
    connection_auth: Any = None
    connection_transports: str | list[str] | None = None
    socketio_path: Any = None
    eio: Any
    _sio_path_warning_given = False
    _sio_is_asyncio_based = False
    _sio_dispatcher: Any
    _sio_lifecycle: BaseLifecycle
    _trigger_event: Callable[..., Any]
    _handle_disconnect: Callable[[str], Any]
    _engineio_client_class: Callable[[], Any]
    _sio_new_dispatcher: Callable[[], Any]
    _sio_lifecycle_class: Any
    _sio_run_events: Callable[[Session, Events], None]

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
        self.eio = self._sio_make_engine(handle_sigint, engineio_options)
        self.reconnection = reconnection
        self.reconnection_attempts = options.attempts(reconnection_attempts)
        self.reconnection_delay = options.seconds(reconnection_delay, "reconnection_delay", 1)
        self.reconnection_delay_max = options.seconds(reconnection_delay_max, "reconnection_delay_max", 5)
        self.randomization_factor = options.seconds(randomization_factor, "randomization_factor", 0.5)
        self.handle_sigint = handle_sigint
        self.async_handlers = async_handlers
        self.packet_class = options.packet_class(serializer, json)
        self.eio.logs_text = self.packet_class.encode is Packet.encode
        self.connection_namespaces: list[str] = []
        self._sio_logger = logs.resolve(logger, f"{__package__}.client")
        self._sio_log = EventLog(self._sio_logger)
        self._sio_dropped_log = logs.RateLimitedLogger(self._sio_logger)
        self._sio_registry = Handlers()
        self._sio_channel = Channel(self.eio, self._sio_log)
        self._sio_dispatcher = self._sio_new_dispatcher()
        self._sio_lifecycle = self._sio_lifecycle_class(self, self._sio_channel)
        self._sio_register_with_engine()
        self._sio_notice_overrides()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        overrides.warn_of_overrides(cls, BaseClient)

    def _sio_make_engine(self, handle_sigint: bool, given: dict[str, Any]) -> Any:
        engine_class = self._engineio_client_class()
        options.check_names(type(self), given, type(self), engine_class)
        kind = options.AIOHTTP if self._sio_is_asyncio_based else options.REQUESTS
        options.check_session(given.get("http_session"), kind)
        if "engineio_logger" in given:
            given["logger"] = given.pop("engineio_logger")
        return engine_class(handle_sigint=handle_sigint, **given)

    def _sio_register_with_engine(self) -> None:
        self.eio.on("connect", self._sio_lifecycle.on_transport_open)
        self.eio.on("message", self._sio_on_messages)
        self.eio.on("disconnect", self._sio_lifecycle.on_transport_closed)
        self.eio.is_shared = True

    def _sio_renew(self) -> None:
        """Be idle, without the threads or tasks of the parent process, or of a closed event loop."""
        self._sio_dispatcher.abandon()
        self._sio_dispatcher = self._sio_new_dispatcher()
        self._sio_lifecycle.renew()

    def _sio_after_fork(self) -> None:
        self._sio_renew()
        self.eio.after_fork()

    def _sio_notice_overrides(self) -> None:
        """Call an overridden ``_trigger_event`` for all events from now on."""
        registry = vars(self).get("_sio_registry")
        if registry is not None and is_overridden(self, "_trigger_event"):
            registry.override = lambda: self._trigger_event

    # -- attributes that a program may assign to: the library itself does not read them

    @AssignableProperty
    def connected(self) -> bool:
        """Whether a namespace is connected."""
        return self._sio_lifecycle.is_connected()

    @AssignableProperty
    def namespaces(self) -> dict[str, str]:
        """The connected namespaces and the sid that the server gave for each."""
        return self._sio_channel.namespaces()

    @AssignableProperty
    def failed_namespaces(self) -> list[str]:
        """The namespaces that the last attempt failed to connect."""
        return self._sio_lifecycle.attempts.failed

    @AssignableProperty
    def disconnect_details(self) -> DisconnectDetails | None:
        """Why the connection, or a namespace, last ended; ``None`` before the first disconnection.

        Set before the ``disconnect`` handlers are called, and kept until the next disconnection.
        """
        return self._sio_channel.details

    @AssignableProperty
    def sid(self) -> str | None:
        """The id of the Engine.IO session, ``None`` without one. See :meth:`get_sid` for the id of a namespace."""
        sid: str | None = self.eio.sid
        return sid

    def get_sid(self, namespace: str | None = None) -> str | None:
        """Return the id that the server gave this client in a namespace, ``'/'`` by default.

        ``None`` where the namespace is not connected.
        """
        return self._sio_channel.namespaces().get(namespace or "/")

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
            if "_sio_log" in vars(self):  # otherwise a constructor of a subclass assigned it before calling this one
                self._sio_log.use(value)

    @AssignableProperty
    def _reconnect_task(self) -> Any:
        """The thread or task of the current or last reconnection; ``None`` before the first one."""
        return self._sio_lifecycle.reconnect_task

    @AssignableProperty
    def _reconnect_abort(self) -> ReconnectAbort:
        """Ends a reconnection, or ``connect(retry=True)``, when its ``set()`` is called. An event can be assigned."""
        return ReconnectAbort(self._sio_lifecycle)

    @AssignableProperty
    def callbacks(self) -> dict[str, dict[int, Callable[..., Any]]]:
        """The callbacks that wait for an acknowledgement, by namespace and id."""
        return self._sio_channel.callbacks()

    @AssignableProperty
    def handlers(self) -> dict[str, dict[EventName, Handler]]:
        """The registered functions, by namespace and event."""
        return self._sio_registry.functions

    @AssignableProperty
    def namespace_handlers(self) -> dict[str, BaseClientNamespace]:
        """The registered namespace objects, by namespace."""
        return self._sio_registry.objects

    # -- handlers

    @overload
    def on(self, event: EventName, handler: None = None, namespace: str | None = None) -> Callable[[H], H]: ...

    @overload
    def on(self, event: EventName, handler: H, namespace: str | None = None) -> H: ...

    def on(self, event: EventName, handler: Any = None, namespace: str | None = None) -> Any:
        """Register the handler of an event; it replaces an earlier one.

        :param event: the name of the event: a ``str``, or a number where the server uses one; ``'connect'``,
            ``'connect_error'`` and ``'disconnect'`` are the client's own events, ``'*'`` stands for all other events
            without a handler.
        :param handler: the function; without it, this is a decorator that returns its function unchanged.
        :param namespace: ``'/'`` by default; ``'*'`` stands for all namespaces that have no functions.

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

        Raises ``ValueError`` for an object that is not a namespace, or is for the other flavour.
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

    # -- what the server sends

    def _sio_on_messages(self, frames: Sequence[Frame]) -> None:
        """Handle the frames that the engine has received."""
        channel, session = self._sio_channel, self._sio_channel.session
        while frames and session is not None:
            with channel.lock:
                if channel.session is not session:
                    return
                received, frames = session.receive(frames)
            is_logged = self._sio_log.is_logged(logs.INFO)
            for each in self._sio_log.received(received, session.read) if is_logged else received:
                if not isinstance(each, list):
                    self._sio_handle(session, each)
                elif (sink := self._sio_registry.only_sink()) is None:
                    self._sio_run_events(session, each)
                else:
                    self._sio_add_to_sink(sink, session, each)

    def _sio_add_to_sink(self, sink: Sink, session: Session, events: Events) -> None:
        """Pass events to a sink; acknowledge them, without values, if the server asks for it."""
        sink.take(events, partial(self._sio_read, session))
        for each in events:
            if isinstance(each, tuple) and each[3] is not None:
                self._sio_channel.acknowledge(session, each[0], each[3], None)

    def _sio_read(self, session: Session, event: Unread | EventReceived) -> EventReceived | FrameDropped:
        """Return an event, decoded; log if it is dropped."""
        read = session.read(event)
        if isinstance(read, FrameDropped):
            self._sio_handle(session, read)
        return read

    def _sio_handle(self, session: Session, event: Notice) -> None:
        if isinstance(event, AckReceived):
            if isinstance(event.callback, Waiter):
                event.callback(*event.args)
            else:
                self._sio_lifecycle.submit_callback(event.callback, event.args, event.namespace)
        elif isinstance(event, FrameDropped):
            self._sio_dropped_log.warning("Dropped what the server sent: %.200s", event.reason)
        elif isinstance(event, NamespaceConnected):
            self._sio_lifecycle.attempts.accept(event.namespace)
        elif isinstance(event, NamespaceRefused):
            self._sio_lifecycle.attempts.refuse(session, event)
        elif isinstance(event, SessionFailed):
            raise engine.InvalidDataError(event.reason)  # the engine ends the connection, on the reading side
        elif session.keeps_ended:
            self._sio_lifecycle.submit_disconnect(event.namespace)
        else:
            self._sio_lifecycle.attempts.end_namespaces(session, event.namespace, (event.namespace,))


def set_reconnecting(client: BaseClient, is_reconnecting: bool) -> None:
    """Add a client to ``reconnecting_clients``, or remove it."""
    with process_hooks.lock():  # by identity: a subclass may define __eq__
        others = [each for each in reconnecting_clients if each is not client]
        reconnecting_clients[:] = [*others, client] if is_reconnecting else others
