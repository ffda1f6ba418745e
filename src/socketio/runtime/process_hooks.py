"""The end of the program, and forks: one exit function and one fork handler for all clients.

In: clients, from their first ``connect()`` on. Out, when the program ends: each client is disconnected, all at the same
time and after the ``atexit`` functions of the application. In a forked child: each client forgets its
connections, which belong to the parent. Constructing a client does nothing here.
"""

from __future__ import annotations

import atexit
import contextlib
import inspect
import os
import sys
import threading
import warnings
import weakref
from typing import Any

from .steps import run_together

EXIT_TIMEOUT = 3.0  # seconds that all clients together may take at the end of the program
INTERRUPT_TIMEOUT = 1.0  # after Ctrl-C


class EndingError(SystemExit):
    """Raised in handlers that call ``connect()`` while the program ends. It is not logged."""


_PACKAGE = __name__.partition(".")[0]
_lock = threading.RLock()  # a signal handler may call connect() on the thread that holds it
# By id: a subclass may define __eq__, and so have no hash.
_clients: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
_with_locks: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
_kept_alive: dict[int, Any] = {}  # in the order in which they connected
_has_exit_function = False
_has_fork_handler = False
_exit_thread: int | None = None


def lock() -> Any:
    """Return the lock for the data that all clients share. A forked child has a new one."""
    return _lock


def watch(client: Any) -> None:
    """Disconnect a client when the program ends, with ``close_at_exit()`` of its lifecycle; see :func:`watch_forks`."""
    global _has_exit_function
    watch_forks(client)
    with _lock:
        _clients[id(client)] = client
        if not _has_exit_function:
            _has_exit_function = True
            atexit.register(_AfterExitFunctions())


def watch_forks(client: Any) -> None:
    """Call ``_sio_after_fork()`` of a client in a forked child, so that it is idle there and has new locks."""
    global _has_fork_handler
    with _lock:
        _with_locks[id(client)] = client
        if not _has_fork_handler and hasattr(os, "register_at_fork"):
            _has_fork_handler = True
            os.register_at_fork(after_in_child=_reset_child)


def keep_alive(lifecycle: Any) -> None:
    """Keep a client that is bound to an event loop alive, by its lifecycle, until :func:`drop`."""
    _kept_alive[id(lifecycle)] = lifecycle


def drop(lifecycle: Any) -> None:
    """Undo :func:`keep_alive`."""
    _kept_alive.pop(id(lifecycle), None)


def abandon_clients_of_closed_loops() -> None:
    """Make the clients that are kept alive idle if their event loop was closed."""
    loops = [(lifecycle, lifecycle.loop) for lifecycle in list(_kept_alive.values())]
    left = [(lifecycle, loop) for lifecycle, loop in loops if loop is not None and loop.is_closed()]
    for lifecycle, _ in left:
        with contextlib.suppress(Exception):
            lifecycle.abandon()
    for lifecycle, loop in left:
        with contextlib.suppress(Exception):
            lifecycle.engine.discard_tasks(loop)


def is_ending() -> bool:
    """Return whether the program ends: its last ``atexit`` function has returned."""
    return _exit_thread is not None


def is_caused_by_exit(exc: BaseException) -> bool:
    """Return whether a handler has failed only because the program ends, in connect() or when it started a thread."""
    if _exit_thread is None:
        return False
    return isinstance(exc, EndingError) or (isinstance(exc, RuntimeError) and "interpreter shutdown" in str(exc))


def block_daemon_thread() -> None:
    """While the program ends, never return on a daemon thread.

    Such a thread is stopped a moment later anyway. An exception would end it with a useless traceback.
    """
    if _exit_thread is None or _exit_thread == threading.get_ident() or not threading.current_thread().daemon:
        return
    threading.Event().wait()


def block_copied_thread() -> None:
    """In a child process, never return on a copied thread other than the one that called fork.

    Only green threads are copied. Their ends would be reported as errors.
    """
    if threading.current_thread() is not threading.main_thread():
        threading.Event().wait()


def calling_line() -> tuple[str, int]:
    """Return the current file and line of the application."""
    frame = inspect.currentframe()
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] in (_PACKAGE, "asyncio"):
        frame = frame.f_back
    return ("sys", 1) if frame is None else (frame.f_code.co_filename, frame.f_lineno)


def warn_unclosed(text: str, line: tuple[str, int]) -> None:
    """Warn of a client that was not disconnected; ``line`` is the line of its ``connect()`` call."""
    try:
        warnings.warn_explicit(f"{text}; call disconnect() before", ResourceWarning, *line)
    except ResourceWarning as exc:  # warnings are errors, and no caller could catch this one
        if sys.stderr is not None:
            sys.stderr.write(warnings.formatwarning(exc, ResourceWarning, *line))


def disconnect_all() -> None:
    """Disconnect all clients, at the same time."""
    with _lock:
        clients = list(_clients.values())
    timeout = INTERRUPT_TIMEOUT if _was_interrupted() else EXIT_TIMEOUT
    tasks = []
    for client in clients:
        own = min(timeout, client.eio.request_timeout)
        tasks.append((client._sio_lifecycle.close_at_exit(own), own))
    run_together(tasks)


def _was_interrupted() -> bool:
    last = getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)
    return isinstance(last, KeyboardInterrupt)


class _AfterExitFunctions:
    """An ``atexit`` function that runs after all others, regardless of the order of registration.

    ``atexit`` calls the functions that were registered last first, so an application's function may run after any of
    ours. But it keeps all until the last one has returned: then this object is deleted, and runs. Interpreters other
    than CPython may not delete it then: there, it runs when it is called.
    """

    def __init__(self) -> None:
        self._was_called = False

    def __call__(self) -> None:
        if sys.implementation.name == "cpython":
            self._was_called = True
        else:
            _disconnect_at_exit()

    def __del__(self) -> None:
        global _has_exit_function
        if self._was_called:
            _disconnect_at_exit()
        else:  # the functions were cleared, as multiprocessing does in its children
            _has_exit_function = False


def _disconnect_at_exit() -> None:
    global _exit_thread
    _exit_thread = threading.get_ident()
    with contextlib.suppress(Exception, KeyboardInterrupt):
        disconnect_all()


def _reset_child() -> None:
    global _lock, _exit_thread
    _lock = threading.RLock()
    _exit_thread = None
    _kept_alive.clear()
    for client in list(_with_locks.values()):
        with contextlib.suppress(Exception):
            client._sio_after_fork()
