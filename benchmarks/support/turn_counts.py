"""How often a turn is found in curves that are drawn with one, and without."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lamplighter.outliers.turning_points import CHANCE_LIMIT
from lamplighter.outliers.turning_values import find_turns
from tests.support.synthetic_runs.learning_curves import SLOWING, draw_curve, draw_noise

CURVES, VALUES, NOISE = 100, 51, 0.03
CORRELATIONS = (0.0, 0.3, 0.6, 0.8)
LIMIT = CHANCE_LIMIT / 10
"""The limit of one curve in a run with ten."""


def count_turns(shapes: Sequence[str]) -> dict[str, float]:
    """Return the percentage of curves of each shape in which a turn is told; of shapes that turn, within a tenth of their
    length of where it is, which is drawn from 0.3 to 0.7 of it."""
    clock = np.linspace(0.0, 1.0, VALUES)
    found = dict.fromkeys(shapes, 0)
    for shape in shapes:
        for seed in range(CURVES):
            random = np.random.default_rng(seed)
            at = random.uniform(0.3, 0.7)
            noise = NOISE * draw_noise(VALUES, CORRELATIONS[seed % len(CORRELATIONS)], random)
            turns = find_turns(clock, draw_curve(shape, VALUES, at) + noise, LIMIT)
            found[shape] += any(shape in SLOWING or abs(clock[turn.place] - at) < 0.1 for turn in turns)
    return {shape: 100 * count / CURVES for shape, count in found.items()}
