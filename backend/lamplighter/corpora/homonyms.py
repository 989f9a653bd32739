"""The homonyms of Lamptown: words that mean something else in each of two topics, with the words of either topic."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache

from lamplighter.corpora.lexicon_parser import Lexicon, SentenceSlot, read_lexicon

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
