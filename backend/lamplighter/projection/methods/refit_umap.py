"""The classic method: umap-learn's own fit from scratch whenever the embedding moved, aligned to the last
layout.

It is the baseline for the incremental UMAP. The alignment is a rigid motion by the tokens that moved least
(`procrustes.py`), or a reflection if that fits better. The remaining jumps are inherent in the method.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamplighter.projection.methods.linear_view import principal_view
from lamplighter.projection.methods.umap_learn import fit
from living_map.procrustes import align_to_previous
from living_map.settings import MapSettings

_MIN_TOKENS = 5
"""Minimum tokens that umap-learn can lay out; with fewer, its spectral start and its neighbours are undefined."""


class RefitUmap:
    """A layout by one UMAP fit per frame; an embedding that did not move is not fitted again."""

    def __init__(
        self, settings: MapSettings | None = None, coordinates: NDArray[np.float32] | None = None
    ) -> None:
        """Start from scratch, or aligned to the positions of an earlier process, shape (V, 2)."""
        self._settings = settings or MapSettings()
        self._coordinates = coordinates
        self._fitted: NDArray[np.float32] | None = None
        """The embedding of the last fit, shape (V, D)."""

    @property
    def coordinates(self) -> NDArray[np.float32] | None:
        """Return the positions, shape (V, 2), or None before the first frame."""
        return self._coordinates

    @property
    def unsettled(self) -> bool:
        """Return whether another frame of the same embedding would be fitted."""
        return self._fitted is None

    def resume_from(self, vectors: NDArray[np.float32]) -> None:
        """Ignore the embedding of the initial positions; this method needs no state."""

    def draw_frame(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Fit the embedding, shape (V, D) to (V, 2), and align the fit to the last layout; see
        `LayoutMethod`."""
        if (
            self._coordinates is not None
            and self._fitted is not None
            and np.array_equal(vectors, self._fitted)
        ):
            return self._coordinates
        self._fitted = vectors.copy()
        size = len(vectors)
        if size < _MIN_TOKENS:
            coordinates = _linear_fallback(vectors)
        else:
            # A row of zeros has no angle to any other; umap-learn's cosine treats it as the farthest.
            coordinates = fit(vectors, min(self._settings.neighbours, size - 1), self._settings)
        self._coordinates = (
            coordinates if self._coordinates is None else align_or_mirror(coordinates, self._coordinates)
        )
        return self._coordinates

    def change_settings(self, settings: MapSettings) -> None:
        """Use other settings from the next frame on, which is fitted from scratch."""
        self._settings = settings
        self._fitted = None


def _linear_fallback(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the linear layout, with coinciding tokens moved apart."""
    coordinates = principal_view(vectors, 0, 0).project(vectors)
    return coordinates + np.linspace(0, 1e-3, len(coordinates), dtype=np.float32)[:, None]


def align_or_mirror(coordinates: NDArray[np.float32], before: NDArray[np.float32]) -> NDArray[np.float32]:
    """Align `coordinates` or its mirror image to the last layout, whichever fits better."""
    both = [
        align_to_previous(some, before)
        for some in (coordinates, coordinates * np.array([-1, 1], dtype=np.float32))
    ]
    return min(both, key=lambda some: float(np.median(np.square(some - before).sum(axis=1))))
