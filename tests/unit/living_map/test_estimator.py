"""`LivingMap` keeps scikit-learn's conventions, and follows rows that move, arrive and leave."""

from __future__ import annotations

import doctest
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.utils.estimator_checks import check_estimator

import living_map
from living_map import LivingMap, estimator
from living_map.settings import Motion

README = Path(__file__).parents[3] / "backend/living-map/README.md"


def clusters(size: int = 240, dim: int = 8, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(6, dim))
    return (centres[np.arange(size) % 6] + 0.2 * rng.normal(size=(size, dim))).astype(np.float32)


def fitted(rows: np.ndarray, **params: object) -> LivingMap:
    return LivingMap(n_neighbors=10, **params).fit(rows)


@pytest.mark.tour
@pytest.mark.filterwarnings("ignore:Estimator LivingMap does not inherit from")
def test_scikit_learn_takes_it_for_one_of_its_own() -> None:
    done = check_estimator(LivingMap(), on_fail=None, on_skip=None)
    assert len(done) > 30
    assert {one["check_name"] for one in done if one["status"] != "passed"} <= {"check_array_api_input"}


@pytest.mark.parametrize("module", [living_map, estimator])
def test_the_examples_of_its_docstrings_are_true(module: object) -> None:
    ran = doctest.testmod(module)
    assert ran.attempted > 0
    assert ran.failed == 0


def test_the_examples_of_its_readme_are_true() -> None:
    ran = doctest.testfile(str(README), module_relative=False)
    assert ran.attempted > 0
    assert ran.failed == 0


def test_it_can_be_cloned_pickled_and_printed() -> None:
    model = LivingMap(5, metric="euclidean")
    assert repr(clone(model)) == "LivingMap(n_neighbors=5, metric='euclidean')"
    with pytest.raises(ValueError, match="Invalid parameter 'k'"):
        model.set_params(k=1)
    rows = clusters()
    one = fitted(rows)
    other = pickle.loads(pickle.dumps(one))
    rows[:3] += 1
    assert np.array_equal(one.update(rows).embedding_, other.update(rows).embedding_)


def test_rows_that_move_may_be_given_alone() -> None:
    rows = clusters()
    whole, some = fitted(rows), fitted(rows)
    rows[[5, 9]] += 1
    whole.update(rows)
    some.update(rows=rows[[9, 5]], ids=[9, 5])
    assert np.array_equal(whole.embedding_, some.embedding_)
    assert whole.moved_ == some.moved_ == 2


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_rows_that_arrive_lie_beside_their_neighbours_and_the_others_stay(metric: str) -> None:
    rows = clusters()
    model = fitted(rows[:230], metric=metric)
    before = model.embedding_
    model.update(rows=rows[230:], ids=range(230, 240), leave=range(10))
    assert model.ids_ == list(range(10, 240))
    assert model.moved_ == 10
    after = model.embedding_
    diameter = np.hypot(*np.ptp(before, axis=0))
    stayed = np.linalg.norm(after[:220] - before[10:], axis=1)
    assert np.median(stayed) < 0.02 * diameter
    # Each lies nearest to the middle of its own cluster.
    middles = np.array([after[:220][np.arange(10, 230) % 6 == kind].mean(axis=0) for kind in range(6)])
    apart = np.linalg.norm(after[220:, None] - middles, axis=2)
    assert (apart.argmin(axis=1) == np.arange(230, 240) % 6).all()
    assert model.trust_ > 0.9


def test_the_order_of_ids_is_the_callers() -> None:
    rows = clusters()
    names = [f"w{number}" for number in range(len(rows))]
    one = LivingMap(n_neighbors=10).fit(rows, ids=names)
    other = LivingMap(n_neighbors=10).fit(rows, ids=names)
    rows[:4] += 1
    shuffled = np.random.default_rng(1).permutation(len(rows))
    one.update(rows)
    other.update(rows[shuffled], ids=[names[number] for number in shuffled])
    assert other.ids_ == [names[number] for number in shuffled]
    assert np.array_equal(one.embedding_[shuffled], other.embedding_)
    assert one.trust_ == other.trust_


