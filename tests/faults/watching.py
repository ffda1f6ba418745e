"""What a fault may cost: lines in the log, memory, time."""

from __future__ import annotations

import contextlib
import logging
import time
import tracemalloc
from collections.abc import Iterator

MEGABYTE = 1_000_000


class Lines(logging.Handler):
    """A logger's lines.

    :param level: that of the logger.
    :ivar logger: for the options ``logger`` and ``engineio_logger``.
    """

    def __init__(self, level: int = logging.INFO) -> None:
        super().__init__(level)
        self.logger = logging.Logger("faults", level)
        self.logger.addHandler(self)
        self.records: list[logging.LogRecord] = []
        self.setFormatter(logging.Formatter("%(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    @property
    def text(self) -> str:
        """All of it, with tracebacks."""
        return "\n".join(map(self.format, list(self.records)))

    @property
    def warnings(self) -> list[str]:
        """What is a warning, or worse."""
        return [self.format(record) for record in list(self.records) if record.levelno >= logging.WARNING]


@contextlib.contextmanager
def at_most(megabytes: float) -> Iterator[None]:
    """Fail when more memory is taken meanwhile."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (peak - before) / MEGABYTE < megabytes


@contextlib.contextmanager
def in_time(seconds: float) -> Iterator[None]:
    """Fail when it takes longer."""
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    assert took < seconds
