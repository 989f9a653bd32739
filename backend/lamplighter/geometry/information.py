"""The information in bits that a token's nearest neighbours give about its class: the order gained by an embedding.

It is the mutual information of the classes of a token and of one of its nearest neighbours. Every class has equal
weight (macro): draw a class c, each of the C classes of two or more tokens equally likely; then one of its tokens; then
one of that token's min(k, class size - 1) nearest among the tokens with a class, of class c'. With the joint
probabilities p(c, c'),

    I = sum over c, c' of p(c, c') log2( p(c, c') / (p(c) p(c')) )

in bits (Shannon 1948). If all neighbours have the token's class it is log2 C, the maximum. For random neighbours it is
above 0, because lists are finite: see `neighbour_information_chance`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamplighter.geometry.purity import (
    NeighbourClasses,
    find_neighbour_classes,
    neighbour_purity,
    purity_chance,
)

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
