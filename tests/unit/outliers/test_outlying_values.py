from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from lamplighter.outliers.outlying_values import FIRST, MIN_VALUES, measure_deviations

LENGTH = 600


def noisy_descent(seed: int, freedoms: float = 6.0) -> NDArray[np.float64]:
    """Return a loss that falls like 1 / step, with heavy-tailed noise that shrinks with it."""
    draw = np.random.default_rng(seed)
    steps = np.arange(1, LENGTH + 1)
    noise = draw.standard_t(freedoms, LENGTH) * (0.02 + 0.2 / np.sqrt(steps))
    return 2 + 6 / np.sqrt(steps) + noise


def alarms(values: NDArray[np.float64], limit: float = 0.01) -> list[int]:
    found = measure_deviations(values)
    assert found is not None
    return np.flatnonzero(found.by_chance < limit).tolist()


def test_finds_a_planted_value_wherever_it_is() -> None:
    for place in (2 * FIRST, 90, 300, LENGTH - 2, LENGTH - 1):
        for size in (-1.0, 1.0):
            values = noisy_descent(place)
            values[place] += size * 25 * (0.02 + 0.2 / np.sqrt(place + 1))
            assert alarms(values) == [place]


def test_quiet_series_raise_no_more_alarms_than_told() -> None:
    assert sum(len(alarms(noisy_descent(seed))) for seed in range(100)) <= 1


def test_tells_how_many_chance_alone_gives() -> None:
    # Of 100 series, chance puts at most about twice 100 values where it says 1, however heavy the tails of the noise.
    for freedoms in (3.0, 6.0, 100.0):
        found = sum(len(alarms(noisy_descent(seed, freedoms), limit=1.0)) for seed in range(100))
        assert found <= 200


def test_a_lasting_change_of_level_is_no_outlier() -> None:
    values = noisy_descent(3)
    values[300:] += 2.0
    # Only its edge is far from a line through both sides.
    assert set(alarms(values)) <= set(range(296, 304))


def test_says_what_was_expected() -> None:
    values = np.arange(100, dtype=np.float64) + np.tile([0.1, -0.1], 50)
    values[50] = 70.0
    found = measure_deviations(values)
    assert found is not None
    assert found.expected[50] == pytest.approx(50, abs=0.2)
    assert found.spreads[50] > 20
    assert (found.spreads[:FIRST] == 0).all()


@pytest.mark.parametrize("values", [np.ones(500), np.arange(MIN_VALUES - 1.0)])
def test_a_constant_or_short_series_has_none(values: NDArray[np.float64]) -> None:
    assert measure_deviations(values) is None
