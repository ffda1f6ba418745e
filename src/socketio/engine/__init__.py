"""Engine.IO: what both flavours share, without I/O, and their drivers, ``threads`` and ``asyncio``.

opening      how a connection is opened: handshake and upgrade
connection   what each packet asks for, the heartbeat, and why a connection ends
send_queue   the packets that wait to be sent
compat       undocumented names of other packages

The bytes are read and written in ``wire`` (websocket) and ``polling`` of both drivers. This is the only folder that
knows python-engineio and the packages that do the I/O.
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
