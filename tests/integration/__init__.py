"""Scenarios with real servers: every behaviour, in both flavours, over every transport."""
