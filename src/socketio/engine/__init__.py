"""Engine.IO connections: what both flavours share, and a driver for each in ``threads`` and ``asyncio``.

The only folder that knows python-engineio and the packages that do the I/O.
"""

from . import compat as compat  # first: without it, engineio loads the packages of both flavours

# isort: split
from engineio.base_client import BaseClient
from engineio.exceptions import ConnectionError as EngineError

from .errors import InvalidDataError
from .handshake import choose_transports, origin_of, without_secrets
from .headers import check as check_headers

reason = BaseClient.reason

__all__ = [
    "EngineError",
    "InvalidDataError",
    "check_headers",
    "choose_transports",
    "origin_of",
    "reason",
    "without_secrets",
]
