from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from lamplighter.contract.recipe import CorpusRecipe
from lamplighter.corpora.build import build_corpus
from lamplighter.corpora.corpus import Corpus, CorpusError
from lamplighter.wire.vocabulary import Vocabulary


@pytest.fixture(scope="module")
def town() -> Corpus:
    return build_corpus(CorpusRecipe(), 0)


def same(one: Corpus, two: Corpus) -> bool:
    return (
        np.array_equal(one.token_ids, two.token_ids)
        and one.vocabulary.tokens == two.vocabulary.tokens
        and one.vocabulary.classes == two.vocabulary.classes
        and one.vocabulary.relations == two.vocabulary.relations
        and one.tokeniser == two.tokeniser
    )


def test_lamptown_is_reproducible(town: Corpus) -> None:
    assert same(town, build_corpus(CorpusRecipe(), 0))
    assert not same(town, build_corpus(CorpusRecipe(), 1))
    assert town.token_ids.dtype == np.uint32


def test_lamptown_has_its_ground_truth(town: Corpus) -> None:
    vocabulary = town.vocabulary
    ids = {token: number for number, token in enumerate(vocabulary.tokens)}
    assert ids["dog"] in vocabulary.classes["animals"]
    assert ids["cat"] in vocabulary.classes["animals"]
    relations = {relation.name: relation.pairs for relation in vocabulary.relations}
    assert (ids["france"], ids["paris"]) in relations["capital"]
    assert (ids["king"], ids["queen"]) in relations["male female"]
    members = [number for numbers in vocabulary.classes.values() for number in numbers]
    assert len(members) == len(set(members))
    assert vocabulary.counts[0] == 0, "nothing in the town is unknown"
    assert vocabulary.counts[1:].min() > 0
    assert vocabulary.counts.sum() == len(town.token_ids)


def test_the_classes_of_lamptown_are_in_families(town: Corpus) -> None:
    vocabulary = town.vocabulary
    assert len(vocabulary.families) == 8
    assert vocabulary.family_of()["animal sounds (past)"] == "doing"
    assert vocabulary.family_of().keys() == vocabulary.classes.keys()
    assert Vocabulary.from_json(vocabulary.to_json()).families == vocabulary.families


def test_lamptown_holds_out_the_town_of_the_next_seed(town: Corpus) -> None:
    assert town.held_out is not None
    assert (len(town.held_out), town.held_out.dtype) == (50_000, np.uint32)
    assert town.held_out.min() > 0, "no word is unknown"
    other = build_corpus(CorpusRecipe(), 1)
    words, read = np.array(other.vocabulary.tokens), np.array(town.vocabulary.tokens)
    assert (words[other.token_ids[:50_000]] == read[town.held_out]).all()
    control = build_corpus(CorpusRecipe(shuffle_words=True), 0).held_out
    assert control is not None
    assert not np.array_equal(control, town.held_out)


def test_holds_out_the_last_tenth_of_a_long_text() -> None:
    recipe = CorpusRecipe(kind="text", vocabulary_size=200)
    words = [f"word{n % 150}" for n in range(18_000)] + ["word1", "unseen"] * 1_000
    for paragraphs in (1, 7, 4_000):
        cuts = np.linspace(0, len(words), paragraphs + 1).astype(int)
        text = "\n\n".join(" ".join(words[a:b]) for a, b in pairwise(cuts.tolist()))
        corpus = build_corpus(recipe, 0, text)
        assert len(corpus.token_ids) == 18_000
        assert corpus.held_out is not None
        assert [corpus.vocabulary.tokens[i] for i in corpus.held_out[:2]] == ["word1", "<unk>"]
        assert len(corpus.held_out) == 2_000
        assert "unseen" not in corpus.vocabulary.tokens, "the trainer reads none of it"


def test_reads_a_short_text_whole() -> None:
    corpus = build_corpus(CorpusRecipe(kind="text"), 0, "word " * 19_999)
    assert len(corpus.token_ids) == 19_999
    assert corpus.held_out is None


def test_the_control_keeps_documents_but_not_word_order(town: Corpus) -> None:
    control = build_corpus(CorpusRecipe(shuffle_words=True), 0)
    assert control.vocabulary.tokens == town.vocabulary.tokens
    assert np.array_equal(control.vocabulary.counts, town.vocabulary.counts)
    assert not np.array_equal(control.token_ids, town.token_ids)
    # The control shuffles words within each document, so the first document keeps its words.
    size = 100
    assert len(np.intersect1d(control.token_ids[:size], town.token_ids[:size])) > 20


def test_lamptown_in_pieces_keeps_the_classes_of_whole_words() -> None:
    corpus = build_corpus(CorpusRecipe(tokeniser="bpe", vocabulary_size=2_000), 0)
    ids = {token: number for number, token in enumerate(corpus.vocabulary.tokens)}
    assert ids["▁dog"] in corpus.vocabulary.classes["animals"]


def test_a_small_vocabulary_drops_rare_members() -> None:
    corpus = build_corpus(CorpusRecipe(vocabulary_size=500), 0)
    assert len(corpus.vocabulary) == 500
    assert all(number < 500 for numbers in corpus.vocabulary.classes.values() for number in numbers)


def test_builds_any_text() -> None:
    recipe = CorpusRecipe(kind="text", name="a text", vocabulary_size=50)
    corpus = build_corpus(recipe, 0, text="One two, three.\n\nFour five six!\n" * 200)
    assert corpus.vocabulary.classes == {}
    assert "three" in corpus.vocabulary.tokens
    assert len(corpus.token_ids) == 1_800


def test_a_short_text_is_rejected_with_the_needed_length() -> None:
    with pytest.raises(
        CorpusError, match=r"This text has 3 words\. 1,000 are needed; clear neighbourhoods need about"
    ):
        build_corpus(CorpusRecipe(kind="text", name="a.txt"), 0, text="one two three")
    with pytest.raises(CorpusError, match="none was given"):
        build_corpus(CorpusRecipe(kind="text"), 0)


def test_the_control_is_reproducible() -> None:
    recipe = CorpusRecipe(kind="text", shuffle_words=True)
    text = "one two three four five six seven\n\n" * 200
    one, two, other = (build_corpus(recipe, seed, text).token_ids for seed in (0, 0, 1))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)
    assert all(len(set(document)) == 7 for document in one.reshape(-1, 7).tolist())


def test_progress_rises_to_one() -> None:
    told: list[tuple[float, str]] = []
    recipe = CorpusRecipe(kind="text")
    build_corpus(recipe, 0, "a word\n\n" * 1_000, lambda share, what: told.append((share, what)))
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert all(what for _, what in told)
