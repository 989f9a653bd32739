"""Lamptown: a generated town of about 2,400 words with a known ground truth.

Real text has no answer key. In this town every word's class, every pair's relation and every document's topic is
planted, so a map of what a model learned can be marked. It is learnable for the same reasons as real text, only more
densely: words of a class fill the same slots beside the same neighbours, pairs share their context (a country and its
capital have the same river and dish), and a document keeps to one topic and to a few of its words. Kindred words (dog
and cat, joy and happiness) appear in the same sentences, so that they become near neighbours; opposites differ in one
aspect, so that they differ in one direction; homonyms mean different things in different topics.

Words are dealt by quota, not drawn at random: each word of a class has a weight that falls with its rank (Zipf) to a
floor, and the word furthest behind its quota is dealt next, up to a jitter. So rare words are rare but never missing,
in every town of every seed.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lamplighter.corpora.lexicon_parser import Lexicon, Pattern, Sentence, SentenceSlot, read_lexicon
from lamplighter.corpora.planted import plant

TOWN_TOKENS = 500_000
"""Approximate length of the town's text, in tokens."""
DOCUMENT_TOKENS = 150
"""Approximate length of a document: longer than four windows of 32, so a passage mostly keeps to one topic."""

_SENTENCES_KEPT = 8
"""Number of different sentence patterns in a document."""
_CAST = 3
"""Number of words of a class, or rows of a table, in a document."""
_FLOOR = 0.045
"""Constant added to every Zipf weight, so that the last word of a long list still occurs often enough to be
learned."""
_JITTER = 6.0
"""Uses by which a word may be dealt early or late, so that the same words do not always occur together."""

_VOWELS = frozenset("aeiou")
_SAID_WITH_A_CONSONANT = ("uni", "use", "euro", "one", "ukulele", "ewe")
_SAID_WITH_A_VOWEL = ("hour", "honest", "heir", "honour")


@dataclass(frozen=True)
class Town:
    """A generated text and its ground truth."""

    documents: list[list[str]]
    """Words and punctuation marks, each document on one topic."""
    topics: list[str]
    """The topic of each document."""
    classes: dict[str, list[str]]
    class_names: dict[str, str]
    """The displayed name of each class."""
    families: dict[str, list[str]]
    """Families of classes: name to classes."""
    relations: dict[str, list[tuple[str, str]]]


class _QuotaDealer:
    """A dealer of the numbers 0 to n-1 by quota: those with larger weights more often, but each sometimes."""

    def __init__(self, weights: list[float], rng: random.Random) -> None:
        self._weights = weights
        self._uses = [0] * len(weights)
        self._random = rng.random

    def deal(self, count: int) -> list[int]:
        """Return `count` different numbers (all if there are fewer), those furthest behind their quota."""
        rand = self._random
        due = sorted(
            ((used + _JITTER * rand()) / weight, number)
            for number, (used, weight) in enumerate(zip(self._uses, self._weights, strict=True))
        )
        return [number for _, number in due[:count]]

    def use(self, number: int) -> None:
        self._uses[number] += 1


def _zipf(count: int) -> list[float]:
    return [1.0 / (rank + 1.7) + _FLOOR for rank in range(count)]


def choose_article(following: str) -> str:
    if following.startswith(_SAID_WITH_A_VOWEL):
        return "an"
    if following.startswith(_SAID_WITH_A_CONSONANT):
        return "a"
    return "an" if following[0] in _VOWELS else "a"


