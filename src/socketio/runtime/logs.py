"""Chooses the logger for an option, and writes to it.

The logging of the process is changed by ``True`` only. No function here is called while a lock is held: the
application's logging handlers may emit, too.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    Logger = logging.Logger | logging.LoggerAdapter[logging.Logger]
    _StreamHandler = logging.StreamHandler[Any]
else:
    _StreamHandler = logging.StreamHandler  # which Python 3.10 cannot subscript

INFO = logging.INFO

_writing: ContextVar[bool] = ContextVar("socketio_log_writing", default=False)


class StderrHandler(_StreamHandler):
    """Writes to stderr, unless another handler of the program does.

    :param logger: the logger to which this is added.
    """

    def __init__(self, logger: logging.Logger) -> None:
        super().__init__()
        self._logger = logger

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        self.stream = sys.stderr
        if not self._is_written(record):
            super().emit(record)

    def _is_written(self, record: logging.LogRecord) -> bool:
        logger: logging.Logger | None = self._logger
        while logger is not None:
            for handler in logger.handlers:
                writes = getattr(handler, "stream", None) is sys.stderr and record.levelno >= handler.level
                if writes and handler is not self:
                    return True
            logger = logger.parent if logger.propagate else None
        return False


class RateLimitedLogger:
    """Logs at most ten warnings in a second and counts the others: a server can cause any number of them.

    :param logger: the logger to use.
    :param clock: a monotonic clock, in seconds.
    """

    __slots__ = ("_clock", "_count", "_logger", "_since")
    _MOST = 10

    def __init__(self, logger: Logger, clock: Callable[[], float] = time.monotonic) -> None:
        self._logger = logger
        self._clock = clock
        self._since = clock()
        self._count = 0

    def warning(self, text: str, *args: object) -> None:
        """Log a warning, or count it."""
        now = self._clock()
        if now - self._since > 1:
            if self._count > self._MOST:
                self._logger.warning("%d more warnings of this kind were left out", self._count - self._MOST)
            self._since, self._count = now, 0
        self._count += 1
        if self._count <= self._MOST:
            self._logger.warning(text, *args)


def check(option: Any) -> None:
    """Raise ``TypeError`` for a ``logger`` option that is neither ``True``, ``False``, ``None`` nor a logger."""
    if option is None or isinstance(option, bool):
        return
    if not all(callable(getattr(option, name, None)) for name in ("info", "warning", "error")):
        raise TypeError(f"a logger must be True, False or an object with the methods of one, not {option!r:.100}")


def resolve(option: bool | Logger | None, name: str) -> Logger:
    """Return the logger for a ``logger`` option.

    A logger object is used unchanged. ``False`` and ``None`` stand for the logger ``name``, which is left unchanged: it
    follows the level of the root logger. ``True`` makes that logger write to stderr, from INFO on, or from its own
    level or the root logger's if that is lower.
    """
    check(option)
    if option is not None and not isinstance(option, bool):
        return option
    logger = logging.getLogger(name)
    if not option:
        return logger
    if logger.level == logging.NOTSET and logger.getEffectiveLevel() > INFO:
        logger.setLevel(INFO)
    if not logger.handlers:
        logger.addHandler(StderrHandler(logger))
    return logger


def check_of(logger: Logger) -> Callable[[int], bool]:
    """Return a function that returns whether a logger logs records of a level.

    Loggers of other packages than :mod:`logging` may lack that: they get all records.
    """
    known: Callable[[int], bool] = getattr(logger, "isEnabledFor", lambda level: True)
    return known


def write(log: Callable[..., None], text: str, *args: object) -> None:
    """Log a line about the conversation with a method of a logger.

    Events that a logging handler emits while it handles the line are not logged: the handler would emit them again,
    without end.
    """
    if _writing.get():
        return
    token = _writing.set(True)
    try:
        log(text, *args)
    finally:
        _writing.reset(token)
