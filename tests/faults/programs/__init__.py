"""Whole programs that the fault suite runs in processes of their own."""
