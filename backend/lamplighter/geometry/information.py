"""The order gained by an embedding, in bits: how much a token's nearest neighbours tell about its class.

The mutual information of two classes drawn together: that of a token, and that of one of its nearest neighbours.
Drawn so that every class counts alike (macro): first a class c, each of the C classes of two or more tokens equally
likely; then one of its tokens; then one of that token's min(k, class size - 1) nearest among the tokens with a class,
which is of class c'. With the joint probabilities p(c, c'),

    I = sum over c, c' of p(c, c') log2( p(c, c') / (p(c) p(c')) )

in bits (Shannon 1948). Where all neighbours are of the own class it is log2 C, the most possible. Of a matrix that knows
nothing it is above 0, because lists are finite: `neighbour_information_chance` is what it is then.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lamplighter.geometry.purity import NeighbourClasses

_SEED = 0


def neighbour_information(found: NeighbourClasses) -> float:
    """Compute the bits that neighbour lists tell about the class of their token; NaN when no class has two tokens."""
    classes = len(found.sizes)
    query = found.sizes > 1
    if not query.any():
        return float("nan")
    # A token's share of the draw: its class is one of C, it is one of its class, and each neighbour is as likely.
    limits, counted = found.limits, found.counted
    share = limits * found.sizes[found.own] * int(query.sum())
    each = np.divide(1.0, share, out=np.zeros(len(share)), where=limits > 0)
    weights = np.broadcast_to(each[:, None], counted.shape)[counted]
    own = np.broadcast_to(found.own[:, None], counted.shape)[counted]
    nearest = found.nearest[counted]
    # Only pairs of classes that occur: a table of all of them may be large.
    pairs, place = np.unique(own * classes + nearest, return_inverse=True)
    joint = np.bincount(place, weights=weights)
    of_own = np.bincount(own, weights=weights, minlength=classes)[pairs // classes]
    of_nearest = np.bincount(nearest, weights=weights, minlength=classes)[pairs % classes]
    return float((joint * np.log2(joint / (of_own * of_nearest))).sum())


def neighbour_information_most(found: NeighbourClasses) -> float:
    """Return the most bits that neighbour lists can tell, log2 of the number of classes of two or more tokens; NaN when
    there is none."""
    classes = int((found.sizes > 1).sum())
    return float(np.log2(classes)) if classes else float("nan")


def neighbour_information_chance(found: NeighbourClasses) -> float:
    """Compute `neighbour_information` of lists that know nothing: those found, dealt out anew at random among all tokens,
    always in the same way."""
    dealt = np.random.default_rng(_SEED).permutation(found.nearest.ravel())
    return neighbour_information(replace(found, nearest=dealt.reshape(found.nearest.shape)))
