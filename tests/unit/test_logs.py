"""Which logger an option asks for, and that nothing else of the process's logging changes."""

from __future__ import annotations

import contextlib
import io
import logging
import sys

import pytest

from socketio import logs

LEVELS = [logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL]


@pytest.fixture
def name(request):
    """The name of a logger that nobody else has; it is as new before and after."""
    logger = logging.getLogger(request.node.name)
    yield logger.name
    logger.handlers.clear()
    logger.setLevel(logging.NOTSET)


class Collecting(logging.Handler):
    def __init__(self):
        super().__init__()
        self.levels = []

    def emit(self, record):
        self.levels.append(record.levelno)


@contextlib.contextmanager
def collecting():
    """Collect what reaches the root logger, which lets everything pass meanwhile."""
    root, handler = logging.getLogger(), Collecting()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield handler.levels
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


def test_a_logger_object_is_used_as_it_is(name):
    """A logger, or whatever else has its methods, is returned unchanged. (A6, M50)"""
    logger = logging.getLogger(name)
    adapter = logging.LoggerAdapter(logger, {})
    assert logs.resolve(logger, "other") is logger
    assert logs.resolve(adapter, "other") is adapter
    assert (logger.level, logger.handlers) == (logging.NOTSET, [])


def test_false_changes_nothing(name):
    """False gives a logger with the level and the handlers it had. (A6)"""
    logs.resolve(False, name)
    logger = logging.getLogger(name)
    assert (logger.level, logger.handlers, logger.propagate, logger.disabled) == (logging.NOTSET, [], True, False)


def test_false_lets_errors_pass_only(name):
    """With False, what is below an error is not logged, whatever the level of the root logger. (A6, M50)"""
    logger = logs.resolve(False, name)
    with collecting() as levels:
        for level in LEVELS:
            logger.log(level, "text %s", 1)
        logger.info("text")
        logger.warning("text")
        logger.error("text")
        try:
            raise KeyError("x")
        except KeyError:
            logger.exception("text")
    assert levels == [logging.ERROR, logging.CRITICAL, logging.ERROR, logging.ERROR]
    assert [level for level in LEVELS if logger.isEnabledFor(level)] == [logging.ERROR, logging.CRITICAL]


def test_false_respects_the_level_of_the_application(name):
    """Where the application gave the logger a level, that level counts. (A6)"""
    logger = logs.resolve(False, name)
    logging.getLogger(name).setLevel(logging.DEBUG)
    with collecting() as levels:
        for level in LEVELS:
            logger.log(level, "text")
    assert levels == LEVELS


def test_true_logs_to_stderr_at_info(name, monkeypatch):
    """True gives the logger a handler for stderr and the level INFO, once. (A6)"""
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    logger = logs.resolve(True, name)
    assert logs.resolve(True, name) is logger
    logger.propagate = False
    logger.debug("not this")
    logger.info("but this")
    assert stderr.getvalue() == "but this\n"
    assert (logger.level, len(logger.handlers)) == (logging.INFO, 1)


def test_true_respects_what_the_application_set(name):
    """True leaves a level and handlers of the application as they are. (A6)"""
    own, logger = logging.NullHandler(), logging.getLogger(name)
    logger.setLevel(logging.DEBUG)
    logger.addHandler(own)
    assert logs.resolve(True, name) is logger
    assert (logger.level, logger.handlers) == (logging.DEBUG, [own])


@pytest.mark.parametrize("option", [True, False])
def test_the_logger_has_the_name_that_was_asked_for(name, option):
    """The records come from the logger of that name. (A6)"""
    resolved = logs.resolve(option, name)
    assert getattr(resolved, "logger", resolved).name == name


def test_warnings_in_plenty_are_counted(name):
    """Of a thousand warnings in a second ten are logged, and the others are told as a number with the next one."""
    logger, lines, now = logging.getLogger(name), io.StringIO(), [0.0]
    logger.addHandler(logging.StreamHandler(lines))
    logger.propagate = False
    sparse = logs.Sparse(logger, clock=lambda: now[0])
    for number in range(1000):
        sparse.warning("number %d", number)
    assert lines.getvalue().splitlines() == [f"number {number}" for number in range(10)]
    now[0] = 1.5
    sparse.warning("later")
    now[0] = 3.0
    sparse.warning("much later")
    assert lines.getvalue().splitlines()[10:] == [
        "990 more warnings of this kind were left out",
        "later",
        "much later",
    ]
