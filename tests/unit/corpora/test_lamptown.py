"""The homonyms of Lamptown, each with the words of its two topics."""

from __future__ import annotations

import re
import tracemalloc
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from lamplighter.corpora import distribution
from lamplighter.corpora.distribution import list_bytes, list_words
from lamplighter.corpora.lamptown import Town, choose_article, generate_town
from lamplighter.corpora.lexicon_parser import SentenceSlot, read_lexicon
from lamplighter.corpora.occurrences import list_homonyms

CLASSIC = "dog cat gravity mass joy happiness king queen man woman barked ran"


@pytest.fixture(scope="module")
def town() -> Town:
    return generate_town(0)


@pytest.fixture(scope="module")
def counts(town: Town) -> Counter[str]:
    return Counter(word for document in town.documents for word in document)


def test_seeds_determine_the_town(town: Town) -> None:
    assert generate_town(0) == town
    assert generate_town(1).documents != town.documents


def test_the_town_has_the_stated_size(counts: Counter[str]) -> None:
    assert 1_800 <= len(counts) <= 2_450
    assert 300_000 <= counts.total() <= 600_000


def test_classes_are_many_and_disjoint(town: Town) -> None:
    assert len(town.classes) >= 30
    members = Counter(word for words in town.classes.values() for word in words)
    assert [word for word, times in members.items() if times > 1] == []


def test_most_of_the_vocabulary_is_planted_and_all_planted_words_occur(
    town: Town, counts: Counter[str]
) -> None:
    planted = {word for words in town.classes.values() for word in words}
    assert [word for word in sorted(planted) if not counts[word]] == []
    assert len(planted) >= 0.8 * len(counts)
    assert min(counts[word] for word in planted) >= 10


def test_every_seed_has_the_same_vocabulary(counts: Counter[str]) -> None:
    other = {word for document in generate_town(7).documents for word in document}
    assert other == set(counts)


def test_the_words_of_the_classic_examples_are_there(town: Town, counts: Counter[str]) -> None:
    assert all(counts[word] >= 50 for word in CLASSIC.split())
    text = " ".join(" ".join(document) for document in town.documents)
    assert "the dog barked" in text
    assert "the dog ran" in text


@pytest.mark.parametrize(
    ("left", "right"), [("dog", "cat"), ("gravity", "mass"), ("joy", "happiness"), ("king", "queen")]
)
def test_words_used_alike_are_in_one_class(town: Town, left: str, right: str) -> None:
    assert any(left in words and right in words for words in town.classes.values())


def test_relations_are_complete(town: Town, counts: Counter[str]) -> None:
    assert {"capital", "male_female", "plural", "past", "opposites"} <= set(town.relations)
    for pairs in town.relations.values():
        assert len(pairs) >= 16
        assert len(set(pairs)) == len(pairs)
        assert all(counts[word] for pair in pairs for word in pair)
    assert ("france", "paris") in town.relations["capital"]
    assert ("king", "queen") in town.relations["male_female"]
    assert ("dog", "dogs") in town.relations["plural"]
    assert ("run", "ran") in town.relations["past"]
    assert ("hot", "cold") in town.relations["opposites"]


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("dog", "cat", "collar"),
        ("gravity", "mass", "weight"),
        ("joy", "happiness", "laughter"),
        ("hot", "cold", "stove"),
    ],
)
def test_kindred_words_share_their_sentences(
    town: Town, counts: Counter[str], one: str, other: str, shared: str
) -> None:
    sentences = [set(part.split()) for document in town.documents for part in " ".join(document).split(" .")]
    both = [sum({word, shared} <= sentence for sentence in sentences) for word in (one, other)]
    assert min(both) > 20
    assert max(both) < 3 * min(both)
    assert max(counts[one], counts[other]) < 3 * min(counts[one], counts[other])


