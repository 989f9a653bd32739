from __future__ import annotations

import numpy as np
import pytest

from lamplighter.analysis.measures import measure
from lamplighter.wire.vocabulary import Relation, Vocabulary


def vocabulary(*, planted: bool) -> Vocabulary:
    return Vocabulary(
        tuple(f"word{i}" for i in range(40)),
        np.arange(40, 0, -1),
        {"left": tuple(range(20)), "right": tuple(range(20, 40))} if planted else {},
        (Relation("mirror", tuple((i, 20 + i) for i in range(20))),) if planted else (),
    )


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
    assert 1 < values["effective_rank"] < 30
    assert values["length_log_count_spearman"] < -0.5
    assert values["coverage"] == 0.25


def test_real_text_has_those_that_mean_something() -> None:
    values = measure(mirrored_town(), vocabulary(planted=False), np.ones(40, dtype=np.uint32))
    assert set(values) == {"coverage", "effective_rank", "length_log_count_spearman"}


def test_coverage_is_left_out_while_no_batch_is_known() -> None:
    values = measure(mirrored_town(), vocabulary(planted=False), np.zeros(40, dtype=np.uint32))
    assert set(values) == {"effective_rank", "length_log_count_spearman"}


def test_a_broken_matrix_has_only_what_does_not_depend_on_it() -> None:
    vectors = mirrored_town()
    vectors[3, 3] = np.inf
    assert measure(vectors, vocabulary(planted=True), np.ones(40, dtype=np.uint32)) == {"coverage": 1.0}
