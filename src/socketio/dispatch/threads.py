"""Runs the application's functions for the threaded client: in order, and never lets one hold up the rest.

In: jobs, functions without arguments that raise nothing. They start in the order in which they came. The next one
starts when the one before has ended; or, when that one blocks, on another thread: at once where the job says so
(:meth:`Dispatcher.blocking`) or jobs of its kind blocked before, else after about 10 milliseconds.
Threads are started when needed, used again, and end when there is nothing to do.
"""

from __future__ import annotations

import contextlib
import dis
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from typing import Any, NamedTuple, TypeAlias, TypeVar

from ..core.signatures import accepts
from ..runtime import process_hooks

T = TypeVar("T")
Job: TypeAlias = Callable[[], object]


class Batch(NamedTuple):
    """Jobs that follow each other: the calls of ``run`` with arguments, each of which comes with the job's kind."""

    arguments: Iterator[tuple[Hashable, Any]]
    run: Callable[[Any], object]
    is_single: bool = False


LOOK = 0.0015
"""Seconds between two looks at the running job."""
LOOKS = 6
"""How many looks in a row find the same job before it passes for blocked. Looks are counted, not time: a thread that
looks must get the processor as the job must, so a busy machine does not make a slow job a blocked one."""
GLANCE = 0.0001
"""Seconds until the next look at a job whose kind was found blocked before. That one passes for blocked as soon as a
look sees that it has begun."""
BRIEF = 0.0005
"""Seconds in which a job ends that clears its kind of the suspicion to block."""
CALM = 15
"""Looks in a row that find nothing waiting, until nobody looks any more."""
IDLE = 1.0
"""Seconds that a thread waits for something to do before it ends."""
MAX_SUSPECTS = 1000


def _call(job: Job) -> None:
    job()


