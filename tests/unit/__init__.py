"""The lower layers, without I/O: each module by itself, and the clients on an engine in memory."""
