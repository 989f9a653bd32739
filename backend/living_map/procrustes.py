"""Alignment of one map to another by a rigid motion: a rotation and a translation, never a reflection or a
scaling.

UMAP's forces are invariant to rotation and translation, so a layout can drift and turn while it is optimised,
which disturbs a viewer. The motion is the least-squares one (Kabsch 1976; in the plane it has a closed form
that excludes reflections), fitted to the tokens that moved least, so that a district that really moved does
not drag the rest along.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_CALM_SHARE = 0.5
"""Fraction of the tokens, those with the smallest displacements, that determines the motion."""


@dataclass(frozen=True)
class RigidMotion:
    """A rotation about the origin, followed by a translation."""

    rotation: NDArray[np.float64]
    """Rotation matrix, shape (2, 2), determinant 1."""
    translation: NDArray[np.float64]
    """Translation, shape (2,)."""

    def apply(self, coordinates: NDArray[np.float32]) -> NDArray[np.float32]:
        return (coordinates @ self.rotation.T + self.translation).astype(np.float32)


def fit_rigid_motion(source: NDArray[np.floating], target: NDArray[np.floating]) -> RigidMotion:
    """Return the least-squares rigid motion that brings `source` to `target`, point by point, (N, 2). If
    every rotation fits equally well (one point, or all coincide), it has no rotation.
    """
    source = np.asarray(source, dtype=np.float64)
    target = np.asarray(target, dtype=np.float64)
    from_middle, to_middle = source.mean(axis=0), target.mean(axis=0)
    x, y = (source - from_middle).T
    u, v = (target - to_middle).T
    along, across = float(x @ u + y @ v), float(x @ v - y @ u)
    length = float(np.hypot(along, across))
    cos, sin = (along / length, across / length) if length > 0 else (1.0, 0.0)
    turn = np.array([[cos, -sin], [sin, cos]])
    return RigidMotion(turn, to_middle - turn @ from_middle)


def align_to_previous(coordinates: NDArray[np.float32], before: NDArray[np.float32]) -> NDArray[np.float32]:
    """Align `coordinates` rigidly to those `before`, (V, 2), by the tokens that moved least."""
    moved = fit_rigid_motion(coordinates, before).apply(coordinates)
    keep = max(1, int(np.ceil(_CALM_SHARE * len(coordinates))))
    # Two passes, because the first choice of the calmest tokens depends on a motion that all tokens
    # influenced.
    for _ in range(2):
        distance = np.square(moved - before).sum(axis=1)
        calm = np.argpartition(distance, keep - 1)[:keep]
        moved = fit_rigid_motion(coordinates[calm], before[calm]).apply(coordinates)
    return moved
