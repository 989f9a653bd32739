"""Rotations of a space: random ones, the one that aligns two matrices, and a check of invariance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def random_rotation(dim: int, seed: int) -> NDArray[np.float64]:
    """Return a random orthogonal matrix, shape (D, D): every rotation, reflections included, is equally likely.

    Source: the QR decomposition of a Gaussian matrix, with the signs of R's diagonal moved into Q (Mezzadri 2007).
    """
    q, r = np.linalg.qr(np.random.default_rng(seed).standard_normal((dim, dim)))
    return q * np.where(np.diagonal(r) < 0, -1.0, 1.0)


def fit_rotation(source: Floats, target: Floats) -> NDArray[np.float64]:
    """Return the rotation, or reflection, that brings the rows of `source` closest to those of `target`, (N,
    D).

    It minimises the sum of squared distances (orthogonal Procrustes, Schönemann 1966). Rows with a value that
    is not finite in either do not count; if none does, it is the identity.
    """
    finite = np.isfinite(source).all(axis=1) & np.isfinite(target).all(axis=1)
    if not finite.any():
        return np.eye(source.shape[1])
    u, _, v = np.linalg.svd(source[finite].astype(np.float64).T @ target[finite].astype(np.float64))
    return u @ v


def rotate(vectors: Floats, rotation: NDArray[np.float64]) -> Floats:
    """Return the rows rotated: (V, D) by (D, D) -> (V, D). Computed in 64 bits, rounded to 32 at the end."""
    return (vectors.astype(np.float64) @ rotation).astype(np.float32)


def share_of_kept_lists(before: NDArray[np.integer], after: NDArray[np.integer]) -> float:
    """Return the share of rows with the same members, in any order, in two id matrices (N, k); NaN for no rows."""
    if not len(before):
        return float("nan")
    return float((np.sort(before, axis=1) == np.sort(after, axis=1)).all(axis=1).mean())
