"""Compression of the parts of a packed page."""

from __future__ import annotations

import zlib


def deflate(data: bytes) -> bytes:
    """Compress bytes at the highest level (RFC 1951, without a header), since a page is made once and sent often."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, 9)
    return packer.compress(data) + packer.flush()
