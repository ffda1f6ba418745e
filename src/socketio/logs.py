"""Which logger an option asks for. Without ``True`` nothing of the process's logging is changed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    _Adapter = logging.LoggerAdapter[logging.Logger]
    Logger = logging.Logger | _Adapter
else:
    _Adapter = logging.LoggerAdapter


class ErrorsOnly(_Adapter):
    """A logger that lets errors pass, and all else only where the application has given its logger a level."""

    def isEnabledFor(self, level: int) -> bool:
        """Return whether a record of this level is logged."""
        if self.logger.level == logging.NOTSET and level < logging.ERROR:
            return False
        return self.logger.isEnabledFor(level)


class Sparse:
    """Warnings that a server can cause as often as it likes: ten in a second at the most, the others are counted.

    :param logger: where they go.
    :param clock: seconds that go on.
    """

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


def resolve(option: bool | Logger, name: str) -> Logger:
    """Return the logger for a ``logger`` option.

    A logger object is used as it is. ``True`` logs to stderr, at INFO unless the logger ``name`` has a level.
    ``False`` logs errors only, unless the logger ``name`` has a level.
    """
    if not isinstance(option, bool):
        return option
    logger = logging.getLogger(name)
    if not option:
        return ErrorsOnly(logger, {})
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.INFO)
    if not logger.handlers:
        logger.addHandler(logging.StreamHandler())
    return logger
