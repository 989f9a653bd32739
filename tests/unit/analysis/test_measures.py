from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lamplighter.analysis.measures import measure
from lamplighter.geometry.nearest_by_chance import nearest_cosine_by_chance
from lamplighter.wire.vocabulary import Relation, Vocabulary

OF_ANY_MATRIX = {
    "coverage",
    "never_lit",
    "nearest_cosine",
    "nearest_cosine_chance",
    "anisotropy",
    "anisotropy_chance",
}
"""Measures of a matrix with recorded batches, finite or not."""


def vocabulary(*, planted: bool) -> Vocabulary:
    return Vocabulary(
        tuple(f"word{i}" for i in range(40)),
        np.arange(40, 0, -1),
        {"left": tuple(range(20)), "right": tuple(range(20, 40))} if planted else {},
        (Relation("mirror", tuple((i, 20 + i) for i in range(20))),) if planted else (),
    )


def named(words: dict[int, str]) -> tuple[str, ...]:
    return tuple(words.get(i, f"word{i}") for i in range(40))


def mirrored_town() -> np.ndarray:
    left = np.random.default_rng(0).normal(size=(20, 30))
    return np.concatenate((left, left + 9)).astype(np.float32)


def test_a_planted_town_has_every_measure() -> None:
    touches = np.zeros(40, dtype=np.uint32)
    touches[:10] = 3
    values = measure(mirrored_town(), vocabulary(planted=True), touches)
    assert values["purity_10nn"] > 0.75
    assert values["purity_chance"] == pytest.approx(19 / 39)
    assert values["analogy mirror"] > 0.9
    assert values["analogy_chance"] == pytest.approx(1 / 37)
    assert 1 < values["effective_rank"] < values["effective_rank_chance"] < 30
    assert values["length_log_count_spearman"] < -0.5
    assert (values["coverage"], values["never_lit"]) == (0.25, 30)
    assert values["neighbour_information_most"] == 1
    assert values["neighbour_information_chance"] < values["neighbour_information"] < 1
    assert values["consistency mirror"] > 0.999 > values["consistency_chance mirror"] > 0.9
    assert values["nearest_cosine"] > values["nearest_cosine_chance"] == nearest_cosine_by_chance(40, 30)


def test_ranks_kindred_words_that_the_text_has() -> None:
    vectors = mirrored_town()
    vectors[7] = vectors[3]
    values = measure(
        vectors, replace(vocabulary(planted=False), tokens=named({3: "dog", 7: "cat", 9: "joy"})), None
    )
    assert {name: value for name, value in values.items() if name.startswith("rank")} == {"rank dog/cat": 1}
    vectors[7] = -vectors[3]
    values = measure(vectors, replace(vocabulary(planted=False), tokens=named({3: "dog", 7: "cat"})), None)
    assert values["rank dog/cat"] == 39


def test_real_text_has_only_applicable_measures() -> None:
    values = measure(mirrored_town(), vocabulary(planted=False), np.ones(40, dtype=np.uint32))
    assert set(values) == OF_ANY_MATRIX | {
        "effective_rank",
        "effective_rank_chance",
        "length_log_count_spearman",
    }


def test_unrecorded_batches_give_no_coverage() -> None:
    assert "coverage" not in measure(mirrored_town(), vocabulary(planted=False), None)


def test_a_matrix_that_is_not_finite_keeps_independent_measures() -> None:
    vectors = mirrored_town()
    vectors[3, 3] = np.inf
    values = measure(vectors, vocabulary(planted=True), np.ones(40, dtype=np.uint32))
    assert set(values) == OF_ANY_MATRIX
