"""Neighbourhood purity: do a token's nearest neighbours belong to its own planted class?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lamplighter.geometry.neighbours import all_nearest


@dataclass(frozen=True)
class NeighbourClasses:
    """The classes of the nearest neighbours of every token that has a class."""

    own: NDArray[np.int64]
    """Shape (N,): each token's class, as an index into `sizes`."""
    nearest: NDArray[np.int64]
    """Shape (N, k): the classes of its nearest neighbours, nearest first."""
    sizes: NDArray[np.int64]
    """Shape (C,): the number of tokens of each class."""

    @property
    def limits(self) -> NDArray[np.int64]:
        """Return the number of counted neighbours per token, shape (N,): at most the other tokens of its class."""
        return np.minimum(self.nearest.shape[1], self.sizes - 1)[self.own]

    @property
    def counted(self) -> NDArray[np.bool_]:
        """Return which neighbours count, shape (N, k)."""
        return np.arange(self.nearest.shape[1])[None, :] < self.limits[:, None]


def find_neighbour_classes(
    vectors: NDArray[np.float32], class_of: NDArray[np.integer], k: int = 10
) -> NeighbourClasses:
    """Find the nearest tokens by cosine, among those with a class, and return their classes.

    `class_of`: shape (V,), the class of each token, negative for none.
    """
    classed = np.flatnonzero(np.asarray(class_of) >= 0)
    return classify_neighbours(all_nearest(vectors[classed], k)[0], np.asarray(class_of)[classed])


def classify_neighbours(ids: NDArray[np.integer], labels: NDArray[np.integer]) -> NeighbourClasses:
    """Return the classes of known neighbours, so that several sets of classes need only one search.

    `ids`: shape (N, k), the nearest of each token, nearest first, as numbers below N; `labels`: shape (N,).
    """
    _, index, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    return NeighbourClasses(index, index[ids], sizes)


def class_purity(vectors: NDArray[np.float32], class_of: NDArray[np.integer], k: int = 10) -> float:
    """Compute `neighbour_purity` of a matrix, (V, D), by classes, (V,), negative for none."""
    return neighbour_purity(find_neighbour_classes(vectors, class_of, k))


def class_purities(found: NeighbourClasses) -> NDArray[np.float64]:
    """Compute the k-NN purity by cosine of each class of two or more tokens. Shape (C,).

    Only tokens with a class take part, both as queries and as neighbours. A token's purity is the share of
    its own class among its min(k, class size - 1) nearest, so that a small class can reach 1. It is averaged
    within each class.
    """
    limits = found.limits
    hits = ((found.nearest == found.own[:, None]) & found.counted).sum(axis=1)
    pure = np.divide(hits, limits, out=np.zeros(len(hits)), where=limits > 0)
    by_class: NDArray[np.float64] = (
        np.bincount(found.own, weights=pure, minlength=len(found.sizes)) / found.sizes
    )
    return by_class[found.sizes > 1]


def neighbour_purity(found: NeighbourClasses) -> float:
    """Compute the mean of `class_purities`, so that large classes do not dominate; NaN for no such class."""
    by_class = class_purities(found)
    return float(by_class.mean()) if len(by_class) else float("nan")


def purity_chance(class_of: NDArray[np.integer]) -> float:
    """Return the expected `class_purity` of vectors that are independent of the classes.

    A neighbour of a token is then of its class with probability (class size - 1) / (classed tokens - 1).
    """
    labels = np.asarray(class_of)
    _, sizes = np.unique(labels[labels >= 0], return_counts=True)
    if not (sizes > 1).any():
        return float("nan")
    return float(((sizes[sizes > 1] - 1) / (sizes.sum() - 1)).mean())
