"""Prompts: beginnings of sentences for a model to continue, as token ids of its run.

Needs no torch, since servers check prompts. A run's tokeniser may be untrusted, so only its tokens and merges are taken
from its JSON; we split texts with our own rules.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
from numpy.typing import NDArray

from lamplighter.contract.reason import Reason, give_reason
from lamplighter.contract.recipe import MAX_PROMPT_TOKENS, PROMPTS, SUM_TOKENS, Recipe
from lamplighter.platform.printable import quote_foreign
from lamplighter.wire.vocabulary import Vocabulary

from .tokenisers import TokeniserError, encode_text, restore_tokeniser

TOWN_PROMPTS = ("the dog", "people from", "there was")
"""The prompts of Lamptown: about animals, countries and languages, feelings and reasons."""

_UNKNOWN_NAMED = 3
"""Maximum unknown words to report with similar ones, since each is compared with the vocabulary."""
_COMPARED = 20_000
"""Number of most frequent tokens to search for similar ones."""
_SIMILAR = 3
_CLEAN = str.maketrans("", "", "▁'’")
_ENDS = frozenset(".!?。！？…")
_SAMPLE = 2_000_000
"""Maximum tokens of a text to read: enough to know which beginnings are frequent."""
_BEGINNING_WORDS = 2
_BEGINNING_TOKENS = 8
"""Maximum tokens of a beginning of `_BEGINNING_WORDS` words."""


@dataclass(frozen=True)
class UnknownWord:
    """A word of a prompt that a model does not know."""

    word: str
    similar: tuple[str, ...]
    """The most similar known words, in descending order of similarity; may be empty."""


class PromptError(ValueError):
    """An error for an unusable prompt; the message is one line that says why."""

    def __init__(
        self, message: str, unknown: tuple[UnknownWord, ...] = (), reason: Reason | None = None
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.unknown = unknown
        """The first unknown words, if that is the reason."""


def encode_prompt(tokeniser: str, text: str, vocabulary: int) -> list[int]:
    """Return the token ids of a prompt of known words, or raise PromptError. `tokeniser` may be untrusted."""
    if not text.strip():
        raise PromptError("the prompt is empty: type at least one word", reason=Reason("no_words"))
    # The library rejects lone surrogates.
    text = text.encode("utf-8", "replace").decode("utf-8")
    try:
        restored = restore_tokeniser(tokeniser, vocabulary)
    except TokeniserError as error:
        raise PromptError(f"this run cannot read a text: {error}") from error
    encoded = encode_text(restored, text)
    unknown = tuple(dict.fromkeys(text[start:end] for token, start, end in encoded if token == 0))
    if unknown:
        named = tuple(
            UnknownWord(word, _similar_words(restored.words, word)) for word in unknown[:_UNKNOWN_NAMED]
        )
        words = ", ".join(one.word for one in named)
        similar = ", ".join(dict.fromkeys(word for one in named for word in one.similar))
        reason = give_reason("unknown_words", words=words, similar=similar, more=len(unknown) - len(named))
        raise PromptError(_explain_unknown(named, len(unknown)), named, reason)
    if not encoded:
        raise PromptError(
            "the prompt has no word that can be read: type at least one", reason=Reason("no_words")
        )
    return [token for token, _, _ in encoded]


def choose_prompts(
    recipe: Recipe, tokeniser: str, vocabulary: Vocabulary, token_ids: NDArray[np.uint32]
) -> list[list[int]]:
    """Return the prompts of a run as token ids: those of its recipe, or three that suit its text, shape (N,).
    Towns have fixed prompts; for any other text they are the three most frequent beginnings of sentences.
    Such a beginning also replaces a prompt with an unknown word.
    """
    if recipe.corpus.kind == "modular" and not recipe.prompts:
        return token_ids.reshape(-1, SUM_TOKENS)[:PROMPTS, :-1].tolist()
    named = recipe.prompts or (TOWN_PROMPTS if recipe.corpus.kind == "lamptown" else ())
    wanted: list[list[int] | None] = [_encode_or_none(tokeniser, text, len(vocabulary)) for text in named]
    wanted = wanted or [None] * PROMPTS
    kept = [prompt for prompt in wanted if prompt is not None]
    if len(kept) == len(wanted):
        return kept
    spare = iter(
        [beginning for beginning in _frequent_beginnings(vocabulary, token_ids) if beginning not in kept]
    )
    chosen = [next(spare, None) if prompt is None else prompt for prompt in wanted]
    return [prompt for prompt in chosen if prompt is not None]


def _encode_or_none(tokeniser: str, text: str, vocabulary: int) -> list[int] | None:
    try:
        ids = encode_prompt(tokeniser, text, vocabulary)
    except PromptError:
        return None
    return ids if len(ids) <= MAX_PROMPT_TOKENS else None


def _similar_words(words: list[str], word: str) -> tuple[str, ...]:
    return tuple(get_close_matches(word.lower(), words[:_COMPARED], n=_SIMILAR))


def _explain_unknown(named: tuple[UnknownWord, ...], count: int) -> str:
    parts: list[str] = []
    for unknown in named:
        part = f"“{quote_foreign(unknown.word)}”"
        if unknown.similar:
            part += f" (similar: {', '.join(quote_foreign(word) for word in unknown.similar)})"
        parts.append(part)
    if count > len(named):
        parts.append(f"and {count - len(named)} more")
    return f"the model has never read {', '.join(parts)}: use words of its text"


def _frequent_beginnings(vocabulary: Vocabulary, token_ids: NDArray[np.uint32]) -> list[list[int]]:
    """Return the most frequent two-word beginnings of sentences, each with another first word, or words."""
    tokens = vocabulary.tokens
    pieces = any(token.startswith("▁") for token in tokens)
    is_word = np.array([number > 0 and _is_word(token) for number, token in enumerate(tokens)], dtype=bool)
    starts_word = np.array([not pieces or token.startswith("▁") for token in tokens], dtype=bool)
    ends = np.array([token[-1:] in _ENDS for token in tokens], dtype=bool)
    text = np.asarray(token_ids[:_SAMPLE])
    found: Counter[tuple[int, ...]] = Counter()
    for start in np.flatnonzero(ends[text]) + 1:
        window: list[int] = text[start : start + _BEGINNING_TOKENS].tolist()
        beginning: list[int] = []
        words = 0
        for token in window:
            words += bool(starts_word[token])
            if words > _BEGINNING_WORDS or not is_word[token]:
                break
            beginning.append(token)
        if words >= _BEGINNING_WORDS and len(beginning) >= _BEGINNING_WORDS and starts_word[beginning[0]]:
            found[tuple(beginning)] += 1
    first_words: set[int] = set()
    chosen: list[list[int]] = []
    # Break ties by ids, for the same result on every machine; more frequent words have smaller ids.
    for frequent, _ in sorted(found.items(), key=lambda entry: (-entry[1], entry[0])):
        if frequent[0] not in first_words:
            first_words.add(frequent[0])
            chosen.append(list(frequent))
        if len(chosen) == 2 * PROMPTS:
            break
    words_by_count = np.argsort(-np.where(is_word & starts_word, vocabulary.counts, 0), kind="stable")[
        :PROMPTS
    ]
    return chosen + [[int(token)] for token in words_by_count if is_word[token] and starts_word[token]]


def _is_word(token: str) -> bool:
    return token.translate(_CLEAN).isalpha()
