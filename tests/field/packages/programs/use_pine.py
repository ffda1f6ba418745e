"""Opens a session of Pine's assistant, and is refused with a wrong token."""

import asyncio
import sys

from pine_assistant.transport import socketio


async def main(url):
    manager = socketio.SocketIOManager(url, "token of ada", "ada")
    await manager.connect()
    print(await manager.emit_and_wait("session:join", {"room": 7}, session_id="s"))
    await manager.disconnect()
    try:
        await socketio.SocketIOManager(url, "wrong", "ada").connect()
    except Exception as exc:
        print(type(exc).__name__, "unauthorized" in str(exc))


asyncio.run(main(sys.argv[1]))
