"""The registry of layout methods, by their name in recipes and requests."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamplighter.contract.recipe import MapMethodKind, MapRecipe
from lamplighter.projection.layout_method import LayoutMethod
from lamplighter.wire.layout_frames import Method
from living_map.settings import MapSettings

METHODS: dict[MapMethodKind, Method] = {"umap": Method.UMAP, "refit": Method.REFIT, "pca": Method.PCA}
"""The method that a layout names on the wire."""


def settings_from_recipe(chosen: MapRecipe) -> MapSettings:
    return MapSettings(neighbours=chosen.neighbours, min_dist=chosen.min_dist, spread=chosen.spread)


def make_method(chosen: MapRecipe, coordinates: NDArray[np.float32] | None = None) -> LayoutMethod:
    """Create a layout method that continues from positions, shape (V, 2), or starts from scratch.

    Imports UMAP if the method needs it, which takes seconds the first time.
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
