"""The displayed tokens of a tokeniser, from `tokenizer.json` or in memory.

The pieces of byte-level tokenisers are shown as their text ("Ġof" is " of"), those of SentencePiece likewise ("▁of"),
and WordPiece's unchanged ("##ing"). If two would then be equal, the raw pieces are shown.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Protocol, cast

from lamplighter.client.errors import InputError, whole_number
from lamplighter.wire.binary import MAX_VOCABULARY
from lamplighter.wire.token_text import byte_by_symbol, decode_piece

_METASPACE = "\u2581"
_MAX_DEPTH = 20


class VocabularySource(Protocol):
    """A tokeniser in memory, of `tokenizers` or of `transformers`."""

    def get_vocab(self) -> Mapping[str, int]: ...


def is_tokeniser(value: object) -> bool:
    """Return whether a value is a tokeniser in memory, of `tokenizers`, `transformers` or `tiktoken`."""
    return callable(getattr(value, "get_vocab", None)) or _is_tiktoken(value)


def read_tokeniser(tokeniser: Any) -> list[str]:
    """Return the tokens by id of a tokeniser in memory (`is_tokeniser`), as `parse_tokeniser` does."""
    if _is_tiktoken(tokeniser):
        return _read_tiktoken(tokeniser)
    inner = getattr(tokeniser, "backend_tokenizer", tokeniser)
    if callable(getattr(inner, "to_str", None)):
        return parse_tokeniser(json.loads(inner.to_str()), "tokenizer")
    # A slow tokeniser of transformers does not expose its decoder.
    return parse_tokeniser({"model": {"vocab": dict(tokeniser.get_vocab())}}, "tokenizer")


def is_tokeniser_json(data: object) -> bool:
    return isinstance(data, dict) and isinstance(cast("dict[str, Any]", data).get("model"), dict)


def parse_tokeniser(data: Any, where: str) -> list[str]:
    """Return the tokens by id in a parsed `tokenizer.json`, with `model.vocab` and optional `added_tokens`;
    an id without a token is `(unused 7)`. `where` begins the messages."""
    pieces = _pieces_by_id(data["model"].get("vocab"), where)
    added = _added_by_id(data.get("added_tokens"), where)
    if not pieces and not added:
        raise InputError(f"{where}: this tokeniser has no tokens (model.vocab)")
    kinds = set(_component_kinds(data.get("decoder"))) | set(_component_kinds(data.get("pre_tokenizer")))
    raw = [f"(unused {number})" for number in range(max([*pieces, *added]) + 1)]
    shown = list(raw)
    texts = _read_pieces(list(pieces.values()), kinds)
    for (number, piece), text in zip(pieces.items(), texts, strict=True):
        raw[number], shown[number] = piece, text
    for number, token in added.items():
        raw[number] = shown[number] = token
    return _kept_distinct(shown, raw)


def decode_byte_level(pieces: list[str]) -> list[str]:
    """Return the texts of byte-level pieces by id, all of them distinct if the pieces are."""
    return _kept_distinct(_read_pieces(pieces, {"ByteLevel"}), pieces)


def pad_tokens(tokens: list[str], rows: int) -> list[str]:
    """Return the tokens with a name, `(unused 50257)`, for each further row of a padded matrix."""
    return [*tokens, *(f"(unused {number})" for number in range(len(tokens), rows))]


def _is_tiktoken(value: object) -> bool:
    return callable(getattr(value, "decode_single_token_bytes", None)) and hasattr(value, "n_vocab")


def _read_tiktoken(tokeniser: Any) -> list[str]:
    symbols = {byte: symbol for symbol, byte in byte_by_symbol().items()}
    pieces: list[str] = []
    for number in range(int(tokeniser.n_vocab)):
        try:
            pieces.append("".join(symbols[byte] for byte in tokeniser.decode_single_token_bytes(number)))
        except KeyError:
            # Ids may have gaps.
            pieces.append(f"(unused {number})")
    return decode_byte_level(pieces)


def _pieces_by_id(vocab: Any, where: str) -> dict[int, str]:
    if isinstance(vocab, list):
        # Unigram lists its pieces, each with its score, by id.
        pairs = cast("list[Any]", vocab)
        if not all(isinstance(pair, list) and pair and isinstance(pair[0], str) for pair in pairs):
            raise InputError(f"{where}: the pieces of its vocabulary are not pairs of text and score")
        return dict(enumerate(pair[0] for pair in pairs[: MAX_VOCABULARY + 1]))
    if not isinstance(vocab, dict):
        raise InputError(f"{where}: this tokeniser has no vocabulary (model.vocab)")
    found: dict[int, str] = {}
    for piece, number in cast("dict[str, Any]", vocab).items():
        if found.setdefault(_token_id(number, where), piece) != piece:
            raise InputError(f"{where}: two tokens have the id {number}")
    return found


def _added_by_id(added: Any, where: str) -> dict[int, str]:
    entries = cast("list[Any]", added) if isinstance(added, list) else []
    found: dict[int, str] = {}
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get("content"), str):  # pyright: ignore[reportUnknownMemberType]
            raise InputError(f"{where}: one of its added tokens has no text")
        found[_token_id(entry.get("id"), where)] = entry["content"]  # pyright: ignore[reportUnknownMemberType]
    return found


def _token_id(number: Any, where: str) -> int:
    token_id = whole_number(number, f"{where}: the id of a token")
    if token_id >= MAX_VOCABULARY:
        raise InputError(f"{where}: a token has the id {token_id}; at most {MAX_VOCABULARY:,} can be shown")
    return token_id


def _component_kinds(component: Any, depth: int = 0) -> Iterator[str]:
    """Yield the types of a decoder or pre-tokeniser and of its parts."""
    if not isinstance(component, dict) or depth > _MAX_DEPTH:
        return
    facts = cast("dict[str, Any]", component)
    kind = facts.get("type")
    if kind == "Replace" and facts.get("pattern") == {"String": _METASPACE}:
        yield "Metaspace"
    elif isinstance(kind, str):
        yield kind
    for name in ("decoders", "pretokenizers"):
        parts = facts.get(name)
        for part in cast("list[Any]", parts) if isinstance(parts, list) else []:
            yield from _component_kinds(part, depth + 1)


def _read_pieces(pieces: list[str], kinds: set[str]) -> list[str]:
    """Return the texts of pieces; a piece outside the tokeniser's alphabet is its own text."""
    if "ByteLevel" in kinds:
        symbols = byte_by_symbol()
        return [decode_piece(piece, symbols) for piece in pieces]
    return [piece.replace(_METASPACE, " ") for piece in pieces] if "Metaspace" in kinds else pieces


def _kept_distinct(shown: list[str], raw: list[str]) -> list[str]:
    """Return the texts, with the raw piece where the text would equal that of another token."""
    while True:
        times = Counter(shown)
        alike = [number for number, text in enumerate(shown) if times[text] > 1 and text != raw[number]]
        if not alike:
            return shown
        for number in alike:
            shown[number] = raw[number]
