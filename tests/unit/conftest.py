"""What the tests of this folder share: flavours, logs of what happened, and the settings of hypothesis."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from hypothesis import settings

from .flavours import Flavour
from .waiting import Log

EXAMPLES = int(os.environ.get("EXAMPLES", "40"))
"""How many examples hypothesis tries for each test; ``EXAMPLES=1000 pytest tests/unit`` searches longer."""
settings.register_profile("unit", deadline=None, print_blob=True, max_examples=EXAMPLES)  # machines differ in speed
settings.load_profile("unit")


@pytest.fixture(params=["threads", "asyncio"])
async def flavour(request: pytest.FixtureRequest) -> AsyncIterator[Flavour]:
    """A flavour; a test that takes it runs once for each."""
    flavour = Flavour(request.param)
    yield flavour
    await flavour.close()


@pytest.fixture
def make_client(flavour: Flavour) -> Callable[..., Any]:
    """Return a function that makes a client, which is disconnected after the test."""
    return flavour.client


@pytest.fixture
def make_simple_client(flavour: Flavour) -> Callable[..., Any]:
    """Return a function that makes a simple client, which is disconnected after the test."""
    return flavour.simple_client


@pytest.fixture
def sio(make_client: Callable[..., Any]) -> Any:
    """A client with default options, but for the delays of reconnections."""
    return make_client()


@pytest.fixture
def calls() -> Log:
    """A log of calls."""
    return Log()
