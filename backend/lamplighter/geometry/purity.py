"""How far nearest neighbours tell the planted class of a token: purity, and the order gained, in bits.

The information is the mutual information of the classes of a token and of one of its nearest neighbours. Every class has equal
weight (macro): draw a class c, each of the C classes of two or more tokens equally likely; then one of its tokens;
then one of that token's min(k, class size - 1) nearest among the tokens with a class, of class c'. With the joint
probabilities p(c, c'),

    I = sum over c, c' of p(c, c') log2( p(c, c') / (p(c) p(c')) )

in bits (Shannon 1948). If all neighbours have the token's class it is log2 C, the maximum. For random neighbours it
is above 0, because lists are finite: see `neighbour_information_chance`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

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
    """Find the nearest tokens by cosine, among those with a class, and return their classes. `class_of`:
    shape (V,), the class of each token, negative for none.
    """
    classed = np.flatnonzero(np.asarray(class_of) >= 0)
    return classify_neighbours(all_nearest(vectors[classed], k)[0], np.asarray(class_of)[classed])


def classify_neighbours(ids: NDArray[np.integer], labels: NDArray[np.integer]) -> NeighbourClasses:
    """Return the classes of known neighbours, so that several sets of classes need only one search. `ids`:
    shape (N, k), the nearest of each token, nearest first, as numbers below N; `labels`: shape (N,).
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
    """Return the expected `class_purity` of vectors that are independent of the classes. A neighbour of a
    token is then of its class with probability (class size - 1) / (classed tokens - 1).
    """
    labels = np.asarray(class_of)
    _, sizes = np.unique(labels[labels >= 0], return_counts=True)
    if not (sizes > 1).any():
        return float("nan")
    return float(((sizes[sizes > 1] - 1) / (sizes.sum() - 1)).mean())


_SEED = 0


class Order(NamedTuple):
    """The order that an embedding has gained by some classes; NaN where they say nothing."""

    purity: float
    """Macro-averaged 10-NN purity."""
    purity_chance: float
    information: float
    """Bits that neighbour lists give about the class of their token."""
    information_chance: float
    information_most: float


def measure_order(vectors: NDArray[np.float32], class_of: NDArray[np.integer], k: int = 10) -> Order:
    """Measure the order of a matrix, (V, D), by classes, (V,), negative for none, and `k` neighbours."""
    found = find_neighbour_classes(vectors, class_of, k)
    return Order(
        neighbour_purity(found),
        purity_chance(class_of),
        neighbour_information(found),
        neighbour_information_chance(found),
        neighbour_information_most(found),
    )


def neighbour_information(found: NeighbourClasses) -> float:
    """Compute the bits that neighbour lists give about their token's class; NaN for no class of two."""
    classes = len(found.sizes)
    query = found.sizes > 1
    if not query.any():
        return float("nan")
    # The weight of a neighbour: 1 / C for the class, 1 / class size for the token, 1 / limit for the neighbour.
    limits, counted = found.limits, found.counted
    share = limits * found.sizes[found.own] * int(query.sum())
    each = np.divide(1.0, share, out=np.zeros(len(share)), where=limits > 0)
    weights = np.broadcast_to(each[:, None], counted.shape)[counted]
    own = np.broadcast_to(found.own[:, None], counted.shape)[counted]
    nearest = found.nearest[counted]
    # Count only pairs of classes that occur: a full table may be large.
    pairs, place = np.unique(own * classes + nearest, return_inverse=True)
    joint = np.bincount(place, weights=weights)
    of_own = np.bincount(own, weights=weights, minlength=classes)[pairs // classes]
    of_nearest = np.bincount(nearest, weights=weights, minlength=classes)[pairs % classes]
    return float((joint * np.log2(joint / (of_own * of_nearest))).sum())


def neighbour_information_most(found: NeighbourClasses) -> float:
    """Return the most bits that lists can give: log2 of the classes of two or more tokens; NaN for none."""
    classes = int((found.sizes > 1).sum())
    return float(np.log2(classes)) if classes else float("nan")


def neighbour_information_chance(found: NeighbourClasses) -> float:
    """Compute the `neighbour_information` of the lists, shuffled among all tokens with a fixed seed."""
    dealt = np.random.default_rng(_SEED).permutation(found.nearest.ravel())
    return neighbour_information(replace(found, nearest=dealt.reshape(found.nearest.shape)))
