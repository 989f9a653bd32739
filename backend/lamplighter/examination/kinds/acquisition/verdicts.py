"""Whether a word was learned, and whether it was forgotten again: sigmoids of its curve, and rules with a null.

The surprisal falls from random guessing to a floor along the logarithm of the step.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lamplighter.contract.answers.acquisition import WordState

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
    """Fit a sigmoid to each curve, by trying all midpoints among the steps and all widths. `curves`:
    surprisal in bits, shape (N, R); `logs`: decimal logarithms of the steps, ascending, shape (R,); `top`:
    the surprisal of random guessing, from which every sigmoid falls.
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


ERRORS = 3.0
"""A difference counts if it exceeds this number of its standard errors."""
MIN_FALL = 1.0
"""Bits by which a learned word is less surprising than by anything but learning: it became twice as probable."""
MIN_EXPLAINED, MAX_ERROR = 0.8, 0.2
"""The share of a curve's variance that a sigmoid has to explain, and the maximum error of the age's decimal logarithm: twice
that is a factor of 2.5."""
SMOOTHED = 3
"""Neighbouring states whose mean is judged: a single one may be a lucky one."""
SHUFFLES = 20


@dataclass(frozen=True)
class Occurrences:
    """The surprisal in bits of the occurrences of N words at R steps, sorted by word."""

    losses: Floats
    """Shape (P, R)."""
    word: NDArray[np.int64]
    """The word of each, an index below N, ascending, shape (P,)."""

    @property
    def starts(self) -> NDArray[np.int64]:
        """Return where each word's occurrences begin, and the end of the last, shape (N + 1,)."""
        return np.searchsorted(self.word, np.arange(self.word[-1] + 2))

    @property
    def curves(self) -> Floats:
        starts = self.starts
        return np.add.reduceat(self.losses, starts[:-1], axis=0) / np.diff(starts)[:, None]


def judge(
    occurrences: Occurrences, fitted: Sigmoids, errors: Floats, baselines: Floats, *, trained_before: bool
) -> list[WordState]:
    """Return what became of each word. `errors`: standard errors of the midpoints, shape (N,); `baselines`:
    the surprisal in bits for a model that has learned nothing about the word but its frequency, shape (N,).
    """
    states: list[WordState] = []
    starts = occurrences.starts
    for row, (first, end) in enumerate(pairwise(starts.tolist())):
        own = occurrences.losses[first:end]
        lowest, begun = own[:, own.mean(axis=0).argmin()], own[:, 0]
        if not _is_below(lowest, np.full(len(lowest), baselines[row])):
            states.append("unlearned")
        elif trained_before and begun.mean() - lowest.mean() < baselines[row] - begun.mean():
            states.append("before")
        elif not _is_below(lowest, begun):
            states.append("unlearned")
        else:
            fits = fitted.explained[row] >= MIN_EXPLAINED and errors[row] <= MAX_ERROR
            states.append("learned" if fits else "unfitted")
    return states


def find_forgotten(
    occurrences: Occurrences, expected: Floats, after: NDArray[np.int64]
) -> tuple[Floats, float]:
    """Return by how many bits words were forgotten, shape (N,), NaN if not, and how many the rule marks by
    chance.

    A word is forgotten if the mean of its last three states is above the lowest mean of three neighbouring
    states since it was learned, by more than three standard errors: those of the choice of occurrences, and
    of the curve's changes from state to state. For chance, what the sigmoid leaves of the curve is put in
    random order.

    `expected`: the value of each sigmoid, shape (N, R); `after`: the first state after each word's age; R for
    a word without, shape (N,).
    """
    random = np.random.default_rng(0)
    rises = np.full(len(after), np.nan)
    marked = 0.0
    starts = occurrences.starts
    for row, begin in enumerate(after.tolist()):
        own = occurrences.losses[starts[row] : starts[row + 1], begin:]
        if own.shape[1] < 2 * SMOOTHED:
            continue
        smooth = _smooth(own)
        error = _error(smooth[:, -1] - smooth[:, smooth.mean(axis=0)[:-SMOOTHED].argmin()])
        curve, sigmoid = own.mean(axis=0), expected[row, begin:]
        [(rise, is_marked)] = _rise(curve[None], error)
        if is_marked:
            rises[row] = rise
        orders = np.argsort(random.random((SHUFFLES, len(curve))), axis=1)
        marked += float(np.mean([false for _, false in _rise(sigmoid + (curve - sigmoid)[orders], error)]))
    return rises, marked


def _rise(curves: Floats, error: float) -> list[tuple[float, bool]]:
    """Return the rise since the minimum of each curve, shape (K, R), and whether it is more than its errors."""
    smooth = _smooth(curves)
    rises = smooth[:, -1] - smooth.min(axis=1)
    # Two means of three states each.
    changes = (np.diff(curves, axis=1) ** 2).mean(axis=1) / 2 * 2 / SMOOTHED
    bounds = ERRORS * np.sqrt(error**2 + changes)
    return list(zip(rises.tolist(), (rises > bounds).tolist(), strict=True))


def _smooth(losses: Floats) -> Floats:
    """Return the means of neighbouring states, shape (P, R) -> (P, R - 2)."""
    windows = np.lib.stride_tricks.sliding_window_view(losses, SMOOTHED, axis=1)
    return windows.mean(axis=2)


def _is_below(values: Floats, others: Floats) -> bool:
    """Return whether paired values are lower, by enough bits and by more than their error."""
    difference = others - values
    return bool(difference.mean() > max(MIN_FALL, ERRORS * _error(difference)))


def _error(values: Floats) -> float:
    return float(values.std(ddof=1)) / len(values) ** 0.5
