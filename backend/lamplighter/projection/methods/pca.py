"""The map by principal components (Pearson 1901), recomputed for every frame and aligned to the last one.

Unlike the linear view, whose directions are fixed, these directions follow the embedding, so a row that does
not change moves with them. The components are rotated or mirrored within their plane to match the previous
layout (`linear_view.principal_view`), so that the map does not spin or flip where two directions are about
equally strong.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamplighter.projection.methods.linear_view import principal_view
from living_map.settings import MapSettings


class PcaLayout:
    """A layout by principal components, recomputed for every frame. It has no settings."""

    def __init__(self, coordinates: NDArray[np.float32] | None = None) -> None:
        self._coordinates = coordinates
        self._drawn = False

    @property
    def coordinates(self) -> NDArray[np.float32] | None:
        return self._coordinates

    @property
    def unsettled(self) -> bool:
        return not self._drawn

    def resume_from(self, vectors: NDArray[np.float32]) -> None:
        """Ignore the embedding of the initial positions; this method needs no state."""

    def draw_frame(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        self._coordinates = principal_view(vectors, 0, 0, self._coordinates).project(vectors)
        self._drawn = True
        return self._coordinates

    def change_settings(self, settings: MapSettings) -> None:
        """Ignore other settings; this method has none."""
