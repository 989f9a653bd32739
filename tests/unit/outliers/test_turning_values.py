from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import lsq_linear
from scipy.stats import f

from lamplighter.outliers.turning_points.turning_values import MIN_VALUES, find_turns
from tests.support.synthetic_runs.learning_curves import SLOWING, TURNING, draw_curve, draw_noise

N = 24
STEPS = np.linspace(0, 100 * (N - 1), N)
NOISE = 0.03
LENGTHS = (1, 2, 3, 4, 5, 7, 9, 11, 15, 19)


def noisy(shape: str, correlation: float, seed: int, count: int = N) -> NDArray[np.float64]:
    random = np.random.default_rng(seed)
    return draw_curve(shape, count) + NOISE * draw_noise(count, correlation, random)


def segment(first: int, last: int) -> list[NDArray[np.float64]]:
    """Return the ramps of a part that begins at one value and ends at another, each by interpolation."""
    ends = [first + length for length in LENGTHS if first + length < last] + [last]
    return [np.interp(np.arange(N), [first, end], [0, 1]) for end in ends]


def deviation(values: NDArray[np.float64], parts: list[tuple[int, int, int]], correlation: float) -> float:
    """Return the least sum of squares, after what the noise of the value before foretells, by another solver."""
    columns = [np.ones(N), *(sign * ramp for first, last, sign in parts for ramp in segment(first, last))]
    white = np.eye(N) - correlation * np.eye(N, k=-1)
    white[0, 0] = np.sqrt(1 - correlation**2)
    bounds = [-np.inf] + [0] * (len(columns) - 1), np.inf
    return 2 * lsq_linear(white @ np.array(columns).T, white @ values, bounds, method="bvls").cost


def test_the_turn_is_that_of_an_exhaustive_search() -> None:
    values = noisy("kink", 0.0, 3)
    values = values / np.ptp(values)
    signs = list(product((1, -1), repeat=2))
    # Its noise is likeliest to be white; in so few values a correlation of up to 0.6 would be hidden by the fit.
    by_place = {
        place: min(deviation(values, [(0, place, a), (place, N - 1, b)], 0.0) for a, b in signs)
        for place in range(2, N - 3)
    }
    best = min(by_place, key=lambda place: by_place[place])
    [turn] = find_turns(STEPS, values, 1.0)
    assert turn.place == best
    least = min(
        ([(0, best, a), (best, N - 1, b)] for a, b in signs), key=lambda some: deviation(values, some, 0.6)
    )
    left = deviation(values, least, 0.6)

    def without(correlation: float) -> float:
        return min(deviation(values, [(0, N - 1, sign)], correlation) for sign in (1, -1))

    def unlikely(sum_of_squares: float, correlation: float) -> float:
        return N * np.log(sum_of_squares / N) - np.log(1 - correlation**2)

    likeliest = min(unlikely(without(some), some) for some in (0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95))
    gain = min(without(0.6) / left, np.exp((likeliest - unlikely(left, 0.6)) / N)) - 1
    # The number of ramps in use is told by the probability: one of these.
    chances = [(N - 5) * f.sf(gain * freedom / 2, 2, freedom) for freedom in range(N - 12, N - 2)]
    assert min(abs(turn.by_chance / chance - 1) for chance in chances) < 1e-3


@pytest.mark.parametrize("shape", SLOWING)
@pytest.mark.parametrize("correlation", [0.0, 0.6])
def test_a_curve_that_only_slows_down_has_no_turn(shape: str, correlation: float) -> None:
    # As in a run with ten curves.
    assert not [seed for seed in range(3) if find_turns(STEPS, noisy(shape, correlation, seed), 0.001)]


@pytest.mark.parametrize("shape", TURNING)
def test_a_planted_turn_is_found_where_it_is(shape: str) -> None:
    turns = find_turns(np.linspace(0, 5_000, 51), noisy(shape, 0.3, 1, 51), 0.01)
    near = 8 if shape == "sigmoid" else 5
    assert [turn for turn in turns if abs(turn.place - 25) <= near]


def test_says_what_kind_of_turn_it_is() -> None:
    clock = np.linspace(0, 39, 40)
    bent = {
        "begins": np.where(clock < 20, 0, clock - 20),
        "speeds_up": np.where(clock < 20, clock, 20 + 3 * (clock - 20)),
        "reverses": np.where(clock < 20, clock, 20 - 0.5 * (clock - 20)),
    }
    for kind, values in bent.items():
        [turn] = find_turns(clock, values, 0.01)
        assert (turn.kind, turn.place, turn.earliest, turn.latest) == (kind, 20, 20, 20)
        assert turn.change == pytest.approx(values[-1] - values[20])
        assert turn.share == pytest.approx(abs(turn.change) / np.ptp(values))


@pytest.mark.parametrize("values", [np.zeros(0), np.arange(MIN_VALUES - 1.0) ** 2, np.full(N, 3.0)])
def test_a_short_or_constant_curve_has_none(values: NDArray[np.float64]) -> None:
    assert find_turns(np.linspace(0, 9, len(values)), values, 0.01) == []


def test_the_clock_of_the_steps_is_that_of_the_null() -> None:
    # A power law of the step bends up if its logarithm is taken for the clock.
    steps = np.exp2(np.linspace(0, N - 1, N))
    values = 1 / (1 + np.exp(-(np.log2(steps) - 15)))
    assert find_turns(steps, values, 0.01) == []
    assert find_turns(STEPS, values, 0.01)
