"""The map by principal components (Pearson 1901), chosen anew for every frame and laid over the last one.

Unlike the linear view, whose directions are fixed: here they follow the space, so a row that rests moves
with them. The components are turned, or mirrored, within their plane to lie like the picture before
(`linear.principal_view`), so that nothing spins or flips where two directions are about as strong.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamplighter.projection.linear import principal_view
from lamplighter.projection.method import MapSettings


class PrincipalMap:
    """One set of directions a frame. Has no settings."""

    def __init__(self, places: NDArray[np.float32] | None = None) -> None:
        """Start from nothing, or from the places of an earlier process, shape (V, 2), to lie like."""
        self._places = places
        self._drawn = False

    @property
    def places(self) -> NDArray[np.float32] | None:
        """Shape (V, 2), or None before the first frame."""
        return self._places

    @property
    def restless(self) -> bool:
        """Whether nothing was drawn yet."""
        return not self._drawn

    def remember(self, vectors: NDArray[np.float32]) -> None:
        """Take in the space that the places it was started with were made for: nothing is carried over from it."""

    def frame(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """This space on its own components, shape (V, D) to (V, 2); see `MapMethod`."""
        self._places = principal_view(vectors, 0, 0, self._places).places(vectors)
        self._drawn = True
        return self._places

    def change(self, settings: MapSettings) -> None:
        """Other settings change nothing here."""
