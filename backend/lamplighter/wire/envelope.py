"""Envelopes: several frames and texts in one message, compressed once for all recipients (`docs/wire.md`)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

from lamplighter.wire.binary import FrameError

Part = bytes | str
"""A frame, or a text that is a JSON object."""

VERSION = 1
MAX_INFLATED = 64 << 20
"""Maximum bytes of the parts of an envelope, with their lengths."""
_PLAIN, _DEFLATE = 0, 1
_LENGTH = struct.Struct("<I")
_MAX_PARTS = 1_000
_WAYS = ((zlib.Z_DEFAULT_STRATEGY, zlib.DEF_MEM_LEVEL), (zlib.Z_RLE, 4))
"""Parameters of deflate: strategy and memory level. The first suits texts; the second suits byte planes, which have no
repeats and each a different distribution. Any inflater reads both."""


def encode_envelope(parts: Sequence[Part], *, compress: bool = True) -> bytes:
    """Encode parts as one message, by default with the smaller result of both deflate strategies."""
    body = b"".join(_LENGTH.pack(len(data)) + data for data in map(_to_bytes, parts))
    if compress and len(smallest := min((_deflate(body, *way) for way in _WAYS), key=len)) < len(body):
        return bytes((VERSION, _DEFLATE)) + smallest
    return bytes((VERSION, _PLAIN)) + body


def decode_envelope(data: bytes) -> list[Part]:
    """Return the parts of a message: frames as bytes, texts as strings. Neither is decoded further. Raises
    FrameError if the bytes are not an envelope, or it is too large.
    """
    if len(data) < 2 or data[0] != VERSION or data[1] not in (_PLAIN, _DEFLATE):
        raise FrameError("not an envelope of this version")
    body = data[2:] if data[1] == _PLAIN else _inflate(data[2:])
    parts: list[Part] = []
    offset = 0
    while offset < len(body):
        if len(parts) == _MAX_PARTS:
            raise FrameError("an envelope with too many parts")
        if len(body) - offset < _LENGTH.size:
            raise FrameError("envelope cut short")
        (length,) = _LENGTH.unpack_from(body, offset)
        offset += _LENGTH.size
        if length > len(body) - offset:
            raise FrameError("envelope cut short")
        parts.append(_from_bytes(body[offset : offset + length]))
        offset += length
    return parts


def _to_bytes(part: Part) -> bytes:
    return part.encode() if isinstance(part, str) else part


def _from_bytes(data: bytes) -> Part:
    if not data.startswith(b"{"):
        return data
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise FrameError("a text is not UTF-8") from error


def _deflate(body: bytes, strategy: int, memory: int) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS, memLevel=memory, strategy=strategy)
    return compressor.compress(body) + compressor.flush()


def _inflate(data: bytes) -> bytes:
    inflater = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    try:
        body = inflater.decompress(data, MAX_INFLATED)
    except zlib.error as error:
        raise FrameError(f"the envelope is damaged: {error}") from error
    if inflater.unconsumed_tail or not inflater.eof or inflater.unused_data:
        raise FrameError("the envelope is cut short, too long or too large")
    return body
