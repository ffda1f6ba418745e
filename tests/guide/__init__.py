"""The user guide, section by section: whatever it shows is done here, with threads and with asyncio."""
