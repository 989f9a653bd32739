"""The words and sentences that a board is about: well-known ones of Lamptown, or else some of the run's own."""

from __future__ import annotations

import numpy as np

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.wire.vocabulary import Vocabulary

_PAIRS = (("dog", "cat"), ("gravity", "mass"), ("joy", "happiness"))
_SENTENCES = ("the dog barked in the basket", "the cat and the dog each wear a collar")
_OPPOSITES = "opposites"
_WORDS = 5
"""Words of a sentence taken from the text."""
_READ = 100_000
"""Tokens of the text that are looked through for one."""


def choose_words(vocabulary: Vocabulary) -> tuple[str | None, str | None]:
    """Return a word to look at and one that belongs with it: a pair that everybody knows, or else the two most frequent
    words of the class with the most words; None where there is none."""
    known = set(vocabulary.tokens)
    for one, other in _PAIRS:
        if one in known and other in known:
            return one, other
    largest = max(vocabulary.classes.values(), key=len, default=())
    ids = sorted(largest, key=lambda token: -int(vocabulary.counts[token]))
    words = [vocabulary.tokens[token] for token in ids[:2]]
    return (words[0] if words else None, words[1] if len(words) > 1 else None)


def choose_opposites(vocabulary: Vocabulary) -> tuple[str, str] | None:
    """Return two words of opposite meaning; None where none are planted."""
    for relation in vocabulary.relations:
        if relation.name == _OPPOSITES and relation.pairs:
            one, other = relation.pairs[0]
            return vocabulary.tokens[one], vocabulary.tokens[other]
    return None


def choose_sentences(run: RunFolder) -> tuple[str, str] | None:
    """Return two sentences that share a word; None where the run has no text. Those of another text are taken from it:
    words around two places of the same word.

    Raises:
        FileNotFoundError: there is no text.
        FormatError: the text cannot be read.
    """
    vocabulary = run.vocabulary
    known = set(vocabulary.tokens)
    if all(word in known for text in _SENTENCES for word in text.split()):
        return _SENTENCES
    # Signs and pieces of words are left out, since a sentence is read as a person would type it.
    whole = np.array([token.isalpha() for token in vocabulary.tokens])
    read = np.asarray(run.token_ids[:_READ]).astype(np.int64)
    words = read[whole[read]]
    for place in range(_WORDS, len(words) - _WORDS):
        again = np.flatnonzero(words[place + _WORDS : -_WORDS] == words[place])
        if len(again):
            other = place + _WORDS + int(again[0])
            first, second = (words[at - _WORDS + 2 : at + 2] for at in (place, other))
            if not np.array_equal(first, second):
                return _join(vocabulary, first), _join(vocabulary, second)
    return None


def _join(vocabulary: Vocabulary, ids: np.ndarray) -> str:
    return " ".join(vocabulary.tokens[int(token)] for token in ids)
