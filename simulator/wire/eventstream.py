"""AWS's event-stream frames, as InvokeEndpointWithResponseStream sends them (Amazon event stream encoding)."""

from __future__ import annotations

import struct
import zlib

_STRING = 7


def payload_part(data: bytes) -> bytes:
    """One PayloadPart event."""
    headers = {":message-type": "event", ":event-type": "PayloadPart", ":content-type": "application/octet-stream"}
    return frame(headers, data)


def frame(headers: dict[str, str], data: bytes) -> bytes:
    """A frame: total and header length with their CRC, headers, payload, CRC of it all."""
    head = b"".join(_header(name, value) for name, value in headers.items())
    prelude = struct.pack(">II", 16 + len(head) + len(data), len(head))
    prelude += struct.pack(">I", zlib.crc32(prelude))
    message = prelude + head + data
    return message + struct.pack(">I", zlib.crc32(message))


def _header(name: str, value: str) -> bytes:
    key, text = name.encode(), value.encode()
    return struct.pack(">B", len(key)) + key + struct.pack(">BH", _STRING, len(text)) + text
