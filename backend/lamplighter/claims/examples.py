"""The example words and sentences of a board: well-known ones of Lamptown, or else from the run's text."""

from __future__ import annotations

import numpy as np

from lamplighter.corpora.kindred import KINDRED
from lamplighter.wire.vocabulary import Vocabulary

_SENTENCES = ("the dog barked in the basket", "the cat and the dog each wear a collar")
_OPPOSITES = "opposites"
_WORDS = 6
"""Words that make up two sentences in another text."""
_LOOKED_THROUGH = 1_000
"""Maximum frequent tokens searched for them."""


def choose_words(vocabulary: Vocabulary) -> tuple[str | None, str | None]:
    """Return a well-known word and a related one, or else the two most frequent of the largest class, or
    None.
    """
    known = set(vocabulary.tokens)
    for one, other in KINDRED:
        if one in known and other in known:
            return one, other
    largest = max(vocabulary.classes.values(), key=len, default=())
    ids = sorted(largest, key=lambda token: -int(vocabulary.counts[token]))
    words = [vocabulary.tokens[token] for token in ids[:2]]
    return (words[0] if words else None, words[1] if len(words) > 1 else None)


def choose_opposites(vocabulary: Vocabulary) -> tuple[str, str] | None:
    """Return two words of opposite meaning; None if none are planted."""
    for relation in vocabulary.relations:
        if relation.name == _OPPOSITES and relation.pairs:
            one, other = relation.pairs[0]
            return vocabulary.tokens[one], vocabulary.tokens[other]
    return None


def choose_sentences(vocabulary: Vocabulary) -> tuple[str, str] | None:
    """Return two sentences that share two words; None if there are too few words.

    For another text they are just its most frequent words in a row, because a class may see them even if the
    text is withheld.
    """
    known = set(vocabulary.tokens)
    if all(word in known for text in _SENTENCES for word in text.split()):
        return _SENTENCES
    by_count = np.argsort(-vocabulary.counts, kind="stable")[:_LOOKED_THROUGH]
    # Skip punctuation and word pieces: a sentence is tokenised as if a person had typed it.
    words = [vocabulary.tokens[token] for token in by_count if vocabulary.tokens[token].isalpha()][:_WORDS]
    if len(words) < _WORDS:
        return None
    one, two, three, four, five, six = words
    return f"{one} {three} {two} {five}", f"{four} {three} {six} {five}"
