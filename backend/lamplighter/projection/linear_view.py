"""The linear view: a projection on two fixed directions of the embedding, in which a row that does not change
stays put.

The directions are the first two principal components (Pearson 1901) of one matrix, chosen once and kept; in a run of
sums on a clock, the plane of the strongest frequency of its numbers (`geometry/fourier.py`), in which they lie on a circle. At
the start no direction means anything yet, so the first layout uses the components of the random start. They
are replaced once, when the embedding has taken shape (at the first frame from step `FIXED_FROM_STEP` on), and
then stay for the rest of the run, restarts included. For a run that ended before it was first projected, they
come from its last step. The step they come from is stored with the layouts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamplighter.geometry.fourier import frequency_plane, frequency_shares, strongest_frequency
from lamplighter.wire.row_source import RowSource, row_blocks
from living_map.principal_components import principal_directions

FIXED_FROM_STEP = 400
"""Step from which the directions are final."""
_MAX_LANDMARKS = 2_048
"""Maximum rows that give a large vocabulary its directions: all rows in 64 bits would take gigabytes."""


@dataclass(frozen=True)
class LinearView:
    """A centre and two orthonormal directions, with the step they come from."""

    centre: NDArray[np.float32]
    """Shape (D,)."""
    basis: NDArray[np.float32]
    """Shape (D, 2), orthonormal columns."""
    attempt: int
    step: int
    """The step of the matrix that defines the directions."""

    def project(self, vectors: RowSource) -> NDArray[np.float32]:
        # Column by column, so that a row's result does not depend on the rows beside it.
        out = np.empty((len(vectors), 2), dtype=np.float32)
        for some, rows in row_blocks(vectors):
            for axis in (0, 1):
                out[some, axis] = np.einsum("vd,d->v", rows, self.basis[:, axis])
        out -= self.centre @ self.basis
        return out

    def to_facts(self) -> dict[str, Any]:
        return {
            "attempt": self.attempt,
            "step": self.step,
            "centre": self.centre.tolist(),
            "basis": self.basis.tolist(),
        }

    @staticmethod
    def from_facts(facts: dict[str, Any]) -> LinearView:
        """Read what `to_facts` returned; raise KeyError, TypeError or ValueError if it is malformed."""
        centre = np.array(facts["centre"], dtype=np.float32)
        basis = np.array(facts["basis"], dtype=np.float32)
        if basis.shape != (*centre.shape, 2):
            raise ValueError("the directions of the linear view do not fit together")
        return LinearView(centre, basis, int(facts["attempt"]), int(facts["step"]))


def rows_of_view(vectors: RowSource, landmarks: NDArray[np.int64] | None) -> NDArray[np.float32]:
    """Return the rows that give a matrix, shape (V, D), its directions: all, or evenly chosen landmarks."""
    if landmarks is None:
        return vectors[:]
    return vectors[landmarks[:: -(-len(landmarks) // _MAX_LANDMARKS)]]


def fourier_view(numbers: NDArray[np.float32], attempt: int, step: int) -> LinearView:
    """Return the plane of the strongest frequency of the rows of numbers, with 0 to the right. `numbers`: the
    rows in the order of the numbers, shape (p, D), p at least 3, D at least 2, finite.
    """
    frequency = strongest_frequency(frequency_shares(numbers), len(numbers))
    basis = frequency_plane(numbers, frequency)
    return LinearView(numbers.mean(axis=0), basis.astype(np.float32), attempt, step)


def principal_view(
    vectors: NDArray[np.float32], attempt: int, step: int, like: NDArray[np.float32] | None = None
) -> LinearView:
    """Compute the first two principal components of a matrix, shape (V, D), D at least 2, finite. `like`:
    shape (V, 2), the layout shown so far, to which they are rotated or mirrored within their plane.
    """
    centre, basis = principal_directions(vectors, like)
    return LinearView(centre, basis, attempt, step)
