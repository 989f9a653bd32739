"""The number of directions in an embedding, and the correlation of row lengths with token frequency."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def effective_rank(vectors: NDArray[np.float32]) -> float:
    """Compute the effective rank (Roy and Vetterli 2007): exp of the entropy of the normalised singular
    values.

    It is between 1 (a single direction) and min(V, D) (all equal); a random start is close to the latter.

    Args:
        vectors: shape (V, D), finite, not centred.

    Returns:
        NaN for a matrix of zeros.
    """
    # Scale by the largest value, so that no square overflows. D is much smaller than V, so the Gram matrix
    # suffices.
    scale = float(np.abs(vectors).max(initial=0))
    if scale == 0:
        return float("nan")
    rows = vectors.astype(np.float64) / scale
    gram = rows.T @ rows if rows.shape[1] <= rows.shape[0] else rows @ rows.T
    singular = np.sqrt(np.maximum(np.linalg.eigvalsh(gram), 0))
    share = singular / singular.sum()
    share = share[share > 0]
    return float(np.exp(-(share * np.log(share)).sum()))


def rank_correlation(x: NDArray[np.floating], y: NDArray[np.floating]) -> float:
    """Compute Spearman's rank correlation; equal values share the mean of their ranks.

    Args:
        x: shape (N,).
        y: shape (N,).

    Returns:
        From -1 to 1; NaN if either is constant or empty.
    """
    if not len(x):
        return float("nan")
    a, b = _mean_ranks(x), _mean_ranks(y)
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > 0 else float("nan")


def length_frequency_correlation(vectors: NDArray[np.float32], counts: NDArray[np.integer]) -> float:
    """Compute the rank correlation of row lengths with token counts (a logarithm does not change ranks).

    Args:
        vectors: shape (V, D).
        counts: shape (V,), how often each token occurs in the corpus.
    """
    return rank_correlation(np.linalg.norm(vectors.astype(np.float64), axis=1), counts.astype(np.float64))


def _mean_ranks(values: NDArray[np.floating]) -> NDArray[np.float64]:
    _, index, sizes = np.unique(values, return_inverse=True, return_counts=True)
    means: NDArray[np.float64] = np.cumsum(sizes) - (sizes - 1) / 2
    return means[index]
