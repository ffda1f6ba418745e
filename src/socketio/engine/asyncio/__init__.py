"""The Engine.IO driver for asyncio, with aiohttp: opens connections, and reads and writes their bytes."""
