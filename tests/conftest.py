"""Options of the whole suite."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from typing import Any

import hypothesis  # noqa: F401 - before the warnings are errors: with trio installed, it gives one
import pytest

# Compiled code is kept, also where a container says otherwise: some hundred programs of the tests import the package.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

ALONE = frozenset(
    {
        "test_a_burst_of_ten_thousand_events",
        "test_a_burst_for_a_simple_client",
        "test_all_emits_arrive_before_the_end_of_a_program",
        "test_a_disconnect_that_is_interrupted_at_each_line",
        "test_an_application_that_computes_stays_connected",
        "test_jobs_that_are_moved_on_from_at_any_moment_start_once_and_in_order",
        "test_no_two_quick_jobs_run_at_once_while_others_look_all_the_time",
        "test_quick_jobs_between_blocking_ones_run_in_their_order_where_the_processor_is_scarce",
        "test_ten_thousand_events",
        "test_the_end_with_many_clients_of_a_hung_server",
    }
)
"""Tests of time and load, which need processors that are not busy with other tests."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--eager-tasks``: all event loops, those of the tests too, start their tasks eagerly."""
    parser.addoption("--eager-tasks", action="store_true", help="run all event loops with asyncio.eager_task_factory")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Run the tests in two processes for each processor, eight at most: many of them wait most of the time.

    ``-n`` says otherwise: ``-n0`` is this process alone. The tests of one or two files run in this process, too: to
    start others takes longer.
    """
    if hasattr(config, "workerinput"):  # this is one of those processes
        return
    named = [argument.partition("::")[0] for argument in config.args]
    is_small = len(named) < 3 and all(name.endswith(".py") for name in named)
    if is_small or config.option.usepdb or config.option.collectonly:
        return
    if config.pluginmanager.hasplugin("xdist") and config.option.numprocesses is None:
        config.option.numprocesses = min(2 * (os.cpu_count() or 1), 8)
        config.option.dist = "loadscope"
        config.option.loadscopereorder = False  # else the largest group is the first


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Return what hands out the tests: those that share what takes seconds to make go to the same process.

    The marker ``xdist_group`` has no effect with pytest 9.2 and pytest-xdist 3.8.
    """
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # pytest-xdist may not be there
        def _split_scope(self, nodeid: str) -> str:
            path, _, name = nodeid.partition("::")
            function = name.partition("[")[0]
            if function in ALONE:
                return "alone"
            return path if path.count("/") < 2 else f"{path}::{function}"

    return Scheduling(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests that are run alone last, when the other processes are done."""
    items.sort(key=lambda item: getattr(item, "originalname", item.name) in ALONE)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Have the garbage collector look at what tests make only, not at thousands of tests each time."""
    gc.collect()
    gc.freeze()


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
