"""The classic way: umap-learn's own fit from scratch, each time the space moved, laid over the last picture.

It is what the living map is compared with. The laying over is a rigid motion on the tokens that moved least
(`alignment.py`), so it takes out turns and shifts, and a mirror image where that fits better; what is left
of the jumping is the method's own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamplighter.projection.alignment import settle
from lamplighter.projection.linear import principal_view
from lamplighter.projection.method import MapSettings
from lamplighter.projection.umap_parts import fit

_FEWEST = 5
"""Tokens that umap-learn can lay out: below, its spectral start and its neighbours make no sense."""


class Refit:
    """One fit a frame; a space that did not move is not fitted again."""

    def __init__(
        self, settings: MapSettings | None = None, places: NDArray[np.float32] | None = None
    ) -> None:
        """Start from nothing, or from the places of an earlier process, shape (V, 2), to lie over."""
        self._settings = settings or MapSettings()
        self._places = places
        self._fitted: NDArray[np.float32] | None = None
        """The space of the last fit, shape (V, D)."""

    @property
    def places(self) -> NDArray[np.float32] | None:
        """Shape (V, 2), or None before the first frame."""
        return self._places

    @property
    def restless(self) -> bool:
        """Whether another frame of the same space would be fitted."""
        return self._fitted is None

    def remember(self, vectors: NDArray[np.float32]) -> None:
        """Take in the space that the places it was started with were made for: nothing is carried over from it."""

    def frame(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """The fit of this space, shape (V, D) to (V, 2), laid over the last picture; see `MapMethod`."""
        if self._places is not None and self._fitted is not None and np.array_equal(vectors, self._fitted):
            return self._places
        self._fitted = vectors.copy()
        size = len(vectors)
        if size < _FEWEST:
            places = _few(vectors)
        else:
            # A row of zeros is at no angle to any other; umap-learn's cosine takes it for the farthest.
            places = fit(vectors, min(self._settings.neighbours, size - 1), self._settings)
        self._places = places if self._places is None else laid_over(places, self._places)
        return self._places

    def change(self, settings: MapSettings) -> None:
        """Fit by other settings from the next frame on."""
        self._settings = settings
        self._fitted = None


def _few(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """The linear picture; tokens in one place stand beside one another."""
    places = principal_view(vectors, 0, 0).places(vectors)
    return places + np.linspace(0, 1e-3, len(places), dtype=np.float32)[:, None]


def laid_over(places: NDArray[np.float32], before: NDArray[np.float32]) -> NDArray[np.float32]:
    """`places` or its mirror image, whichever fits the last picture better once laid over it."""
    both = [settle(some, before) for some in (places, places * np.array([-1, 1], dtype=np.float32))]
    return min(both, key=lambda some: float(np.median(np.square(some - before).sum(axis=1))))
