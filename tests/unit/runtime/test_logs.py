"""Which logger an option asks for, and that nothing else of the process's logging changes."""

from __future__ import annotations

import contextlib
import io
import logging
import sys

import pytest

from socketio.core.event_log import EventLog
from socketio.runtime import logs

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
def root_at(level):
    """Collect the levels of what reaches the root logger, which has a level meanwhile."""
    root, handler = logging.getLogger(), Collecting()
    before = root.level
    root.addHandler(handler)
    root.setLevel(level)
    try:
        yield handler.levels
    finally:
        root.removeHandler(handler)
        root.setLevel(before)


def logged(logger, level):
    """Return the levels of the records that a logger logs while the root logger has a level."""
    with root_at(level) as levels:
        for each in LEVELS:
            logger.log(each, "text")
        return levels


def test_a_logger_object_is_used_as_it_is(name):
    """A logger, or whatever else has its methods, is returned unchanged. (A6, M50)"""
    logger = logging.getLogger(name)
    adapter = logging.LoggerAdapter(logger, {})
    assert logs.resolve(logger, "other") is logger
    assert logs.resolve(adapter, "other") is adapter
    assert (logger.level, logger.handlers) == (logging.NOTSET, [])


@pytest.mark.parametrize("option", [False, None])
def test_false_changes_nothing(name, option):
    """False, or None, gives a logger with the level and the handlers it had. (A6, issue 10, D5)"""
    logs.resolve(option, name)
    logger = logging.getLogger(name)
    assert (logger.level, logger.handlers, logger.propagate, logger.disabled) == (logging.NOTSET, [], True, False)


@pytest.mark.parametrize("level", LEVELS)
def test_false_follows_the_root_logger(name, level):
    """With False, the level of the root logger counts, whenever it is set. (A6, issue 10, D2)"""
    logger = logs.resolve(False, name)
    assert logged(logger, logging.WARNING) == LEVELS[2:]
    assert logged(logger, level) == LEVELS[LEVELS.index(level) :]


def test_false_respects_the_level_of_the_application(name):
    """Where the application gave the logger a level, that level counts. (A6)"""
    logger = logs.resolve(False, name)
    logging.getLogger(name).setLevel(logging.DEBUG)
    assert logged(logger, logging.WARNING) == LEVELS


def test_warnings_are_written_by_default(name, monkeypatch):
    """Where nothing at all is configured, warnings go to stderr. (issue 10, D2)"""
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    logger = logs.resolve(False, name)
    logger.info("not this")
    logger.warning("but this")
    assert stderr.getvalue() == "but this\n"


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


@pytest.mark.parametrize(("level", "first"), [(logging.DEBUG, logging.DEBUG), (logging.ERROR, logging.INFO)])
def test_true_is_info_or_the_level_of_the_root_logger(name, level, first):
    """True logs from INFO on, or from the level of the root logger where that is lower. (issue 10, D2)"""
    with root_at(level):
        logger = logs.resolve(True, name)
    assert logged(logger, level) == LEVELS[LEVELS.index(first) :]


@pytest.mark.parametrize("when", ["before", "after"])
def test_true_writes_no_line_twice(name, monkeypatch, when):
    """Where the program writes its log to stderr, too, a line is written once, in the program's format."""
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    root = logging.getLogger()
    if when == "before":
        monkeypatch.setattr(root, "handlers", [handler])
    logger = logs.resolve(True, name)
    monkeypatch.setattr(root, "handlers", [handler])
    logger.info("once")
    handler.setLevel(logging.ERROR)
    logger.info("by our own")
    assert stderr.getvalue() == "INFO once\nby our own\n"


def test_true_writes_beside_a_file(name, monkeypatch):
    """A handler of the program that writes elsewhere does not keep lines from stderr."""
    stderr, file = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setattr(logging.getLogger(), "handlers", [logging.StreamHandler(file)])
    logs.resolve(True, name).info("text")
    assert (stderr.getvalue(), file.getvalue()) == ("text\n", "text\n")


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
    assert logs.resolve(option, name).name == name


def test_warnings_in_plenty_are_counted(name):
    """Of a thousand warnings in a second ten are logged, and the others are told as a number with the next one."""
    logger, lines, now = logging.getLogger(name), io.StringIO(), [0.0]
    logger.addHandler(logging.StreamHandler(lines))
    logger.propagate = False
    sparse = logs.RateLimitedLogger(logger, clock=lambda: now[0])
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


def test_a_logger_without_levels_gets_everything():
    """Loggers of other packages need not know levels."""

    class Logger:
        def __init__(self):
            self.lines = []

        def info(self, text, *args):
            self.lines.append(text % args)

    logger = Logger()
    log = EventLog(logger)
    log.emitting("chat", "/", 0)
    assert logger.lines == ["Emitting event 'chat' [/]"]


def test_what_a_handler_emits_is_not_logged(name):
    """A logging handler that emits each line does not go round for ever."""
    logger, lines = logging.getLogger(name), []
    logger.setLevel(logging.INFO)
    log = EventLog(logger)

    class Shipping(logging.Handler):
        def emit(self, record):
            lines.append(record.getMessage())
            log.emitting("log", "/", 0)

    logger.addHandler(Shipping())
    log.emitting("chat", "/", 0)
    log.emitting("chat", "/", 7)
    assert lines == ["Emitting event 'chat' [/]", "Emitting event 'chat' [/], ack id 7"]


@pytest.mark.parametrize("event", ["a\nb", "x" * 1000])
def test_an_event_name_is_one_short_line(name, event):
    """What a server calls its events can't pass for other lines, nor fill the log."""
    logger, lines = logging.getLogger(name), io.StringIO()
    logger.setLevel(logging.INFO)
    logger.addHandler(logging.StreamHandler(lines))
    received = [[("/", event, (), 1)]]
    assert list(EventLog(logger).received(received, lambda event: event)) == received
    assert lines.getvalue().count("\n") == 1
    assert len(lines.getvalue()) < 300


def test_the_same_failure_is_one_warning(name):
    """Attempts that fail for the same reason are warned of once; another reason is another warning."""
    logger, handler = logging.getLogger(name), Collecting()
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    log = EventLog(logger)
    for number, text in enumerate(["refused", "refused", "timed out", "timed out"], 1):
        log.attempt_failed(number, OSError(text))
    log.attempt_failed(1, OSError("timed out"))
    warning, info = logging.WARNING, logging.INFO
    assert handler.levels == [warning, info, warning, info, warning]
