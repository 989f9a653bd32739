"""How many directions a space uses, and whether the lengths of its rows follow their frequency."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def effective_rank(vectors: NDArray[np.float32]) -> float:
    """The effective rank (Roy and Vetterli 2007): exp of the entropy of the normalised singular values.

    Between 1 (one direction holds all) and min(V, D) (all alike); a random start is close to the latter.

    Args:
        vectors: shape (V, D), finite, taken as they are (not centred).

    Returns:
        NaN for a matrix of zeros.
    """
    # The largest value first, so that no square overflows; D is much smaller than V: the Gram matrix does.
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
    """Spearman's rank correlation; equal values share the mean of their ranks.

    Args:
        x: shape (N,).
        y: shape (N,).

    Returns:
        From -1 to 1; NaN when either does not vary.
    """
    a, b = _mean_ranks(x), _mean_ranks(y)
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > 0 else float("nan")


def length_follows_frequency(vectors: NDArray[np.float32], counts: NDArray[np.integer]) -> float:
    """Rank correlation of the lengths of rows with the counts of their tokens (a logarithm changes no rank).

    Args:
        vectors: shape (V, D).
        counts: shape (V,), how often each token occurs in the corpus.
    """
    return rank_correlation(np.linalg.norm(vectors.astype(np.float64), axis=1), counts.astype(np.float64))


def _mean_ranks(values: NDArray[np.floating]) -> NDArray[np.float64]:
    _, index, sizes = np.unique(values, return_inverse=True, return_counts=True)
    means: NDArray[np.float64] = np.cumsum(sizes) - (sizes - 1) / 2
    return means[index]
