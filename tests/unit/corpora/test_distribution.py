from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from numpy.typing import NDArray

from lamplighter.corpora import distribution
from lamplighter.corpora.distribution import list_bytes, list_words

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
