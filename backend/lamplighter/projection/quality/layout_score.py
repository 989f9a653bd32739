"""Layouts scored for storage: with the trust of the whole and of each token."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from lamplighter.projection.quality.neighbour_source import NearestNeighbours
from lamplighter.projection.quality.trust import TrustProbe, nearest_on_map, trust_by_token
from lamplighter.wire.layout_frames import Layout, Method


def score_layout(
    attempt: int,
    step: int,
    method: Method,
    places: NDArray[np.float32],
    probe: TrustProbe,
    nearest: NearestNeighbours | None,
) -> Layout:
    """Score a layout of the embedding that the probe was given last.

    Args:
        attempt: the attempt that the step belongs to.
        step: the step.
        method: the method that drew it.
        places: shape (V, 2).
        probe: the trust probe, set to this embedding.
        nearest: each token's nearest neighbours in this embedding; None: tokens get no trust of their own.
    """
    shown = by_token = None
    if nearest is not None:
        shown = nearest_on_map(places, probe.neighbours)
        by_token = trust_by_token(shown, nearest[0])
    trust = probe.estimate(places, shown)
    return Layout(
        attempt,
        step,
        time.time(),
        method,
        places,
        trust.trust,
        trust.error,
        trust.recall,
        len(trust.token_ids),
        by_token,
    )
