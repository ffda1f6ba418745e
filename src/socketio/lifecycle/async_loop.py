"""The event loop of the asyncio client: which one it may be used in, and what happens when the loop ends first.

The loop may be closed, belong to a parent process, run on another thread at the end of the program, or not run at all.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable
from typing import Any

from ..base_client import State
from ..dispatch.asyncio import AsyncDispatcher
from ..engine.asyncio.client import AsyncEngineIOClient
from ..runtime import process_hooks
from ..runtime.async_condition import running_loop
from ..runtime.steps import Steps, Wait
from .base import BaseLifecycle


class AsyncLoop(BaseLifecycle):
    """The part of :class:`AsyncClient` that binds it to an event loop.

    :ivar _sio_loop: the event loop of the connection; ``None`` before the first one.
    :ivar _sio_thread: the thread that runs it.
    :ivar _sio_line: the file and the line of the program that called connect().
    """

    eio: AsyncEngineIOClient
    _sio_loop: asyncio.AbstractEventLoop | None
    _sio_thread: int
    _sio_line: tuple[str, int]
    _sio_dispatcher: AsyncDispatcher
    _sio_renew: Callable[[], None]
    _sio_disconnect: Callable[[float], Any]

    def _sio_is_in_loop(self) -> bool:
        """Return whether the client's event loop is running on this thread; it is the running loop then.

        Up to Python 3.11, asking for the running loop costs a system call.
        """
        loop = self._sio_loop
        return loop is not None and threading.get_ident() == self._sio_thread and loop.is_running()

    def _sio_check_loop(self) -> None:
        """Raise ``RuntimeError`` if this is not the client's event loop, or no event loop is running."""
        loop = running_loop()
        if self._sio_loop is None:
            return
        if loop is self._sio_loop:
            self._sio_thread = threading.get_ident()
            return
        self._sio_leave_closed_loop()
        if self._sio_is_in_use():
            raise RuntimeError(
                "the client is in use in another event loop: call its methods there, with"
                " asyncio.run_coroutine_threadsafe() for example, or disconnect() it there first"
            )

    def _sio_is_in_use(self) -> bool:
        """Return whether the client is connected, connecting or disconnecting."""
        return self._sio_state is not State.IDLE or self._sio_attempting or self.eio.state != "disconnected"

    # -- its end without an event loop, or on another thread

    def _sio_after_fork(self) -> None:
        process_hooks.release(self)
        self._sio_dispatcher.abandon()
        self._sio_renew()
        self._sio_forget_session()
        self.eio.after_fork()

    def _sio_leave_closed_loop(self) -> None:
        """Become idle if the event loop of the connection was closed."""
        if self._sio_loop is not None and self._sio_loop.is_closed():
            process_hooks.hold(self)
            process_hooks.leave_closed_loops()

    def _sio_abandon(self) -> None:
        """Become idle without the event loop, which is closed."""
        process_hooks.release(self)
        is_open, line = self._sio_protocol is not None, self._sio_line
        self._sio_dispatcher.abandon()
        self._sio_renew()
        self._sio_forget_session()
        self.eio.close_without_loop()
        if is_open:
            process_hooks.warn_unclosed("a Socket.IO client was connected when its event loop was closed", line)

    def _sio_is_connected(self) -> bool:
        self._sio_leave_closed_loop()
        return super()._sio_is_connected()

    def _sio_leave_process(self, timeout: float) -> Steps[None]:
        """Disconnect at the end of the program, on the thread of the event loop."""
        self._sio_leave_closed_loop()
        loop = self._sio_loop
        if loop is None or self._sio_state is State.IDLE:
            return
        if loop.is_running():
            leaving = asyncio.run_coroutine_threadsafe(self._sio_disconnect(timeout), loop)
            yield Wait(lambda seconds: bool(concurrent.futures.wait([leaving], seconds).done), timeout)
            return
        if self._sio_protocol is not None:
            process_hooks.warn_unclosed("a Socket.IO client was connected when the program ended", self._sio_line)
        task = loop.create_task(self._sio_disconnect(timeout))

        def until(seconds: float) -> bool:
            loop.run_until_complete(asyncio.wait([task], timeout=seconds))
            return task.done()

        yield Wait(until, timeout)

    def _sio_is_ending(self) -> bool:
        """Return whether the event loop or the program is ending. New work is then cancelled."""
        return self.eio.loop_ends or process_hooks.is_ending()

    async def _sio_hold_at_exit(self) -> None:
        """While the program ends, do not return to tasks of daemon threads. Handlers continue.

        At any other time, other tasks get a turn: a program that tries again at once must not block the event loop.
        """
        await asyncio.sleep(0)
        if process_hooks.is_ending() and not self._sio_dispatcher.runs(asyncio.current_task()):
            await asyncio.get_running_loop().create_future()
