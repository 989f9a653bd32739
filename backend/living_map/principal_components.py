"""The first two principal components (Pearson 1901), where a map starts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_HALF_WIDTH = 5.0
"""Largest coordinate of a start, as in umap-learn."""
_NOISE = 0.01
"""Standard deviation of the noise that keeps any two tokens from coinciding."""


def principal_directions(
    vectors: NDArray[np.float32], like: NDArray[np.float32] | None = None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Compute the first two principal components of a matrix, (V, D), D at least 2, finite. `like`: shape (V,
    2), the layout shown so far, to which they are rotated or mirrored within their plane. Returns the centre,
    shape (D,), and two orthonormal columns, shape (D, 2).
    """
    rows = vectors.astype(np.float64)
    centre = rows.mean(axis=0)
    rows -= centre
    if 1 < len(rows) < rows.shape[1]:
        # The components of few wide rows are combinations of them.
        _, combinations = np.linalg.eigh(rows @ rows.T)
        basis = np.linalg.qr(rows.T @ combinations[:, :-3:-1])[0]
    else:
        basis = np.linalg.eigh(rows.T @ rows)[1][:, :-3:-1]
    # A component's sign is arbitrary: take the one whose largest coordinate is positive.
    largest = np.abs(basis).argmax(axis=0)
    basis = basis * np.where(basis[largest, [0, 1]] < 0, -1.0, 1.0)
    if like is not None:
        left, _, right = np.linalg.svd((rows @ basis).T @ (like - like.mean(axis=0)))
        basis = basis @ (left @ right)
    return centre.astype(np.float32), basis.astype(np.float32)


def principal_start(vectors: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """Return the rows on their first two components, ten units wide, with noise so that no two coincide. Shape (V, 2)."""
    centre, basis = principal_directions(vectors)
    coordinates = vectors @ basis - centre @ basis
    coordinates -= coordinates.mean(axis=0)
    largest = np.abs(coordinates).max()
    coordinates *= _HALF_WIDTH / largest if largest > 0 else 1
    return add_noise(coordinates, random)


def add_noise(coordinates: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """Return positions, shape (V, 2), with noise so that no two coincide."""
    return coordinates + random.normal(scale=_NOISE, size=coordinates.shape).astype(np.float32)
