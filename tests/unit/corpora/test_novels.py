from __future__ import annotations

from lamplighter.contract.recipe import CorpusRecipe
from lamplighter.corpora.build import build_corpus
from lamplighter.corpora.novels import TITLES, read_novels


def test_the_novels_are_complete() -> None:
    text = read_novels()
    assert 1_300_000 < len(text) < 1_400_000
    second = text.index(TITLES[1].upper())
    assert text.startswith(TITLES[0].upper())
    # The first and the last sentence of each.
    first = text[:second].split("\n\n")
    assert first[3].startswith("It is a truth universally acknowledged")
    assert text[:second].rstrip().endswith("had been the means of uniting them.")
    assert "The family of Dashwood had long been settled in Sussex." in text[second : second + 300]
    assert text.endswith("coolness between their husbands.\n")
    # Marks of emphasis would become tokens, and the text must not contain a trademarked name.
    assert not set("_*[]") & set(text)
    assert "gutenberg" not in text.lower()


def test_nothing_is_planted_in_the_novels() -> None:
    corpus = build_corpus(CorpusRecipe(kind="novels"), 0)
    vocabulary = corpus.vocabulary
    assert len(vocabulary) == 4_000
    assert {"elizabeth", "elinor", "mother", "sister"} < set(vocabulary.tokens)
    assert (vocabulary.classes, vocabulary.relations, vocabulary.families) == ({}, (), {})
    # Part of it is held out.
    assert corpus.held_out is not None
    assert 10_000 < len(corpus.held_out) < len(corpus.token_ids) / 5
