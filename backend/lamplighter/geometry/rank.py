"""The number of directions in an embedding, how alike they are, and the correlation of row lengths with frequency."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamplighter.geometry.neighbours import row_lengths
from lamplighter.wire.row_source import RowSource, row_blocks
from living_map.rows import BLOCK_BYTES, unit_rows

_SEED = 0


def effective_rank(vectors: NDArray[np.float32]) -> float:
    """Compute the effective rank (Roy and Vetterli 2007): exp of the entropy of the normalised singular
    values.

    It is between 1 (a single direction) and min(V, D) (all equal); a random start is close to the latter. NaN
    for a matrix of zeros. `vectors`: (V, D), finite, not centred.
    """
    # Scale by the largest value, so that no square overflows. D is much smaller than V, so the Gram matrix
    # suffices.
    scale = float(np.abs(vectors).max(initial=0))
    if scale == 0:
        return float("nan")
    rows = vectors.astype(np.float64) / scale
    gram = rows.T @ rows if rows.shape[1] <= rows.shape[0] else rows @ rows.T
    return _rank_of_gram(gram)


def effective_rank_by_chance(lengths: NDArray[np.floating], dim: int, seed: int = _SEED) -> float:
    """Compute the `effective_rank` of rows of these lengths in random directions; NaN if all are 0."""
    longest = float(lengths.max(initial=0))
    if longest == 0:
        return float("nan")
    random, gram = np.random.default_rng(seed), np.zeros((dim, dim))
    block = max(1, BLOCK_BYTES // (4 * dim))
    for start in range(0, len(lengths), block):
        scaled = lengths[start : start + block] / longest
        rows = unit_rows(random.standard_normal((len(scaled), dim), dtype=np.float32))
        rows *= scaled[:, np.newaxis].astype(np.float32)
        gram += rows.T @ rows
    return _rank_of_gram(gram)


def anisotropy(vectors: RowSource) -> float:
    """Compute the mean cosine of all pairs of rows (Ethayarajh 2019); NaN for fewer than two. From -1 / (V -
    1) to 1; random directions of any lengths give 0.
    """
    if len(vectors) < 2:
        return float("nan")
    total, itself = np.zeros(vectors.shape[1]), 0
    for _, rows in row_blocks(vectors):
        units = unit_rows(rows)
        total += units.sum(axis=0, dtype=np.float64)
        itself += int(np.any(units, axis=1).sum())
    # All pairs at once: the sum of the rows, squared, has each pair twice and each row with itself.
    return float((total @ total - itself) / (len(vectors) * (len(vectors) - 1)))


def _rank_of_gram(gram: NDArray[np.floating]) -> float:
    singular = np.sqrt(np.maximum(np.linalg.eigvalsh(gram), 0))
    share = singular / singular.sum()
    share = share[share > 0]
    return float(np.exp(-(share * np.log(share)).sum()))


def rank_correlation(x: NDArray[np.floating], y: NDArray[np.floating]) -> float:
    """Compute Spearman's rank correlation, in which equal values share the mean of their ranks. NaN if
    either, of shape (N,), is constant or empty.
    """
    if not len(x):
        return float("nan")
    a, b = _mean_ranks(x), _mean_ranks(y)
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > 0 else float("nan")


def length_frequency_correlation(vectors: RowSource, counts: NDArray[np.integer]) -> float:
    """Compute the rank correlation of row lengths, (V, D), with token counts in the corpus, (V,)."""
    return rank_correlation(row_lengths(vectors), counts.astype(np.float64))


def _mean_ranks(values: NDArray[np.floating]) -> NDArray[np.float64]:
    _, index, sizes = np.unique(values, return_inverse=True, return_counts=True)
    means: NDArray[np.float64] = np.cumsum(sizes) - (sizes - 1) / 2
    return means[index]
