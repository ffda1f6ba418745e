"""Socket.IO packets as MessagePack: one binary frame for each packet.

In and out as in :mod:`socketio.packet`: only ``ValueError`` is raised for data that is not a packet.
Compatible with the npm package ``socket.io-msgpack-parser``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from . import packet

try:
    import msgpack
except ImportError:
    msgpack = None

_UNDEFINED = 0, b"\x00"
"""The extension type, and its data, that stand for ``undefined``. Source: the npm package notepack.io."""


class MsgPackPacket(packet.Packet):
    """A Socket.IO packet encoded with MessagePack, for ``serializer='msgpack'`` on both sides.

    Needs the package ``msgpack``.
    """

    uses_binary_events: ClassVar[bool] = False
    dumps_default: ClassVar[Any] = None
    ext_hook: ClassVar[Any] = None

    @classmethod
    def configure(
        cls,
        dumps_default: Callable[[Any], Any] | None = None,
        ext_hook: Callable[[int, bytes], Any] | None = None,
    ) -> type[MsgPackPacket]:
        """Return a packet class to pass as ``serializer``.

        :param dumps_default: called with each value that MessagePack does not know; returns one that it knows.
        :param ext_hook: called with the code and the data of each extension type; returns the value. Without it,
            extension types arrive as ``msgpack.ExtType``. JavaScript's ``undefined`` always arrives as ``None``.
        """
        return type(
            "ConfiguredMsgPackPacket",
            (cls,),
            {
                "dumps_default": staticmethod(dumps_default) if dumps_default else None,
                "ext_hook": staticmethod(ext_hook) if ext_hook else None,
            },
        )

    def encode(self) -> bytes:
        """Return the frame to send; raise ``TypeError`` or ``ValueError`` for what MessagePack cannot express."""
        fields: dict[str, Any] = {"type": self.packet_type, "nsp": self.namespace or "/"}
        if self.data is not None:
            fields["data"] = self.data
        if self.id is not None:
            fields["id"] = self.id
        try:
            encoded: bytes = require().packb(fields, default=self.dumps_default)
        except OverflowError as exc:
            raise ValueError(f"an integer that MessagePack cannot express: {exc}") from exc
        return encoded

    def decode(self, encoded_packet: Any) -> int:
        """Read a frame into this packet; return 0, as no attachments follow.

        Raises ``ValueError`` if the frame is not a packet.
        """
        if not isinstance(encoded_packet, (bytes, bytearray)):
            raise ValueError("a MessagePack packet is a binary frame")
        library = require()
        try:
            fields = library.unpackb(encoded_packet, ext_hook=self._read_extension)
        except Exception as exc:  # msgpack has a dozen for broken data, and the hook is the application's
            raise ValueError(f"MessagePack that cannot be decoded: {exc!r}") from exc
        if not isinstance(fields, dict):
            raise ValueError(f"a packet is a map, not {type(fields).__name__}")
        self.packet_type = fields.get("type", -1)
        if type(self.packet_type) is not int or not packet.CONNECT <= self.packet_type <= packet.BINARY_ACK:
            raise ValueError(f"unknown packet type {self.packet_type!r}")
        namespace = fields.get("nsp", "/")
        if not isinstance(namespace, str):
            raise ValueError("a namespace is a text")
        self.namespace = namespace.partition("?")[0]
        self.id = fields.get("id")
        if self.id is not None and (type(self.id) is not int or self.id < 0):
            raise ValueError(f"acknowledgement id {self.id!r}")
        self.data = fields.get("data")
        return 0

    def _read_extension(self, code: int, data: bytes) -> Any:
        if (code, data) == _UNDEFINED:
            return None
        return (self.ext_hook or require().ExtType)(code, data)


def require() -> Any:
    """Return the library; raise ``ImportError`` that says how to install it."""
    if msgpack is None:
        raise ImportError("the msgpack serializer needs the package 'msgpack': pip install msgpack")
    return msgpack
