"""The layout of a second matrix that begins at the layout of a first and moves only by what differs between the two.

Two layouts that were made apart drift apart, even of equal matrices. So the second matrix is given the layout of the
first. Then the words move by the difference of two forces of UMAP's kind, pulls to the nearest words and pushes from
random ones: that of the second matrix's neighbours where the words are now, less that of the first's where they began.
What the first layout has not brought to rest moves nothing. Each word's steps are scaled by its rank among the measured
distances: a word whose row is the same in both matrices stays where it is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamplighter.geometry.difference import Neighbourhoods

Doubles = NDArray[np.float64]

PASSES = 12
_PUSHES = 24
"""Random words that each word is pushed from, the same in each pass."""
_BLOCK = 2_048
"""Words whose pushes are computed at once, so that they stay in the cache."""
_NEAREST = 0.01
"""Added to squared distances so that words on one place do not push each other out of the map."""
_SEED = 0


def align_layout(
    coordinates: NDArray[np.float32], near: Neighbourhoods, distances: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the layout of the second of two matrices, (N, 2). It depends on nothing but the arguments.

    `coordinates`: the layout of the first, (N, 2), which rows keep where they or all neighbours are equal.
    `near`: the nearest of some or all words in both; only these are pulled. `distances`: how far each row is
    from itself in the other matrix, shape (N,). A word at 0, or NaN, does not move.
    """
    begin = coordinates.astype(np.float64)
    size = len(begin)
    edges, other_edges = _list_edges(near.words, near.nearest), _list_edges(near.words, near.other_nearest)
    unit = float(np.median(np.square(begin[edges[1]] - begin[edges[0]]).sum(axis=1)))
    moving = np.nan_to_num(distances) > 0
    if not unit > 0 or not moving.any():
        return coordinates
    pushers = np.random.default_rng(_SEED).integers(0, size, (size, _PUSHES))
    rest = _pull(begin, edges, unit) + _push(begin, pushers, unit, len(edges[0]))
    rest[near.words] *= near.kept[:, None] / near.nearest.shape[1]
    pulls = np.bincount(other_edges[0], minlength=size)
    pace = (_share_of_nearer(np.nan_to_num(distances)) * moving / np.maximum(1, pulls))[:, None]
    places = begin.copy()
    # Pulls are weak from afar: a word with few of its neighbours left begins amid the new ones.
    lost = (4 * near.kept < near.nearest.shape[1]) & moving[near.words]
    places[near.words[lost]] = np.median(begin[near.other_nearest[lost]], axis=1)
    for number in range(PASSES):
        force = _pull(places, other_edges, unit) + _push(places, pushers, unit, len(other_edges[0]))
        step = 2 * pace * (force - rest)
        # No step is longer than neighbours are apart.
        length = np.linalg.norm(step, axis=1, keepdims=True) / np.sqrt(unit)
        places += (1 - number / PASSES) * step / np.maximum(1, length)
    return np.where(moving[:, None], places, coordinates).astype(np.float32)


def _list_edges(words: NDArray[np.int64], nearest: NDArray[np.int32]) -> tuple[NDArray[np.int64], ...]:
    one, other = np.repeat(words, nearest.shape[1]), nearest.ravel().astype(np.int64)
    return np.concatenate((one, other)), np.concatenate((other, one))


def _pull(places: Doubles, edges: tuple[NDArray[np.int64], ...], unit: float) -> Doubles:
    head, tail = edges
    apart = places[tail] - places[head]
    apart /= 1 + np.square(apart).sum(axis=1, keepdims=True) / unit
    return np.stack([np.bincount(head, axis, len(places)) for axis in apart.T], axis=1, dtype=np.float64)


def _push(places: Doubles, pushers: NDArray[np.int64], unit: float, edges: int) -> Doubles:
    x, y = np.ascontiguousarray(places.T)
    scale = edges / len(places) / _PUSHES
    force = np.empty_like(places)
    for start in range(0, len(places), _BLOCK):
        some = slice(start, start + _BLOCK)
        across, along = x[some, None] - x[pushers[some]], y[some, None] - y[pushers[some]]
        squared = (across * across + along * along) / unit
        strength = scale / ((_NEAREST + squared) * (1 + squared))
        force[some] = np.stack(((strength * across).sum(axis=1), (strength * along).sum(axis=1)), axis=1)
    return force


def _share_of_nearer(distances: NDArray[np.float32]) -> Doubles:
    """Return the share of the words that are no farther from themselves than each; shape (N,)."""
    return np.searchsorted(np.sort(distances), distances, side="right") / len(distances)