class _DocumentWriter:
    """A writer of documents that tracks the dealt words, so that they meet their quotas over the whole town."""

    def __init__(self, lexicon: Lexicon, rng: random.Random) -> None:
        self._lexicon = lexicon
        self._random = rng.random
        self._decks = {name: _QuotaDealer(_zipf(len(words)), rng) for name, words in lexicon.classes.items()}
        self._decks |= {
            f"[{name}]": _QuotaDealer(_zipf(len(table.rows)), rng) for name, table in lexicon.tables.items()
        }
        self._patterns = {
            topic: _QuotaDealer([1.0] * len(patterns), rng) for topic, patterns in lexicon.topics.items()
        }

    def _pick(self, things: list[int]) -> int:
        return things[int(self._random() * len(things))]

    def write_document(self, topic: str) -> list[str]:
        """Write one document from a few sentence patterns and a small cast, until it is long enough."""
        known = self._lexicon.topics[topic]
        patterns = self._patterns[topic].deal(_SENTENCES_KEPT)
        for pattern in patterns:
            self._patterns[topic].use(pattern)
        casts: dict[str, list[int]] = {}
        used: set[tuple[str, ...]] = set()
        document: list[str] = []
        length = DOCUMENT_TOKENS * (0.8 + 0.4 * self._random())
        tries = 0
        while len(document) < length and tries < 100:
            tries += 1
            versions = known[self._pick(patterns)]
            sentence = tuple(self._render_sentence(versions[int(self._random() * len(versions))], casts))
            if sentence not in used:
                used.add(sentence)
                document.extend(sentence)
        return document

    def _render_sentence(self, sentence: Sentence, casts: dict[str, list[int]]) -> list[str]:
        lexicon, decks = self._lexicon, self._decks
        rows: dict[str, list[int]] = {}
        spoken: dict[str, int] = {}
        words: list[str] = []
        for part in sentence:
            if not isinstance(part, SentenceSlot):
                words.append(part)
                continue
            name = part.source if part.column is None else f"[{part.source}]"
            cast = casts.get(name)
            if cast is None:
                cast = casts[name] = decks[name].deal(_CAST)
            if part.column is None:
                number = self._pick(cast)
                # If a class occurs twice in a sentence, use two different words of it.
                if spoken.get(name) == number:
                    number = cast[(cast.index(number) + 1) % len(cast)]
                spoken[name] = number
                decks[name].use(number)
                words.append(lexicon.classes[name][number])
                continue
            chosen = rows.get(name)
            if chosen is None:
                first = int(self._random() * len(cast))
                second = (first + 1 + int(self._random() * (len(cast) - 1))) % len(cast)
                chosen = rows[name] = [cast[first], cast[second]]
            number = chosen[part.row_index]
            decks[name].use(number)
            words.append(lexicon.tables[part.source].rows[number][part.column])
        for index, word in enumerate(words):
            if word == "a":
                words[index] = choose_article(words[index + 1])
        return words


def _topic_weights(lexicon: Lexicon) -> dict[str, float]:
    """Return the topics' weights, which grow with their unique words, so that all words are frequent enough."""
    stems = {topic: _sources_of_topic(patterns) for topic, patterns in lexicon.topics.items()}
    topic_counts = Counter(stem for found in stems.values() for stem in found)

    def size(stem: str) -> int:
        table = lexicon.tables.get(stem)
        return len(lexicon.classes[stem]) if table is None else len(table.rows) * len(table.columns)

    return {
        topic: lexicon.topic_emphasis[topic] * sum(size(stem) / topic_counts[stem] for stem in found)
        for topic, found in stems.items()
    }


def _sources_of_topic(patterns: list[Pattern]) -> list[str]:
    slots = (
        part for versions in patterns for line in versions for part in line if isinstance(part, SentenceSlot)
    )
    return sorted({slot.source for slot in slots})


def generate_town(
    seed: int,
    progress: Callable[[float], None] | None = None,
    size: int = TOWN_TOKENS,
    planted: Sequence[str] = (),
) -> Town:
    """Generate the town of a seed, identical on every machine; raise CorpusError if it already has a planted
    word.

    `size`: approximate length in tokens; a shorter town is the beginning of a longer one. `planted`: rows of
    two words and their sign (`CorpusRecipe.planted`).
    """
    lexicon = read_lexicon()
    plant(lexicon, planted)
    # Python guarantees the same sequence between versions only for random().
    rng = random.Random(f"lamptown {seed}")
    writer = _DocumentWriter(lexicon, rng)
    topics = list(lexicon.topics)
    weights = _topic_weights(lexicon)
    calendar = _QuotaDealer([weights[topic] for topic in topics], rng)
    documents: list[list[str]] = []
    document_topics: list[str] = []
    tokens = 0
    while tokens < size:
        [number] = calendar.deal(1)
        calendar.use(number)
        document = writer.write_document(topics[number])
        documents.append(document)
        document_topics.append(topics[number])
        tokens += len(document)
        if progress is not None and len(documents) % 200 == 0:
            progress(min(1.0, tokens / size))
    return Town(
        documents,
        document_topics,
        lexicon.classes,
        lexicon.class_names,
        lexicon.families,
        lexicon.relations,
    )
