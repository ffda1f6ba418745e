"""Runs a server of this folder on a free port of 127.0.0.1, prints its URL, and ends with standard input."""

from __future__ import annotations

import asyncio
import os
import sys
import threading

from aiohttp import web


def run(application: web.Application) -> None:
    """Serve until standard input ends."""
    asyncio.run(_serve(application))


async def _serve(application: web.Application) -> None:
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    await asyncio.Event().wait()


def _end_with_stdin() -> None:
    sys.stdin.read()
    os._exit(0)
