"""Options of the whole suite."""

from __future__ import annotations

import asyncio
import sys

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--eager-tasks``: all event loops, those of the tests too, start their tasks eagerly."""
    parser.addoption("--eager-tasks", action="store_true", help="run all event loops with asyncio.eager_task_factory")


def pytest_configure(config: pytest.Config) -> None:
    """Set the policy that makes such event loops. Needs Python 3.12."""
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
