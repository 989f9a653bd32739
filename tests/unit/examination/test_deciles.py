"""The kind *deciles*: words in groups of about a tenth of the text, and the loss on each under two
optimisers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lamplighter.contract.questions import DecilesQuestion
from lamplighter.examination.kinds.deciles import RATES, examine, group_words
from tests.support.village import STEPS, Village, ignore_progress, stored


def ask(village: Village, steps: int = 0, step: int = STEPS) -> dict[str, Any]:
    answer = examine(village.examined(step), DecilesQuestion(step=step, steps=steps), ignore_progress)
    return stored(answer)


def test_each_group_has_about_a_tenth_of_the_text_frequent_words_first() -> None:
    # A heavy tail: the word of rank r has 1/r of the text.
    counts = (100_000 / np.arange(1, 5_001)).astype(np.int64)
    groups = group_words(counts, np.empty(0, dtype=np.uint32))
    shares = np.bincount(groups.of_word, weights=counts) / counts.sum()
    assert len(shares) == groups.number == 10
    assert shares == pytest.approx(0.1, abs=0.03)
    assert (np.diff(groups.of_word) >= 0).all()
    sizes = np.bincount(groups.of_word)
    assert sizes[0] == 1
    assert sizes[-1] > 1_000


def test_a_dominant_word_makes_fewer_groups_and_unknown_counts_come_from_the_text() -> None:
    text = np.repeat(np.arange(6, dtype=np.uint32), [70, 10, 10, 5, 5, 0])
    groups = group_words(np.zeros(6, dtype=np.int64), text)
    assert groups.counts.tolist() == [70, 10, 10, 5, 5, 0]
    assert groups.of_word[0] == 0
    assert groups.number < 6
    assert set(groups.of_word) == set(range(groups.number))


def test_frequent_words_are_learned_first_and_each_loss_has_a_counting_baseline(
    village: Village,
) -> None:
    early, late = ask(village, step=5), ask(village)
    assert late["optimisers"] == []
    assert late["guessing"] == pytest.approx(np.log(len(village.run.vocabulary)), rel=1e-5)
    assert sum(group["words"] for group in late["groups"]) == len(village.run.vocabulary)
    assert sum(group["share"] for group in late["groups"]) == pytest.approx(1, abs=1e-4)
    least = [group["least"] for group in late["groups"]]
    assert least == sorted(least, reverse=True)
    by_counts = [group["by_counts"] for group in late["groups"] if group["predictions"]]
    assert by_counts == sorted(by_counts)
    for before, after in zip(early["groups"], late["groups"], strict=True):
        if before["predictions"]:
            assert after["loss"] < before["loss"]
    assert late["groups"][0]["loss"] < late["groups"][0]["by_counts"]


def test_both_optimisers_use_their_best_rate_and_the_same_start(village: Village) -> None:
    sgd, adam = ask(village, steps=20)["optimisers"]
    assert [optimiser["name"] for optimiser in (sgd, adam)] == list(RATES)
    for optimiser, rates in zip((sgd, adam), RATES.values(), strict=True):
        tried = {one["learning_rate"]: one["loss"] for one in optimiser["tried"]}
        assert tuple(tried) == rates
        assert tried[optimiser["learning_rate"]] == min(tried.values())
        assert len(set(tried.values())) == 3
        assert [point["step"] for point in optimiser["curve"]] == list(range(0, 21, 2))
    assert sgd["curve"][0] == adam["curve"][0]
    assert sgd["curve"][-1] != adam["curve"][-1]


def test_held_out_text_is_read_if_there_is_any(village: Village, tmp_path: Path) -> None:
    assert ask(village)["text"] == "training"
    assert ask(village.with_held_out_text(tmp_path))["text"] == "held_out"
