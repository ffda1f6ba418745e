"""Evaluates what public programs read from python-socketio's clients, in each state of a client; prints it as JSON.

Usage: python attributes.py URL FLAVOUR, with python-socketio or this library as ``socketio``.
"""

import asyncio
import inspect
import json
import sys

import socketio

# What programs do, and where it was seen.
EXPRESSIONS = {
    "sio.eio.state": "opal-agent-sdk, Xaps broker feeds, many",
    "sio.eio.state == 'connected'": "worker daemons, robot programs",
    "sio.eio.sid is None": "message bots that name themselves by it",
    "sio.eio.transport()": "status pages",
    "sio.transport()": "documented",
    "sio.eio.current_transport": "status pages",
    "sio.eio.base_url is None": "API explorers that log it",
    "sio.eio.upgrades": "network monitors",
    "sio.eio.ping_interval": "home-made heartbeats",
    "sio.eio.ping_timeout": "home-made heartbeats",
    "sio.eio.http is None": "Home Assistant integrations that close it",
    "sio.eio.external_http": "Home Assistant integrations that set it",
    "sio.eio.ws is None": "reconnection tests that close it",
    "sio.eio.ws is not None and sio.eio.ws.closed": "Uptime Kuma integrations (asyncio)",
    "sio.eio.queue is None": "5G-ERA back pressure",
    "sio.eio.queue is not None and sio.eio.queue.qsize()": "5G-ERA back pressure",
    "sio.eio.read_loop_task is None": "telemetry feeds",
    "sio.eio.write_loop_task is None": "model-server clients",
    "sio.eio.ssl_verify": "printers with certificates of their own",
    "sio.eio.request_timeout": "slow gateways",
    "sio.eio.websocket_extra_options": "proxies",
    "sio.eio.transports": "clients that force one",
    "sio.eio.logger": "log collectors",
    "sio.eio.send": "home-made pings",
    "sio.eio.disconnect": "clients that end at once",
    "sio.eio.connect": "test suites that replace it",
    "sio.eio.create_event": "test suites",
    "sio.eio.create_queue": "test suites",
    "sio.eio.start_background_task": "clients that replace it",
    "sio.eio.sleep": "clients that replace it",
    "sio.eio._trigger_event": "simplisafe-python's and aioambient's test suites",
    "sio._trigger_event": "catch-all clients, test suites",
    "sio._handle_disconnect": "seatable-api, plantable",
    "sio._send_packet": "serial-port bridges, pings",
    "not sio._reconnect_abort or callable(sio._reconnect_abort.set)": "locust-cloud, Taurus",
    "sio._reconnect_task is None": "5G-ERA, reconnection tests",
    "sio._engineio_client_class": "documented for subclasses",
    "sio.callbacks": "clients that count what is unanswered",
    "sio.handlers": "socket-cli, cider-py",
    "sio.handlers['/']['welcome']": "test suites that call a handler",
    "sorted(sio.handlers['/'])": "logs of what is registered",
    "sio.namespace_handlers": "dashboards, test suites",
    "sio.namespace_handlers['/chat']": "clients that look up their namespace object",
    "sorted(sio.namespaces)": "clients that wait for a namespace",
    "'/' in sio.namespaces": "clients that wait for a namespace",
    "sio.failed_namespaces": "clients that connect to several",
    "sio.connected": "all",
    "sio.sid is None": "many",
    "sio.get_sid() is None": "many",
    "sio.get_sid('/chat') is None": "many",
    "sio.connection_url is None": "logs",
    "sio.connection_headers": "logs",
    "sio.connection_auth": "clients that refresh a token in it",
    "sio.connection_transports": "logs",
    "sorted(sio.connection_namespaces or [])": "logs",
    "sio.socketio_path": "logs",
    "sio.reconnection": "Uptime Kuma exporters that clear it",
    "sio.reconnection_attempts": "clients that change it",
    "sio.reconnection_delay": "clients that change it",
    "sio.reconnection_delay_max": "clients that change it",
    "sio.randomization_factor": "gaia's RetryClient",
    "sio.handle_sigint": "load generators",
    "sorted(sio.reserved_events)": "wrappers that add events",
    "sio.packet_class.__name__": "clients that make packets",
    "sio.reason.CLIENT_DISCONNECT": "documented",
    "sio.logger": "subclasses that log through it",
    "sio.is_asyncio_based()": "wrappers for both flavours",
    "socketio.base_client.reconnecting_clients": "gaia's RetryClient",
    "socketio.base_client.BaseClient.on": "pydantic-socketio patches it",
    "socketio.packet.Packet(socketio.packet.EVENT, data=['x', 1]).encode()": "serial-port bridges",
    "socketio.exceptions.ConnectionRefusedError().args": "many",
}


def describe(value):
    """Return a value as JSON can hold it: functions and objects as what they are, not which."""
    if inspect.iscoroutinefunction(value):
        return "a coroutine function"
    if inspect.isroutine(value):
        return "a function"
    if isinstance(value, dict):
        return {str(key): describe(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [describe(item) for item in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else "an object"


def look(sio):
    """Return what each expression gives, or the exception."""
    found = {}
    for expression in EXPRESSIONS:
        try:
            found[expression] = describe(eval(expression, {"sio": sio, "socketio": socketio}))
        except Exception as exc:
            found[expression] = f"{type(exc).__name__}: {exc}"
    return found


class Chat(socketio.ClientNamespace):
    pass


class AsyncChat(socketio.AsyncClientNamespace):
    pass


def welcome(data):
    """Handle an event."""


def prepared(client_class, namespace_class):
    """Return a client with a handler and a namespace object."""
    sio = client_class(reconnection_delay=3, handle_sigint=False)
    sio.on("welcome", welcome)
    sio.register_namespace(namespace_class("/chat"))
    return sio


def threads(url):
    """Look before connecting, while connected over each transport, and after the disconnection."""
    sio = prepared(socketio.Client, Chat)
    states = {"new": look(sio)}
    for transports in (["polling"], ["websocket"]):
        sio.connect(url, headers={"a": "b"}, auth={"c": "d"}, transports=transports, wait_timeout=10)
        states[transports[0]] = look(sio)
        sio.disconnect()
    states["disconnected"] = look(sio)
    return states


async def in_asyncio(url):
    """Look in the same states."""
    sio = prepared(socketio.AsyncClient, AsyncChat)
    states = {"new": look(sio)}
    for transports in (["polling"], ["websocket"]):
        await sio.connect(url, headers={"a": "b"}, auth={"c": "d"}, transports=transports, wait_timeout=10)
        states[transports[0]] = look(sio)
        await sio.disconnect()
    states["disconnected"] = look(sio)
    return states


if __name__ == "__main__":
    url, flavour = sys.argv[1:]
    print(json.dumps(threads(url) if flavour == "threads" else asyncio.run(in_asyncio(url))))
