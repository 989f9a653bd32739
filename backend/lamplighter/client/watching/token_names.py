"""The names of an embedding's rows, from whatever tokeniser a training has."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, cast

from lamplighter.client.errors import InputError
from lamplighter.client.tokeniser_files import decode_byte_level, is_tokeniser, pad_tokens, read_tokeniser
from lamplighter.client.vocabulary_files import make_vocabulary, read_vocabulary
from lamplighter.wire.token_text import byte_by_symbol
from lamplighter.wire.vocabulary import Vocabulary


def name_rows(tokenizer: Any, rows: int) -> Vocabulary:
    """Return a vocabulary with a name for each row of an embedding.

    Args:
        tokenizer: of `transformers`, `tokenizers` or `tiktoken`; a list of tokens, a mapping of token to id, or the path
            of a vocabulary file; None: the rows are named by their ids.
        rows: V. Rows that have no token, as in a padded embedding, are named "(unused 50257)".

    Raises:
        InputError: it is none of these, its tokens cannot be read, or it has more tokens than the embedding has rows.
    """
    if tokenizer is None:
        return make_vocabulary([str(number) for number in range(rows)])
    if isinstance(tokenizer, str | os.PathLike):
        found = read_vocabulary(cast("str | os.PathLike[str]", tokenizer))
        if len(found) == rows:
            return found
        tokens = list(found.tokens)
    else:
        tokens = _tokens(tokenizer)
    if len(tokens) > rows:
        raise InputError(
            f"tokenizer: {len(tokens):,} tokens, but the embedding has {rows:,} rows: is it of another model? If"
            " not, call model.resize_token_embeddings first, or give a list of the tokens that have a row"
        )
    return make_vocabulary(pad_tokens(tokens, rows), where="tokenizer")


def _tokens(tokenizer: Any) -> list[str]:
    if is_tokeniser(tokenizer):
        return read_tokeniser(tokenizer)
    if hasattr(tokenizer, "decode_single_token_bytes") and hasattr(tokenizer, "n_vocab"):
        return _tiktoken_tokens(tokenizer)
    if isinstance(tokenizer, Mapping | Iterable):
        return list(make_vocabulary(cast("Iterable[str]", tokenizer), where="tokenizer").tokens)
    raise InputError(
        "tokenizer: give one of transformers, tokenizers or tiktoken, a list of tokens, or a mapping of token to id; this"
        f" is of type {type(tokenizer).__name__}"
    )


def _tiktoken_tokens(tokenizer: Any) -> list[str]:
    symbols = {byte: symbol for symbol, byte in byte_by_symbol().items()}
    # What has no token is marked by a sign that no byte has.
    pieces: list[str] = []
    for number in range(int(tokenizer.n_vocab)):
        try:
            pieces.append("".join(symbols[byte] for byte in tokenizer.decode_single_token_bytes(number)))
        except KeyError:
            pieces.append(f"(unused {number})")
    return decode_byte_level(pieces)
