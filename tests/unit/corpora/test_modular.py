"""Sums on a clock: all of them, each once, and right."""

from __future__ import annotations

import numpy as np
import pytest

from lamplighter.contract.recipe import SUM_TOKENS, CorpusRecipe
from lamplighter.corpora.build import build_corpus
from lamplighter.corpora.modular import number_ids
from lamplighter.corpora.prompts import encode_prompt


def sums(modulus: int, share: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return the sums read and those held out, as numbers (a, b, c)."""
    corpus = build_corpus(CorpusRecipe(kind="modular", modulus=modulus, train_share=share), seed)
    assert corpus.held_out is not None
    texts = [
        [corpus.vocabulary.tokens[token] for token in ids] for ids in (corpus.token_ids, corpus.held_out)
    ]
    rows = [np.array(text).reshape(-1, SUM_TOKENS) for text in texts]
    assert all((row[:, 1] == "+").all() and (row[:, 3] == "=").all() for row in rows)
    return rows[0][:, [0, 2, 4]].astype(int), rows[1][:, [0, 2, 4]].astype(int)


@pytest.mark.parametrize(("modulus", "share"), [(7, 0.4), (12, 0.5), (5, 0.95)])
def test_every_sum_is_right_and_is_read_or_held_out(modulus: int, share: float) -> None:
    read, held_out = sums(modulus, share)
    both = np.concatenate((read, held_out))
    assert ((both[:, 0] + both[:, 1]) % modulus == both[:, 2]).all()
    assert len(np.unique(both[:, :2], axis=0)) == len(both) == modulus**2
    assert len(read) == round(share * modulus**2)


def test_the_seed_decides_what_is_read() -> None:
    assert np.array_equal(sums(11, 0.4)[0], sums(11, 0.4)[0])
    assert not np.array_equal(np.sort(sums(11, 0.4)[0], axis=0), np.sort(sums(11, 0.4, seed=1)[0], axis=0))


def test_a_prompt_is_read_number_by_number() -> None:
    corpus = build_corpus(CorpusRecipe(kind="modular", modulus=59, train_share=0.4), 0)
    ids = encode_prompt(corpus.tokeniser, "50 + 20 =", len(corpus.vocabulary))
    assert [corpus.vocabulary.tokens[token] for token in ids] == ["50", "+", "20", "="]
    counted = np.bincount(corpus.token_ids, minlength=len(corpus.vocabulary))
    assert np.array_equal(corpus.vocabulary.counts, counted)


def test_a_recipe_that_does_not_fit_its_vocabulary_has_no_numbers() -> None:
    recipe = CorpusRecipe(kind="modular", modulus=59, train_share=0.4)
    ids = number_ids(recipe, 62)
    assert ids is not None
    assert np.array_equal(ids, 1 + np.arange(59))
    assert number_ids(recipe, 10) is None
    assert number_ids(CorpusRecipe(), 62) is None
