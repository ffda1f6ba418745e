"""Socket.IO packets as text: encodes a packet as frames, and decodes it.

In: the application's values, or received frames. Out: frames, or values. :meth:`Packet.decode` and
:meth:`Packet.add_attachment` raise ``ValueError`` only, and take time and memory in proportion to the size of the
frame. Source: Socket.IO protocol, revision 5, "Packet encoding".
"""

from __future__ import annotations

import json as stdlib_json
import re
from collections.abc import Callable
from json.scanner import make_scanner
from typing import Any, ClassVar, TypeAlias

from .core.signatures import accepts

Frame: TypeAlias = str | bytes
"""The content of an Engine.IO message: a text frame or a binary one."""

CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR, BINARY_EVENT, BINARY_ACK = range(7)
packet_names = ["CONNECT", "DISCONNECT", "EVENT", "ACK", "CONNECT_ERROR", "BINARY_EVENT", "BINARY_ACK"]

_BINARY_TYPE = {EVENT: BINARY_EVENT, ACK: BINARY_ACK}
_WITH_ID = (EVENT, ACK, BINARY_EVENT, BINARY_ACK)
MAX_DIGITS = 100
_MAX_COUNT_DIGITS = 10
_HEADER = re.compile(r"(\d)(?:(\d+)-)?(/[^,]*,?)?(\d*)", re.ASCII)
_ALIKE = bytes.maketrans(b"123456789", b"000000000")
_LONG_NUMBER = b"0" * (MAX_DIGITS + 1)
# A number of more than 100 digits has at least 4 among every 25th character. Checking only those takes a fraction of
# the time.
_STEP = 25
_TRACE = b"0" * (MAX_DIGITS // _STEP)
_SCALARS = frozenset({str, int, float, bool, type(None)})


def _parse_int(digits: str) -> int:
    if len(digits.lstrip("-")) > MAX_DIGITS:
        raise ValueError(f"integer of more than {MAX_DIGITS} digits")
    return int(digits)


# One of each for the process: json.dumps(separators=...) and json.loads(parse_int=...) build a new one at every call.
_encode_json = stdlib_json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
_decode_json = stdlib_json.JSONDecoder().decode
_scan_json = make_scanner(stdlib_json.JSONDecoder())  # type: ignore[arg-type]  # typeshed has another argument
_decode_checked_json = stdlib_json.JSONDecoder(parse_int=_parse_int).decode


def _mask_digits(text: str) -> bytes:
    """Return UTF-8 in which all digits are 0."""
    return text.encode("utf-8", "surrogatepass").translate(_ALIKE)


class DefaultJson:
    """The JSON of the standard library, compact, with integers of up to 100 digits.

    :cvar refuses_bytes: whether ``dumps`` raises ``TypeError`` for ``bytes``.
    """

    refuses_bytes: ClassVar[bool] = True
    scan: ClassVar[Callable[[str, int], tuple[Any, int]]] = staticmethod(_scan_json)
    """Returns the value that begins at a position in a text, and its end. Does not check the size of integers."""

    @staticmethod
    def dumps(value: Any) -> str:
        """Return ``value`` as JSON text."""
        return _encode_json(value)

    @staticmethod
    def loads(text: str) -> Any:
        """Return the decoded value, or raise ``ValueError``."""
        if len(text) > MAX_DIGITS and _TRACE in _mask_digits(text[::_STEP]) and _LONG_NUMBER in _mask_digits(text):
            return _decode_checked_json(text)
        try:
            value, end = _scan_json(text, 0)
        except (StopIteration, ValueError):
            end = -1
        # Servers send no whitespace around it. With whitespace, or an error, the decoder takes over.
        return value if end == len(text) else _decode_json(text)


class AdaptedJson:
    """The JSON of a module with ``dumps`` and ``loads`` that the application chose.

    ``dumps`` gets compact separators if it accepts the argument. It may return text or, as ``orjson`` does, UTF-8.

    :ivar refuses_bytes: whether ``dumps`` raises ``TypeError`` for ``bytes``.
    """

    def __init__(self, module: Any) -> None:
        self._dumps: Callable[..., str | bytes] = module.dumps
        self.loads: Callable[[str], Any] = module.loads
        self._options = {"separators": (",", ":")} if accepts(module.dumps, None, separators=()) else {}
        self.refuses_bytes = False
        try:
            self._dumps([b""])
        except Exception as exc:
            self.refuses_bytes = isinstance(exc, TypeError)

    def dumps(self, value: Any) -> str:
        """Return ``value`` as JSON text."""
        text = self._dumps(value, **self._options)
        if isinstance(text, str):
            text.encode("utf-8")  # a lone surrogate raises here, not where frames are sent
            return text
        return text.decode("utf-8")


class Packet:
    """One Socket.IO packet.

    :param packet_type: one of ``CONNECT`` to ``BINARY_ACK``. An ``EVENT`` or ``ACK`` with ``bytes`` in it becomes the
        binary type; in other types ``bytes`` are a ``ValueError``.
    :param data: its payload: a list for events and acknowledgements, otherwise a dict, a text or ``None``.
    :param namespace: its namespace; ``None`` means ``'/'``.
    :param id: the acknowledgement id, a number from 0, or ``None``.
    :param binary: whether ``data`` holds ``bytes``; ``None`` to find out.
    :param encoded_packet: a frame to decode; the other arguments are ignored then.
    """

    uses_binary_events: ClassVar[bool] = True
    """Whether ``bytes`` are sent as attachments, in separate frames."""
    json: Any = DefaultJson

    def __init__(
        self,
        packet_type: int = EVENT,
        data: Any = None,
        namespace: str | None = None,
        id: int | None = None,
        binary: bool | None = None,
        encoded_packet: Any = None,
    ) -> None:
        self.packet_type = packet_type
        self.data = data
        self.namespace = namespace
        self.id = id
        self.attachment_count = 0
        self.attachments: list[bytes] = []
        self._placeholders: list[tuple[Any, Any, int]] = []
        if encoded_packet is not None:
            self.decode(encoded_packet)
        elif self.uses_binary_events and (self.data_is_binary(data) if binary is None else binary):
            if packet_type in (BINARY_EVENT, BINARY_ACK):
                return
            if packet_type not in _BINARY_TYPE:
                raise ValueError(f"packets of type {packet_type} cannot carry bytes")
            self.packet_type = _BINARY_TYPE[packet_type]

    def encode(self) -> Any:
        """Return the frame to send, or a list with the frame and its attachments.

        Raises ``TypeError`` or ``ValueError`` for what JSON cannot express.
        """
        data, attachments = self.data, None
        if self.packet_type in (BINARY_EVENT, BINARY_ACK):
            data, attachments = self.deconstruct_binary(data)
        frame = str(self.packet_type)
        if attachments is not None:
            frame += f"{len(attachments)}-"
        if self.namespace is not None and self.namespace != "/":
            frame += self.namespace + ","
        if self.id is not None:
            frame += str(self.id)
        if data is not None:
            try:
                frame += self.json.dumps(data)
            except RecursionError as exc:
                raise ValueError("data is nested too deeply") from exc
        return frame if attachments is None else [frame, *attachments]

    def decode(self, encoded_packet: Any) -> int:
        """Read a frame into this packet; return the number of attachments that must follow.

        Raises ``ValueError`` if the frame is not a packet.
        """
        frame = str(encoded_packet) if isinstance(encoded_packet, int) else encoded_packet
        if not isinstance(frame, str):
            raise ValueError("a packet begins with a text frame")
        header = _HEADER.match(frame)
        if header is None:
            raise ValueError(f"no packet type in {frame[:20]!r}")
        self.packet_type = int(header[1])
        if self.packet_type > BINARY_ACK:
            raise ValueError(f"unknown packet type {header[1]}")
        self.attachment_count = self._attachment_count(header[2])
        if header[3]:
            self.namespace = header[3].removesuffix(",").partition("?")[0]
        data_start = header.end()
        if self.packet_type not in _WITH_ID:
            data_start = header.start(4)
        elif len(header[4]) > MAX_DIGITS:
            raise ValueError(f"acknowledgement id of more than {MAX_DIGITS} digits")
        elif header[4]:
            self.id = int(header[4])
        if data_start < len(frame):
            self.data = self._load(frame[data_start:])
        if self.packet_type >= BINARY_EVENT:
            self._placeholders = find_placeholders(self.data, self.attachment_count)
        return self.attachment_count

    def _attachment_count(self, digits: str | None) -> int:
        is_binary = self.packet_type in (BINARY_EVENT, BINARY_ACK)
        if is_binary != bool(digits):
            raise ValueError("attachment count missing, or in a packet that has none")
        if digits and len(digits) > _MAX_COUNT_DIGITS:
            raise ValueError(f"attachment count of more than {_MAX_COUNT_DIGITS} digits")
        return int(digits or 0)

    def _load(self, text: str) -> Any:
        try:
            return self.json.loads(text)
        except ValueError:
            raise
        except Exception as exc:  # RecursionError, or any error of the application's json module
            raise ValueError(f"data that cannot be decoded: {exc!r}") from exc

    def add_attachment(self, attachment: bytes) -> bool:
        """Add the next attachment; return whether it was the last one, and ``data`` is complete.

        Raises ``ValueError`` when the packet is complete already.
        """
        if len(self.attachments) >= self.attachment_count:
            raise ValueError("more attachments than announced")
        self.attachments.append(attachment)
        if len(self.attachments) < self.attachment_count:
            return False
        for container, key, number in self._placeholders:
            container[key] = self.attachments[number]
        return True

    @classmethod
    def data_is_binary(cls, data: Any) -> bool:
        """Return whether there are ``bytes`` or ``bytearray`` anywhere in lists, tuples and dicts."""
        if isinstance(data, (bytes, bytearray)):
            return True
        if not isinstance(data, (dict, list, tuple)):
            return False
        seen: set[int] = set()
        stack = [data]
        while stack:
            container = stack.pop()
            for value in container.values() if isinstance(container, dict) else container:
                if type(value) in _SCALARS:
                    continue
                if isinstance(value, (bytes, bytearray)):
                    return True
                if isinstance(value, (dict, list, tuple)) and id(value) not in seen:
                    seen.add(id(value))
                    stack.append(value)
        return False

    @classmethod
    def deconstruct_binary(cls, data: Any) -> tuple[Any, list[bytes]]:
        """Return a copy of ``data`` with placeholders for its ``bytes``, and the ``bytes`` in order."""
        attachments: list[bytes] = []

        def deconstruct(value: Any) -> Any:
            if isinstance(value, (bytes, bytearray)):
                attachments.append(bytes(value))
                return {"_placeholder": True, "num": len(attachments) - 1}
            if isinstance(value, (list, tuple)):
                return [deconstruct(item) for item in value]
            if isinstance(value, dict):
                return {key: deconstruct(item) for key, item in value.items()}
            return value

        try:
            return deconstruct(data), attachments
        except RecursionError as exc:
            raise ValueError("data is nested too deeply, or contains itself") from exc

    @classmethod
    def reconstruct_binary(cls, data: Any, attachments: list[bytes]) -> Any:
        """Return ``data`` with each placeholder replaced by the attachment of its number.

        Raises ``ValueError`` if there is no such attachment.
        """
        whole = [data]
        for container, key, number in find_placeholders(whole, len(attachments)):
            container[key] = attachments[number]
        return whole[0]


def find_placeholders(data: Any, count: int) -> list[tuple[Any, Any, int]]:
    """Return where ``count`` attachments belong: container, key, number of the attachment.

    A placeholder is a dict of exactly ``_placeholder: true`` and ``num``; one with further keys is data of the
    application. Raises ``ValueError`` for a number out of range, and for fewer placeholders than attachments.
    """
    found: list[tuple[Any, Any, int]] = []
    stack = [data] if isinstance(data, (dict, list)) else []
    while stack:
        container = stack.pop()
        for key, value in container.items() if isinstance(container, dict) else enumerate(container):
            if isinstance(value, dict):
                if len(value) == 2 and value.get("_placeholder") is True and "num" in value:
                    number = value["num"]
                    if type(number) is not int or not 0 <= number < count:
                        raise ValueError(f"placeholder for attachment {number!r} of {count}")
                    found.append((container, key, number))
                else:
                    stack.append(value)
            elif isinstance(value, list):
                stack.append(value)
    if count > len(found):
        raise ValueError(f"{count} attachments for {len(found)} placeholders")
    return found
