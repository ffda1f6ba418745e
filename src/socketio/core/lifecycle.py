"""Decides what a client does next, such as reconnect: a table of states, inputs and actions.

In: a state and an input. Out: the next state and the actions, as data. Nothing here waits, calls or changes anything:
the drivers in ``lifecycle/`` pass the inputs and execute the actions, the same for threads and asyncio.
"""

from __future__ import annotations

import enum


class State(enum.Enum):
    """What a client is doing."""

    IDLE = "idle"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    CLOSING = "closing"


class Input(enum.Enum):
    """What happens to a client."""

    CONNECT = "connect()"  # the application calls ``connect()``
    OPENED = "opened"  # the transport is open
    ACCEPTED = "accepted"  # the server has accepted the namespaces, or ``connect()`` does not wait for that
    FAILED = "failed"  # an attempt has failed, and another one follows
    TIMER = "timer"  # the delay before an attempt is over
    GAVE_UP = "gave up"  # an attempt has failed or was aborted, and no other one follows
    LOST = "lost"  # the transport has ended, and the client reconnects
    ENDED = "ended"  # the transport has ended, and the client does not reconnect
    SERVER_DISCONNECT = "server disconnect"  # the server has disconnected the last namespace
    DISCONNECT = "disconnect()"  # the application calls ``disconnect()``
    CLOSED = "closed"  # the connection is closed, as ``disconnect()`` has asked for
    ABORT = "abort"  # no time is left to close: after Ctrl-C, a fork, or the end of the event loop


class Action(enum.Enum):
    """What a driver does. Those in :data:`IMMEDIATE` are part of the change of state, the others follow in order."""

    BEGIN = "begin"  # begin a lifetime: attempts and connections until the client is idle again
    STOP_ATTEMPTS = "stop attempts"  # wake everything that waits for the server or for the next attempt
    REFUSE_EVENTS = "refuse events"  # make ``emit()`` raise while the queued events are sent
    CLOSE_SESSION = "close session"  # end the Socket.IO session and the calls that wait for acknowledgements
    REFUSE = "refuse"  # raise ``ConnectionError`` in ``connect()``
    OPEN = "open"  # open a transport, and wait for the answers of the server. Leads to an input
    JOIN = "join namespaces"  # send CONNECT packets in a new session
    PAUSE = "pause"  # wait until the next attempt. Leads to an input
    RECONNECT = "reconnect"  # start a thread or a task that pauses
    CLOSE = "close"  # send all that was emitted, disconnect the namespaces, close the transport. Leads to an input
    CLOSE_TRANSPORT = "close transport"  # close the transport, or wait until it is closed
    AWAIT_IDLE = "await idle"  # wait until another ``disconnect()`` is done
    CALL_DISCONNECT = "call disconnect"  # call the ``disconnect`` handlers of the namespaces that were connected
    CALL_FINAL = "call final"  # call the ``__disconnect_final`` handlers
    END = "end"  # let ``wait()`` return when the handlers have returned


IMMEDIATE = (Action.BEGIN, Action.STOP_ATTEMPTS, Action.REFUSE_EVENTS, Action.CLOSE_SESSION)
"""Actions that belong to the change of state: they are done under the lock, or without waiting in between."""
WAITING = (Action.OPEN, Action.PAUSE, Action.CLOSE, Action.CLOSE_TRANSPORT, Action.AWAIT_IDLE)
"""Actions that wait."""

Transition = tuple[State, tuple[Action, ...]]

_LOST = (Action.CLOSE_SESSION, Action.CALL_DISCONNECT)
_ENDED = (Action.STOP_ATTEMPTS, Action.CLOSE_SESSION, Action.CALL_DISCONNECT, Action.CALL_FINAL)
_LEFT = (Action.STOP_ATTEMPTS, Action.CLOSE_SESSION, Action.CLOSE_TRANSPORT, Action.END)
_CLOSE = (Action.STOP_ATTEMPTS, Action.REFUSE_EVENTS, Action.CLOSE)
_ABORT = (Action.STOP_ATTEMPTS, Action.CLOSE_SESSION, Action.END)

TABLE: dict[State, dict[Input, Transition]] = {
    State.IDLE: {
        Input.CONNECT: (State.CONNECTING, (Action.BEGIN, Action.OPEN)),
        Input.DISCONNECT: (State.IDLE, (Action.CLOSE_TRANSPORT,)),
    },
    State.CONNECTING: {
        Input.CONNECT: (State.CONNECTING, (Action.REFUSE,)),
        Input.OPENED: (State.CONNECTING, (Action.JOIN,)),
        Input.ACCEPTED: (State.CONNECTED, ()),
        Input.FAILED: (State.RECONNECTING, (Action.PAUSE,)),
        Input.GAVE_UP: (State.IDLE, (Action.STOP_ATTEMPTS, Action.END)),
        Input.LOST: (State.CONNECTING, _LOST),
        Input.ENDED: (State.CONNECTING, _LOST),
        Input.SERVER_DISCONNECT: (State.IDLE, _LEFT),
        Input.DISCONNECT: (State.CLOSING, _CLOSE),
        Input.ABORT: (State.IDLE, _ABORT),
    },
    State.CONNECTED: {
        Input.CONNECT: (State.CONNECTED, (Action.REFUSE,)),
        Input.LOST: (State.RECONNECTING, (*_LOST, Action.RECONNECT)),
        Input.ENDED: (State.IDLE, (*_ENDED, Action.END)),
        Input.SERVER_DISCONNECT: (State.IDLE, _LEFT),
        Input.DISCONNECT: (State.CLOSING, _CLOSE),
        Input.ABORT: (State.IDLE, _ABORT),
    },
    State.RECONNECTING: {
        Input.CONNECT: (State.RECONNECTING, (Action.REFUSE,)),
        Input.TIMER: (State.RECONNECTING, (Action.OPEN,)),
        Input.OPENED: (State.RECONNECTING, (Action.JOIN,)),
        Input.ACCEPTED: (State.CONNECTED, ()),
        Input.FAILED: (State.RECONNECTING, (Action.PAUSE,)),
        Input.GAVE_UP: (State.IDLE, (*_ENDED, Action.END)),
        Input.LOST: (State.RECONNECTING, _LOST),
        Input.ENDED: (State.RECONNECTING, _LOST),
        Input.SERVER_DISCONNECT: (State.IDLE, _LEFT),
        Input.DISCONNECT: (State.CLOSING, _CLOSE),
        Input.ABORT: (State.IDLE, _ABORT),
    },
    State.CLOSING: {
        Input.CONNECT: (State.CLOSING, (Action.REFUSE,)),
        Input.LOST: (State.CLOSING, _LOST),
        Input.ENDED: (State.CLOSING, _LOST),
        Input.DISCONNECT: (State.CLOSING, (Action.AWAIT_IDLE,)),
        Input.CLOSED: (State.IDLE, (*_ENDED, Action.END)),
        Input.ABORT: (State.IDLE, _ABORT),
    },
}
"""The next state and the actions, by state and input. An input that is not in the table has no effect."""


def step(state: State, given: Input) -> Transition:
    """Return the next state and the actions for an input."""
    return TABLE[state].get(given, (state, ()))
