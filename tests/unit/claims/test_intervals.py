"""Intervals and scores, compared with random draws."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lamplighter.claims.claim import spread_figure
from lamplighter.claims.intervals import CLEAR, Spread, mean_of, share_interval, spread_of


def test_a_spread_describes_single_draws_and_a_mean_has_its_standard_error() -> None:
    values = [1.0, 2.0, 3.0, 6.0]
    deviation = float(np.std(values, ddof=1))
    draws, mean = spread_of(values), mean_of(values)
    assert (draws.mean, draws.deviation, draws.draws) == (3.0, pytest.approx(deviation), 4)
    assert (mean.mean, mean.deviation, mean.draws) == (3.0, pytest.approx(deviation / 2), 4)
    assert spread_of([5.0]) == mean_of([5.0]) == Spread(5.0, 0.0, 1)


def test_ninety_five_of_a_hundred_draws_fall_into_the_interval() -> None:
    draws = np.random.default_rng(0).normal(2.0, 0.5, 20_000)
    spread = spread_of(draws.tolist())
    inside = (draws > spread.low) & (draws < spread.high)
    assert inside.mean() == pytest.approx(0.95, abs=0.005)
    mean = mean_of(draws.tolist())
    assert mean.high - mean.low == pytest.approx(2 * 1.96 * 0.5 / math.sqrt(20_000), rel=0.02)


def test_a_score_counts_deviations_and_stays_finite() -> None:
    assert Spread(2.0, 0.5, 9).score(3.5) == 3.0
    assert Spread(2.0, 0.5, 9).score(0.5) == -3.0
    assert [Spread(2.0, 0.0, 1).score(value) for value in (2.0, 2.1, 1.9)] == [0.0, math.inf, -math.inf]


@pytest.mark.parametrize("share", [0.03, 0.5, 0.9])
def test_wilsons_interval_contains_the_true_share_in_95_of_100_trials(share: float) -> None:
    hits = np.random.default_rng(1).binomial(60, share, 4_000)
    intervals = [share_interval(hit / 60, 60) for hit in hits.tolist()]
    assert np.mean([low <= share <= high for low, high in intervals]) == pytest.approx(0.95, abs=0.03)


def test_wilsons_interval_of_none_and_of_all_is_not_empty() -> None:
    # Textbook value: 10 of 10 trials give 0.722 to 1.
    assert share_interval(1.0, 10) == (pytest.approx(0.7225, abs=1e-4), 1.0)
    assert share_interval(0.0, 10) == (0.0, pytest.approx(0.2775, abs=1e-4))
    assert share_interval(0.5, 0) == (0.0, 1.0)
    low, high = share_interval(0.5, 40, CLEAR)
    assert (low, high) == (pytest.approx(0.2857, abs=1e-4), pytest.approx(0.7143, abs=1e-4))


def test_the_interval_of_a_share_stays_within_0_and_1() -> None:
    figure = spread_figure("a share", Spread(0.01, 0.02, 20), "share")
    assert (figure.low, figure.draws) == (0.0, 20)
    assert spread_figure("a share", Spread(0.99, 0.02, 20), "share").high == 1.0
    # The distance to another word may be more than a row's length.
    assert spread_figure("a part", Spread(1.4, 0.2, 20), "share").high == pytest.approx(1.792)
    assert spread_figure("nats", Spread(0.01, 0.02, 20), "nats").low == pytest.approx(-0.0292)
