"""Logs in to Uptime Kuma with pykumaapi2's asyncio client."""

import asyncio
import sys

from pykumaapi2.socket_client import UptimeKumaSocketClient


async def main(url):
    client = UptimeKumaSocketClient(url)
    assert await client.connect()
    print(await client.login("ada", "secret"))
    await client.disconnect()


asyncio.run(main(sys.argv[1]))
