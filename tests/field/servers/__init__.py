"""Servers as their own documentation shows them: plain handlers, which emit where programs emit."""
