"""The Engine.IO driver for threads, with requests: opens connections, and reads and writes their bytes."""
