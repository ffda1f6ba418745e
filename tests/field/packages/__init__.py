"""Packages from the registry that depend on python-socketio's clients, run with this library instead."""
