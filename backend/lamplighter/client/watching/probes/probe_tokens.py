"""The ids of probed sentences in a loop's own tokenizer, and the position of the probed word."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lamplighter.client.errors import InputError
from lamplighter.client.probing.sentences import ProbedSentence
from lamplighter.client.sources.tokeniser_files import is_tokeniser
from lamplighter.wire.vocabulary import Vocabulary

Tokens = list[tuple[int, int, int]]
"""The id of each token, and where it is in the text; the same place twice for one that is not in it."""


def encode_sentence(
    sentence: ProbedSentence, tokenizer: Any, vocabulary: Vocabulary
) -> tuple[list[int], int]:
    """Return the ids of a sentence, and the position of the last token of its word.

    Args:
        tokenizer: the tokenizer of the loop; without one that splits texts, they are split at spaces into tokens of the
            vocabulary or, if it has single letters, into letters.
        vocabulary: the tokens by id.

    Raises:
        InputError: the sentence cannot be split, or no token is of the word.
    """
    if is_tokeniser(tokenizer):
        tokens = _split_by_tokeniser(sentence.text, tokenizer)
    else:
        tokens = _split_by_tokens(
            sentence.text, {token: number for number, token in enumerate(vocabulary.tokens)}
        )
    inside = [
        at
        for at, (_, start, end) in enumerate(tokens)
        if start < sentence.end and end > max(start, sentence.start)
    ]
    if not inside:
        raise InputError(f"probes: no token of {sentence.text[:80]!r} is of the word {sentence.word!r}")
    return [token for token, _, _ in tokens], inside[-1]


def _split_by_tokeniser(text: str, tokenizer: Any) -> Tokens:
    if callable(getattr(tokenizer, "decode_with_offsets", None)):
        ids = list(tokenizer.encode(text, disallowed_special=()))
        starts = [*tokenizer.decode_with_offsets(ids)[1], len(text)]
        return list(zip(ids, starts, starts[1:], strict=False))
    try:
        if callable(tokenizer):
            found: Any = tokenizer(text, return_offsets_mapping=True)
            ids, offsets = found["input_ids"], found["offset_mapping"]
        else:
            found = tokenizer.encode(text)
            ids, offsets = found.ids, found.offsets
    except Exception as error:
        raise InputError(
            f"probes: this tokenizer does not tell where its tokens are in a text ({error})"
        ) from error
    return [(token, start, end) for token, (start, end) in zip(ids, offsets, strict=True)]


def _split_by_tokens(text: str, id_of: Mapping[str, int]) -> Tokens:
    words = list(re.finditer(r"\S+", text))
    for parts in (words, list(re.finditer(r".", text, re.DOTALL))):
        if parts and all(part[0] in id_of for part in parts):
            return [(id_of[part[0]], part.start(), part.end()) for part in parts]
    unknown = next((word[0] for word in words if word[0] not in id_of), text)
    raise InputError(f"probes: the vocabulary has no token {unknown[:40]!r}")
