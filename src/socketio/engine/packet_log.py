"""Formats Engine.IO packets for the log, without secrets.

Never shown: authentication data, the queries of namespaces, and the arguments of events and values of fields whose
names suggest secrets. No packet can look like another line of the log.
"""

from __future__ import annotations

import re

from .frames import CLOSE, PING, ControlFrame, Outgoing

_KINDS = {"0": "OPEN", "1": "CLOSE", "2": "PING", "3": "PONG", "4": "MESSAGE", "5": "UPGRADE", "6": "NOOP"}
_LONGEST = 200
_READ = 10 * _LONGEST

_HIDDEN = "***"
_SECRET = (
    r"auth(?!or(?!i))"  # not "author", but "authorization"
    r"|cookie|credential|jwt|pass(?:w|phrase|code)|secret|session|signature|token|(?:api|access|private)[_-]?key"
)
_FIELD = re.compile(
    rf'("[^"]*(?:{_SECRET})[^"]*"\s*:\s*)'
    # A text, maybe cut off; for nested data, everything that follows; a number.
    r'(?:\\*"(?:[^"\\]|\\.)*(?:"|\\?$)|[\[{].*|[^",\[{}\]\s]+)',
    re.IGNORECASE | re.DOTALL,
)
_EVENT = re.compile(rf'([25][^\["]*\["[^"]*(?:{_SECRET}|log-?_?in|sign-?_?in)[^"]*",).*', re.IGNORECASE | re.DOTALL)
_VALUE = re.compile(r"\b(Bearer|Basic) +[\w.~+/=-]+|\beyJ[\w-]+\.[\w-]+\.[\w-]*", re.IGNORECASE)
# A namespace may have a query. What follows is the authentication, or the server's answer to it.
_CONNECT = re.compile(r"(0(?:/[^,?]*)?)[^,{]*(,?)(.*)", re.DOTALL)
_SID = re.compile(r'"sid": ?"[\w-]*"')


def sent(packet: Outgoing, is_text: bool) -> str:
    """Return the log text of a packet for the server.

    :param is_text: whether messages are packets of Socket.IO in its own text format. Others are shown by their sizes,
        because any part of them may be secret.
    """
    return _shown(packet, is_text, "")


def received(packet: Outgoing, is_text: bool) -> str:
    """Return the log text of a packet from the server. See :func:`sent`."""
    sid = _SID.search(packet) if isinstance(packet, str) else None
    return _shown(packet, is_text, sid[0] if sid is not None else "")


def _shown(packet: Outgoing, is_text: bool, sid: str) -> str:
    """Return the log text of a packet; of a CONNECT, only the sid."""
    if isinstance(packet, ControlFrame):
        return _control_frame(packet)
    if isinstance(packet, bytes):
        return f"MESSAGE <binary, {len(packet)} bytes>"
    kind, content = _KINDS.get(packet[:1], "unknown packet"), packet[1:]
    if kind != "MESSAGE":
        return f"{kind} {_shortened(content)}".rstrip()
    if not is_text:
        return f"MESSAGE <{len(content)} characters>"
    connect = _CONNECT.fullmatch(content)
    if connect is None:
        return f"MESSAGE {_shortened(content)}"
    head, comma, data = connect.groups()
    if data not in ("", "{}", f"{{{sid}}}"):
        data = f"{{{sid}, {_HIDDEN}}}" if sid else _HIDDEN
    return f"MESSAGE {_shortened(head + comma + data)}"


def _control_frame(frame: ControlFrame) -> str:
    kind = {CLOSE: "CLOSE", PING: "PING"}.get(frame.opcode, "PONG")
    code = int.from_bytes(frame.payload[:2], "big") if kind == "CLOSE" else 0
    return f"WebSocket {kind} {code}" if code else f"WebSocket {kind}"


def _shortened(text: str) -> str:
    """Return the beginning of a text, in one line and without secrets."""
    begins = _FIELD.sub(rf'\1"{_HIDDEN}"', _EVENT.sub(rf"\1{_HIDDEN}", _VALUE.sub(_HIDDEN, text[:_READ])))
    left_out = len(text) > _READ or len(begins) > _LONGEST
    begins = begins[:_LONGEST]
    if not begins.isprintable():
        begins = "".join(char if char.isprintable() else repr(char)[1:-1] for char in begins)
    return f"{begins}... ({len(text)} characters)" if left_out else begins
