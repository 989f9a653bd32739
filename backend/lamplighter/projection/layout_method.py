"""The interface of all layout methods: incremental UMAP, refitted UMAP and PCA."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from living_map.settings import MapSettings

NEIGHBOURS_USED = 39
"""Number of neighbours used for trust and districts: as many as the incremental UMAP keeps by default."""


class LayoutMethod(Protocol):
    """A method that lays out a moving embedding, frame after frame. For one thread only."""

    @property
    def coordinates(self) -> NDArray[np.float32] | None:
        """Return the tokens' positions, shape (V, 2), or None before the first frame."""
        ...

    @property
    def unsettled(self) -> bool:
        """Return whether another frame of the same embedding would still move the map."""
        ...

    def resume_from(self, vectors: NDArray[np.float32]) -> None:
        """Load the embedding of the initial positions, shape (V, D)."""
        ...

    def draw_frame(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Compute the next frame. The method itself detects which rows moved since the last one.

        Args:
            vectors: shape (V, D), D at least 2, finite; V must not change. Not kept: the caller may overwrite it
                afterwards.

        Returns:
            Positions, shape (V, 2). Later frames do not overwrite them.
        """
        ...

    def change_settings(self, settings: MapSettings) -> None:
        """Use other settings from the next frame on, continuing from the current positions."""
        ...
