"""The Engine.IO driver for asyncio: aiohttp."""
