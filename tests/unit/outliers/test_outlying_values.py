from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from lamplighter.outliers.outlying_values import FIRST, MIN_VALUES, Stretch, measure_deviations

LENGTH = 600


def noisy_descent(seed: int, freedoms: float = 6.0) -> NDArray[np.float64]:
    """Return a loss that falls like 1 / step, with heavy-tailed noise that shrinks with it."""
    draw = np.random.default_rng(seed)
    steps = np.arange(1, LENGTH + 1)
    noise = draw.standard_t(freedoms, LENGTH) * (0.02 + 0.2 / np.sqrt(steps))
    return 2 + 6 / np.sqrt(steps) + noise


def noise_of(kind: str, seed: int) -> NDArray[np.float64]:
    draw = np.random.default_rng(seed)
    if kind == "wandering":
        steps = draw.standard_normal(LENGTH)
        for place in range(1, LENGTH):
            steps[place] += 0.8 * steps[place - 1]
        return steps
    return {
        "normal": lambda: draw.standard_normal(LENGTH),
        "heavy": lambda: draw.standard_t(2, LENGTH),
        "skewed": lambda: draw.gamma(2, 1, LENGTH),
        "skewed down": lambda: -draw.gamma(2, 1, LENGTH),
        "few": lambda: draw.poisson(3, LENGTH).astype(np.float64),
        "counts": lambda: draw.poisson(20, LENGTH).astype(np.float64),
    }[kind]()


def stretches(values: NDArray[np.float64], limit: float = 0.01) -> list[Stretch]:
    found = measure_deviations(values, limit)
    assert found is not None
    return found.stretches


def places(values: NDArray[np.float64]) -> list[tuple[str, int, int]]:
    return sorted((one.kind, one.first, one.last) for one in stretches(values))


def size_at(place: int) -> float:
    return 25 * (0.02 + 0.2 / np.sqrt(place + 1))


def test_finds_a_planted_value_wherever_it_is() -> None:
    for place in (2 * FIRST, 300, LENGTH - 1):
        for sign in (-1.0, 1.0):
            values = noisy_descent(place)
            values[place] += sign * 1.5 * size_at(place)
            assert places(values) == [("spike", place, place)]


@pytest.mark.parametrize("length", [2, 3, 4, 6, 12, 30])
def test_finds_a_spike_of_several_values_from_first_to_last(length: int) -> None:
    for place in (120, LENGTH - length):
        values = noisy_descent(place)
        values[place : place + length] += size_at(place)
        assert places(values) == [("spike", place, place + length - 1)]


@pytest.mark.parametrize("size", [-1.0, 1.0])
def test_a_lasting_change_of_level_is_a_jump_and_no_spike(size: float) -> None:
    for place in (140, 300):
        values = noisy_descent(3)
        values[place:] += size
        assert places(values) == [("jump", place, LENGTH - 1)]
    (jump,) = stretches(values)
    assert jump.value - jump.expected == pytest.approx(size, abs=0.1)


def test_a_curve_that_only_falls_or_stops_falling_has_none() -> None:
    steps = np.arange(LENGTH)
    noise = 0.01 * np.random.default_rng(0).standard_normal(LENGTH)
    for curve in (
        5 * np.exp(-steps / 30),
        np.maximum(5 - steps / 60, 1),
        np.where(steps < 200, steps, 200) / 100,
    ):
        assert places(curve + noise) == []


def test_one_found_does_not_hide_another() -> None:
    values = noisy_descent(5)
    for place, length in ((100, 30), (200, 1), (260, 3), (420, 12)):
        values[place : place + length] += 3 * size_at(place)
    values[500] -= 3 * size_at(500)
    found = places(values)
    assert found == [("spike", *one) for one in ((100, 129), (200, 200), (260, 262), (420, 431), (500, 500))]


def test_values_that_are_not_finite_are_left_out() -> None:
    values = noisy_descent(7)
    values[417] += 1.5 * size_at(417)
    values[[300, 301, 350]] = (np.nan, np.inf, -np.inf)
    found = measure_deviations(values, 0.01)
    assert found is not None
    assert [(one.first, one.last) for one in found.stretches] == [(417, 417)]
    assert np.isnan(found.expected[300])
    assert found.expected[302] == pytest.approx(values[302], abs=0.3)


@pytest.mark.parametrize("kind", ["normal", "heavy", "skewed", "skewed down", "wandering", "counts", "few"])
def test_quiet_series_raise_no_alarms_whatever_their_noise(kind: str) -> None:
    # Counts stay whole numbers.
    falls = 0 if kind in ("counts", "few") else 60 / np.sqrt(np.arange(1, LENGTH + 1))
    # One in a hundred is promised: two of twenty would be told in 2 of 100 such tests, if these draws were not fixed.
    assert sum(bool(stretches(falls + noise_of(kind, seed))) for seed in range(20)) <= 1


def test_tells_how_many_chance_alone_gives() -> None:
    # Chance puts at most about as many as it says, however heavy the tails of the noise.
    for freedoms in (3.0, 100.0):
        found = sum(len(stretches(noisy_descent(seed, freedoms), limit=1.0)) for seed in range(20))
        assert found <= 30


def test_says_what_was_expected() -> None:
    values = np.arange(100.0) + 0.1 * np.random.default_rng(1).standard_normal(100)
    values[50] = 70.0
    found = measure_deviations(values, 0.01)
    assert found is not None
    assert found.expected[50] == pytest.approx(50, abs=0.6)
    assert found.spreads[50] > 20
    assert (found.spreads[:FIRST] == 0).all()


@pytest.mark.parametrize("values", [np.ones(500), np.arange(MIN_VALUES - 1.0)])
def test_a_constant_or_short_series_has_none(values: NDArray[np.float64]) -> None:
    assert measure_deviations(values, 0.01) is None
