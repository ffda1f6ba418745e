"""Runs the handlers of the application in order, one file for each flavour. ``core.handlers`` has chosen them."""
