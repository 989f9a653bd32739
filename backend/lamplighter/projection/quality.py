"""The quality of layouts: trust in the whole and in each token, by the nearest neighbours."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lamplighter.geometry.neighbours import all_nearest
from lamplighter.projection.umap_view import NEIGHBOURS_USED
from lamplighter.wire.layout_frames import Layout, Method
from living_map.trust import TrustProbe, nearest_on_map, trust_by_token

if TYPE_CHECKING:
    from living_map.incremental_umap import IncrementalUmap
    from living_map.nearest_neighbours import NeighbourIndex


_MAX_UNCOMPILED = 5_000
"""Largest number of tokens for which neighbours are computed without compiled code."""

NearestNeighbours = tuple[NDArray[np.int32], NDArray[np.float32]]


class NeighbourSource:
    """The nearest neighbours in the embedding, frame by frame. For the main thread only."""

    def __init__(self) -> None:
        self._own: NeighbourIndex | None = None

    def find(self, vectors: NDArray[np.float32], drawn: IncrementalUmap | None) -> NearestNeighbours | None:
        """Return each token's nearest, nearest first, without itself, and their cosines, (V, K) each.
        `drawn`: the map of this embedding; None before the first, while no code is compiled. Return None if it would
        take too long now.
        """
        if drawn is None:
            return all_nearest(vectors, NEIGHBOURS_USED) if len(vectors) <= _MAX_UNCOMPILED else None
        if len(vectors) <= 2:
            return None
        ids, cosines = drawn.nearest
        if ids.shape[1] >= min(NEIGHBOURS_USED, len(vectors) - 1):
            self._own = None
            return ids[:, :NEIGHBOURS_USED], cosines[:, :NEIGHBOURS_USED]
        from living_map.nearest_neighbours import NeighbourIndex

        self._own = self._own or NeighbourIndex(NEIGHBOURS_USED)
        self._own.update(vectors)
        return self._own.ids, self._own.cosines


def score_layout(
    attempt: int,
    step: int,
    method: Method,
    coordinates: NDArray[np.float32],
    probe: TrustProbe,
    nearest: NearestNeighbours | None,
    landmarks: NDArray[np.int64] | None = None,
) -> Layout:
    """Score a layout, (V, 2), of the embedding set in the probe. `nearest` None: no trust by token.
    `landmarks`: the tokens that all of `nearest` are among, if not all; trust by token is that in its
    landmarks then.
    """
    map_nearest = by_token = None
    if nearest is not None:
        map_nearest = nearest_on_map(coordinates, probe.neighbours, landmarks)
        by_token = trust_by_token(map_nearest, nearest[0])
    trust = probe.estimate(coordinates, map_nearest if landmarks is None else None)
    return Layout(
        attempt,
        step,
        time.time(),
        method,
        coordinates,
        trust.trust,
        trust.error,
        trust.recall,
        len(trust.token_ids),
        by_token,
    )
