"""The interface of all layout methods, and their registry by name in recipes and requests."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lamplighter.contract.recipe import MapMethodKind, MapRecipe
from lamplighter.wire.layout_frames import Method
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


METHODS: dict[MapMethodKind, Method] = {"umap": Method.UMAP, "refit": Method.REFIT, "pca": Method.PCA}
"""The method that a layout names on the wire."""


def settings_from_recipe(chosen: MapRecipe) -> MapSettings:
    return MapSettings(neighbours=chosen.neighbours, min_dist=chosen.min_dist, spread=chosen.spread)


def make_method(chosen: MapRecipe, coordinates: NDArray[np.float32] | None = None) -> LayoutMethod:
    """Create a layout method that continues from positions, shape (V, 2), or starts from scratch. Imports
    UMAP if the method needs it, which takes seconds the first time.
    """
    settings = settings_from_recipe(chosen)
    match chosen.method:
        case "umap":
            from living_map.incremental_umap import IncrementalUmap

            return IncrementalUmap(settings, coordinates)
        case "refit":
            from lamplighter.projection.methods.refit_umap import RefitUmap

            return RefitUmap(settings, coordinates)
        case "pca":
            from lamplighter.projection.methods.pca import PcaLayout

            return PcaLayout(coordinates)


def make_replacement_method(
    chosen: MapRecipe, vectors: NDArray[np.float32], coordinates: NDArray[np.float32]
) -> LayoutMethod:
    """Create a layout method that starts from scratch but aligned to the `coordinates` of another, (V, 2)."""
    if chosen.method != "umap":
        return make_method(chosen, coordinates)
    from lamplighter.projection.methods.refit_umap import align_or_mirror
    from living_map.incremental_umap import IncrementalUmap

    fresh = IncrementalUmap(settings_from_recipe(chosen))
    places = fresh.draw_frame(vectors)
    while fresh.fitting:
        places = fresh.draw_frame(vectors)
    method = make_method(chosen, align_or_mirror(places, coordinates))
    method.resume_from(vectors)
    return method
