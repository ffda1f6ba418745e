"""Whole programs that the tests run in processes of their own, with the URL of a server as their argument."""
