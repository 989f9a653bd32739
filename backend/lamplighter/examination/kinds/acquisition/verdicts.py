"""Whether a word was learned, and whether it was forgotten again: rules with a null."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lamplighter.contract.answers.acquisition import WordState
from lamplighter.examination.kinds.acquisition.sigmoids import Floats, Sigmoids

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
    """Return what became of each word.

    `errors`: standard errors of the midpoints, shape (N,); `baselines`: the surprisal in bits for a model
    that has learned nothing about the word but its frequency, shape (N,).
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
