"""Order by class in a matrix, compared with shuffled labels."""

from __future__ import annotations

import numpy as np
import pytest

from lamplighter.claims.intervals import CLEAR
from lamplighter.claims.matrix_figures import (
    DRAWS,
    MAX_ANALOGY_NUMBERS,
    measure_matrix,
    measure_order,
    measure_relations,
    turn_space,
)
from lamplighter.geometry.purity import class_purity, purity_chance
from lamplighter.wire.vocabulary import Relation, Vocabulary

WORDS, WIDTH, KINDS = 200, 16, 10
KIND_OF = np.where(np.arange(WORDS) < 150, np.arange(WORDS) % KINDS, -1)
NOISE = np.random.default_rng(0).standard_normal((WORDS, WIDTH)).astype(np.float32)
APART = NOISE * np.float32(0.05) + 5 * np.eye(WIDTH, dtype=np.float32)[KIND_OF]


def test_classed_words_have_full_order_and_noise_that_of_chance() -> None:
    apart, noise = (measure_order(vectors, KIND_OF) for vectors in (APART, NOISE))
    assert apart is not None
    assert noise is not None
    assert (apart.purity.mean, apart.purity.draws, apart.grouped) == (1.0, KINDS, pytest.approx(1.0))
    assert apart.information == pytest.approx(apart.information_most)
    assert apart.ordered == pytest.approx(1.0)
    assert noise.purity.mean == pytest.approx(class_purity(NOISE, KIND_OF))
    assert abs(noise.purity_dealt.score(noise.purity.mean)) < CLEAR
    assert abs(noise.information_dealt.score(noise.information)) < CLEAR
    assert max(abs(noise.grouped), abs(noise.ordered)) < 0.05
    assert noise.surely_grouped < noise.grouped


def test_shuffled_labels_give_the_purity_of_chance_for_any_vectors() -> None:
    for vectors in (APART, NOISE):
        found = measure_order(vectors, KIND_OF)
        assert found is not None
        dealt = found.purity_dealt
        assert dealt.draws == found.information_dealt.draws == DRAWS
        assert dealt.mean == pytest.approx(purity_chance(KIND_OF), abs=3 * dealt.deviation)
        assert 0 < dealt.deviation < 0.05


def test_analogies_are_measured_up_to_a_size() -> None:
    pairs = tuple((i, i + 4) for i in range(4))
    for rows, names in ((100, {"shift"}), (MAX_ANALOGY_NUMBERS // 4 + 1, set[str]())):
        vectors = np.random.default_rng(0).standard_normal((rows, 4)).astype(np.float32)
        found = measure_relations(vectors, [Relation("shift", pairs)], np.full(rows, -1))
        assert found.keys() == names


def test_without_two_words_of_a_class_there_is_no_order() -> None:
    assert measure_order(NOISE, np.full(WORDS, -1)) is None
    assert measure_order(NOISE[:5], np.arange(5)) is None


def test_a_matrix_that_is_not_finite_has_no_figures() -> None:
    vocabulary = Vocabulary(tuple(map(str, range(WORDS))), np.arange(WORDS, 0, -1, dtype=np.int64))
    found = measure_matrix(NOISE, 5, vocabulary, None)
    assert found is not None
    assert (found.step, found.order, found.turn) == (5, None, None)
    # Two random directions of equal length are 1.41 lengths apart.
    assert found.apart is not None
    assert found.apart.mean == pytest.approx(2**0.5, abs=0.05)
    broken = NOISE.copy()
    broken[3, 3] = np.nan
    assert measure_matrix(broken, 5, vocabulary, None) is None
    assert turn_space(broken, 5) is None
    longer = measure_matrix(NOISE * np.linspace(3, 1, WORDS, dtype=np.float32)[:, None], 5, vocabulary, NOISE)
    assert longer is not None
    assert (longer.length_follows or 0) > 0.7
    assert longer.turn == pytest.approx(0, abs=0.1)


def test_a_rotation_keeps_what_permuted_rows_lose() -> None:
    turned = turn_space(NOISE, 5)
    assert turned is not None
    assert (turned.changed, turned.kept, turned.shuffled) == (1.0, 1.0, 0.0)
