"""The Engine.IO driver for threads: requests and sockets."""