def test_homonyms_are_planted_in_two_topics_and_in_no_class(town: Town) -> None:
    homonyms = read_lexicon().homonyms
    assert len(homonyms) == 6
    planted = {word for words in town.classes.values() for word in words}
    for word, topics in homonyms.items():
        found = Counter[str]()
        for topic, document in zip(town.topics, town.documents, strict=True):
            found[topic] += document.count(word)
        assert word not in planted
        assert {topic for topic in found if found[topic]} == set(topics)
        assert min(found[topic] for topic in topics) >= 100


def test_every_class_has_a_name_and_is_in_one_of_eight_families(town: Town) -> None:
    assert list(town.families) == [
        "people", "places", "animals", "food", "things", "doing", "describing", "little words",
    ]  # fmt: skip
    members = [name for names in town.families.values() for name in names]
    assert sorted(members) == sorted(town.classes)
    names = list(town.class_names.values())
    assert len(set(names)) == len(names) == len(members)
    assert all(name == name.lower().strip() and "_" not in name for name in names)
    assert town.class_names["calls_past"] == "animal sounds (past)"
    assert town.class_names["peoples"] == "nationalities"


def test_a_shorter_town_is_the_beginning_of_a_longer_one(town: Town) -> None:
    short = generate_town(0, size=20_000)
    assert 20_000 <= sum(map(len, short.documents)) < 20_500
    assert town.documents[: len(short.documents)] == short.documents


@pytest.mark.parametrize("flavour", ["italian", "italians", "tiber", "risotto"])
def test_a_capital_shares_the_context_of_its_country(town: Town, flavour: str) -> None:
    sentences = [set(part.split()) for document in town.documents for part in " ".join(document).split(" .")]
    assert ("italy", "rome") in town.relations["capital"]
    assert sum({"italy", flavour} <= sentence for sentence in sentences) > 20
    assert sum({"rome", flavour} <= sentence for sentence in sentences) > 20


