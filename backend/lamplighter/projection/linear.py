"""The linear view: two fixed directions of the space, in which a row that rests cannot move.

The directions are the first two principal components (Pearson 1901) of one matrix, chosen once and kept.
At the start nothing has a direction yet, so the very first picture uses the components of the random start;
they are replaced once, once the space has taken shape (at the first frame from step `CHOSEN_AT`
on), and then stay for the rest of the run, restarts included. For a run that has ended before anyone
projected it, they come from its last step. Which step it was is kept with the layouts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

CHOSEN_AT = 400
"""Steps after which the directions are chosen for good."""


@dataclass(frozen=True)
class LinearView:
    """A point and two orthonormal directions, and where they come from."""

    centre: NDArray[np.float32]
    """Shape (D,)."""
    basis: NDArray[np.float32]
    """Shape (D, 2), orthonormal columns."""
    attempt: int
    step: int
    """The step whose matrix gave the directions."""

    def places(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Where the rows lie: (vectors - centre) @ basis. Shape (V, 2)."""
        # Column by column, so that what a row gives does not depend on the rows beside it.
        out = np.empty((len(vectors), 2), dtype=np.float32)
        for axis in (0, 1):
            out[:, axis] = np.einsum("vd,d->v", vectors, self.basis[:, axis])
        out -= self.centre @ self.basis
        return out

    def to_facts(self) -> dict[str, Any]:
        """All of it, as JSON can hold it."""
        return {
            "attempt": self.attempt,
            "step": self.step,
            "centre": self.centre.tolist(),
            "basis": self.basis.tolist(),
        }

    @staticmethod
    def from_facts(facts: dict[str, Any]) -> LinearView:
        """Read what `to_facts` gave.

        Raises:
            KeyError, TypeError, ValueError: it is something else.
        """
        centre = np.array(facts["centre"], dtype=np.float32)
        basis = np.array(facts["basis"], dtype=np.float32)
        if basis.shape != (*centre.shape, 2):
            raise ValueError("the directions of the linear view do not fit together")
        return LinearView(centre, basis, int(facts["attempt"]), int(facts["step"]))


def principal_view(
    vectors: NDArray[np.float32], attempt: int, step: int, like: NDArray[np.float32] | None = None
) -> LinearView:
    """The first two principal components of a matrix.

    Args:
        vectors: shape (V, D), D at least 2, finite.
        attempt: of the step the matrix is of.
        step: that step.
        like: shape (V, 2), the picture shown so far: the components are turned or mirrored within their
            plane to lie like it.
    """
    rows = vectors.astype(np.float64)
    centre = rows.mean(axis=0)
    rows -= centre
    _, directions = np.linalg.eigh(rows.T @ rows)
    basis = directions[:, :-3:-1]
    # A direction and its opposite are as good: take the one whose largest coordinate is positive.
    largest = np.abs(basis).argmax(axis=0)
    basis = basis * np.where(basis[largest, [0, 1]] < 0, -1.0, 1.0)
    if like is not None:
        left, _, right = np.linalg.svd((rows @ basis).T @ (like - like.mean(axis=0)))
        basis = basis @ (left @ right)
    return LinearView(centre.astype(np.float32), basis.astype(np.float32), attempt, step)
