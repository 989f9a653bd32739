"""Laying one map over another by a rigid motion: a turn and a shift, never a mirror image or a new scale.

UMAP's forces do not care how the map lies, so it can drift and turn as it is optimised. A viewer does
care. The motion is the least-squares one (Kabsch 1976, in the plane, where it has a closed form without
the mirrored case), fitted to the tokens that moved least, so that a district that really moved does not
drag the rest along.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Motion:
    """A turn about the origin, then a shift."""

    turn: NDArray[np.float64]
    """Shape (2, 2), a rotation: its determinant is 1."""
    shift: NDArray[np.float64]
    """Shape (2,)."""

    def apply(self, places: NDArray[np.float32]) -> NDArray[np.float32]:
        """The places, shape (N, 2), moved."""
        return (places @ self.turn.T + self.shift).astype(np.float32)


def rigid_motion(source: NDArray[np.floating], target: NDArray[np.floating]) -> Motion:
    """The rigid motion that brings `source` closest to `target`, point for point, in the plane.

    Args:
        source: shape (N, 2), N at least 1.
        target: shape (N, 2).

    Returns:
        The motion of least squares. Where any turn would do (one point, all in one place), no turn.
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
    return Motion(turn, to_middle - turn @ from_middle)


def settle(
    places: NDArray[np.float32],
    before: NDArray[np.float32],
    share: float = 0.5,
) -> NDArray[np.float32]:
    """`places`, moved rigidly to lie over `before` where the map changed least.

    Args:
        places: shape (V, 2).
        before: shape (V, 2), the last frame.
        share: of the tokens, those with the smallest displacements decide.

    Returns:
        Shape (V, 2).
    """
    moved = rigid_motion(places, before).apply(places)
    keep = max(1, int(np.ceil(share * len(places))))
    # Twice: the first choice of the calmest is made under a motion that the restless ones had a part in.
    for _ in range(2):
        distance = np.square(moved - before).sum(axis=1)
        calm = np.argpartition(distance, keep - 1)[:keep]
        moved = rigid_motion(places[calm], before[calm]).apply(places)
    return moved
