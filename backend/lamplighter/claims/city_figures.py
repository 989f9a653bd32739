"""Figures of the input matrix and the output matrix: how similar they are, and what each depends on.

A word's row in the input matrix is trained on what follows the word, its row in the output matrix on what
precedes it. So nearness in the first should agree with shared followers, and nearness in the second with
shared predecessors. In a shuffled text the two are the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lamplighter.claims.intervals import Spread, mean_of
from lamplighter.claims.matrix_figures import NEIGHBOURS, sample_rows
from lamplighter.geometry.difference import find_shared_rows
from lamplighter.geometry.neighbours import count_shared, nearest_rows
from living_map.rows import unit_rows

Matrix = NDArray[np.float32]

MAX_TOKENS = 4_000_000
"""Maximum tokens of the text that are read, from its beginning."""
_MIN_SEEN = 5
"""Minimum occurrences of a word in the text before its neighbours there count."""
_BLOCK = 1 << 19
_MAX_COLUMNS = 4_096
"""Maximum frequent words counted as neighbours in the text."""


def sample_nearest(vectors: Matrix) -> NDArray[np.int32]:
    """Return the ten nearest of a sample of the words, shape (N, 10).

    Matrices of the same shape, (V, D), get the same sample.
    """
    return nearest_rows(vectors, sample_rows(*vectors.shape), NEIGHBOURS)[0]


def share_of_same(one: NDArray[np.int32], other: NDArray[np.int32]) -> Spread:
    """Return the share of nearest neighbours that two matrices have in common.

    It has its standard error over the words. Both arguments come from `sample_nearest`.
    """
    return mean_of((count_shared(one, other) / one.shape[1]).tolist())


def share_across_seeds(
    one: Matrix, words: Sequence[str], other: Matrix, other_words: Sequence[str]
) -> Spread | None:
    """Return `share_of_same` for matrices of two runs, over the words they share; None if these are too few.

    Args:
        one, other: shape (V, D) each; V and D may differ.
        words, other_words: the word of each row.
    """
    here, there = find_shared_rows(words, other_words).T
    if len(here) <= NEIGHBOURS:
        return None
    return share_of_same(sample_nearest(one[here]), sample_nearest(other[there]))


def compare_with_text(
    inputs: Matrix, outputs: Matrix, text: NDArray[np.uint32]
) -> tuple[Spread, Spread] | None:
    """Return how much each matrix agrees better with its own side of a word in the text.

    Each value is a mean over a sample of the words: the correlation of a word's cosines with the similarity
    of followers, minus that with the similarity of predecessors (cosines of square-rooted counts). Its
    expectation is 0 for a shuffled text and for an untrained matrix.

    Args:
        inputs, outputs: shape (V, D) each.
        text: token ids, shape (N,).

    Returns:
        Both with their standard errors over the words; None if too few words occur often enough.
    """
    size = len(inputs)
    ids = np.asarray(text[:MAX_TOKENS])
    counts = np.bincount(ids, minlength=size)
    rows = sample_rows(*inputs.shape)
    rows = rows[counts[rows] >= _MIN_SEEN]
    if len(rows) < NEIGHBOURS:
        return None
    column = np.full(size, -1, dtype=np.int64)
    frequent = np.argsort(-counts, kind="stable")[:_MAX_COLUMNS]
    column[frequent] = np.arange(len(frequent))
    followers = _alike(_count_beside(ids[:-1], ids[1:], rows, column, size))
    preceders = _alike(_count_beside(ids[1:], ids[:-1], rows, column, size))
    near, near_out = (units @ units.T for units in (unit_rows(inputs[rows]), unit_rows(outputs[rows])))
    follows = _correlate_rows(near, followers) - _correlate_rows(near, preceders)
    precedes = _correlate_rows(near_out, preceders) - _correlate_rows(near_out, followers)
    known = np.isfinite(follows) & np.isfinite(precedes)
    if known.sum() < NEIGHBOURS:
        return None
    return mean_of(follows[known].tolist()), mean_of(precedes[known].tolist())


def _count_beside(
    words: NDArray[np.uint32],
    beside: NDArray[np.uint32],
    rows: NDArray[np.int64],
    column: NDArray[np.int64],
    size: int,
) -> Matrix:
    """Return how often each frequent word stands beside each chosen one, shape (R, C)."""
    place = np.full(size, -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    width = int(column.max()) + 1
    counts = np.zeros(len(rows) * width, dtype=np.int64)
    # In blocks, so that a long text takes no more memory than a short one.
    for start in range(0, len(words), _BLOCK):
        row, at = place[words[start : start + _BLOCK]], column[beside[start : start + _BLOCK]]
        known = (row >= 0) & (at >= 0)
        counts += np.bincount(row[known] * width + at[known], minlength=len(counts))
    return counts.reshape(len(rows), width).astype(np.float32)


def _alike(counts: Matrix) -> Matrix:
    """Return the cosines of square-rooted counts, shape (R, R).

    The root keeps a few frequent words from dominating.
    """
    units = unit_rows(np.sqrt(counts))
    return units @ units.T


def _correlate_rows(one: Matrix, other: Matrix) -> NDArray[np.float64]:
    """Return the row-wise correlations of two (R, R) matrices without their diagonals, shape (R,).

    NaN where a row is constant.
    """
    others = ~np.eye(len(one), dtype=bool)
    a, b = (each[others].reshape(len(each), -1).astype(np.float64) for each in (one, other))
    a, b = (each - each.mean(axis=1, keepdims=True) for each in (a, b))
    scale = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    return np.divide((a * b).sum(axis=1), scale, out=np.full(len(a), np.nan), where=scale > 0)
