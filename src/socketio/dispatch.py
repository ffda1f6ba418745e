"""Runs the application's functions for the threaded client: in order, and never lets one hold up the rest.

In: jobs, functions without arguments that raise nothing. They start in the order in which they came. The next one
starts when the one before has ended; or, when that one blocks, on another thread: at once where the job says so
(:meth:`Dispatcher.blocking`), else after 3 to 60 milliseconds, the sooner the more jobs have blocked. Threads are
started when needed, used again, and end when there is nothing to do.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TypeAlias

Job: TypeAlias = Callable[[], None]

PATIENCE = 0.003
"""Seconds that a job may run before the next one starts beside it, while jobs block."""
MAX_PATIENCE = 0.06
"""The same while none does: a thread that has lost the processor for a moment shall not pass for one that blocks."""
IDLE = 1.0
"""Seconds that a thread waits for more to do before it ends."""


class Dispatcher:
    """Runs jobs one after the other, on as few threads as it can.

    One thread at a time leads: it takes the next job and runs it. The others are blocked in a job that was moved on
    from, or stand by to take over.

    :param name: for the names of the threads.
    :param serial: run strictly one job at a time, however long it blocks.
    """

    def __init__(self, name: str, serial: bool = False) -> None:
        self.serial = serial
        self._name = name
        # Entered itself, never by way of the condition: Ctrl-C can come between the lines of Condition.__enter__.
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._jobs: deque[Job] = deque()
        self._leader: int | None = None
        self._begun = 0.0
        self._patience = MAX_PATIENCE
        self._threads: set[int] = set()
        self._starting = 0
        self._standing_by = 0
        self._retired = False

    def submit(self, job: Job) -> None:
        """Add a job. Returns at once."""
        with self._lock:
            self._retired = False
            self._jobs.append(job)
            if self._ensure_stand_by():
                return
            self._retired = True
        self._run()

    def blocking(self) -> None:
        """Tell that the running job is about to block. Does nothing on other threads, or in serial mode."""
        with self._lock:
            if self._leader == threading.get_ident() and not self.serial:
                self._leader = None
                self._ensure_stand_by()

    def is_current(self) -> bool:
        """Return whether the calling thread is one of the dispatcher's, that is, runs a job."""
        return threading.get_ident() in self._threads

    def retire(self) -> None:
        """Let the threads end as soon as all jobs are done, until there is another job."""
        with self._lock:
            self._retired = True
            self._changed.notify_all()

    def _ensure_stand_by(self) -> bool:
        """See to it that a thread takes the next job; return ``False`` where the caller has to.

        Python starts no threads any more while the interpreter ends.
        """
        if not self._jobs or self._starting:
            return True
        if self._standing_by:
            self._changed.notify()
            return True
        try:
            threading.Thread(target=self._start, name=self._name, daemon=True).start()
        except RuntimeError:
            return bool(self._threads)
        self._starting += 1
        return True

    def _start(self) -> None:
        with self._lock:
            self._starting -= 1
        self._run()

    def _run(self) -> None:
        me = threading.get_ident()
        with self._lock:
            self._threads.add(me)
            try:
                while self._stand_by():
                    self._lead(me)
            finally:
                self._threads.discard(me)

    def _stand_by(self) -> bool:
        """Wait until it is this thread's turn to lead; return False when it shall end."""
        while True:
            if not self._jobs:
                if self._retired or not self._wait(IDLE):
                    return bool(self._jobs)
            elif self._leader is None:
                return True
            elif self.serial:
                self._wait(None)
            else:
                rest = self._begun + self._patience - time.monotonic()
                if rest <= 0:
                    self._patience = PATIENCE
                    return True
                self._wait(rest)

    def _wait(self, timeout: float | None) -> bool:
        self._standing_by += 1
        try:
            return self._changed.wait(timeout)
        finally:
            self._standing_by -= 1

    def _lead(self, me: int) -> None:
        job = self._jobs.popleft()
        self._leader = me
        self._begun = time.monotonic()
        self._ensure_stand_by()
        self._lock.release()
        try:
            job()
        finally:
            self._lock.acquire()
            if self._leader == me:
                self._leader = None
                self._patience = min(2 * self._patience, MAX_PATIENCE)
            if self.serial:
                self._changed.notify_all()  # nobody stands by with a patience of his own there
