"""Learning curves with and without a turn, and noise, for tests and benchmarks of turning points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SLOWING = ("flat", "straight", "exponential", "power law", "logarithm", "stop")
TURNING = ("kink", "reversal", "jump", "sigmoid", "late start")


def draw_curve(shape: str, count: int, at: float = 0.5) -> NDArray[np.float64]:
    """Return a curve without noise that only slows down, or that turns at a share of its length, shape (N,)."""
    clock = np.linspace(0, 1, count)
    later = np.clip(clock - at, 0, None)
    slowing = 1 - np.exp(-10 * clock)
    curves = {
        "flat": 0 * clock,
        "straight": clock,
        "exponential": slowing,
        "power law": (1 + 50 * clock) ** -0.5,
        "logarithm": np.log1p(100 * clock) / np.log(101),
        "stop": np.minimum(3 * clock, 1),
        "kink": slowing + 2 * later,
        "reversal": slowing - 1.2 * later,
        "jump": slowing + 0.4 * (clock >= at),
        "sigmoid": 1 / (1 + np.exp(25 * (at - clock))),
        "late start": 1 - np.exp(-5 * later),
    }
    return curves[shape]


def draw_noise(count: int, correlation: float, random: np.random.Generator) -> NDArray[np.float64]:
    """Return normal noise of variance 1 that has this correlation with the value before, shape (N,)."""
    noise = random.standard_normal(count)
    for index in range(1, count):
        noise[index] = correlation * noise[index - 1] + np.sqrt(1 - correlation**2) * noise[index]
    return noise
