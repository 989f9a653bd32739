"""The byte-level alphabet of GPT-2: the symbols in which byte-level tokenisers write the bytes of a text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache


@cache
def byte_by_symbol() -> Mapping[str, int]:
    """Return the byte that each of the 256 symbols stands for."""
    shown = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in set(shown)]
    return {chr(byte): byte for byte in shown} | {chr(256 + n): byte for n, byte in enumerate(hidden)}


def decode_piece(piece: str) -> str:
    """Return the text that a byte-level piece stands for (`Ġlearn` is ` learn`); bytes that are no whole characters as
    `⟨e2⟩⟨9c⟩`.

    Raises:
        KeyError: the piece has a symbol that is none of the alphabet.
    """
    signs = byte_by_symbol()
    text = bytes(signs[sign] for sign in piece).decode("utf-8", errors="surrogateescape")
    return re.sub("[\udc80-\udcff]", lambda found: f"⟨{ord(found[0]) - 0xDC00:02x}⟩", text)
