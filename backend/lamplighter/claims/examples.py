"""The words and sentences that a board is about: well-known ones of Lamptown, or else some of the run's own."""

from __future__ import annotations

import numpy as np

from lamplighter.corpora.kindred import KINDRED
from lamplighter.wire.vocabulary import Vocabulary

_SENTENCES = ("the dog barked in the basket", "the cat and the dog each wear a collar")
_OPPOSITES = "opposites"
_WORDS = 6
"""Words that two sentences of another text are made of."""
_LOOKED_THROUGH = 1_000
"""Most frequent tokens that are looked through for them."""


def choose_words(vocabulary: Vocabulary) -> tuple[str | None, str | None]:
    """Return a word to look at and one that belongs with it: a pair that everybody knows, or else the two most frequent
    words of the class with the most words; None where there is none."""
    known = set(vocabulary.tokens)
    for one, other in KINDRED:
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


def choose_sentences(vocabulary: Vocabulary) -> tuple[str, str] | None:
    """Return two sentences that share two words; None where there are not words enough. Those of another text are its most
    frequent words in a row and say nothing: a class may see them where the text itself is withheld."""
    known = set(vocabulary.tokens)
    if all(word in known for text in _SENTENCES for word in text.split()):
        return _SENTENCES
    by_count = np.argsort(-vocabulary.counts, kind="stable")[:_LOOKED_THROUGH]
    # Signs and pieces of words are left out, since a sentence is read as a person would type it.
    words = [vocabulary.tokens[token] for token in by_count if vocabulary.tokens[token].isalpha()][:_WORDS]
    if len(words) < _WORDS:
        return None
    one, two, three, four, five, six = words
    return f"{one} {three} {two} {five}", f"{four} {three} {six} {five}"
