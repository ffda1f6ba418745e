"""A small Socket.IO server inside the process, for tests and demonstrations."""

from ..engine import compat as compat  # first: without it, engineio loads the packages of the clients
from .server import Server
from .web import Request

__all__ = ["Request", "Server"]
