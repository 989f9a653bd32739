"""Readable text of tokens, without the marks of tokenisers.

A vocabulary of word pieces marks the beginning of a word: by `Ġ` in GPT-2's byte-level alphabet, by `▁` in
SentencePiece, by a space once decoded. Readable text drops the mark, and puts a hyphen before a piece that continues a
word.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_MARKS = "Ġ▁ "
_MIN_MARKED = 0.05
"""Minimum share of tokens with a mark in a vocabulary of word pieces."""
_SPACE_SIGN = "␣"
_LETTER = r"[^\W_]"


def read_tokens(tokens: Sequence[str]) -> tuple[str, ...]:
    """Return the readable tokens of a vocabulary: `learn` for `Ġlearn`, which begins a word, and `-ing` for `ing`,
    which continues one; any other vocabulary unchanged. Different tokens get different texts.
    """
    marked = sum(len(token) > 1 and token[0] in _MARKS for token in tokens)
    if not marked or marked < _MIN_MARKED * len(tokens):
        return tuple(tokens)
    if sum(token.startswith("Ġ") for token in tokens) * 2 >= marked:
        symbols = byte_by_symbol()
        tokens = [decode_piece(token, symbols) for token in tokens]
    return keep_distinct([_read_piece(token) for token in tokens])


def spellings(text: str) -> list[str]:
    """Return a token's text as it was typed, then as other tokenisers write it: with another mark of a word's beginning or
    of its continuation (`##`), with its bytes decoded, and without the mark.
    """
    found = [text, decode_piece(text, byte_by_symbol())]
    for one in tuple(found):
        if len(one) > 1 and one[0] in _MARKS:
            found += [*(mark + one[1:] for mark in _MARKS), one[1:]]
        elif len(one) > 2 and one.startswith("##"):
            found += [f"-{one[2:]}", one[2:]]
    return list(dict.fromkeys(found))


def keep_distinct(texts: Sequence[str]) -> tuple[str, ...]:
    """Make texts distinct by adding its id to each token whose text an earlier one has."""
    taken: set[str] = set()
    kept: list[str] = []
    for token_id, text in enumerate(texts):
        kept.append(f"{text}⟨#{token_id}⟩" if text in taken else text)
        taken.add(kept[-1])
    return tuple(kept)


def byte_by_symbol() -> dict[str, int]:
    """Return the byte that each of the 256 symbols of the byte-level alphabet stands for (GPT-2's table)."""
    shown = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in set(shown)]
    return {chr(byte): byte for byte in shown} | {chr(256 + n): byte for n, byte in enumerate(hidden)}


def _text_of_bytes(data: bytes) -> str:
    """Decode UTF-8; bytes that are not part of a whole character become codes such as `⟨e2⟩`."""
    text = data.decode("utf-8", errors="surrogateescape")
    return re.sub("[\udc80-\udcff]", lambda found: f"⟨{ord(found[0]) - 0xDC00:02x}⟩", text)


def decode_piece(piece: str, symbols: Mapping[str, int]) -> str:
    """Decode a piece in the byte-level alphabet; return any other piece, such as an added token, unchanged.
    `symbols`: the alphabet (`byte_by_symbol`).
    """
    if any(sign not in symbols for sign in piece):
        return piece
    return _text_of_bytes(bytes(symbols[sign] for sign in piece))


def _read_piece(token: str) -> str:
    if len(token) > 1 and token[0] in _MARKS:
        # Before a sign, only the space distinguishes this token from the one without it.
        return token[1:] if re.match(_LETTER, token[1:]) else _SPACE_SIGN + token[1:]
    # A token that begins with a hyphen gets another, to differ from a piece shown with one.
    return f"-{token}" if re.match(f"-*{_LETTER}", token) else token
