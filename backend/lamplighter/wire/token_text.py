"""The text of tokens as people read it, in place of the marks that tokenisers write.

A vocabulary of pieces of words marks where a word begins: GPT-2's byte-level alphabet by `Ġ`, SentencePiece by `▁`, a
decoded one by the space itself. People read the word without the mark, and a hyphen before a piece that continues one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_MARKS = "Ġ▁ "
_LEAST_MARKED = 0.05
"""Share of tokens that begin with a mark from which a vocabulary is one of pieces of words."""
_SPACE_SIGN = "␣"
_LETTER = r"[^\W_]"


def read_tokens(tokens: Sequence[str]) -> tuple[str, ...]:
    """Return the tokens of a vocabulary as people read them: `Ġlearn`, which begins a word, as `learn`, and `ing`, which
    continues one, as `-ing`; any other vocabulary as it is. Tokens that differ are read differently.
    """
    marked = sum(len(token) > 1 and token[0] in _MARKS for token in tokens)
    if not marked or marked < _LEAST_MARKED * len(tokens):
        return tuple(tokens)
    if sum(token.startswith("Ġ") for token in tokens) * 2 >= marked:
        symbols = byte_by_symbol()
        tokens = [decode_piece(token, symbols) for token in tokens]
    return keep_distinct([_read_piece(token) for token in tokens])


def keep_distinct(texts: Sequence[str]) -> tuple[str, ...]:
    """Keep texts different: one that an earlier token has already gets the id of its own token."""
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
    """Return UTF-8 as text; a byte that is no part of a whole character as its code, `⟨e2⟩`."""
    text = data.decode("utf-8", errors="surrogateescape")
    return re.sub("[\udc80-\udcff]", lambda found: f"⟨{ord(found[0]) - 0xDC00:02x}⟩", text)


def decode_piece(piece: str, symbols: Mapping[str, int]) -> str:
    """Return the text that a piece in the byte-level alphabet stands for; any other as it is: somebody added it by hand.

    Args:
        piece: the piece.
        symbols: the alphabet (`byte_by_symbol`).
    """
    if any(sign not in symbols for sign in piece):
        return piece
    return _text_of_bytes(bytes(symbols[sign] for sign in piece))


def _read_piece(token: str) -> str:
    if len(token) > 1 and token[0] in _MARKS:
        # Before a sign, the space is all that tells this token from the one without it.
        return token[1:] if re.match(_LETTER, token[1:]) else _SPACE_SIGN + token[1:]
    # A token that begins with a hyphen gets one more, since it is another than the piece that is read with one.
    return f"-{token}" if re.match(f"-*{_LETTER}", token) else token
