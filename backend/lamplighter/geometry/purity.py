"""Neighbourhood purity: do a token's nearest neighbours belong to its own planted class?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamplighter.geometry.neighbours import all_nearest


def class_purity(vectors: NDArray[np.float32], class_of: NDArray[np.integer], k: int = 10) -> float:
    """Compute the macro-averaged k-NN purity by cosine.

    Only tokens with a class take part, both as queries and as neighbours. A token's purity is the share of
    its own class among its min(k, class size - 1) nearest, so that a small class can reach 1. It is averaged
    within each class, then over the classes, so that large classes do not dominate small ones. Classes of one
    token are left out.

    Args:
        vectors: shape (V, D).
        class_of: shape (V,), the class of each token, negative for none.
        k: number of neighbours.

    Returns:
        From 0 to 1; NaN when no class has two tokens.
    """
    classed = np.flatnonzero(np.asarray(class_of) >= 0)
    labels = np.asarray(class_of)[classed]
    if len(labels) < 2:
        return float("nan")
    return purity_of_neighbours(all_nearest(vectors[classed], k)[0], labels)


def purity_of_neighbours(ids: NDArray[np.integer], labels: NDArray[np.integer]) -> float:
    """Compute `class_purity` from neighbours that are known, so that several sets of classes need only one search.

    Args:
        ids: shape (N, k), the nearest of each classed token, nearest first, as numbers from 0 to N - 1.
        labels: shape (N,), the classes.
    """
    k = ids.shape[1]
    classes, index, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    if not (sizes > 1).any():
        return float("nan")
    counted_neighbours = np.minimum(k, sizes - 1)[index]
    counted = np.arange(k)[None, :] < counted_neighbours[:, None]
    hits = ((labels[ids] == labels[:, None]) & counted).sum(axis=1)
    pure = np.divide(hits, counted_neighbours, out=np.zeros(len(hits)), where=counted_neighbours > 0)
    by_class = np.bincount(index, weights=pure, minlength=len(classes)) / sizes
    return float(by_class[sizes > 1].mean())


def purity_chance(class_of: NDArray[np.integer]) -> float:
    """Return the expected `class_purity` of vectors that are independent of the classes.

    A neighbour of a token is then of its class with probability (class size - 1) / (classed tokens - 1).
    """
    labels = np.asarray(class_of)
    _, sizes = np.unique(labels[labels >= 0], return_counts=True)
    if not (sizes > 1).any():
        return float("nan")
    return float(((sizes[sizes > 1] - 1) / (sizes.sum() - 1)).mean())
