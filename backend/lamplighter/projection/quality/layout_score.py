"""Scores of layouts for storage: trust in the whole and in each token."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from lamplighter.projection.quality.neighbour_source import NearestNeighbours
from lamplighter.wire.layout_frames import Layout, Method
from living_map.trust import TrustProbe, nearest_on_map, trust_by_token


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
