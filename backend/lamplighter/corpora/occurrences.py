"""Occurrences of words in a text, with the text before them, and the homonyms of Lamptown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from lamplighter.corpora.lexicon_parser import Lexicon, SentenceSlot, read_lexicon
from lamplighter.wire.vocabulary import Vocabulary

_MAX_TOPICS = 2
"""Topics that a topic's own word may be in."""


@dataclass(frozen=True)
class Homonym:
    """A word with a meaning in each of two topics."""

    word: str
    topics: tuple[str, str]
    words: tuple[frozenset[str], frozenset[str]]
    """The words that are in either topic's sentences, not in the other's, and in few further topics."""


@cache
def list_homonyms() -> tuple[Homonym, ...]:
    lexicon = read_lexicon()
    of_topic = {topic: _words_of(lexicon, topic) for topic in lexicon.topics}
    topics_of = Counter(word for words in of_topic.values() for word in words)
    # Names, months and the like are in many topics, and say nothing about one of them.
    own = {
        topic: frozenset(word for word in words if topics_of[word] <= _MAX_TOPICS)
        for topic, words in of_topic.items()
    }
    return tuple(
        Homonym(word, (one, other), (own[one] - of_topic[other], own[other] - of_topic[one]))
        for word, (one, other) in lexicon.homonyms.items()
    )


def _words_of(lexicon: Lexicon, topic: str) -> frozenset[str]:
    parts = {part for pattern in lexicon.topics[topic] for sentence in pattern for part in sentence}
    words = {part for part in parts if isinstance(part, str)}
    for slot in parts:
        if isinstance(slot, SentenceSlot):
            rows = lexicon.tables[slot.source].rows if slot.source in lexicon.tables else ()
            own = (
                lexicon.classes.get(slot.source, [])
                if slot.column is None
                else [row[slot.column] for row in rows]
            )
            words.update(own)
    return frozenset(words)


WINDOW = 12
"""Tokens of an occurrence: the text before the word, and the word, which is last. As all have the same length, the word is at
the same position in all, so that nothing but the text before it can tell two occurrences apart."""
PER_MEANING = 6
MAX_WORDS = 8
_AROUND = 20
"""Tokens on either side that tell the meaning of an occurrence."""
_MIN_LETTERS = 4
_CLEAR = 3
"""A meaning is clear if it has at least two words around, and so many times as many as the other."""


@dataclass(frozen=True)
class Occurrence:
    """A word at a place in a text."""

    ids: NDArray[np.int64]
    """The tokens up to and with the word, shape (WINDOW,)."""
    word: str
    meaning: str
    """The topic that tells its meaning; empty if it has one meaning, or it is not known."""


def find_occurrences(
    text: NDArray[np.uint32], vocabulary: Vocabulary, words: Sequence[str], window: int = WINDOW
) -> list[Occurrence]:
    """Return the first occurrences of words in a text, shape (N,): `PER_MEANING` of each meaning of a
    homonym, and twice as many of any other word; none of a homonym's that are unclear. `window`: tokens of an
    occurrence.
    """
    homonyms = {homonym.word: homonym for homonym in list_homonyms()}
    plain = {token.strip("▁ "): number for number, token in reversed(list(enumerate(vocabulary.tokens)))}
    found: list[Occurrence] = []
    for word in words:
        homonym = homonyms.get(word) if vocabulary.classes else None
        room = dict.fromkeys(homonym.topics, PER_MEANING) if homonym else {"": 2 * PER_MEANING}
        for at in np.flatnonzero(text == plain.get(word, -1)).tolist():
            meaning = ""
            if homonym is not None:
                around = [vocabulary.tokens[i] for i in text[max(0, at - _AROUND) : at + _AROUND + 1]]
                one, other = (sum(token in words_of for token in around) for words_of in homonym.words)
                if max(one, other) < 2 or _CLEAR * min(one, other) > max(one, other):
                    continue
                meaning = homonym.topics[int(other > one)]
            if at + 1 >= window and room[meaning]:
                room[meaning] -= 1
                found.append(Occurrence(text[at - window + 1 : at + 1].astype(np.int64), word, meaning))
            if not any(room.values()):
                break
    return found


def choose_words(text: NDArray[np.uint32], vocabulary: Vocabulary) -> list[str]:
    """Return words whose states are worth a look: the town's homonyms, or frequent longer words."""
    known = set(vocabulary.tokens)
    if vocabulary.classes and (planted := [one.word for one in list_homonyms() if one.word in known]):
        return planted[:MAX_WORDS]
    counts = np.bincount(text, minlength=len(vocabulary))
    frequent = [vocabulary.tokens[i].strip("▁ ") for i in np.argsort(-counts, kind="stable") if counts[i]]
    return [word for word in frequent if len(word) >= _MIN_LETTERS and word.isalpha()][:MAX_WORDS]


def read_aloud(ids: NDArray[np.int64], vocabulary: Vocabulary) -> str:
    """Return the text of tokens, with spaces between words, or where pieces of words have them."""
    tokens = [vocabulary.tokens[i] for i in ids]
    if any(token.startswith("▁") for token in vocabulary.tokens):
        return "".join(tokens).replace("▁", " ").strip()
    return " ".join(tokens)
