"""The homonyms of Lamptown: words that mean something else in each of two topics, with the words of either topic."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from lamplighter.corpora.lexicon_parser import Lexicon, SentenceSlot, read_lexicon


@dataclass(frozen=True)
class Homonym:
    """A word with a meaning in each of two topics."""

    word: str
    topics: tuple[str, str]
    words: tuple[frozenset[str], frozenset[str]]
    """The words of either topic that are not in the other's sentences."""


@cache
def list_homonyms() -> tuple[Homonym, ...]:
    """Return the homonyms, in the order of the lexicon."""
    lexicon = read_lexicon()
    found: list[Homonym] = []
    for word, topics in lexicon.homonyms.items():
        one, other = (_words_of(lexicon, topic) for topic in topics)
        found.append(Homonym(word, topics, (one - other, other - one)))
    return tuple(found)


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
