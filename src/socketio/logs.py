"""Which logger an option asks for. Without ``True`` nothing of the process's logging is changed."""

from __future__ import annotations

import logging
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
