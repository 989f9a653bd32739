"""A layout as it is kept: with how far it, and each token's place in it, can be trusted."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from lamplighter.projection.surroundings import Nearest
from lamplighter.projection.trust import TrustProbe, nearest_places, trust_by_token
from lamplighter.wire.frames import Layout, Method


def rated_layout(
    attempt: int,
    step: int,
    method: Method,
    places: NDArray[np.float32],
    probe: TrustProbe,
    nearest: Nearest | None,
) -> Layout:
    """Rate a picture of the space that the probe looked at last.

    Args:
        attempt: of the step.
        step: that step.
        method: what drew it.
        places: shape (V, 2).
        probe: of this space.
        nearest: each token's nearest in this space; None: the tokens get no trust of their own.
    """
    shown = by_token = None
    if nearest is not None:
        shown = nearest_places(places, probe.neighbours)
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
