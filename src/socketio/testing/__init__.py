"""A small Socket.IO server inside the process, for tests and for programs that need one nearby."""

from .server import Server
from .web import Request

__all__ = ["Request", "Server"]
