"""Synthetic spaces in which clusters of tokens move."""

from __future__ import annotations

import numpy as np


def town(size: int = 300, classes: int = 10, noise: float = 0.4, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(classes, 16))
    return (centres[np.arange(size) % classes] + noise * rng.normal(size=(size, 16))).astype(np.float32)


def diameter(places: np.ndarray) -> float:
    return float(np.linalg.norm(places.max(axis=0) - places.min(axis=0)))
