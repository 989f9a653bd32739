"""The difference between two matrices whose rows are the same words: distances, and neighbours kept.

Two spaces that were trained apart are turned against each other, so a distance says little until the second has been
rotated onto the first. Neighbours need no rotation, because none changes them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event

import numpy as np
from numpy.typing import NDArray

from lamplighter.geometry.motion import displacements
from lamplighter.geometry.neighbours import count_shared, nearest_rows
from lamplighter.geometry.rotation import fit_rotation

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]

NEIGHBOURS = 10
MAX_FITTED = 1_000
"""Maximum words that a rotation is fitted on, unless the matrices are wider."""
MAX_DIM = 1_024
"""Maximum width of matrices that are aligned: the time grows with its cube."""
MAX_PRODUCTS = 25_600_000_000
"""Maximum multiplications for the neighbours of one matrix: those of 2,000 of 50,000 words 256 wide, a second."""
_BLOCK_NUMBERS = 1 << 20
_SEED = 0


def find_shared_rows(words: Sequence[str], other_words: Sequence[str]) -> Ids:
    """Return the rows of the words that two vocabularies share, by text: shape (N, 2), ascending by the first."""
    if words == other_words:
        return np.repeat(np.arange(len(words))[:, None], 2, axis=1)
    place = {word: row for row, word in enumerate(other_words)}
    there = np.array([place.get(word, -1) for word in words], dtype=np.int64)
    here = np.flatnonzero(there >= 0)
    return np.stack((here, there[here]), axis=1)


@dataclass(frozen=True)
class Distances:
    """The distance of each of N words between two matrices; NaN for a row that is not finite."""

    raw: Floats
    """As the matrices are. Shape (N,)."""
    aligned: Floats | None
    """After the rotation of the second onto the first; None for matrices wider than `MAX_DIM`."""


@dataclass(frozen=True)
class Neighbourhoods:
    """The nearest of some of N words, among all N, in two matrices."""

    words: Ids
    """The words whose neighbours were found, ascending: all, or some spread evenly. Shape (M,)."""
    nearest: NDArray[np.int32]
    """Their nearest in the first matrix, nearest first. Shape (M, k)."""
    other_nearest: NDArray[np.int32]

    @property
    def kept(self) -> Ids:
        """Return how many neighbours of each word are the same in both; shape (M,)."""
        return count_shared(self.nearest, self.other_nearest)


def choose_fitted(counts: NDArray[np.int64], dim: int) -> Ids:
    """Return the most frequent words, on which a rotation is fitted, ascending: at least as many as `dim`.
    `counts`: shape (N,): how often each occurs, in that of two texts in which it is rarer.
    """
    return np.sort(np.argsort(-counts, kind="stable")[: max(MAX_FITTED, 2 * dim)])


def measure_distances(one: Floats, other: Floats, fitted: Ids) -> Distances:
    """Measure how far each word is from itself. `one`, `other`: (N, D); `fitted`: the rotation's rows."""
    return _measure(one, other, lambda: fit_rotation(other[fitted], one[fitted]))


def measure_sample(one: Floats, other: Floats, fitted: Ids, words: Ids, deal: Ids | None = None) -> Distances:
    """Measure how far some words are from themselves, after the rotation that all are measured with.
    `fitted`: the rows that the rotation is fitted on; fitted on the sample, it would fit it too well. `deal`:
    the row of the second matrix that is taken for each row of the first, shape (N,); None for the same.
    """
    there, fitted_there = (words, fitted) if deal is None else (deal[words], deal[fitted])
    return _measure(one[words], other[there], lambda: fit_rotation(other[fitted_there], one[fitted]))


def _measure(one: Floats, other: Floats, fit: Callable[[], NDArray[np.float64]]) -> Distances:
    raw = displacements(other, one)
    if one.shape[1] > MAX_DIM:
        return Distances(raw, None)
    if not raw.any():
        # The rotation that was found would differ from the identity by rounding.
        return Distances(raw, raw)
    rotation = fit()
    aligned = np.empty(len(one), dtype=np.float32)
    block = max(1, _BLOCK_NUMBERS // one.shape[1])
    with np.errstate(invalid="ignore", over="ignore"):
        for start in range(0, len(one), block):
            some = slice(start, start + block)
            turned = other[some].astype(np.float64) @ rotation
            aligned[some] = np.linalg.norm(turned - one[some], axis=1)
    return Distances(raw, aligned)


def compare_neighbourhoods(
    one: Floats, other: Floats, words: Ids, on_progress: Callable[[float], object] = lambda _: None
) -> Neighbourhoods:
    """Find the nearest of some rows, ascending, in two matrices, exactly, by cosine. `one`, `other`: the same
    word in each row; shape (N, D), where D may differ. `on_progress` is called with the share done; what it
    raises ends both searches.
    """
    stopped = Event()

    def go_on(_: float) -> None:
        if stopped.is_set():
            raise CancelledError

    with ThreadPoolExecutor(1) as beside:
        found = beside.submit(nearest_rows, other, words, NEIGHBOURS, go_on)
        try:
            nearest = nearest_rows(one, words, NEIGHBOURS, on_progress)[0]
        except BaseException:
            stopped.set()
            raise
        return Neighbourhoods(words, nearest, found.result()[0])


def choose_words(size: int, dim: int) -> Ids:
    """Return the words whose neighbours are compared: all, or as many, spread evenly, as `MAX_PRODUCTS` allows."""
    count = min(size, max(2, MAX_PRODUCTS // max(1, size * dim)))
    return np.unique(np.linspace(0, size - 1, count).astype(np.int64))


def measure_chance(one: Floats, other: Floats, fitted: Ids, words: Ids) -> Distances:
    """Measure the distances if the rows of the second matrix are dealt at random (see `measure_sample`): what
    a rotation makes of two spaces that have nothing in common.
    """
    return measure_sample(one, other, fitted, words, np.random.default_rng(_SEED).permutation(len(one)))
