"""Engine.IO connections for both flavours. The only folder that knows python-engineio's clients."""

from engineio.base_client import BaseClient
from engineio.exceptions import ConnectionError as EngineError

from .asyncio.client import AsyncEngineIOClient
from .errors import InvalidDataError
from .handshake import choose_transports, origin_of, without_secrets
from .headers import check as check_headers
from .threads.client import EngineIOClient

reason = BaseClient.reason

__all__ = [
    "AsyncEngineIOClient",
    "EngineError",
    "EngineIOClient",
    "InvalidDataError",
    "check_headers",
    "choose_transports",
    "origin_of",
    "reason",
    "without_secrets",
]
