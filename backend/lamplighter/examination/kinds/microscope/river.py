"""The gradient on its way back: its norm by layer, from the loss to the embedding."""

from __future__ import annotations

import numpy as np

from lamplighter.examination.examined_model import Answer
from lamplighter.examination.kinds.microscope.finite_numbers import to_number
from lamplighter.examination.kinds.microscope.retaken_step import RetakenStep

VANISHING_SHARE = 1e-3
"""A layer's gradient vanishes below this share of the strongest layer's."""
EXPLODING_FACTOR = 10.0
"""A layer's gradient explodes above this multiple of the norm at which the gradient of the whole model is clipped."""


def describe_river(retaken: RetakenStep) -> Answer:
    """Return the norm of each layer's gradient before clipping, from the loss back to the embedding.

    A tied matrix is one layer, the embedding. `flag` is "vanishing", "exploding" or None, by the rule that stands beside it.
    """
    norms = retaken.observation.layer_norms.astype(np.float64)
    clip_norm, strongest = retaken.after.clip_norm, float(norms.max())
    layers = [
        {"layer": layer, "norm": to_number(norm), "flag": _flag(norm, strongest, clip_norm)}
        for layer, norm in reversed(list(zip(retaken.layers, norms.tolist(), strict=True)))
    ]
    return {
        "layers": layers,
        "norm": to_number(float(np.sqrt((norms**2).sum()))),
        "clip_norm": clip_norm,
        "clip_scale": to_number(retaken.clip_scale),
        "rule": {"vanishing_below_share": VANISHING_SHARE, "exploding_above_clip_norms": EXPLODING_FACTOR},
    }


def _flag(norm: float, strongest: float, clip_norm: float) -> str | None:
    if norm > EXPLODING_FACTOR * clip_norm:
        return "exploding"
    return "vanishing" if norm < VANISHING_SHARE * strongest else None
