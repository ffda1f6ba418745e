"""Connecting, reconnecting and disconnecting: one file for each flavour."""
