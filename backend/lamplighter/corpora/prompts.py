"""Prompts: the beginnings of sentences that a model is asked to continue, as token ids of its run.

Needs no torch: a server checks a prompt before it asks a model anything. A run's tokeniser may be a stranger's, so only
its tokens and merges are taken from its JSON; how a text is split is ours.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
from numpy.typing import NDArray

from lamplighter.platform.printable import quote_foreign
from lamplighter.recipe import MAX_PROMPT_TOKENS, PROMPTS, Recipe
from lamplighter.wire.vocabulary import Vocabulary

from .tokenisers import TokeniserError, encode_text, restore_tokeniser

TOWN_PROMPTS = ("the dog", "people from", "there was")
"""The prompts of Lamptown: what animals do, which country speaks what, and which feeling has which reason."""

_UNKNOWN_NAMED = 3
"""Unknown words of a prompt that are named, with similar ones: each is compared with the whole vocabulary."""
_COMPARED = 20_000
"""Tokens, the most frequent ones, among which similar ones are sought."""
_SIMILAR = 3
_CLEAN = str.maketrans("", "", "▁'’")
_ENDS = frozenset(".!?。！？…")
_SAMPLE = 2_000_000
"""Tokens of a text whose sentences are counted: enough to know which beginnings are frequent."""
_BEGINNING_WORDS = 2
_BEGINNING_TOKENS = 8
"""Tokens in which a beginning of so many words must fit."""


@dataclass(frozen=True)
class UnknownWord:
    """A word of a prompt that a model does not know."""

    word: str
    similar: tuple[str, ...]
    """The most similar words that it knows, the most similar one first; may be empty."""


class PromptError(ValueError):
    """An error for a prompt that cannot be continued; the message is one line that says why."""

    def __init__(self, message: str, unknown: tuple[UnknownWord, ...] = ()) -> None:
        super().__init__(message)
        self.unknown = unknown
        """The first words that are not known, if that is why."""


def encode_prompt(tokeniser: str, text: str, vocabulary: int) -> list[int]:
    """Return the token ids of a prompt, every one known to the model.

    Args:
        tokeniser: the run's tokeniser as JSON (`RunFolder.tokeniser`); may be a stranger's.
        text: the prompt.
        vocabulary: the number of tokens of the run, V: no id is above.

    Raises:
        PromptError: the prompt is empty, a word of it is unknown, or the tokeniser is not that of a run.
    """
    if not text.strip():
        raise PromptError("the prompt is empty: type at least one word")
    # The library takes no half of a character.
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
        raise PromptError(_explain_unknown(named, len(unknown)), named)
    if not encoded:
        raise PromptError("the prompt has no word that can be read: type at least one")
    return [token for token, _, _ in encoded]


def choose_prompts(
    recipe: Recipe, tokeniser: str, vocabulary: Vocabulary, token_ids: NDArray[np.uint32]
) -> list[list[int]]:
    """Return the prompts of a run as token ids: those of its recipe, or three that suit its text.

    Those of a town are its own; those of any other text are the three most frequent beginnings of its sentences. Such a
    beginning also takes the place of a prompt with a word that the model does not know.

    Args:
        recipe: the run's recipe.
        tokeniser: the run's tokeniser as JSON.
        vocabulary: the run's vocabulary.
        token_ids: the text, shape (N,).
    """
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
    """Return the most frequent beginnings of sentences, two words each, the most frequent one first; each begins with
    another word. Where a text has too few sentences, its most frequent words follow."""
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
    # Of equally frequent ones the one of the more frequent words, whose ids are smaller, on every machine.
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
    """Return whether a token is of letters only, apart from apostrophes and the mark of a word's start."""
    return token.translate(_CLEAN).isalpha()