def test_few_rows_left_begin_again_and_it_settles() -> None:
    model = fitted(clusters())
    model.update(rows=[[1.0] * 8], ids=["new"], leave=range(1, 240))
    assert model.ids_ == [0, "new"]
    assert model.embedding_.shape == (2, 2)
    rows = clusters(60)
    model.update(rows, ids=range(60))
    frames = 0
    while not model.settled_:
        model.update(rows)
        frames += 1
        assert frames < 100
    assert np.array_equal(model.embedding_, model.update(rows).embedding_)


@pytest.mark.parametrize("motion", ["smooth", "faithful"])
@pytest.mark.parametrize("change", [0.1, 1.0, 10.0])
def test_rows_at_rest_settle_within_the_updates_that_are_documented(motion: Motion, change: float) -> None:
    rows = clusters(120)
    model = LivingMap(n_neighbors=10, n_epochs=50, motion=motion).fit(rows)

    def settle(most: int) -> int:
        for count in range(most + 1):
            if model.settled_:
                return count
            model.update(rows)
        raise AssertionError(f"it moves after {most} updates")

    assert settle(15) >= 8
    rows += change * np.random.default_rng(3).normal(size=rows.shape)
    model.update(rows)
    assert not model.settled_
    settle(25)
    before = model.embedding_.copy()
    assert np.array_equal(model.update(rows).embedding_, before)


def test_a_table_gives_the_names_of_its_columns_and_one_column_is_enough() -> None:
    rows = clusters(40, 1)
    model = LivingMap(n_neighbors=5, metric="euclidean").fit(pd.DataFrame(rows, columns=["height"]))
    assert list(model.feature_names_in_) == ["height"]
    assert not hasattr(model.fit(rows), "feature_names_in_")


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({}, TypeError, "X, or the rows"),
        ({"rows": [[0.0] * 8]}, TypeError, "ids of its rows"),
        ({"X": clusters(), "leave": [1]}, TypeError, "takes X, or"),
        ({"X": clusters(10)}, ValueError, "10 rows where 240 were"),
        ({"X": clusters()[:, :3]}, ValueError, "3 features"),
        ({"rows": [[np.nan] * 8], "ids": [0]}, ValueError, "NaN"),
        ({"rows": [[1e39] * 8], "ids": [0]}, ValueError, "too large"),
        ({"rows": [[0.0] * 8] * 2, "ids": [0]}, ValueError, "1 ids for 2 rows"),
        ({"rows": [[0.0] * 8] * 2, "ids": [0, 0]}, ValueError, "comes twice"),
        ({"rows": [[0.0] * 8], "ids": [0], "leave": [0]}, ValueError, "both leaves"),
        ({"leave": ["no"]}, KeyError, "no row has the id"),
        ({"leave": range(240)}, ValueError, "no row would be left"),
        ({"X": csr_array(clusters())}, TypeError, "sparse"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(
    given: dict[str, object], error: type[Exception], said: str
) -> None:
    model = fitted(clusters())
    before = model.embedding_
    with pytest.raises(error, match=said):
        model.update(**given)
    assert model.embedding_ is before


def test_what_was_never_fitted_says_so() -> None:
    with pytest.raises(AttributeError, match="call fit first"):
        _ = LivingMap().trust_
    with pytest.raises(AttributeError, match="call fit first"):
        LivingMap().update(leave=[1])
    with pytest.raises(ValueError, match="metric must be"):
        LivingMap(metric="manhattan").fit(clusters())
    for name, value in (("n_neighbors", 1), ("n_epochs", 2.5), ("negative_sample_rate", "x")):
        with pytest.raises(ValueError, match=f"{name} must be a whole number of at least"):
            LivingMap().set_params(**{name: value}).fit(clusters())
    rows = clusters()
    assert np.array_equal(LivingMap().update(rows).embedding_, LivingMap().fit(rows).embedding_)
