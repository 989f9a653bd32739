"""The other town: classed words swap jobs, and the frequency of each job hardly changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lamplighter.corpora.othertown import deal_jobs, redealt_classes
from lamplighter.wire.vocabulary import Vocabulary

WORDS = 100


@pytest.fixture
def vocabulary() -> Vocabulary:
    """Return a hundred words of falling frequency, three quarters of them in classes of five."""
    classes = {f"class {at}": tuple(range(25 + 5 * at, 30 + 5 * at)) for at in range(15)}
    return Vocabulary(tuple(map(str, range(WORDS))), np.arange(WORDS, 0, -1, dtype=np.int64) * 10, classes)


def test_classed_words_change_jobs_within_their_block_and_no_others_do(vocabulary: Vocabulary) -> None:
    jobs = deal_jobs(vocabulary, seed=0, block=10)
    assert sorted(jobs) == list(range(WORDS))
    assert (jobs[:25] == np.arange(25)).all()
    # Hardly one word in ten keeps its job.
    assert (jobs[25:] != np.arange(25, WORDS)).sum() > 50
    assert ((jobs[25:] - 25) // 10 == (np.arange(25, WORDS) - 25) // 10).all()


def test_counts_and_coverage_hardly_change(vocabulary: Vocabulary) -> None:
    jobs = deal_jobs(vocabulary, seed=0, block=10)
    text = np.repeat(np.arange(WORDS), vocabulary.counts)
    counts = np.bincount(jobs[text], minlength=WORDS)
    assert sorted(counts) == sorted(vocabulary.counts)
    assert np.abs(counts - vocabulary.counts).max() < 10 * 10


def test_classes_move_with_the_jobs(vocabulary: Vocabulary) -> None:
    class_of, jobs = vocabulary.class_of(), deal_jobs(vocabulary, seed=0)
    other = redealt_classes(class_of, jobs)
    assert all(other[jobs[word]] == class_of[word] for word in range(WORDS))
    assert (np.bincount(other + 1) == np.bincount(class_of + 1)).all()
    assert (other != class_of).any()


def test_seeds_give_different_towns(vocabulary: Vocabulary) -> None:
    first, again, other = (deal_jobs(vocabulary, seed) for seed in (0, 0, 1))
    assert (first == again).all()
    assert (first != other).any()


def test_without_classes_all_known_words_change_jobs(vocabulary: Vocabulary) -> None:
    jobs = deal_jobs(replace(vocabulary, classes={}), seed=0)
    assert sorted(jobs) == list(range(WORDS))
    assert jobs[0] == 0
    assert (jobs[1:] != np.arange(1, WORDS)).sum() > 80
