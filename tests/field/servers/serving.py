"""Runs a server of python-socketio on a free port of 127.0.0.1, prints its port, and ends with its standard input."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from typing import Any

from aiohttp import web


def run(sio: Any) -> None:
    """Serve until standard input ends."""
    asyncio.run(_serve(sio))


async def _serve(sio: Any) -> None:
    app = web.Application()
    sio.attach(app)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(json.dumps({"port": runner.addresses[0][1]}), flush=True)
    threading.Thread(target=lambda: os._exit(bool(sys.stdin.read())), daemon=True).start()
    await asyncio.Event().wait()