class Dispatcher:
    """Runs jobs one after the other, on as few threads as it can.

    One thread at a time leads: it takes the next job and runs it. While jobs wait, a second one watches, and takes over
    from a leader that is blocked. The others are blocked in a job that was moved on from, or spare.

    The leader needs no lock from job to job. It has a box of its own, and puts its baton there while it runs a job:
    whoever takes that out, under the lock, takes its place, which it notices when the job returns.

    :param name: for the names of the threads.
    :param serial: run strictly one job at a time, however long it blocks.
    """

    def __init__(self, name: str, serial: bool = False) -> None:
        self.serial = serial
        self._name = name
        # Entered itself, never by way of the conditions: Ctrl-C can come between the lines of Condition.__enter__.
        # Re-entrant: a signal handler may call disconnect() on the thread that holds it.
        self._lock = threading.RLock()
        self._spare = threading.Condition(self._lock)
        self._watching = threading.Condition(self._lock)
        self._waiting: deque[Batch] = deque()
        self._batch: Batch | None = None
        self._threads: set[int] = set()
        self._spares = 0
        self._leader: int | None = None
        self._box: list[None] = []
        self._watched = False
        self._summoned = False
        self._alert = False
        self._turn = 0
        self._kind: Hashable = None
        self._suspects: set[Hashable] = set()
        self._retired = False
        self._is_abandoned = False

    def submit(self, job: Job, kind: Hashable = None) -> None:
        """Add a job; one of the same ``kind`` as one that blocked is expected to block too. Returns at once."""
        self.submit_all(iter(((kind, job),)), _call, is_single=True)

    def submit_all(
        self, arguments: Iterator[tuple[Hashable, T]], run: Callable[[T], object], is_single: bool = False
    ) -> None:
        """Add jobs that follow each other: calls of ``run`` with these arguments, each given with its kind.

        :param is_single: whether there is one argument at the most: then nothing waits behind its job.

        Returns at once. The iterator is asked for an argument when the job before was run, or moved on from. However
        long it takes to answer, the job has not started then, and no later one starts before it. It must raise nothing.
        """
        self._waiting.append(Batch(arguments, run, is_single))
        # Without the lock: whoever ceases to be alert looks for jobs once more after that.
        if not self._alert and not self._attend():
            self._run()

    def blocking(self) -> None:
        """Tell that the running job is about to block. Does nothing on other threads, or in serial mode."""
        if self._leader != threading.get_ident() or self.serial:
            return  # without the lock: only a thread itself becomes the leader
        with self._lock:
            if self._leader == threading.get_ident() and self._take_baton(self._turn):
                self._settle()
                if self._has_work():
                    self._summon()

    def is_current(self) -> bool:
        """Return whether the calling thread is one of the dispatcher's, that is, runs a job."""
        return threading.get_ident() in self._threads

    def is_idle(self) -> bool:
        """Return whether a job would have its turn at once."""
        with self._lock:
            return self._leader is None and not self._has_work()

    def abandon(self) -> None:
        """Stop in a child process: the threads do not exist, and the jobs belong to the parent.

        The thread that forked may be one that runs a job here. It ends when that returns.
        """
        self._lock = threading.RLock()  # the thread that held it does not exist
        self._waiting.clear()
        self._batch = None
        self._box.clear()
        self._box = []
        self._retired = self._is_abandoned = True

    def retire(self) -> None:
        """Let the threads end as soon as all jobs are done, until there is another job."""
        with self._lock:
            self._retired = True
            self._spare.notify_all()
            self._watching.notify_all()

    # -- calling threads

    def _has_work(self) -> bool:
        """Return whether jobs wait, or may do so, behind the one that runs."""
        return self._batch is not None or bool(self._waiting)

    def _attend(self) -> bool:
        """See to it that a thread takes, or watches for, what waits; return ``False`` where the caller has to."""
        with self._lock:
            self._retired = False
            if self._has_work() and (self._leader is None or not (self._watched or self.serial)):
                self._summon()
            self._retired = not self._threads and not self._summoned
            return not self._retired

    def _summon(self) -> None:
        """Have one more thread look for something to do. Python starts none while the interpreter ends."""
        if self._summoned:
            return
        self._summoned = True
        if self._spares:
            self._spare.notify()
        elif self._watched and self._leader is None:
            self._watching.notify()
        else:
            try:
                threading.Thread(target=self._run, name=self._name, daemon=True).start()
            except RuntimeError:
                self._summoned = False
        self._settle()

    def _settle(self) -> None:
        """Note whether somebody will look at a job that comes now without being told."""
        led = self._leader is not None
        self._alert = self._summoned or (led and (self._watched or self.serial))

    # -- what a thread does

    def _run(self) -> None:
        me = threading.get_ident()
        self._lock.acquire()
        try:
            self._summoned = False
            self._threads.add(me)
            while self._find_role(me):
                pass
        finally:
            self._threads.discard(me)
            with contextlib.suppress(RuntimeError):  # another one in a child process
                self._lock.release()
            if self._is_abandoned:
                process_hooks.hold_copy()

    def _find_role(self, me: int) -> bool:
        """Lead, watch or be spare for a while; return ``False`` when there is nothing more to do."""
        self._settle()
        if self._has_work() and self._leader is None:
            self._lead(me)
        elif self._has_work() and not self._watched and not self.serial:
            self._watch()
        elif self._retired:
            return False
        else:
            return self._be_spare()
        return True

    def _be_spare(self) -> bool:
        """Wait to be called; return ``False`` when that has not happened for too long."""
        self._spares += 1
        called = self._spare.wait(IDLE)
        self._spares -= 1
        self._summoned = False  # also after a time-out: the call may have come just then, and is not repeated
        self._settle()  # before looking at the jobs, as whoever adds one looks after that
        return called or self._has_work()

    def _lead(self, me: int) -> None:
        """Run jobs until there are none, or another thread has taken over."""
        box: list[None] = []
        self._leader, self._box = me, box
        self._lock.release()
        try:
            while self._run_batch(box):
                pass
        finally:
            self._lock.acquire()
            if self._box is box:
                self._leader = None

    def _run_batch(self, box: list[None]) -> bool:
        """Run the jobs that come next; return ``False`` when there are none, or another thread has taken over."""
        batch = self._batch
        if batch is None:
            if not self._waiting:
                return False
            batch = self._waiting.popleft()
        self._batch = None if batch.is_single else batch
        if not self._watched and not self.serial and self._has_work():
            with self._lock:
                self._summon()
        arguments, run, _ = batch
        turn, suspects = self._turn, self._suspects
        for self._kind, argument in arguments:
            self._turn = turn = turn + 1
            box.append(None)
            if suspects and self._kind in suspects:
                self._run_suspect(run, argument, self._kind)
            else:
                run(argument)
            try:
                box.pop()
            except IndexError:
                if not self._is_given_back(box):
                    return False
        self._batch = None
        return True

    def _run_suspect(self, run: Callable[[T], object], argument: T, kind: Hashable) -> None:
        with self._lock:
            self._watching.notify()  # whoever watches has a look as soon as this one blocks
        began = time.monotonic()
        run(argument)
        if time.monotonic() - began < BRIEF:
            self._suspects.discard(kind)

    def _is_given_back(self, box: list[None]) -> bool:
        """Take the baton that was not in the box; return ``False`` where it was taken for good."""
        with self._lock:
            if self._box is not box:
                return False
            box.pop()
            return True

    def _take_baton(self, turn: int) -> bool:
        """Take the lead from the job of this turn, under the lock; return ``False`` where it does not run any more."""
        if not self._box:
            return False  # between two jobs
        box = self._box
        try:
            box.pop()
        except IndexError:
            return False  # meanwhile
        if self._turn != turn:
            box.append(None)
            return False
        self._leader, self._box = None, []
        return True

    def _watch(self) -> None:
        """Watch the leader while jobs wait; take its place if it is blocked."""
        self._watched = True
        self._settle()
        seen, looks, calm = 0, 0, 0
        while calm < CALM and (self._leader is not None if self._has_work() else not self._retired):
            turn, kind, has_work = self._turn, self._kind, self._has_work()
            is_suspect = kind in self._suspects
            calm = 0 if has_work else calm + 1
            looks = looks + 1 if turn == seen and has_work and self._box else 0
            seen = turn
            is_blocked = looks == LOOKS or (is_suspect and has_work and self._has_begun())
            if is_blocked and self._take_baton(turn):
                self._suspect(kind)
            else:
                self._watching.wait(GLANCE if is_suspect and not looks else LOOK)
        self._watched = self._summoned = False

    def _has_begun(self) -> bool:
        """Return whether the leader is seen inside its job, beyond the instruction with which a Python function begins.

        There a thread can lose the processor before the job has done anything. Of a C function nothing is seen. To read
        the signature of a handler is no beginning.
        """
        frame = caller = sys._current_frames().get(self._leader or 0)
        package = __package__.partition(".")[0]
        while caller is not None and caller.f_globals.get("__name__", "").partition(".")[0] != package:
            caller = caller.f_back
        if frame is None or frame is caller or (caller is not None and caller.f_code is accepts.__code__):
            return False
        return frame.f_lasti > 0 and dis.opname[frame.f_code.co_code[frame.f_lasti]] != "RESUME"

    def _suspect(self, kind: Hashable) -> None:
        if len(self._suspects) >= MAX_SUSPECTS:
            self._suspects.clear()
        self._suspects.add(kind)
