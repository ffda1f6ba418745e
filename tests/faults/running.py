"""Runs a program in a process of its own, with warnings as errors, and never leaves it behind."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from integration.waiting import CEILING, within

PROGRAMS = Path(__file__).parent / "programs"


@contextlib.asynccontextmanager
async def running(
    name: str, *args: str, programs: Path = PROGRAMS, warnings: str = "error"
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a program of a folder; kill it if it is still there at the end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", warnings, str(programs / f"{name}.py"), *args),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def printed(process: asyncio.subprocess.Process) -> list[str]:
    """Return the words of the next line that a program prints."""
    assert process.stdout is not None
    return (await within(CEILING, process.stdout.readline())).decode().split()
