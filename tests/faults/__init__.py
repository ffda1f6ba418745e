"""Faults: what networks, servers and programs do to a client, and what must come of it."""
