"""Options of the whole suite."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--eager-tasks``: all event loops, those of the tests too, start their tasks eagerly."""
    parser.addoption("--eager-tasks", action="store_true", help="run all event loops with asyncio.eager_task_factory")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Run the tests on all processors, four at most, unless ``-n`` says otherwise: ``-n0`` is this process alone.

    The tests of one or two files run in this process, too: to start others takes longer.
    """
    named = [argument.partition("::")[0] for argument in config.args]
    is_small = len(named) < 3 and all(name.endswith(".py") for name in named)
    is_worker = hasattr(config, "workerinput")
    if is_small or is_worker or config.option.usepdb or config.option.collectonly:
        return
    if config.pluginmanager.hasplugin("xdist") and config.option.numprocesses is None:
        config.option.numprocesses = min(os.cpu_count() or 1, 4)
        config.option.dist = "loadgroup"
        config.option.loadscopereorder = False  # or the largest group is the first


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have one process run the tests of a file in this folder, which share what takes seconds to make.

    Tests that are marked with ``alone`` are the last, and one process runs them while the others have nothing to do.
    """
    items.sort(key=_is_alone)
    for item in items:
        if _is_alone(item):
            item.add_marker(pytest.mark.xdist_group("alone"))
        elif item.path.parent == TESTS:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


def _is_alone(item: pytest.Item) -> bool:
    return item.get_closest_marker("alone") is not None


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Have the garbage collector look at what tests make only, not at thousands of tests each time."""
    gc.collect()
    gc.freeze()


def pytest_configure(config: pytest.Config) -> None:
    """Prepare the process for the tests."""
    config.addinivalue_line("markers", "alone: needs a processor that is not busy with other tests; run last")
    config.addinivalue_line("markers", "xdist_group(name): run by one process, the same for all of the group")
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
