"""Options of the whole suite."""

from __future__ import annotations

import asyncio
import signal
import sys

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--eager-tasks``: all event loops, those of the tests too, start their tasks eagerly."""
    parser.addoption("--eager-tasks", action="store_true", help="run all event loops with asyncio.eager_task_factory")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Run the tests of single files in this process: to start others takes longer."""
    named = [argument.partition("::")[0] for argument in config.args]
    return 0 if len(named) < 3 and all(name.endswith(".py") for name in named) else None


def pytest_configure(config: pytest.Config) -> None:
    """Prepare the process for the tests."""
    _have_programs_interrupted()
    _set_policy(config)


def _have_programs_interrupted() -> None:
    """Have Ctrl-C end the programs that tests start, also where a shell has made this process ignore it.

    A process inherits what is ignored, but not a handler. ``nohup pytest &`` is such a case.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, lambda *args: None)


def _set_policy(config: pytest.Config) -> None:
    """Set the policy that makes eager event loops. Needs Python 3.12."""
    if not config.getoption("--eager-tasks"):
        return
    if sys.version_info < (3, 12):
        raise pytest.UsageError("--eager-tasks needs Python 3.12")

    class EagerPolicy(asyncio.DefaultEventLoopPolicy):
        def new_event_loop(self) -> asyncio.AbstractEventLoop:
            loop = super().new_event_loop()
            loop.set_task_factory(asyncio.eager_task_factory)
            return loop

    asyncio.set_event_loop_policy(EagerPolicy())
