"""The classic method: umap-learn's own fit from scratch whenever the embedding moved, aligned to the last
layout.

It is the baseline for the incremental UMAP. The alignment is a rigid motion by the tokens that moved least
(`procrustes.py`), or a reflection if that fits better. The remaining jumps are inherent in the method.

No other module imports umap-learn: importing takes a second, and far longer the first time, because it compiles much
that the incremental map does not need.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lamplighter.projection.methods.linear_view import principal_view
from living_map.procrustes import align_to_previous
from living_map.settings import MapSettings

if TYPE_CHECKING:
    from living_map.settings import MapSettings


with warnings.catch_warnings():
    # The warning concerns a part of umap-learn that is not used here.
    warnings.filterwarnings("ignore", message="Tensorflow not installed", category=ImportWarning)
    from umap import umap_

_MAX_RANDOM_START = 20
"""Maximum tokens for which a fit starts at random, since the spectral start has no solver for so few."""


def fit(vectors: NDArray[np.float32], neighbours: int, settings: MapSettings) -> NDArray[np.float32]:
    """Run umap-learn's own fit from scratch, by cosine, shape (V, D) to (V, 2); V must exceed `neighbours`.
    The seed is fixed, so umap-learn uses only one thread.
    """
    model = umap_.UMAP(
        n_neighbors=neighbours,
        min_dist=settings.min_dist,
        spread=settings.spread,
        negative_sample_rate=settings.negatives,
        metric="cosine",
        init="spectral" if len(vectors) > _MAX_RANDOM_START else "random",
        random_state=settings.seed,
        n_jobs=1,
    )
    with warnings.catch_warnings():
        # Ignore warnings of disconnected components and duplicates: the layout's trust shows its quality.
        warnings.simplefilter("ignore")
        return np.asarray(model.fit_transform(vectors), dtype=np.float32)


_MIN_TOKENS = 5
"""Minimum tokens that umap-learn can lay out; with fewer, its spectral start and its neighbours are undefined."""


class RefitUmap:
    """A layout by one UMAP fit per frame; an embedding that did not move is not fitted again."""

    def __init__(
        self, settings: MapSettings | None = None, coordinates: NDArray[np.float32] | None = None
    ) -> None:
        self._settings = settings or MapSettings()
        self._coordinates = coordinates
        self._fitted: NDArray[np.float32] | None = None
        """The embedding of the last fit, shape (V, D)."""

    @property
    def coordinates(self) -> NDArray[np.float32] | None:
        return self._coordinates

    @property
    def unsettled(self) -> bool:
        return self._fitted is None

    def resume_from(self, vectors: NDArray[np.float32]) -> None:
        """Ignore the embedding of the initial positions; this method needs no state."""

    def draw_frame(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
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
