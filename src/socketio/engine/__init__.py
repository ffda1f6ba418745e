"""Engine.IO: what both flavours share, without I/O, and their drivers, ``threads`` and ``asyncio``.

opening      opens and upgrades a connection, with ``handshake`` and ``websocket``
connection   handles packets, answers pings, and ends the connection
send_queue   the packets that wait to be sent
compat       undocumented names of other packages

``wire`` (websocket) and ``polling`` of both drivers read and write the bytes. ``websocket_handshake`` of both drivers
requests websockets; for threads it uses ``connections``. Heartbeat timeouts are detected where bytes are read:
``threads.wire``, ``asyncio.websocket``, ``base_polling``. Only this folder imports python-engineio and the packages
that do the I/O.
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
