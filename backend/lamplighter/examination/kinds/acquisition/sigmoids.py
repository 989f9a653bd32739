"""Sigmoids of word curves: the surprisal falls from random guessing to a floor along the logarithm of the step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_SPACING = 0.01
"""Between two midpoints tried, in decimal logarithms of steps: 2 %, far below the error of any age."""
_WIDTHS = np.geomspace(0.08, 0.8, 24)
_AT_ONCE = 256

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Sigmoids:
    """The sigmoid that fits each of N curves best, in the sense of least squares."""

    midpoint: Floats
    """Decimal logarithm of the step, shape (N,)."""
    width: Floats
    """The scale along that logarithm: 46 % of the fall lie within one width of the midpoint, shape (N,)."""
    floor: Floats
    """In bits, shape (N,); never below the curve's lowest value."""
    explained: Floats
    """The share of the curve's variance that it explains (R²), shape (N,)."""

    def values(self, logs: Floats, top: float) -> Floats:
        """Return the sigmoids at logarithms of steps, shape (R,) -> (N, R)."""
        return top - (top - self.floor)[:, None] * _fallen(logs, self.midpoint, self.width)


def fit_sigmoids(curves: Floats, logs: Floats, top: float) -> Sigmoids:
    """Fit a sigmoid to each curve, by trying all midpoints among the steps and all widths.

    `curves`: surprisal in bits, shape (N, R); `logs`: decimal logarithms of the steps, ascending, shape (R,);
    `top`: the surprisal of random guessing, from which every sigmoid falls.
    """
    midpoints = np.arange(logs[0], logs[-1] + _SPACING / 2, _SPACING)
    tried = np.stack([axis.ravel() for axis in np.meshgrid(midpoints, _WIDTHS, indexing="ij")])
    shapes = _fallen(logs, tried[0], tried[1])
    squares = (shapes**2).sum(axis=1)
    best = np.empty(len(curves), dtype=np.int64)
    depths = np.empty(len(curves))
    for first in range(0, len(curves), _AT_ONCE):
        fall = top - curves[first : first + _AT_ONCE]
        product = fall @ shapes.T
        depth = np.clip(product / squares, 0, np.maximum(0, fall.max(axis=1))[:, None])
        found = (depth * (depth * squares - 2 * product)).argmin(axis=1)
        best[first : first + _AT_ONCE] = found
        depths[first : first + _AT_ONCE] = depth[np.arange(len(found)), found]
    fitted = Sigmoids(tried[0][best], tried[1][best], top - depths, np.zeros(len(curves)))
    left = ((curves - fitted.values(logs, top)) ** 2).sum(axis=1)
    whole = ((curves - curves.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    explained = 1 - left / np.where(whole > 0, whole, np.inf)
    return Sigmoids(fitted.midpoint, fitted.width, fitted.floor, np.where(whole > 0, explained, 0.0))


def midpoint_errors(
    fitted: Sigmoids, logs: Floats, top: float, losses: Floats, word: NDArray[np.int64]
) -> Floats:
    """Return the standard error of each midpoint over the choice of occurrences, shape (N,).

    To first order a midpoint is a weighted sum of its curve's points, and so of the occurrences that they
    average (the infinitesimal jackknife). The same occurrences are read at all steps, so the points of a
    curve are not independent.

    `losses`: surprisal of each occurrence at each step, shape (P, R); `word`: the word of each, below N,
    shape (P,).
    """
    part = _fallen(logs, fitted.midpoint, fitted.width)
    slope = (top - fitted.floor)[:, None] * part * (1 - part) / fitted.width[:, None]
    away = (logs - fitted.midpoint[:, None]) / fitted.width[:, None]
    # The derivatives of the sigmoid by midpoint, floor and width.
    derivatives = np.stack((slope, part, slope * away), axis=1)
    weights = np.linalg.pinv(derivatives.transpose(0, 2, 1), rcond=1e-4)[:, 0]
    counts = np.bincount(word, minlength=len(weights))
    sums = (losses * weights[word]).sum(axis=1)
    means = np.bincount(word, weights=sums, minlength=len(weights)) / np.maximum(counts, 1)
    squares = np.bincount(word, weights=(sums - means[word]) ** 2, minlength=len(weights))
    return np.sqrt(squares / np.maximum(counts - 1, 1) / np.maximum(counts, 1))


def _fallen(logs: Floats, midpoint: Floats, width: Floats) -> Floats:
    """Return the share of the fall that lies behind, shape (N, R)."""
    away = (logs - midpoint[:, None]) / width[:, None]
    return 1 / (1 + np.exp(-np.clip(away, -50, 50)))
