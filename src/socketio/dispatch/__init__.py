"""Runs the handlers that ``core.handlers`` has chosen, in order: a file for each flavour."""