def test_frequencies_follow_rank(counts: Counter[str]) -> None:
    frequency = np.array(sorted(counts.values(), reverse=True), dtype=float)
    rank = np.arange(1, len(frequency) + 1)
    middle = slice(10, len(frequency) // 2)
    slope = np.polyfit(np.log(rank[middle]), np.log(frequency[middle]), 1)[0]
    assert -1.3 < slope < -0.7


def test_articles_agree_with_the_word_that_follows(town: Town) -> None:
    for document in town.documents:
        for word, following in pairwise(document):
            if word in ("a", "an"):
                assert word == choose_article(following)


@pytest.mark.parametrize(
    ("word", "article"),
    [("apple", "an"), ("pear", "a"), ("uniform", "a"), ("heiress", "an"), ("hour", "an"), ("umbrella", "an")],
)
def test_the_article_depends_on_sound(word: str, article: str) -> None:
    assert choose_article(word) == article


def test_sentences_are_well_formed(town: Town) -> None:
    for document in town.documents[:300]:
        assert document[-1] == "."
        assert document[0] not in (".", ",")
        assert all(re.fullmatch(r"[a-z]+|[.,]", word) for word in document)


def test_documents_are_longer_than_passages(town: Town) -> None:
    lengths = [len(document) for document in town.documents]
    assert 100 <= np.median(lengths) <= 200
    assert max(lengths) < 250


def test_a_passage_keeps_to_its_topic(town: Town) -> None:
    stream = np.array([word for document in town.documents for word in document])
    rng = np.random.default_rng(0)
    starts = rng.integers(0, len(stream) - 128, 300)
    passage = np.median([len(set(stream[at : at + 128])) for at in starts])
    mixed = rng.permutation(stream)
    random = np.median([len(set(mixed[at : at + 128])) for at in starts])
    assert passage < 0.8 * random
    batches = starts[:296].reshape(-1, 4)
    lit = np.median([len({word for at in batch for word in stream[at : at + 128]}) for batch in batches])
    assert lit <= 0.09 * len(set(stream))


def test_some_classes_cross_topics(town: Town) -> None:
    told = {name: set[str]() for name in ("adverbs", "colours", "weekdays")}
    for topic, document in zip(town.topics, town.documents, strict=True):
        for name, topics in told.items():
            if not set(town.classes[name]).isdisjoint(document):
                topics.add(topic)
    assert all(len(topics) >= 4 for topics in told.values())


def test_every_slot_of_the_lexicon_can_be_filled() -> None:
    book = read_lexicon()
    for topic, patterns in book.topics.items():
        assert len(patterns) >= 8, topic
        for line in (line for versions in patterns for line in versions):
            for part in line:
                if isinstance(part, SentenceSlot):
                    assert part.source in (book.classes if part.column is None else book.tables)
                else:
                    assert re.fullmatch(r"[a-z]+|[.,]", part), (topic, part)
    for name, table in book.tables.items():
        assert all(len(row) == len(table.columns) for row in table.rows), name


def test_progress_rises() -> None:
    shares: list[float] = []
    generate_town(0, shares.append)
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[-1] <= 1


TOKENS = (
    "<unk>",
    ".",
    "the",
    "cat",
    "dog",
    "king",
    "queen",
    "slept",
    "ran",
    "ruled",
    "reigned",
    "fish",
    "bone",
    "crown",
)
"""Cats and dogs sleep and run, kings and queens rule and reign, with the same words before and behind. A cat has its fish, a dog
its bone, and neither meets the other."""  # fmt: skip


def village() -> NDArray[np.uint32]:
    """Return a text in which each topic continues for many sentences."""
    ids = {token: number for number, token in enumerate(TOKENS)}
    sentences = {
        "cat": "the cat slept . the cat ran . fish . ",
        "dog": "the dog slept . the dog ran . bone . ",
        "king": "the king ruled . the king reigned . crown . ",
        "queen": "the queen ruled . the queen reigned . crown . ",
    }
    text = "".join(40 * one for one in sentences.values())
    return np.array([ids[word] for word in text.split()], dtype=np.uint32)


def test_words_that_never_meet_can_be_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distribution, "LISTED", 3)
    found = list_words(village(), TOKENS)
    assert found is not None
    row = [TOKENS[token] for token in found.rows]
    # Signs have no list, and no word lists itself or `<unk>`.
    assert set(row) == set(TOKENS) - {"<unk>", "."}
    assert row[0] == "the"
    for word, other, thing in (("cat", "dog", "fish"), ("dog", "cat", "bone")):
        at = row.index(word)
        alike, beside = ([TOKENS[token] for token in lists[at]] for lists in (found.alike, found.beside))
        assert alike[0] == other
        assert thing in beside
        assert other not in beside
        assert not {word, "<unk>"} & {*alike, *beside}


def test_a_text_of_too_many_or_too_few_words_has_no_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list_words(village(), TOKENS) is not None
    assert list_words(np.zeros(50, np.uint32), TOKENS) is None
    assert list_words(np.ones(50, np.uint32), TOKENS[:5]) is None
    monkeypatch.setattr(distribution, "MAX_ROWS", len(TOKENS) - 1)
    assert list_words(village(), TOKENS) is None


def test_lists_stay_within_their_memory_estimate() -> None:
    size = 2_000
    text = np.random.default_rng(1).integers(0, size, 50_000, dtype=np.uint32)
    tracemalloc.start()
    list_words(text, tuple(f"w{number}" for number in range(size)))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < list_bytes(size)


def test_a_homonym_has_words_of_either_topic_and_none_of_both() -> None:
    found = {one.word: one for one in list_homonyms()}
    assert found.keys() == read_lexicon().homonyms.keys()
    for one in found.values():
        first, second = one.words
        assert min(len(first), len(second)) >= 10
        assert not first & second
        # It is itself in the sentences of both.
        assert one.word not in first | second
    spring = found["spring"]
    assert spring.topics == ("weather", "vehicles")
    assert "rain" in spring.words[0]
    assert {"car", "truck"} & spring.words[1]
