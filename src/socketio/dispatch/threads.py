"""Runs handlers with threads: in order, without one that blocks delaying the rest.

In: jobs. They start in the order in which they came, each when the previous one has returned. If that one blocks, the
next starts on another thread: at once if it announces this (:meth:`Dispatcher.blocking`) or jobs of its kind blocked
before, otherwise after about 10 milliseconds. Threads are started when needed, and end when idle.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterable
from itertools import repeat
from typing import Any, TypeAlias

from ..runtime import process_hooks

LOOK, LOOKS = 0.002, 5  # seconds between two checks of the running job; checks in a row until it counts as blocking
QUICK, QUICK_RETURNS = 0.0005, 3  # seconds of a quick job; how many in a row until their kind no longer does
IDLE, MAX_BLOCKING_KINDS = 1.0, 1000  # seconds after which a thread with nothing to do ends; kinds to remember
Job: TypeAlias = tuple[Hashable, Callable[[Any], object], Any]  # a kind, a function that raises nothing, its argument


class Dispatcher:
    """Runs jobs in order, on as few threads as possible; on a single one if it is ``serial``.

    This is the leader/followers pattern. The leader takes the next job and runs it. While jobs wait, a second thread
    watches, and becomes the leader when a job blocks. The others run a job that blocks, or are spare. The leader
    changes only while a job runs: the leader marks its job as ended, then checks whether it still leads; the other
    thread becomes the leader, then checks for the mark.
    """

    def __init__(self, name: str, serial: bool = False) -> None:
        self.serial = serial
        self._name = name
        self._lock = threading.RLock()  # a signal handler may call disconnect() on the thread that holds it
        self._called = threading.Condition(self._lock)
        self._waiting: deque[tuple[Callable[[Any], Job], Any]] = deque()
        self._leader: int | None = None
        self._jobs: dict[int, Job | None] = {}  # of each thread; None between two
        self._spares = 0
        self._is_calling = self._is_watched = self._is_retired = self._is_abandoned = False
        self._quick_returns: dict[Hashable, int] = {}  # of the blocking kinds

    def submit(self, function: Callable[[], object], kind: Hashable = None) -> None:
        """Add a job; one of the same ``kind`` as one that blocked is expected to block too. Returns at once."""
        self.submit_all([function], lambda function: (kind, lambda function: function(), function))

    def submit_all(self, items: Iterable[Any], read: Callable[[Any], Job]) -> None:
        """Add the job that ``read(item)`` returns for each item. It is read on the thread that runs it."""
        self._waiting.extend(zip(repeat(read), items))
        if self._is_calling or (self._leader is not None and (self._is_watched or self.serial)):
            return  # without the lock, which all would queue for: a thread that gives up its role looks again
        self._call_thread()
        is_alone = self._is_retired = not (self._is_calling or self._jobs)
        if is_alone:
            self._run()

    def blocking(self) -> None:
        """Announce that the running job is about to block. Does nothing on other threads, or in serial mode."""
        me = threading.get_ident()
        if self._jobs.get(me) is None or self.serial:
            return
        with self._lock:
            if self._leader == me:
                self._leader = None
                self._call_thread()

    def is_current(self) -> bool:
        """Return whether the calling thread runs a job."""
        return threading.get_ident() in self._jobs

    def is_idle(self) -> bool:
        """Return whether a job would run at once."""
        with self._lock:
            return self._leader is None and not self._waiting

    def retire(self) -> None:
        """Let the threads end as soon as all jobs are done, until there is another job."""
        with self._lock:
            self._is_retired = True
            self._called.notify_all()

    def abandon(self) -> None:
        """Stop in a child process, where the jobs are the parent's and only the thread that forked exists."""
        self._lock = threading.RLock()
        self._waiting.clear()
        self._leader = None
        self._is_retired = self._is_abandoned = True

    def _call_thread(self) -> None:
        """Let a spare or a new thread lead or watch, if needed."""
        with self._lock, contextlib.suppress(RuntimeError):  # the interpreter ends, and starts no threads
            is_led = self._leader is not None and (self._is_watched or self.serial)
            if is_led or self._is_calling or not self._waiting:
                return
            if self._spares:
                self._called.notify()
            else:
                threading.Thread(target=self._run, name=self._name, daemon=True).start()
            self._is_calling = True

    def _run(self) -> None:
        me = threading.get_ident()
        while self._find_work(me):
            try:
                self._lead(me)
            except Exception:  # a logger raises, for example
                sys.excepthook(*sys.exc_info())
        if self._is_abandoned:
            process_hooks.block_copied_thread()

    def _find_work(self, me: int) -> bool:
        """Wait until this thread leads; return ``False`` if there is nothing more to do."""
        with self._lock:
            self._jobs[me], self._is_calling = None, False
            if self._leader == me:
                self._leader = None
            while not self._waiting or self._leader is not None:
                if self._waiting and not self._is_watched and not self.serial:
                    self._watch()
                elif self._is_retired or not (self._wait(IDLE) or self._waiting):
                    del self._jobs[me]
                    return False
            self._leader = me
            return True

    def _wait(self, seconds: float) -> bool:
        """Wait to be called; return ``False`` after a timeout, even if a call came just then."""
        self._spares += 1
        is_called = self._called.wait(seconds)
        self._spares -= 1
        self._is_calling = False
        return is_called

    def _watch(self) -> None:
        """Check the leader while jobs wait; become the leader if its job blocks."""
        self._is_watched = True
        seen, looks, idle = None, 0, 0
        while (leader := self._leader) is not None and idle < 2 * LOOKS and (self._waiting or not self._is_retired):
            job = self._jobs[leader]
            looks = looks + 1 if self._waiting and job is not None and job is seen else 0
            idle, seen = 0 if self._waiting else idle + 1, job
            if looks >= LOOKS and job is not None:  # not timed: where threads are many, the job has no more turns
                self._leader = None
                if self._jobs[leader] is job:
                    if len(self._quick_returns) >= MAX_BLOCKING_KINDS:
                        self._quick_returns.clear()
                    self._quick_returns[job[0]] = 0
                    break
                self._leader = leader  # which has just ended the job, and may wait for the lock
            self._wait(LOOK)
        self._is_watched = False

    def _lead(self, me: int) -> None:
        """Run jobs until none is left, or another thread leads."""
        waiting, jobs, blocking_kinds = self._waiting, self._jobs, self._quick_returns
        while waiting:
            read, item = waiting.popleft()
            if waiting and not self._is_watched and not self._is_calling:
                self._call_thread()
            jobs[me] = job = read(item)
            kind, function, argument = job
            if kind in blocking_kinds:
                self._run_blocking(*job)
            else:
                function(argument)
            jobs[me] = None
            if self._leader != me:
                with self._lock:
                    if self._leader != me:
                        return

    def _run_blocking(self, kind: Hashable, function: Callable[[Any], object], argument: Any) -> None:
        self.blocking()
        began = time.monotonic()
        function(argument)
        is_quick = time.monotonic() - began < QUICK
        with self._lock:
            returns = self._quick_returns.pop(kind, 0) + 1 if is_quick else 0
            if returns < QUICK_RETURNS:
                self._quick_returns[kind] = returns
